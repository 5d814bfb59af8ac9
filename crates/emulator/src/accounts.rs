//! The accounts that the emulator plays, and the keys of their root users.
//!
//! Keys are made on the first start with an account and stay. All of them are
//! written to a shared credentials file, as the `aws` command reads it, with a
//! profile for each account (AWS CLI User Guide, "Configuration and credential
//! file settings").

use std::fmt::{self, Write as _};
use std::io;
use std::path::{Path, PathBuf};

use crate::format::FACTS;
use crate::store::{Reader, StoreError, Writer};
use crate::sts::sessions::{ACCESS_KEYS, AccessKey, Identity, Secret};
use crate::{private_file, random};

const FILE: &str = "credentials";

/// The keys of an account's root user. They open nothing but this emulator.
#[derive(Clone)]
pub struct AdministratorKeys {
    /// The key's id.
    pub access_key_id: String,
    /// The secret that signs.
    pub secret_access_key: String,
}

impl fmt::Debug for AdministratorKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AdministratorKeys")
            .field("access_key_id", &self.access_key_id)
            .field("secret_access_key", &format_args!("***"))
            .finish()
    }
}

/// The root keys of `accounts` and of those that the directory has already,
/// each with its account.
pub(crate) fn open(
    writer: &Writer,
    accounts: &[&str],
) -> Result<Vec<(String, AdministratorKeys)>, StoreError> {
    for account in accounts {
        make_keys(writer, account)?;
    }
    let mut keys = Vec::new();
    for (fact, access_key_id) in writer.list(&FACTS, &administrator_fact(""))? {
        let Some(key) = writer.get(&ACCESS_KEYS, &access_key_id)? else {
            continue;
        };
        let account = fact.trim_start_matches(&administrator_fact(""));
        let secret_access_key = key.secret.reveal().to_owned();
        keys.push((
            account.to_owned(),
            AdministratorKeys {
                access_key_id,
                secret_access_key,
            },
        ));
    }
    Ok(keys)
}

/// The key of a root user, to be put back after the records were replaced: it is
/// in the environment of clients, and belongs to none of the states.
#[derive(Debug)]
pub(crate) struct RootKey {
    fact: String,
    id: String,
    key: AccessKey,
}

/// All root keys.
pub(crate) fn root_keys(reader: &Reader) -> Result<Vec<RootKey>, StoreError> {
    let mut keys = Vec::new();
    for (fact, id) in reader.list(&FACTS, &administrator_fact(""))? {
        if let Some(key) = reader.get(&ACCESS_KEYS, &id)? {
            keys.push(RootKey { fact, id, key });
        }
    }
    Ok(keys)
}

/// Puts root keys back.
pub(crate) fn put_back(writer: &Writer, keys: &[RootKey]) -> Result<(), StoreError> {
    for RootKey { fact, id, key } in keys {
        writer.put(&FACTS, fact, id)?;
        writer.put(&ACCESS_KEYS, id, key)?;
    }
    Ok(())
}

/// Name of the fact that says the id of an account's root key.
pub(crate) fn administrator_fact(account: &str) -> String {
    format!("administrator/{account}")
}

fn make_keys(writer: &Writer, account: &str) -> Result<(), StoreError> {
    let fact = administrator_fact(account);
    if let Some(id) = writer.get(&FACTS, &fact)?
        && writer.get(&ACCESS_KEYS, &id)?.is_some()
    {
        return Ok(());
    }
    let id = random::identifier("AKIA");
    let key = AccessKey {
        secret: Secret::new(random::access_secret()),
        identity: Identity::Root {
            account: account.to_owned(),
        },
        session: None,
        long_term: None,
    };
    writer.put(&ACCESS_KEYS, &id, &key)?;
    writer.put(&FACTS, &fact, &id)
}

/// Writes the credentials file into `data`, readable by its owner alone, and
/// returns its path.
pub(crate) fn write_credentials(
    data: &Path,
    keys: &[(String, AdministratorKeys)],
) -> io::Result<PathBuf> {
    let mut text = String::new();
    for (account, keys) in keys {
        let AdministratorKeys {
            access_key_id,
            secret_access_key,
        } = keys;
        // Writing to a text does not fail.
        let _ = writeln!(
            text,
            "[{account}]\naws_access_key_id = {access_key_id}\n\
             aws_secret_access_key = {secret_access_key}\n"
        );
    }
    let path = data.join(FILE);
    let kept = fs_err::read(&path);
    if !kept.is_ok_and(|kept| kept == text.as_bytes()) {
        private_file::write(&path, text.as_bytes())?;
    }
    Ok(path)
}
