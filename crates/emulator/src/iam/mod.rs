//! Identity and Access Management.

pub(crate) mod managed;
pub(crate) mod records;
