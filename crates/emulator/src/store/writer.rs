//! One change of the state, kept aside until it is complete.

use std::cell::RefCell;
use std::collections::BTreeMap;

use redb::{ReadableTable as _, WriteTransaction};
use serde::{Serialize, de::DeserializeOwned};

use super::database::Database;
use super::{Definition, StoreError, Table, get, list, parse, text};

/// Records by key, as bytes; `None` where one is removed.
type Changes = BTreeMap<String, Option<Vec<u8>>>;

/// One change of the state, which sees its own writes. They reach the
/// transaction, which other changes share, only when all of them are there.
pub(crate) struct Writer<'a> {
    database: &'a Database,
    transaction: &'a WriteTransaction,
    changes: RefCell<BTreeMap<&'static str, Changes>>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(database: &'a Database, transaction: &'a WriteTransaction) -> Self {
        Self {
            database,
            transaction,
            changes: RefCell::default(),
        }
    }

    /// The record under `key`.
    pub(crate) fn get<T: DeserializeOwned>(
        &self,
        table: &Table<T>,
        key: &str,
    ) -> Result<Option<T>, StoreError> {
        let changes = self.changes.borrow();
        let changed = changes.get(table.name).and_then(|table| table.get(key));
        match changed {
            Some(Some(bytes)) => parse(table, key, bytes).map(Some),
            Some(None) => Ok(None),
            None => get(self.database, table, &self.table(table.definition())?, key),
        }
    }

    /// The records whose key starts with `prefix`, in the order of their keys.
    pub(crate) fn list<T: DeserializeOwned>(
        &self,
        table: &Table<T>,
        prefix: &str,
    ) -> Result<Vec<(String, T)>, StoreError> {
        let stored = list(
            self.database,
            table,
            &self.table(table.definition())?,
            prefix,
        )?;
        let changes = self.changes.borrow();
        let Some(changes) = changes.get(table.name) else {
            return Ok(stored);
        };
        let mut records: BTreeMap<String, T> = stored.into_iter().collect();
        let from = changes.range(prefix.to_owned()..);
        for (key, change) in from.take_while(|(key, _)| key.starts_with(prefix)) {
            match change {
                Some(bytes) => records.insert(key.clone(), parse(table, key, bytes)?),
                None => records.remove(key),
            };
        }
        Ok(records.into_iter().collect())
    }

    /// How many records have a key that starts with `prefix`.
    pub(crate) fn count<T>(&self, table: &Table<T>, prefix: &str) -> Result<usize, StoreError> {
        let changes = self.changes.borrow();
        let changes = changes.get(table.name);
        let is_changed = |key: &str| changes.is_some_and(|changes| changes.contains_key(key));
        let mut count = 0;
        let stored = self.table(table.definition())?;
        let range = stored.range(prefix..);
        for entry in range.map_err(|error| self.database.error(error))? {
            let (key, _) = entry.map_err(|error| self.database.error(error))?;
            if !key.value().starts_with(prefix) {
                break;
            }
            count += usize::from(!is_changed(key.value()));
        }
        let written = changes
            .into_iter()
            .flat_map(|changes| changes.range(prefix.to_owned()..))
            .take_while(|(key, _)| key.starts_with(prefix))
            .filter(|(_, change)| change.is_some());
        Ok(count + written.count())
    }

    /// Writes a record, in place of the one that `key` had.
    pub(crate) fn put<T: Serialize>(
        &self,
        table: &Table<T>,
        key: &str,
        record: &T,
    ) -> Result<(), StoreError> {
        let bytes = text(table, key, record)?;
        self.change(table.name, key, Some(bytes));
        Ok(())
    }

    /// Removes a record; there need not be one.
    pub(crate) fn remove<T>(&self, table: &Table<T>, key: &str) -> Result<(), StoreError> {
        self.change(table.name, key, None);
        Ok(())
    }

    fn change(&self, table: &'static str, key: &str, bytes: Option<Vec<u8>>) {
        let mut changes = self.changes.borrow_mut();
        changes
            .entry(table)
            .or_default()
            .insert(key.to_owned(), bytes);
    }

    /// Whether there is anything to commit.
    pub(super) fn is_unchanged(&self) -> bool {
        self.changes.borrow().is_empty()
    }

    /// Puts the change into the transaction. After an error a part of it may be
    /// there.
    pub(super) fn apply(self) -> Result<(), StoreError> {
        for (name, changes) in self.changes.take() {
            let mut table = self.table(redb::TableDefinition::new(name))?;
            for (key, bytes) in changes {
                match bytes {
                    Some(bytes) => table.insert(key.as_str(), bytes.as_slice()),
                    None => table.remove(key.as_str()),
                }
                .map_err(|error| self.database.error(error))?;
            }
        }
        Ok(())
    }

    fn table(
        &self,
        definition: Definition<'static>,
    ) -> Result<redb::Table<'a, &'static str, &'static [u8]>, StoreError> {
        self.transaction
            .open_table(definition)
            .map_err(|error| self.database.error(error))
    }
}
