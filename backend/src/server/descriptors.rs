//! The limit of open files, of which every connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are not connections: the databases, the log, what the runtime needs.
const OTHERS: u64 = 128;

/// Raises the limit as far as it may be raised, and says how many of `connections`
/// fit in it.
pub fn make_room(connections: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: maximum,
        maximum,
    };
    let reached = match setrlimit(Resource::Nofile, wanted) {
        Ok(()) => maximum,
        Err(_) => current,
    };
    let room = reached.map_or(usize::MAX, |limit| {
        usize::try_from(limit.saturating_sub(OTHERS)).unwrap_or(usize::MAX)
    });
    let possible = connections.min(room).max(1);
    if possible < connections {
        tracing::warn!(
            connections = possible,
            configured = connections,
            open_files = reached,
            "fewer connections: the limit of open files cannot be raised"
        );
    }
    possible
}
