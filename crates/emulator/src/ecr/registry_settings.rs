//! What is set for a registry as a whole, and not for one of its repositories.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Call, EcrError, Registry};
use crate::store::{Reader, StoreError, Table};

/// Settings by `ACCOUNT/REGION`. A registry without a record has the defaults.
const SETTINGS: Table<RegistrySettings> = Table::new("ecr/registry-settings");

/// The settings of a registry.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RegistrySettings {
    /// Text of the registry policy, as it was sent.
    pub(crate) policy: Option<String>,
    /// `BLOB_MOUNTING`.
    pub(crate) blob_mounting: bool,
    /// `scanningConfiguration`, as the API writes it; `None` until it is set.
    pub(super) scanning: Option<Value>,
    /// Principals whose pulls are not recorded, and since when.
    pub(super) pull_time_exclusions: BTreeMap<String, Timestamp>,
    /// Whether a signing configuration, which has no rules, was set.
    pub(super) signing: bool,
}

impl RegistrySettings {
    /// The settings of the registry of `call`.
    pub(crate) fn read(call: Call<'_>) -> Result<Self, StoreError> {
        call.state
            .store
            .read(|reader| Self::of(reader, call.registry))
    }

    /// The settings of a registry.
    pub(crate) fn of(reader: &Reader, registry: &Registry) -> Result<Self, StoreError> {
        let found = reader.get(&SETTINGS, &registry.to_string())?;
        Ok(found.unwrap_or_default())
    }

    /// Changes the settings, as one transaction, and returns what `change`
    /// returns.
    pub(super) fn update<R>(
        call: Call<'_>,
        change: impl FnOnce(&mut Self) -> Result<R, EcrError>,
    ) -> Result<R, EcrError> {
        let key = call.registry.to_string();
        call.state.store.write(|writer| {
            let mut settings = writer.get(&SETTINGS, &key)?.unwrap_or_default();
            let result = change(&mut settings)?;
            writer.put(&SETTINGS, &key, &settings)?;
            Ok(result)
        })
    }
}
