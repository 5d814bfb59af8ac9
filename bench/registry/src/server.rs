//! The two registries, each as its users run it.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::client::Registry;

const ROLE: &str = "arn:aws:iam::123456789012:role/bench";
/// How long a registry may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// `longshore emulator`: SigV4, a role's session, and its policy asked at
    /// every request.
    Longshore,
    /// Debian's `docker-registry`, without any authorization.
    Docker,
}

/// A registry that may be started, stopped, and started again on its data.
pub struct Server {
    kind: Kind,
    program: PathBuf,
    directory: PathBuf,
    address: SocketAddr,
    child: Option<Child>,
}

impl Server {
    /// A server on a directory of its own under `directory`, not started yet.
    pub fn new(kind: Kind, program: &Path, directory: &Path) -> Self {
        let directory = directory.join(kind.name());
        fs::create_dir_all(&directory).expect("a directory for the registry");
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        Self {
            kind,
            program: program.to_owned(),
            directory,
            address: free.local_addr().expect("the port"),
            child: None,
        }
    }

    /// Starts the process and returns the time until its first answer.
    pub fn start(&mut self) -> Duration {
        let mut command = self.command();
        let begun = Instant::now();
        self.child = Some(command.spawn().expect("the registry's program"));
        while !self.answers() {
            assert!(begun.elapsed() < PATIENCE, "{} is silent", self.kind.name());
            std::thread::sleep(Duration::from_micros(200));
        }
        begun.elapsed()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        let output = File::create(self.directory.join("output")).expect("a file");
        let log = File::create(self.directory.join("log")).expect("a file");
        command.stdin(Stdio::null()).stdout(output).stderr(log);
        match self.kind {
            Kind::Longshore => {
                let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("project");
                command
                    .args(["emulator", "--controls", "--format", "json", "--listen"])
                    .arg(self.address.to_string())
                    .arg("--data")
                    .arg(self.directory.join("data"))
                    .current_dir(project);
            }
            Kind::Docker => {
                let file = self.directory.join("config.yml");
                let data = self.directory.join("data");
                fs::write(&file, configuration(&data, self.address)).expect("a file");
                command.arg("serve").arg(file);
            }
        }
        command
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(self.address) else {
            return false;
        };
        let request = b"GET /v2/ HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        let mut answer = [0; 12];
        stream.write_all(request).is_ok()
            && stream.read_exact(&mut answer).is_ok()
            && answer.starts_with(b"HTTP/1.1 ")
    }

    /// How clients reach it, logged in.
    pub fn registry(&self) -> Registry {
        Registry {
            address: self.address,
            authorization: (self.kind == Kind::Longshore).then(|| self.log_in()),
        }
    }

    /// A login of the role, got as a GitHub job gets it.
    fn log_in(&self) -> String {
        let output = fs::read(self.directory.join("output")).expect("the variables");
        let variables: Value = serde_json::from_slice(&output).expect("JSON");
        let url = variables["AWS_ENDPOINT_URL"].as_str().expect("an address");
        let lookup = |name: &str| variables[name].as_str().map(str::to_owned);
        let settings = aws::Settings::from_environment(&lookup).expect("settings");
        let client = aws::Client::new(settings, jiff::Timestamp::now).expect("a client");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let login = runtime.block_on(async {
            let claims =
                json!({ "aud": "sts.amazonaws.com", "sub": "repo:acme/bench:ref:refs/heads/main" });
            let minted: Value = reqwest::Client::new()
                .post(format!("{url}/_longshore/tokens"))
                .json(&json!({ "claims": claims }))
                .send()
                .await
                .expect("a token")
                .json()
                .await
                .expect("JSON");
            let token = minted["value"].as_str().expect("a token").to_owned();
            let token = aws::WebIdentityToken::new(token);
            let request = aws::AssumeRole {
                role_arn: ROLE,
                session_name: "bench",
                token: &token,
                duration_seconds: 3600,
            };
            let session = client.assume_role_with_web_identity(&request).await;
            let credentials = session.expect("a session").credentials;
            client
                .registry_authorization(&credentials)
                .await
                .expect("a login")
        });
        basic(&login)
    }

    /// The most memory that the process has had resident, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        kib.expect("VmHWM") * 1024
    }

    /// Seconds that the process has been on a processor (proc(5): `utime` and
    /// `stime`, in hundredths).
    pub fn processor(&self) -> f64 {
        let stat = self.proc("stat");
        let (_, behind_name) = stat.rsplit_once(')').expect("a name");
        let times = behind_name.split_whitespace().skip(11).take(2);
        let ticks: f64 = times.map(|time| time.parse::<f64>().expect("ticks")).sum();
        ticks / 100.0
    }

    fn proc(&self, file: &str) -> String {
        let id = self.child.as_ref().expect("it runs").id();
        fs::read_to_string(format!("/proc/{id}/{file}")).expect("a process of ours")
    }

    /// Throws its data away.
    pub fn clear(&self) {
        let _ = fs::remove_dir_all(self.directory.join("data"));
    }

    /// Asks the process to end, and waits.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let id = child.id().to_string();
            let _ = Command::new("kill").arg(id).status();
            let _ = child.wait();
        }
    }

    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Longshore => "longshore",
            Self::Docker => "docker-registry",
        }
    }
}

fn basic(login: &aws::RegistryAuthorization) -> String {
    use base64::Engine as _;
    let text = format!("AWS:{}", login.password.expose());
    format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(text)
    )
}

/// Debian's `/etc/docker/registry/config.yml` without its password file.
fn configuration(data: &Path, address: SocketAddr) -> String {
    format!(
        "version: 0.1
log:
  fields:
    service: registry
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: {}
  delete:
    enabled: true
http:
  addr: {address}
  headers:
    X-Content-Type-Options: [nosniff]
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
",
        data.display()
    )
}
