//! One change of the state, kept aside until it is complete.

use std::cell::{RefCell, RefMut};
use std::collections::BTreeMap;

use redb::{AccessGuard, ReadableTable as _, WriteTransaction};
use serde::{Serialize, de::DeserializeOwned};

use super::database::Database;
use super::view::View;
use super::{Definition, StoreError, Table, get, page, parse, text};

/// Records by key, as bytes; `None` where one is removed.
type Changes = BTreeMap<String, Option<Vec<u8>>>;
type Open<'a> = redb::Table<'a, &'static str, &'static [u8]>;

/// One change of the state, which sees its own writes. They reach the
/// transaction, which other changes share, only when all of them are there.
pub(crate) struct Writer<'a> {
    database: &'a Database,
    transaction: &'a WriteTransaction,
    changes: RefCell<BTreeMap<&'static str, Changes>>,
    /// Tables that were looked at: to open one costs as much as to read from it.
    tables: RefCell<BTreeMap<&'static str, Open<'a>>>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(database: &'a Database, transaction: &'a WriteTransaction) -> Self {
        Self {
            database,
            transaction,
            changes: RefCell::default(),
            tables: RefCell::default(),
        }
    }

    /// [`View::get`].
    pub(crate) fn get<T: DeserializeOwned>(
        &self,
        table: &Table<T>,
        key: &str,
    ) -> Result<Option<T>, StoreError> {
        View::get(self, table, key)
    }

    /// [`View::list`].
    pub(crate) fn list<T: DeserializeOwned>(
        &self,
        table: &Table<T>,
        prefix: &str,
    ) -> Result<Vec<(String, T)>, StoreError> {
        View::list(self, table, prefix)
    }

    /// How many records have a key that starts with `prefix`.
    pub(crate) fn count<T>(&self, table: &Table<T>, prefix: &str) -> Result<usize, StoreError> {
        let changes = self.changes.borrow();
        let changes = changes.get(table.name);
        let is_changed = |key: &str| changes.is_some_and(|changes| changes.contains_key(key));
        let mut count = 0;
        let stored = self.table(table.name)?;
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

    /// Leaves out of the change what is stored as it says already.
    pub(crate) fn leave_out_unchanged(&self) -> Result<(), StoreError> {
        for (name, changes) in &mut *self.changes.borrow_mut() {
            let open = self.table(name)?;
            let mut unchanged = Vec::new();
            for (key, bytes) in &*changes {
                let stored = open.get(key.as_str());
                let stored = stored.map_err(|error| self.database.error(error))?;
                if stored.as_ref().map(AccessGuard::value) == bytes.as_deref() {
                    unchanged.push(key.clone());
                }
            }
            for key in unchanged {
                changes.remove(&key);
            }
        }
        self.changes
            .borrow_mut()
            .retain(|_, changes| !changes.is_empty());
        Ok(())
    }

    /// Whether there is anything to commit.
    pub(super) fn is_unchanged(&self) -> bool {
        self.changes.borrow().is_empty()
    }

    /// Puts the change into the transaction. After an error a part of it may be
    /// there.
    pub(super) fn apply(self) -> Result<(), StoreError> {
        let all = self.changes.take();
        for (name, changes) in all {
            let mut table = self.table(name)?;
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

    fn table(&self, name: &'static str) -> Result<RefMut<'_, Open<'a>>, StoreError> {
        let mut tables = self.tables.borrow_mut();
        if !tables.contains_key(name) {
            let definition: Definition<'static> = redb::TableDefinition::new(name);
            let opened = self.transaction.open_table(definition);
            tables.insert(name, opened.map_err(|error| self.database.error(error))?);
        }
        Ok(RefMut::map(tables, |tables| {
            tables.get_mut(name).expect("it was opened")
        }))
    }
}

impl View for Writer<'_> {
    fn get<T: DeserializeOwned>(
        &self,
        table: &Table<T>,
        key: &str,
    ) -> Result<Option<T>, StoreError> {
        let changes = self.changes.borrow();
        let changed = changes.get(table.name).and_then(|table| table.get(key));
        match changed {
            Some(Some(bytes)) => parse(table, key, bytes).map(Some),
            Some(None) => Ok(None),
            None => get(self.database, table, &*self.table(table.name)?, key),
        }
    }

    fn page<T: DeserializeOwned>(
        &self,
        table: &Table<T>,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<(String, T)>, StoreError> {
        let changes = self.changes.borrow();
        let changes = changes.get(table.name);
        // As many more as the change may have removed.
        let most = limit.saturating_add(changes.map_or(0, BTreeMap::len));
        let open = self.table(table.name)?;
        let stored = page(self.database, table, &*open, (prefix, after), most)?;
        let Some(changes) = changes else {
            return Ok(stored);
        };
        let is_all = stored.len() < most;
        let last = stored.last().map(|(key, _)| key.clone());
        let mut records: BTreeMap<String, T> = stored.into_iter().collect();
        let from = changes.range(prefix.to_owned()..);
        let of_prefix = from.take_while(|(key, _)| key.starts_with(prefix));
        for (key, change) in of_prefix.filter(|(key, _)| key.as_str() > after) {
            match change {
                Some(bytes) if is_all || last.as_ref() >= Some(key) => {
                    records.insert(key.clone(), parse(table, key, bytes)?);
                }
                // What comes after the last of a full page is not on it.
                Some(_) => {}
                None => {
                    records.remove(key);
                }
            }
        }
        Ok(records.into_iter().take(limit).collect())
    }
}
