//! The number that pins everything that shapes a digest.

/// The form of what Longshore writes.
///
/// The same recipe gives the same digest for as long as this number stays. It
/// changes with whatever makes other bytes from the same recipe: the form of
/// tars, the compressors, their versions, levels and block size, the bundle of
/// certificates, the time zones, the fields of documents. Each image carries it
/// as the annotation `dev.longshore.compatibility`, and `tests` below holds the
/// digests of a fixed recipe for it.
pub const COMPATIBILITY: u32 = 1;
