//! The emulator as its users start it: a data directory is opened, then a
//! listener is served until it is told to stop.

mod error;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use error::EmulatorError;
use jiff::Timestamp;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::accounts::{self, AdministratorKeys};
use crate::activity;
use crate::admin::{ControlsSecret, SECRET_FILE};
use crate::blobs::Blobs;
use crate::clock::Clock;
use crate::collect::Room;
use crate::ecr::{LifecycleClock, Registry, is_account, is_region};
use crate::faults::Faults;
use crate::format::{FACTS, Upgrade};
use crate::garbage::{Collector, collect_forever};
use crate::gate::Gate;
use crate::issuer::Issuer;
use crate::registry::Behaviour;
use crate::seed::seed;
use crate::settings::{Controls, Settings, Transport};
use crate::snapshots::{Snapshots, settle};
use crate::state::State;
use crate::store::Store;
use crate::tls;
use crate::trail::Trail;
use crate::{connection, durable, front};

/// The file of the records, in the data directory.
const RECORDS: &str = "state.redb";

/// An opened emulator.
#[derive(Debug)]
pub struct Emulator {
    state: Arc<State>,
    /// By account.
    administrators: Vec<(String, AdministratorKeys)>,
    credentials_file: PathBuf,
    tls: Option<Arc<ServerConfig>>,
}

impl Emulator {
    /// Opens the data directory, or makes it, and puts the Terraform resources
    /// in. `base_url` is where clients will reach the listener.
    pub fn open(settings: Settings, base_url: &str) -> Result<Self, EmulatorError> {
        check_addresses(&settings)?;
        prepare(&settings.data)?;
        let store = Store::open(&settings.data.join(RECORDS))?;
        settle(&settings.data, &store)?;
        let clock = Clock::default();
        let administrators = prepare_records(&store, &settings, clock.now())?;
        let tls = match &settings.transport {
            Transport::Plain => None,
            Transport::Tls { names } => Some(tls::open(&settings, names, host_of(base_url))?),
        };
        let credentials_file = accounts::write_credentials(&settings.data, &administrators)?;
        let trail = settings.data.join("trail");
        fs_err::create_dir_all(&trail)?;
        let controls = match &settings.controls {
            Controls::Off => None,
            Controls::On {
                secret: Some(given),
            } => Some(given.clone()),
            Controls::On { secret: None } => Some(ControlsSecret::open(&settings.data)?),
        };
        let state = State {
            base_url: base_url.to_owned(),
            controls,
            behaviour: Behaviour::of(settings.registry),
            room: Room::default(),
            faults: Faults::default(),
            blobs: Blobs::open(&settings.data)?,
            issuer: Issuer::open(&settings.data)?,
            collector: Collector::default(),
            gate: Gate::default(),
            snapshots: Snapshots::open(&settings.data)?,
            lifecycle: LifecycleClock::default(),
            trail: Trail::new(trail, &settings.account, &settings.region)?,
            clock,
            store,
            settings,
        };
        activity::keep(&state);
        Ok(Self {
            state: Arc::new(state),
            administrators,
            credentials_file,
            tls,
        })
    }

    /// What every request works on.
    #[cfg(fuzzing)]
    pub(crate) fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// The keys of the root users, each with its account.
    pub fn administrators(&self) -> &[(String, AdministratorKeys)] {
        &self.administrators
    }

    /// The keys of the default account's root user.
    pub fn administrator(&self) -> Option<&AdministratorKeys> {
        let default = &self.state.settings.account;
        let mut administrators = self.administrators.iter();
        administrators
            .find(|(account, _)| account == default)
            .map(|(_, keys)| keys)
    }

    /// The file with a profile for each account, named by the account's id.
    pub fn credentials_file(&self) -> &Path {
        &self.credentials_file
    }

    /// The certificate that clients are to trust; `None` without TLS.
    pub fn authority_file(&self) -> Option<PathBuf> {
        let data = &self.state.settings.data;
        self.tls.is_some().then(|| data.join(tls::CERTIFICATE))
    }

    /// The file with the secret of the controls; `None` where they are off, or
    /// where their secret was given.
    pub fn controls_secret_file(&self) -> Option<PathBuf> {
        let settings = &self.state.settings;
        let is_kept = settings.controls == Controls::On { secret: None };
        is_kept.then(|| settings.data.join(SECRET_FILE))
    }

    /// Answers requests until `shutdown` resolves, then finishes those that are
    /// under way. The runtime must allow [`THREADS`](crate::THREADS) blocking
    /// threads: slow uploads hold one each, and must not hold up the rest.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let state = self.state;
        let collecting = tokio::spawn(collect_forever(Arc::clone(&state)));
        let issuer = Arc::clone(&state);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = issuer.issuer.key() {
                tracing::error!(%error, "the issuer has no key");
            }
        });
        let answer = move |peer, request| front::answer(Arc::clone(&state), peer, request);
        let tls = self.tls.map(TlsAcceptor::from);
        connection::serve(listener, tls, answer, shutdown).await;
        collecting.abort();
    }
}

/// Brings the records to this format, puts the Terraform resources in, and makes
/// the keys of root users that there are not yet: all keys, by account.
fn prepare_records(
    store: &Store,
    settings: &Settings,
    now: Timestamp,
) -> Result<Vec<(String, AdministratorKeys)>, EmulatorError> {
    store.write(|writer| {
        let upgrade = Upgrade {
            writer,
            data: &settings.data,
            default: &Registry::default_of(settings),
            now,
        };
        upgrade.run()?;
        match writer.get(&FACTS, "account")? {
            Some(found) if found != settings.account => {
                let wanted = settings.account.clone();
                return Err(EmulatorError::OtherAccount { found, wanted });
            }
            _ => writer.put(&FACTS, "account", &settings.account)?,
        }
        seed(writer, settings, now)?;
        let further = settings.accounts.iter().map(String::as_str);
        let accounts: Vec<&str> = further.chain([settings.account.as_str()]).collect();
        let keys = accounts::open(writer, &accounts)?;
        // A start that changes nothing waits for no disk.
        writer.leave_out_unchanged()?;
        Ok(keys)
    })
}

/// Host name or address in a URL, without its port.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, _port) = rest.rsplit_once(':').unwrap_or((rest, ""));
    host
}

/// Accounts and regions are parts of keys: what is not one is refused.
fn check_addresses(settings: &Settings) -> Result<(), EmulatorError> {
    let mut accounts = settings.accounts.iter().chain([&settings.account]);
    let wrong = accounts.find(|account| !is_account(account));
    let wrong = wrong.or(Some(&settings.region).filter(|region| !is_region(region)));
    match wrong {
        Some(wrong) => Err(EmulatorError::NotAnAddress(wrong.clone())),
        None => Ok(()),
    }
}

/// What the directory's owner may do, and nobody else.
const OWNER_ONLY: u32 = 0o700;

/// Makes the directory its owner's alone: it holds keys.
fn prepare(data: &Path) -> Result<(), EmulatorError> {
    durable::create_directory(data)?;
    let is_ours = data.join(RECORDS).exists();
    if !is_ours && fs_err::read_dir(data)?.next().is_some() {
        return Err(EmulatorError::Foreign(data.to_owned()));
    }
    if fs_err::metadata(data)?.permissions().mode() & 0o7777 == OWNER_ONLY {
        return Ok(());
    }
    let owner_only = std::fs::Permissions::from_mode(OWNER_ONLY);
    Ok(fs_err::set_permissions(data, owner_only)?)
}
