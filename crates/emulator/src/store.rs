//! The emulator's state on disk: named tables of JSON records, changed in
//! transactions that survive a kill.
//!
//! What is durable when: a change is on disk, synced, before `Store::write`
//! returns, and a crash keeps a change whole or not at all. What readers see is
//! always on disk. It must not know what the records mean.

mod copy;
mod database;
mod error;
mod group;
mod view;
mod writer;

use std::marker::PhantomData;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use redb::{ReadTransaction, ReadableTable};
use serde::{Serialize, de::DeserializeOwned};

use database::Database;
pub(crate) use error::StoreError;
use group::Group;
pub(crate) use view::View;
pub(crate) use writer::Writer;

type Definition<'a> = redb::TableDefinition<'a, &'static str, &'static [u8]>;

/// A table of records of type `T`, by text key.
pub(crate) struct Table<T> {
    name: &'static str,
    record: PhantomData<fn() -> T>,
}

impl<T> Table<T> {
    /// Names a table. Two tables of one name are the same table.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self {
            name,
            record: PhantomData,
        }
    }

    fn definition(&self) -> Definition<'static> {
        redb::TableDefinition::new(self.name)
    }
}

/// The database. Readers wait for nobody; changes wait for each other.
#[derive(Debug)]
pub(crate) struct Store {
    database: Database,
    group: Group,
}

impl Store {
    /// Opens the database at `path`, or makes it. It is this process's alone
    /// until the store is dropped.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            database: Database::open(path)?,
            group: Group::default(),
        })
    }

    /// Runs `work` on one consistent view.
    pub(crate) fn read<R, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Reader) -> Result<R, E>,
    ) -> Result<R, E> {
        work(&Reader {
            database: &self.database,
            transaction: self.database.begin_read()?,
        })
    }

    /// Runs `work` as one transaction: when it returns an error nothing is
    /// changed, otherwise all of it is on disk when this returns.
    ///
    /// `work` runs alone, so it must be short, must not wait, and must not call
    /// `write`. Blocks until the disk is synced, together with other changes.
    pub(crate) fn write<R, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Writer) -> Result<R, E>,
    ) -> Result<R, E> {
        let turn = self.group.enter(&self.database)?;
        let writer = Writer::new(&self.database, turn.transaction());
        let result = work(&writer)?;
        if writer.is_unchanged() {
            return Ok(result);
        }
        if let Err(error) = writer.apply() {
            turn.fail(&error);
            return Err(error.into());
        }
        turn.join().wait()?;
        Ok(result)
    }
}

/// A consistent view of the state.
pub(crate) struct Reader<'a> {
    database: &'a Database,
    transaction: ReadTransaction,
}

impl Reader<'_> {
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
}

impl View for Reader<'_> {
    fn get<T: DeserializeOwned>(
        &self,
        table: &Table<T>,
        key: &str,
    ) -> Result<Option<T>, StoreError> {
        match self.transaction.open_table(table.definition()) {
            Ok(open) => get(self.database, table, &open, key),
            Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(self.database.error(error)),
        }
    }

    fn page<T: DeserializeOwned>(
        &self,
        table: &Table<T>,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<(String, T)>, StoreError> {
        match self.transaction.open_table(table.definition()) {
            Ok(open) => page(self.database, table, &open, (prefix, after), limit),
            Err(redb::TableError::TableDoesNotExist(_)) => Ok(Vec::new()),
            Err(error) => Err(self.database.error(error)),
        }
    }
}

fn get<T: DeserializeOwned>(
    database: &Database,
    table: &Table<T>,
    open: &impl ReadableTable<&'static str, &'static [u8]>,
    key: &str,
) -> Result<Option<T>, StoreError> {
    match open.get(key).map_err(|error| database.error(error))? {
        Some(bytes) => parse(table, key, bytes.value()).map(Some),
        None => Ok(None),
    }
}

fn page<T: DeserializeOwned>(
    database: &Database,
    table: &Table<T>,
    open: &impl ReadableTable<&'static str, &'static [u8]>,
    (prefix, after): (&str, &str),
    limit: usize,
) -> Result<Vec<(String, T)>, StoreError> {
    let mut records = Vec::new();
    let from = if after < prefix {
        Bound::Included(prefix)
    } else {
        Bound::Excluded(after)
    };
    let range = open.range::<&str>((from, Bound::Unbounded));
    for entry in range.map_err(|error| database.error(error))?.take(limit) {
        let (key, bytes) = entry.map_err(|error| database.error(error))?;
        let key = key.value();
        if !key.starts_with(prefix) {
            break;
        }
        records.push((key.to_owned(), parse(table, key, bytes.value())?));
    }
    Ok(records)
}

fn parse<T: DeserializeOwned>(table: &Table<T>, key: &str, bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|source| unreadable(table, key, source))
}

fn text<T: Serialize>(table: &Table<T>, key: &str, record: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(record).map_err(|source| unreadable(table, key, source))
}

fn unreadable<T>(table: &Table<T>, key: &str, source: serde_json::Error) -> StoreError {
    StoreError::Record {
        table: table.name,
        key: key.to_owned(),
        source: Arc::new(source),
    }
}

#[cfg(test)]
mod tests;
