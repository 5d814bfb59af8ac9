//! The emulator's state on disk: named tables of JSON records, changed in
//! transactions that survive a kill.
//!
//! It must not know what the records mean.

use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable, WriteTransaction};
use serde::{Serialize, de::DeserializeOwned};

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

/// Why the state cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// Another process has it open.
    #[error("{} is in use by another process", path.display())]
    Locked {
        /// The database file.
        path: PathBuf,
    },
    /// The database could not be opened, read or written.
    #[error("the state cannot be read or written")]
    Database(#[source] Box<redb::Error>),
    /// A record is not what this version of the emulator writes.
    #[error("the record {key:?} of table {table:?} is not readable")]
    Record {
        /// The table.
        table: &'static str,
        /// The record's key.
        key: String,
        /// What serde found.
        #[source]
        source: serde_json::Error,
    },
}

impl StoreError {
    fn database(error: impl Into<redb::Error>) -> Self {
        Self::Database(Box::new(error.into()))
    }
}

/// The database.
#[derive(Debug)]
pub(crate) struct Store {
    database: Database,
}

impl Store {
    /// Opens the database at `path`, or makes it. It is this process's alone
    /// until the store is dropped.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        match Database::create(path) {
            Ok(database) => Ok(Self { database }),
            Err(redb::DatabaseError::DatabaseAlreadyOpen) => Err(StoreError::Locked {
                path: path.to_owned(),
            }),
            Err(error) => Err(StoreError::database(error)),
        }
    }

    /// Runs `work` on one consistent view.
    pub(crate) fn read<R, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Reader) -> Result<R, E>,
    ) -> Result<R, E> {
        let transaction = self.database.begin_read().map_err(StoreError::database)?;
        work(&Reader { transaction })
    }

    /// Runs `work` as one transaction: when it returns an error nothing is
    /// changed, otherwise all of it is on disk when this returns.
    pub(crate) fn write<R, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Writer) -> Result<R, E>,
    ) -> Result<R, E> {
        let transaction = self.database.begin_write().map_err(StoreError::database)?;
        let writer = Writer { transaction };
        let result = work(&writer)?;
        writer.transaction.commit().map_err(StoreError::database)?;
        Ok(result)
    }
}

/// A consistent view of the state.
pub(crate) struct Reader {
    transaction: ReadTransaction,
}

impl Reader {
    /// The record under `key`.
    pub(crate) fn get<T: DeserializeOwned>(
        &self,
        table: &Table<T>,
        key: &str,
    ) -> Result<Option<T>, StoreError> {
        match self.transaction.open_table(table.definition()) {
            Ok(open) => get(table, &open, key),
            Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(StoreError::database(error)),
        }
    }

    /// The records whose key starts with `prefix`, in the order of their keys.
    pub(crate) fn list<T: DeserializeOwned>(
        &self,
        table: &Table<T>,
        prefix: &str,
    ) -> Result<Vec<(String, T)>, StoreError> {
        match self.transaction.open_table(table.definition()) {
            Ok(open) => list(table, &open, prefix),
            Err(redb::TableError::TableDoesNotExist(_)) => Ok(Vec::new()),
            Err(error) => Err(StoreError::database(error)),
        }
    }
}

/// One change of the state, which sees its own writes.
pub(crate) struct Writer {
    transaction: WriteTransaction,
}

impl Writer {
    /// The record under `key`.
    pub(crate) fn get<T: DeserializeOwned>(
        &self,
        table: &Table<T>,
        key: &str,
    ) -> Result<Option<T>, StoreError> {
        get(table, &self.table(table)?, key)
    }

    /// The records whose key starts with `prefix`, in the order of their keys.
    pub(crate) fn list<T: DeserializeOwned>(
        &self,
        table: &Table<T>,
        prefix: &str,
    ) -> Result<Vec<(String, T)>, StoreError> {
        list(table, &self.table(table)?, prefix)
    }

    /// Writes a record, in place of the one that `key` had.
    pub(crate) fn put<T: Serialize>(
        &self,
        table: &Table<T>,
        key: &str,
        record: &T,
    ) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec(record).map_err(|source| StoreError::Record {
            table: table.name,
            key: key.to_owned(),
            source,
        })?;
        self.table(table)?
            .insert(key, bytes.as_slice())
            .map_err(StoreError::database)?;
        Ok(())
    }

    /// Removes a record; there need not be one.
    pub(crate) fn remove<T>(&self, table: &Table<T>, key: &str) -> Result<(), StoreError> {
        self.table(table)?
            .remove(key)
            .map_err(StoreError::database)?;
        Ok(())
    }

    fn table<T>(
        &self,
        table: &Table<T>,
    ) -> Result<redb::Table<'_, &'static str, &'static [u8]>, StoreError> {
        self.transaction
            .open_table(table.definition())
            .map_err(StoreError::database)
    }
}

fn get<T: DeserializeOwned>(
    table: &Table<T>,
    open: &impl ReadableTable<&'static str, &'static [u8]>,
    key: &str,
) -> Result<Option<T>, StoreError> {
    match open.get(key).map_err(StoreError::database)? {
        Some(bytes) => parse(table, key, bytes.value()).map(Some),
        None => Ok(None),
    }
}

fn list<T: DeserializeOwned>(
    table: &Table<T>,
    open: &impl ReadableTable<&'static str, &'static [u8]>,
    prefix: &str,
) -> Result<Vec<(String, T)>, StoreError> {
    let mut records = Vec::new();
    for entry in open.range(prefix..).map_err(StoreError::database)? {
        let (key, bytes) = entry.map_err(StoreError::database)?;
        let key = key.value();
        if !key.starts_with(prefix) {
            break;
        }
        records.push((key.to_owned(), parse(table, key, bytes.value())?));
    }
    Ok(records)
}

fn parse<T: DeserializeOwned>(table: &Table<T>, key: &str, bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|source| StoreError::Record {
        table: table.name,
        key: key.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: Table<u32> = Table::new("numbers");

    #[test]
    fn a_failed_write_leaves_no_trace_and_a_good_one_survives_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.redb");
        let store = Store::open(&path).unwrap();
        store
            .write(|writer| writer.put(&NUMBERS, "a/1", &1))
            .unwrap();
        let failed: Result<(), StoreError> = store.write(|writer| {
            writer.put(&NUMBERS, "a/2", &2)?;
            Err(StoreError::Locked { path: path.clone() })
        });
        assert!(failed.is_err());
        drop(store);

        let reopened = Store::open(&path).unwrap();
        let listed = reopened.read(|reader| reader.list(&NUMBERS, "a/")).unwrap();
        assert_eq!(listed, [("a/1".to_owned(), 1)]);
    }

    #[test]
    fn a_list_ends_where_its_prefix_ends() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("state.redb")).unwrap();
        store
            .write::<_, StoreError>(|writer| {
                for (key, number) in [("a/1", 1), ("a/2", 2), ("b/1", 3)] {
                    writer.put(&NUMBERS, key, &number)?;
                }
                writer.remove(&NUMBERS, "a/1")
            })
            .unwrap();
        let listed = store.read(|reader| reader.list(&NUMBERS, "a/")).unwrap();
        assert_eq!(listed, [("a/2".to_owned(), 2)]);
    }

    #[test]
    fn a_second_opening_is_refused_as_locked() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.redb");
        let _first = Store::open(&path).unwrap();
        assert!(matches!(Store::open(&path), Err(StoreError::Locked { .. })));
    }
}
