//! From format 1, with one account in one region, to format 2, whose keys say
//! both.

use serde_json::{Value, json};

use super::{FACTS, Upgrade};
use crate::accounts::administrator_fact;
use crate::emulator::EmulatorError;
use crate::store::{StoreError, Table, Writer};

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

/// The account and region of format 1 were the default ones.
pub(super) fn add_to_keys(upgrade: &Upgrade<'_, '_>) -> Result<(), EmulatorError> {
    let (writer, registry) = (upgrade.writer, upgrade.default);
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
