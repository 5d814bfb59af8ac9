//! Results as text. Values in, text out: nothing here prints.

pub(crate) mod base;
pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod escape;
pub(crate) mod explain;
pub(crate) mod imprint;
pub(crate) mod inputs;
pub(crate) mod problem;
pub(crate) mod publish;
pub(crate) mod quantity;
pub(crate) mod rehearsal;
pub(crate) mod report;
pub(crate) mod sarif;
pub(crate) mod secret;
pub(crate) mod snapshots;
pub(crate) mod usage;
