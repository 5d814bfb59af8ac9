//! Connections: how many at once, how long one may stay silent, and which one
//! gives way when there are too many.
//!
//! Memory is bounded by `pool::MOST` connections times what one may hold: a
//! buffer of `serve::BUFFER` bytes in each direction, and as many again for each
//! of the few requests at a time that HTTP/2 allows.
//!
//! It must not know what is asked for on them.

mod bodies;
mod handshake;
mod open_files;
mod pool;
mod serve;
mod stream;
mod traffic;

pub(crate) use serve::{Peer, serve};

/// Threads that may wait for the disk, or for the next piece of an upload: one
/// for each connection, and some for those who wait for neither.
pub const THREADS: usize = pool::MOST + 256;
