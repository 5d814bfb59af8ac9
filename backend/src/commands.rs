//! The commands that do one thing and end: backups and tokens.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;

use backend::backup::{self, BackupError, Restore};
use backend::config;
use backend::contact::outbox;
use backend::database::{Database, Start};
use backend::timestamp::{self, in_utc, system_clock};
use backend::tokens::{self, Scope};

use crate::{Failure, open, print};

async fn configured(start: Start) -> Result<Database, Failure> {
    open(&config::read(std::env::vars_os())?.config, start).await
}

/// Writes a backup.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn backup(path: &OsStr) -> Result<(), Failure> {
    let failed = |source: BackupError| Failure::Backup {
        verb: "made",
        source,
    };
    let database = configured(Start::Existing).await?;
    let rows = backup::create(&database, Path::new(path))
        .await
        .map_err(failed)?;
    database.close().await;
    print(&format!("{rows} rows written\n"))
}

/// Restores a backup.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn restore(path: &OsStr, restore: Restore) -> Result<(), Failure> {
    let failed = |source: BackupError| Failure::Backup {
        verb: "restored",
        source,
    };
    let database = configured(Start::Empty).await?;
    let rows = backup::restore(&database, Path::new(path), restore, system_clock())
        .await
        .map_err(failed)?;
    database.close().await;
    print(&format!("{rows} rows restored\n"))
}

/// Has what was given up delivered after all.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn retry_outbox() -> Result<(), Failure> {
    let database = configured(Start::Existing).await?;
    let messages = outbox::retry(&database, system_clock())
        .await
        .map_err(|error| Failure::process("change the outbox", error))?;
    database.close().await;
    print(&format!("{messages} messages will be tried again\n"))
}

/// Makes a token and prints it.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn create_token(
    name: &str,
    scopes: &str,
    expiry: Option<&str>,
) -> Result<(), Failure> {
    if name.is_empty() || name.len() > 100 || name.contains(char::is_control) {
        let sentence = "the name must be one line of at most 100 bytes";
        return Err(Failure::Refused(sentence.to_owned()));
    }
    let scopes: Vec<Scope> = scopes
        .split(',')
        .map(|scope| {
            let unknown = || Failure::Refused(format!("there is no scope `{scope}`"));
            scope.parse().map_err(|()| unknown())
        })
        .collect::<Result<_, _>>()?;
    let expires_at = expiry
        .map(|expiry| {
            let wrong = || Failure::Refused(format!("`{expiry}` is no time as in RFC 3339"));
            in_utc(expiry).ok_or_else(wrong)
        })
        .transpose()?;
    let now = timestamp::text(system_clock());
    if expires_at.as_ref().is_some_and(|expiry| *expiry <= now) {
        let sentence = "the token would have ended already";
        return Err(Failure::Refused(sentence.to_owned()));
    }
    let database = configured(Start::Example).await?;
    let secret = tokens::create(
        &database,
        name,
        &scopes,
        expires_at.as_deref(),
        system_clock(),
    )
    .await
    .map_err(|error| Failure::process("make a token", error))?;
    database.close().await;
    print(&format!("{}\n", secret.reveal()))
}

/// Shows every token.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn list_tokens() -> Result<(), Failure> {
    let database = configured(Start::Example).await?;
    let tokens = tokens::list(&database)
        .await
        .map_err(|error| Failure::process("read the tokens", error))?;
    database.close().await;
    let mut table = String::new();
    for token in tokens {
        let scopes: Vec<String> = token.scopes.iter().map(Scope::to_string).collect();
        let state = match (token.revoked_at, token.expires_at) {
            (Some(time), _) => format!("revoked {time}"),
            (None, Some(time)) => format!("expires {time}"),
            (None, None) => "does not expire".to_owned(),
        };
        let used = token.last_used_at.unwrap_or_else(|| "never".to_owned());
        // Writing into a string does not fail.
        let _ = writeln!(
            table,
            "{}  {}  {}  {state}  last used {used}",
            token.id,
            token.name,
            scopes.join(",")
        );
    }
    print(&table)
}

/// Takes a token back.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn revoke_token(id: &str) -> Result<(), Failure> {
    let database = configured(Start::Example).await?;
    let is_revoked = tokens::revoke(&database, id, system_clock())
        .await
        .map_err(|error| Failure::process("revoke a token", error))?;
    database.close().await;
    if is_revoked {
        print("revoked\n")
    } else {
        Err(Failure::Refused(format!(
            "there is no token `{id}` to revoke"
        )))
    }
}
