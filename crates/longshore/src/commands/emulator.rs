//! `longshore emulator`.

mod controls;
mod program;
mod snapshots;
mod usage;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use ::emulator::{Controls, ControlsSecret, Emulator, EmulatorError, RegistryBehaviour, Transport};
use receipts::{ExitCode, Problem, ProblemCode};
use serde_json::json;
use terraform::AwsResources;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::arguments::{EmulatorArguments, EmulatorCommand, Format};
use crate::printer;
use crate::project::Project;
use crate::settings::Settings;

/// Where AWS's documentation lives, and where nothing says otherwise.
const DEFAULT_REGION: &str = "us-east-1";

/// Sets the secret of the controls, in place of the one in the data directory.
const SECRET_VARIABLE: &str = "LONGSHORE_CONTROLS_SECRET";

/// Where it listens for whoever comes.
const STANDARD_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4566);
/// Where it listens for one program, which is told: any port that is free.
const FREE_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// What an emulator plays.
pub(crate) struct Stage {
    pub(crate) data: PathBuf,
    pub(crate) account: String,
    pub(crate) region: String,
    /// Further accounts.
    pub(crate) accounts: Vec<String>,
    pub(crate) resources: Option<AwsResources>,
    pub(crate) controls: Controls,
    pub(crate) transport: Transport,
    pub(crate) registry: RegistryBehaviour,
}

impl Stage {
    /// Binds `address` and opens the data directory.
    pub(crate) async fn open(
        self,
        address: SocketAddr,
    ) -> Result<(TcpListener, Emulator, String), Problem> {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Problem::new(
                ProblemCode::PortInUse,
                "the emulator did not start: it cannot listen",
            )
            .caused_by(&error)
            .fact("address", address.to_string())
            .hint("stop what listens there, or choose another with `--listen 127.0.0.1:0`")
        })?;
        let bound = listener.local_addr().unwrap_or(address);
        let scheme = match self.transport {
            Transport::Plain => "http",
            Transport::Tls { .. } => "https",
        };
        let url = format!("{scheme}://{}", reachable(bound));
        let data = self.data.display().to_string();
        let settings = ::emulator::Settings {
            data: self.data,
            account: self.account,
            region: self.region,
            accounts: self.accounts,
            resources: self.resources,
            controls: self.controls,
            transport: self.transport,
            registry: self.registry,
        };
        let emulator = Emulator::open(settings, &url).map_err(|error| {
            let problem = match error {
                EmulatorError::NotAnAddress(_) => Problem::new(
                    ProblemCode::BadConfiguration,
                    "the emulator did not start: an account or a region is none",
                ),
                _ => Problem::new(
                    ProblemCode::EmulatorFailed,
                    "the emulator did not start: its data cannot be opened",
                )
                .fact("data", data),
            };
            problem.caused_by(&error).hint(error.hint())
        })?;
        Ok((listener, emulator, url))
    }
}

/// Runs the emulator until it is told to stop.
pub(crate) async fn run(
    arguments: &EmulatorArguments,
    settings: &Settings,
) -> Result<ExitCode, Problem> {
    match &arguments.command {
        Some(EmulatorCommand::Usage(asked)) => return usage::run(asked, settings).await,
        Some(EmulatorCommand::Snapshot(asked)) => return snapshots::take(asked, settings).await,
        Some(EmulatorCommand::Snapshots(address)) => {
            return snapshots::list(address.url.as_deref(), settings).await;
        }
        Some(EmulatorCommand::Restore(asked)) => return snapshots::restore(asked, settings).await,
        Some(EmulatorCommand::Reset(asked)) => return snapshots::reset(asked, settings).await,
        None => {}
    }
    let stage = stage(arguments, settings)?;
    let region = stage.region.clone();
    let address = arguments.listen.unwrap_or(if arguments.program.is_empty() {
        STANDARD_ADDRESS
    } else {
        FREE_ADDRESS
    });
    let (listener, emulator, url) = stage.open(address).await?;
    let variables = variables(&url, &region, &emulator);
    if let Some(file) = emulator.authority_file() {
        announce_authority(&url, &file);
    }
    if arguments.controls {
        announce_controls(&url, address.ip(), &emulator);
    }
    let Some((name, rest)) = arguments.program.split_first() else {
        announce(settings, &url, variables);
        emulator.serve(listener, stopped()).await;
        printer::message("the emulator has stopped; its data is kept");
        return Ok(ExitCode::Success);
    };
    let mut child = program::start(name, rest, &variables)?;
    let (end, ended) = oneshot::channel::<()>();
    let serving = tokio::spawn(emulator.serve(listener, async {
        let _ = ended.await;
    }));
    let code = tokio::select! {
        status = child.wait() => program::conclude(name, status),
        () = stopped() => ExitCode::ProgramFailed,
    };
    drop((child, end));
    let _ = serving.await;
    Ok(code)
}

/// What the project and the flags make of an emulator.
fn stage(arguments: &EmulatorArguments, settings: &Settings) -> Result<Stage, Problem> {
    let project = if arguments.empty {
        Project::find_if_any(&settings.directory)?
    } else {
        Some(Project::find(&settings.directory)?)
    };
    let resources = project.as_ref().map(Project::resources).transpose()?;
    let resources = resources.flatten();
    let data = Project::at_if_any(project.as_ref(), &settings.directory, &arguments.data);
    let table = project
        .as_ref()
        .map(|project| project.configuration.aws.clone());
    let table = table.unwrap_or_default();
    let found = resources.clone().unwrap_or_default();
    let account = table
        .account
        .clone()
        .or(Some(found.account))
        .filter(|account| !account.is_empty());
    Ok(Stage {
        // Programs that are told of it may run in another directory.
        data: std::path::absolute(&data).unwrap_or(data),
        account: account.unwrap_or_else(|| crate::project::EXAMPLE_ACCOUNT.to_owned()),
        region: table
            .region
            .clone()
            .or(found.region)
            .unwrap_or_else(|| DEFAULT_REGION.to_owned()),
        accounts: arguments.accounts.clone(),
        resources: resources.filter(|_| !arguments.empty),
        controls: controls(arguments, settings)?,
        transport: if arguments.tls {
            let names = arguments.tls_names.clone();
            Transport::Tls { names }
        } else {
            Transport::Plain
        },
        registry: if arguments.spec_registry {
            RegistryBehaviour::Specification
        } else {
            RegistryBehaviour::Ecr
        },
    })
}

/// An address that clients can use: one that stands for all of them is none.
fn reachable(bound: SocketAddr) -> SocketAddr {
    let loopback: IpAddr = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(loopback, bound.port())
}

fn controls(arguments: &EmulatorArguments, settings: &Settings) -> Result<Controls, Problem> {
    if !arguments.controls {
        return Ok(Controls::Off);
    }
    let given = settings.environment.get(SECRET_VARIABLE);
    let secret = given.map(ControlsSecret::parse).transpose();
    let secret = secret.map_err(|error| {
        Problem::new(
            ProblemCode::BadConfiguration,
            "the emulator did not start: the secret of its controls cannot be used",
        )
        .caused_by(&error)
        .fact("variable", SECRET_VARIABLE)
        .hint(format!(
            "leave {SECRET_VARIABLE} unset: the emulator then makes a secret"
        ))
    })?;
    Ok(Controls::On { secret })
}

/// How clients learn to trust the emulator, beside the AWS SDKs.
fn announce_authority(url: &str, file: &Path) {
    let file = file.display();
    let host = url.trim_start_matches("https://");
    printer::message(&format!(
        "clients are to trust {file}: AWS_CA_BUNDLE says so to the AWS SDKs, SSL_CERT_FILE to \
         most others; Docker looks for a copy in /etc/docker/certs.d/{host}/ca.crt"
    ));
}

/// Where the controls are, and where what opens them to other machines.
fn announce_controls(url: &str, listened: IpAddr, emulator: &Emulator) {
    let secret = emulator.controls_secret_file().map_or_else(
        || SECRET_VARIABLE.to_owned(),
        |file| file.display().to_string(),
    );
    printer::message(&format!(
        "its controls are on, under {url}/_longshore; other machines need the secret in {secret}"
    ));
    if !listened.to_canonical().is_loopback() {
        printer::message(&format!(
            "warning: {listened} is reachable from other machines: whoever has the secret can \
             mint tokens for any caller and move the clock"
        ));
    }
}

/// What leads other programs here. The keys open nothing but the emulator.
fn variables(url: &str, region: &str, emulator: &Emulator) -> Vec<(&'static str, String)> {
    let file = emulator.credentials_file().display().to_string();
    let mut variables = vec![
        ("AWS_ENDPOINT_URL", url.to_owned()),
        ("AWS_REGION", region.to_owned()),
        // The first version of the `aws` command line knows only this name.
        ("AWS_DEFAULT_REGION", region.to_owned()),
        // A profile for each account, for `aws --profile ACCOUNT`.
        ("AWS_SHARED_CREDENTIALS_FILE", file),
    ];
    if let Some(file) = emulator.authority_file() {
        variables.push(("AWS_CA_BUNDLE", file.display().to_string()));
    }
    if let Some(keys) = emulator.administrator() {
        variables.push(("AWS_ACCESS_KEY_ID", keys.access_key_id.clone()));
        variables.push(("AWS_SECRET_ACCESS_KEY", keys.secret_access_key.clone()));
    }
    variables
}

/// What to paste into a shell.
fn announce(settings: &Settings, url: &str, variables: Vec<(&str, String)>) {
    match settings.format {
        Format::Json => {
            let fields = variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), json!(value)));
            printer::json(&fields.collect::<serde_json::Map<_, _>>());
        }
        Format::Text | Format::Sarif => {
            for (name, value) in variables {
                printer::data(&format!("export {name}={}", quoted(&value)));
            }
            printer::message(&format!(
                "the emulator listens on {url}; stop it with Ctrl-C"
            ));
        }
    }
}

/// The value as one word of a shell: only a path can need quotes.
fn quoted(value: &str) -> String {
    let plain =
        |character: char| character.is_ascii_alphanumeric() || "/:._-+=@,".contains(character);
    if value.chars().all(plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// Resolves when the process is asked to stop.
async fn stopped() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
