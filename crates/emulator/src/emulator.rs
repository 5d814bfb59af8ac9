//! The emulator as its users start it: a data directory is opened, then a
//! listener is served until it is told to stop.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;

use crate::admin::{ControlsSecret, SECRET_FILE};
use crate::blobs::{BlobError, Blobs};
use crate::clock::Clock;
use crate::connection::{Connections, Peer};
use crate::front;
use crate::issuer::{Issuer, KeyError};
use crate::random;
use crate::seed::seed;
use crate::settings::{Controls, Settings};
use crate::state::State;
use crate::store::{Store, StoreError, Table};
use crate::sts::sessions::{ACCESS_KEYS, AccessKey, Identity, Secret};
use crate::trail::Trail;

/// What a data directory is: `account` and `administrator`, each a text.
const FACTS: Table<String> = Table::new("emulator/facts");

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
    /// The issuer's key cannot be read or made.
    #[error("the issuer's signing key cannot be used: {0}")]
    Key(String),
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

impl From<BlobError> for EmulatorError {
    fn from(error: BlobError) -> Self {
        Self::Store(Box::new(error))
    }
}

/// The keys of the account's root user. They open nothing but this emulator.
#[derive(Clone)]
pub struct AdministratorKeys {
    /// The key's id.
    pub access_key_id: String,
    /// The secret that signs.
    pub secret_access_key: String,
}

impl std::fmt::Debug for AdministratorKeys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("AdministratorKeys")
            .field("access_key_id", &self.access_key_id)
            .field("secret_access_key", &format_args!("***"))
            .finish()
    }
}

/// An opened emulator.
#[derive(Debug)]
pub struct Emulator {
    state: Arc<State>,
    administrator: AdministratorKeys,
}

impl Emulator {
    /// Opens the data directory, or makes it, and puts the Terraform resources
    /// in. `base_url` is where clients will reach the listener.
    pub fn open(settings: Settings, base_url: &str) -> Result<Self, EmulatorError> {
        prepare(&settings.data)?;
        let store = Store::open(&settings.data.join("state.redb"))?;
        let clock = Clock::default();
        let administrator = store.write(|writer| -> Result<_, EmulatorError> {
            match writer.get(&FACTS, "account")? {
                Some(found) if found != settings.account => {
                    let wanted = settings.account.clone();
                    return Err(EmulatorError::OtherAccount { found, wanted });
                }
                _ => writer.put(&FACTS, "account", &settings.account)?,
            }
            seed(writer, &settings, clock.now())?;
            administrator(writer, &settings.account)
        })?;
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
            blobs: Blobs::open(&settings.data)?,
            issuer: Issuer::open(&settings.data)?,
            trail: Trail::new(trail, &settings.account, &settings.region)?,
            clock,
            store,
            settings,
        };
        Ok(Self {
            state: Arc::new(state),
            administrator,
        })
    }

    /// The keys of the account's root user.
    pub fn administrator(&self) -> AdministratorKeys {
        self.administrator.clone()
    }

    /// The file with the secret of the controls; `None` where they are off, or
    /// where their secret was given.
    pub fn controls_secret_file(&self) -> Option<PathBuf> {
        let settings = &self.state.settings;
        let is_kept = settings.controls == Controls::On { secret: None };
        is_kept.then(|| settings.data.join(SECRET_FILE))
    }

    /// Answers requests until `shutdown` resolves, then finishes those that are
    /// under way.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let router = Router::new().fallback(front::answer).with_state(self.state);
        let service = router.into_make_service_with_connect_info::<Peer>();
        axum::serve(Connections::new(listener), service)
            .with_graceful_shutdown(shutdown)
            .await
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

/// The administrator's keys of this directory, made on the first start.
fn administrator(
    writer: &crate::store::Writer,
    account: &str,
) -> Result<AdministratorKeys, EmulatorError> {
    if let Some(access_key_id) = writer.get(&FACTS, "administrator")?
        && let Some(key) = writer.get(&ACCESS_KEYS, &access_key_id)?
    {
        let secret_access_key = key.secret.reveal().to_owned();
        return Ok(AdministratorKeys {
            access_key_id,
            secret_access_key,
        });
    }
    let keys = AdministratorKeys {
        access_key_id: random::identifier("AKIA"),
        secret_access_key: random::access_secret(),
    };
    let key = AccessKey {
        secret: Secret::new(keys.secret_access_key.clone()),
        identity: Identity::Root {
            account: account.to_owned(),
        },
        session: None,
    };
    writer.put(&ACCESS_KEYS, &keys.access_key_id, &key)?;
    writer.put(&FACTS, "administrator", &keys.access_key_id)?;
    Ok(keys)
}
