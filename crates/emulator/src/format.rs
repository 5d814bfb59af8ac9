//! What a data directory is: the number of its format, and the way from the
//! format before to this one.
//!
//! Format 1 had one account in one region: no record of the number, and keys
//! without account and region. Format 2 says both in every key.

use serde_json::{Value, json};

use crate::accounts::administrator_fact;
use crate::ecr::Registry;
use crate::emulator::EmulatorError;
use crate::store::{StoreError, Table, Writer};

/// What a data directory is: `format`, `account` (the default one), and the ids
/// of the root keys, `administrator/ACCOUNT`; each a text.
pub(crate) const FACTS: Table<String> = Table::new("emulator/facts");

/// The format that this version reads and writes.
const FORMAT: u32 = 2;

/// Makes the directory one of this format, or refuses one that a later version
/// wrote. The account and region of format 1 were those of `default`.
pub(crate) fn upgrade(writer: &Writer, default: &Registry) -> Result<(), EmulatorError> {
    let found = match (
        writer.get(&FACTS, "format")?,
        writer.get(&FACTS, "account")?,
    ) {
        (Some(number), _) => number,
        (None, Some(_)) => "1".to_owned(),
        (None, None) => FORMAT.to_string(),
    };
    match found.parse() {
        Ok(FORMAT) => {}
        Ok(1) => add_registry(writer, default)?,
        _ => {
            let known = FORMAT;
            return Err(EmulatorError::Format { found, known });
        }
    }
    Ok(writer.put(&FACTS, "format", &FORMAT.to_string())?)
}

/// Tables whose keys began with the name of a repository.
const OF_REPOSITORIES: [Table<Value>; 4] = [
    Table::new("ecr/repositories"),
    Table::new("ecr/blobs"),
    Table::new("ecr/images"),
    Table::new("ecr/tags"),
];
/// Roles, whose key was their name.
const ROLES: Table<Value> = Table::new("iam/roles");
/// Logins, which did not say their registry.
const LOGINS: Table<Value> = Table::new("registry/logins");

fn add_registry(writer: &Writer, registry: &Registry) -> Result<(), StoreError> {
    for table in &OF_REPOSITORIES {
        add_prefix(writer, table, &format!("{registry}/"))?;
    }
    add_prefix(writer, &ROLES, &format!("{}/", registry.account))?;
    for (key, mut login) in writer.list(&LOGINS, "")? {
        login["registry"] = json!(registry);
        writer.put(&LOGINS, &key, &login)?;
    }
    if let Some(id) = writer.get(&FACTS, "administrator")? {
        writer.put(&FACTS, &administrator_fact(&registry.account), &id)?;
        writer.remove(&FACTS, "administrator")?;
    }
    Ok(())
}

fn add_prefix(writer: &Writer, table: &Table<Value>, prefix: &str) -> Result<(), StoreError> {
    for (key, record) in writer.list(table, "")? {
        writer.remove(table, &key)?;
        writer.put(table, &format!("{prefix}{key}"), &record)?;
    }
    Ok(())
}
