//! The emulator as its users start it: a data directory is opened, then a
//! listener is served until it is told to stop.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::accounts::{self, AdministratorKeys};
use crate::activity;
use crate::admin::{ControlsSecret, SECRET_FILE};
use crate::blobs::{BlobError, Blobs};
use crate::clock::Clock;
use crate::collect::Room;
use crate::ecr::{LifecycleClock, Registry, is_account, is_region};
use crate::faults::Faults;
use crate::format::{FACTS, Upgrade};
use crate::garbage::{Collector, collect_forever};
use crate::issuer::{Issuer, KeyError};
use crate::registry::Behaviour;
use crate::seed::seed;
use crate::settings::{Controls, Settings, Transport};
use crate::state::State;
use crate::store::{Store, StoreError};
use crate::tls::{self, TlsError};
use crate::trail::Trail;
use crate::{connection, front};

/// Why the emulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// Another emulator runs on the directory, or its database is damaged.
    #[error(transparent)]
    Store(Box<dyn std::error::Error + Send + Sync>),
    /// The directory cannot be made, read or written.
    #[error("the data directory cannot be used")]
    Directory(#[from] io::Error),
    /// The directory holds something else.
    #[error("{} is not empty and was not made by an emulator; it was left untouched", .0.display())]
    Foreign(PathBuf),
    /// The directory belongs to another account.
    #[error("the data directory is of account {found}, not of {wanted}")]
    OtherAccount {
        /// The account in the directory.
        found: String,
        /// The account asked for.
        wanted: String,
    },
    /// A later version of the emulator wrote the directory.
    #[error(
        "the data directory is of format {found}, and this version reads formats up to {known}; \
         nothing was changed"
    )]
    Format {
        /// The number in the directory.
        found: String,
        /// The newest number that is known here.
        known: usize,
    },
    /// An account or a region is not written as AWS writes it.
    #[error("`{0}` is not the id of an account (twelve digits) or of a region")]
    NotAnAddress(String),
    /// The issuer's key cannot be read or made.
    #[error("the issuer's signing key cannot be used: {0}")]
    Key(String),
    /// There is no certificate for TLS.
    #[error(transparent)]
    Tls(Box<dyn std::error::Error + Send + Sync>),
    /// A resource of the Terraform root is one that AWS would refuse.
    #[error("AWS would refuse `{name}`: {reason}")]
    Resource {
        /// The resource.
        name: String,
        /// What AWS would say.
        reason: String,
    },
}

impl From<StoreError> for EmulatorError {
    fn from(error: StoreError) -> Self {
        Self::Store(Box::new(error))
    }
}

impl From<KeyError> for EmulatorError {
    fn from(error: KeyError) -> Self {
        Self::Key(error.to_string())
    }
}

impl From<TlsError> for EmulatorError {
    fn from(error: TlsError) -> Self {
        Self::Tls(Box::new(error))
    }
}

impl From<BlobError> for EmulatorError {
    fn from(error: BlobError) -> Self {
        Self::Store(Box::new(error))
    }
}

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
        let store = Store::open(&settings.data.join("state.redb"))?;
        let clock = Clock::default();
        let administrators = store.write(|writer| -> Result<_, EmulatorError> {
            let upgrade = Upgrade {
                writer,
                data: &settings.data,
                default: &Registry::default_of(&settings),
                now: clock.now(),
            };
            upgrade.run()?;
            match writer.get(&FACTS, "account")? {
                Some(found) if found != settings.account => {
                    let wanted = settings.account.clone();
                    return Err(EmulatorError::OtherAccount { found, wanted });
                }
                _ => writer.put(&FACTS, "account", &settings.account)?,
            }
            seed(writer, &settings, clock.now())?;
            let further = settings.accounts.iter().map(String::as_str);
            let accounts: Vec<&str> = further.chain([settings.account.as_str()]).collect();
            Ok(accounts::open(writer, &accounts)?)
        })?;
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
        let answer = move |peer, request| front::answer(Arc::clone(&state), peer, request);
        let tls = self.tls.map(TlsAcceptor::from);
        connection::serve(listener, tls, answer, shutdown).await;
        collecting.abort();
    }
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

/// Makes the directory its owner's alone: it holds keys.
fn prepare(data: &Path) -> Result<(), EmulatorError> {
    fs_err::create_dir_all(data)?;
    let is_ours = data.join("state.redb").exists();
    if !is_ours && fs_err::read_dir(data)?.next().is_some() {
        return Err(EmulatorError::Foreign(data.to_owned()));
    }
    let owner_only = std::fs::Permissions::from_mode(0o700);
    Ok(fs_err::set_permissions(data, owner_only)?)
}
