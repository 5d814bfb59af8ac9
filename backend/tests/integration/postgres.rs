//! A PostgreSQL server of this test process: started once, and stopped and deleted by
//! a shell that waits for the process to end, however it ends.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use backend::database::Location;

use crate::process::backend;

/// It ends when its standard input does. Synchronous commits would wait for a disk
/// that no test takes away. Where there is a certificate it listens to TCP too, and
/// takes only TLS there.
const SCRIPT: &str = r#"
set -e
directory=$(mktemp -d)
trap 'pg_ctl -D "$directory/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$directory"' EXIT
initdb -D "$directory/data" -U portfolio -A trust -E UTF8 --locale=C --no-sync >/dev/null
options="-k $directory -c fsync=off -c max_connections=300"
if [ -n "$CERTIFICATE" ]; then
  umask 077
  echo "$CERTIFICATE" >"$directory/data/server.crt"
  echo "$KEY" >"$directory/data/server.key"
  sed -i 's/^host /hostssl /' "$directory/data/pg_hba.conf"
  options="$options -c ssl=on"
fi
pg_ctl -D "$directory/data" -l "$directory/log" -w -o "$options -c listen_addresses=$LISTEN -p $PORT" start >/dev/null
echo "$directory"
cat >/dev/null
"#;

/// A server. It is stopped and deleted when this is dropped.
pub(crate) struct Server {
    directory: String,
    /// Where it listens to TCP, if it does.
    pub(crate) port: u16,
    _shell: Child,
    _stdin: Option<ChildStdin>,
}

/// A new database on the server; nothing where PostgreSQL is not installed.
///
/// # Panics
/// Where it is not installed and `CI` is set.
pub(crate) fn new_database() -> Option<Location> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let server = SERVER.get_or_init(|| start("", 5432, None)).as_ref()?;
    let directory = &server.directory;
    let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let output = shell()
        .args([
            "-c",
            r#"createdb -h "$1" -U portfolio "$2""#,
            "sh",
            directory,
            &name,
        ])
        .output()
        .expect("a shell");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let url = format!("postgres://portfolio@localhost/{name}?host={directory}");
    Some(Location::Server(url.parse().expect("an address")))
}

/// The address of a new database, for the program's environment.
fn new_address() -> Option<String> {
    match new_database()? {
        Location::Server(url) => Some(url.reveal().to_owned()),
        Location::File(_) => None,
    }
}

/// Judges the program on SQLite, and on PostgreSQL where that is installed.
pub(crate) fn on_each_program(directory: &Path, judge: impl Fn(&dyn Fn() -> Command)) {
    let program = || {
        let mut command = backend(directory);
        command
            .env("PORTFOLIO_CONTACT_PER_ADDRESS", "1000000")
            .env("PORTFOLIO_CONTACT_PER_HOUR", "1000000");
        command
    };
    judge(&program);
    if let Some(address) = new_address() {
        judge(&|| {
            let mut command = program();
            command.env("DATABASE_URL", &address);
            command
        });
    }
}

/// A server of its own that listens to TCP at every address of this machine, with a
/// certificate and its key if it is to have TLS. Nothing where it is not installed.
pub(crate) fn new_server(certificate: Option<(&str, &str)>) -> Option<Server> {
    // Free a moment ago: PostgreSQL cannot be told to choose one.
    let free = TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    start("*", port, certificate)
}

#[expect(clippy::print_stdout, reason = "says what is not tested")]
fn start(listen: &str, port: u16, certificate: Option<(&str, &str)>) -> Option<Server> {
    let (certificate, key) = certificate.unwrap_or_default();
    let is_installed = shell()
        .args(["-c", "command -v initdb"])
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !is_installed {
        let is_gate = std::env::vars_os().any(|(name, _)| name == "CI");
        assert!(!is_gate, "the gate needs Debian's package postgresql");
        println!("not tested on PostgreSQL: it is not installed");
        return None;
    }
    let mut shell = shell()
        .args(["-c", SCRIPT])
        .env("CERTIFICATE", certificate)
        .env("KEY", key)
        .env("LISTEN", listen)
        .env("PORT", port.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut directory = String::new();
    BufReader::new(shell.stdout.take().expect("its output"))
        .read_line(&mut directory)
        .expect("a line");
    assert!(!directory.is_empty(), "PostgreSQL did not start");
    Some(Server {
        directory: directory.trim_end().to_owned(),
        port,
        _stdin: shell.stdin.take(),
        _shell: shell,
    })
}

/// A shell that finds Debian's programs, as a user that PostgreSQL runs as.
fn shell() -> Command {
    let is_root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout == b"0\n");
    let mut command = if is_root {
        let mut command = Command::new("setpriv");
        command.args([
            "--reuid=postgres",
            "--regid=postgres",
            "--init-groups",
            "sh",
        ]);
        command
    } else {
        Command::new("sh")
    };
    let path = std::env::vars_os().find(|(name, _)| name == "PATH");
    let path = path
        .map(|(_, path)| path.to_string_lossy().into_owned())
        .unwrap_or_default();
    let installed = fs_err::read_dir("/usr/lib/postgresql");
    let newest = installed
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .max();
    let debian = newest.map(|version| format!(":/usr/lib/postgresql/{version}/bin"));
    command
        .env("PATH", path + &debian.unwrap_or_default())
        .current_dir("/");
    command
}
