//! All records at once: copied to another file, or put in place of those that
//! are here.

use std::path::Path;

use redb::{ReadTransaction, ReadableTable as _, TableHandle as _, WriteTransaction};

use super::database::Database;
use super::{Definition, Store, StoreError, Writer};

impl Store {
    /// Writes all records, as they are at one moment, to a new file at `path`,
    /// which is synced. Changes go on meanwhile.
    pub(crate) fn copy_to(&self, path: &Path) -> Result<Self, StoreError> {
        let records = self.database.begin_read()?;
        let copy = Self::open(path)?;
        let target = &copy.database;
        let transaction = target.begin_write()?;
        copy_all((&self.database, &records), (target, &transaction))?;
        transaction.commit().map_err(|error| target.error(error))?;
        Ok(copy)
    }

    /// Puts the records of `other` in place of all records, or nothing where
    /// there is no other, then runs `work` on them, all as one transaction: when
    /// it returns an error nothing is changed.
    pub(crate) fn replace<R, E: From<StoreError>>(
        &self,
        other: Option<&Self>,
        work: impl FnOnce(&Writer) -> Result<R, E>,
    ) -> Result<R, E> {
        let records = other.map(|other| other.database.begin_read()).transpose()?;
        let turn = self.group.enter(&self.database)?;
        let replaced = || -> Result<R, E> {
            let transaction = turn.transaction();
            clear(&self.database, transaction)?;
            if let (Some(other), Some(records)) = (other, &records) {
                copy_all((&other.database, records), (&self.database, transaction))?;
            }
            let writer = Writer::new(&self.database, transaction);
            let result = work(&writer)?;
            writer.apply()?;
            Ok(result)
        };
        match replaced() {
            Ok(result) => {
                turn.join().wait()?;
                Ok(result)
            }
            Err(error) => {
                // A part of it may be in the transaction, which others share.
                let path = self.database.path().to_owned();
                turn.fail(&StoreError::NotReplaced { path });
                Err(error)
            }
        }
    }
}

fn clear(database: &Database, transaction: &WriteTransaction) -> Result<(), StoreError> {
    let tables = transaction.list_tables();
    for table in tables.map_err(|error| database.error(error))? {
        let removed = transaction.delete_table(table);
        removed.map_err(|error| database.error(error))?;
    }
    Ok(())
}

fn copy_all(
    (source, records): (&Database, &ReadTransaction),
    (target, transaction): (&Database, &WriteTransaction),
) -> Result<(), StoreError> {
    let tables = records.list_tables();
    for table in tables.map_err(|error| source.error(error))? {
        let definition = Definition::new(table.name());
        let from = records.open_table(definition);
        let from = from.map_err(|error| source.error(error))?;
        let mut to = transaction
            .open_table(definition)
            .map_err(|error| target.error(error))?;
        for entry in from.iter().map_err(|error| source.error(error))? {
            let (key, bytes) = entry.map_err(|error| source.error(error))?;
            to.insert(key.value(), bytes.value())
                .map_err(|error| target.error(error))?;
        }
    }
    Ok(())
}
