//! What roles did and what they may do: the input of a usage report, read from
//! files alone, so that it is there while the emulator runs and after it.
//!
//! `trail/roles.json` holds the policies of every role as they are now. It is
//! written at every start and after every change by IAM.

mod calls;
mod roles;

use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use calls::{Calls, calls};
use roles::RolePolicies;
pub(crate) use roles::keep;

/// What roles did and may do, as JSON for whoever reports it.
#[derive(Debug, Serialize)]
pub struct Activity {
    roles: Vec<RolePolicies>,
    calls: Vec<Calls>,
}

impl Activity {
    /// Reads the data directory of an emulator, running or not: calls from
    /// `since` on. Nothing is changed.
    pub fn read(data: &Path, since: Option<Timestamp>) -> io::Result<Self> {
        let trail = data.join("trail");
        Ok(Self {
            roles: roles::read(&trail)?,
            calls: calls(&trail, since)?,
        })
    }
}
