//! How many connections the system's limit on open files allows.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Files that are open beside connections: the database, the trail, standard
/// streams, the runtime's own.
const OTHERS: u64 = 64;

/// Raises this process's limit as far as it may, and returns how many
/// connections fit below it, each with one file that it reads or writes.
pub(super) fn connections() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = rustix::process::Rlimit {
            current: limit.maximum,
            ..limit
        };
        // Where it cannot be raised, the present limit holds.
        if setrlimit(Resource::Nofile, raised).is_ok() {
            limit = raised;
        }
    }
    // No limit is a limit beyond all numbers.
    let files = limit.current.unwrap_or(u64::MAX);
    usize::try_from(files.saturating_sub(OTHERS) / 2).unwrap_or(usize::MAX)
}
