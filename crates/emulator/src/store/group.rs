//! Group commit: changes that come at the same time share one sync of the disk.
//!
//! Changes run one after another, each in its turn, on one transaction that all
//! of them share. Whoever ends its turn while nobody waits for one commits for
//! all, and so does the turn that makes the group large enough; the others wait
//! for the outcome of that commit. A turn that comes later cannot begin before
//! the commit has ended, so all of those that came meanwhile make the next group.
//!
//! Nobody is forgotten: who is counted as waiting will have a turn, and every
//! turn that ends either commits or leaves the group to such a one. A turn that
//! ends in an error or a panic ends like any other, its own change left out.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use redb::WriteTransaction;

use super::StoreError;
use super::database::Database;

/// Changes in one commit: enough to make the sync cheap for each of them, few
/// enough that the first does not wait long.
const MOST: usize = 256;

/// The changes that are not committed yet.
#[derive(Debug, Default)]
pub(super) struct Group {
    open: Mutex<Option<Open>>,
    waiting: AtomicUsize,
    #[cfg(test)]
    commits: AtomicUsize,
}

struct Open {
    transaction: WriteTransaction,
    /// Changes that the transaction holds.
    changes: usize,
    outcome: Arc<Outcome>,
}

impl std::fmt::Debug for Open {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} changes", self.changes)
    }
}

/// How the commit of a group ended.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    result: Mutex<Option<Result<(), StoreError>>>,
    known: Condvar,
}

impl Outcome {
    /// Waits for the commit.
    pub(super) fn wait(&self) -> Result<(), StoreError> {
        let result = self.result.lock().unwrap_or_else(PoisonError::into_inner);
        let result = self.known.wait_while(result, |result| result.is_none());
        let result = result.unwrap_or_else(PoisonError::into_inner);
        result.clone().unwrap_or(Ok(()))
    }

    fn set(&self, result: Result<(), StoreError>) {
        *self.result.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        self.known.notify_all();
    }
}

impl Group {
    /// Waits for a turn.
    pub(super) fn enter<'a>(&'a self, database: &'a Database) -> Result<Turn<'a>, StoreError> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        if open.is_none() {
            *open = Some(Open {
                transaction: database.begin_write()?,
                changes: 0,
                outcome: Arc::default(),
            });
        }
        Ok(Turn {
            group: self,
            database,
            open,
        })
    }
}

#[cfg(test)]
impl Group {
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    pub(super) fn commits(&self) -> usize {
        self.commits.load(Ordering::SeqCst)
    }
}

/// The time in which one change has the transaction for itself.
pub(super) struct Turn<'a> {
    group: &'a Group,
    database: &'a Database,
    /// `None` once the group has failed.
    open: MutexGuard<'a, Option<Open>>,
}

impl Turn<'_> {
    pub(super) fn transaction(&self) -> &WriteTransaction {
        let open = self.open.as_ref().expect("a turn has a transaction");
        &open.transaction
    }

    /// Ends the turn of a change that the transaction holds. The change is on
    /// disk when the outcome is a success.
    pub(super) fn join(mut self) -> Arc<Outcome> {
        let open = self.open.as_mut().expect("a turn has a transaction");
        open.changes += 1;
        Arc::clone(&open.outcome)
    }

    /// Ends the turn of a change that the transaction holds a part of. Nothing
    /// of the group can be kept.
    pub(super) fn fail(mut self, error: &StoreError) {
        if let Some(open) = self.open.take() {
            open.outcome.set(Err(error.clone()));
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let Some(open) = &*self.open else { return };
        let is_last = self.group.waiting.load(Ordering::SeqCst) == 0;
        if !is_last && open.changes < MOST {
            return;
        }
        let Some(open) = self.open.take() else { return };
        // Without a change there is nothing to commit: the drop aborts.
        if open.changes > 0 {
            #[cfg(test)]
            self.group.commits.fetch_add(1, Ordering::SeqCst);
            let committed = open.transaction.commit();
            open.outcome
                .set(committed.map_err(|error| self.database.error(error)));
        }
    }
}
