//! What readers and changes have in common: looking records up.

use serde::de::DeserializeOwned;

use super::{StoreError, Table};

/// A consistent view of the state.
pub(crate) trait View {
    /// The record under `key`.
    fn get<T: DeserializeOwned>(
        &self,
        table: &Table<T>,
        key: &str,
    ) -> Result<Option<T>, StoreError>;

    /// The first records, at most `limit`, whose key starts with `prefix` and
    /// comes after `after`, in the order of their keys. An empty `after` is
    /// before all of them.
    fn page<T: DeserializeOwned>(
        &self,
        table: &Table<T>,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<(String, T)>, StoreError>;

    /// The records whose key starts with `prefix`, in the order of their keys.
    fn list<T: DeserializeOwned>(
        &self,
        table: &Table<T>,
        prefix: &str,
    ) -> Result<Vec<(String, T)>, StoreError> {
        self.page(table, prefix, "", usize::MAX)
    }
}
