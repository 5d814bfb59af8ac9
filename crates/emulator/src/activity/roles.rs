//! The policies of every role, kept beside the trail.

use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::iam::PrincipalPolicies;
use crate::iam::records::ROLES;
use crate::state::State;
use crate::store::{Reader, StoreError};

const FILE: &str = "roles.json";

/// A role and what decides what its sessions may do.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RolePolicies {
    /// ARN.
    role: String,
    /// Identity policies, by name or ARN.
    policies: Vec<Policy>,
    boundary: Option<Policy>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Policy {
    name: String,
    /// As it was given.
    document: String,
}

/// Writes the file anew. The roles are read while nobody else writes it, so that
/// the last one who writes knows the most.
pub(crate) fn keep(state: &State) {
    let kept = state.trail.keep(|trail| {
        let roles = state.store.read(collect).map_err(io::Error::other)?;
        let mut file = tempfile::NamedTempFile::new_in(trail)?;
        serde_json::to_writer_pretty(&mut file, &roles)?;
        file.flush()?;
        file.persist(trail.join(FILE))?;
        io::Result::Ok(())
    });
    if let Err(error) = kept {
        tracing::error!(%error, "the policies of the roles were not written beside the trail");
    }
}

fn collect(reader: &Reader) -> Result<Vec<RolePolicies>, StoreError> {
    let roles = reader.list(&ROLES, "")?;
    roles
        .into_iter()
        .map(|(_, role)| {
            let own = PrincipalPolicies::of_role(reader, &role)?;
            let identity = own.identity.into_iter();
            Ok(RolePolicies {
                role: role.arn,
                policies: identity
                    .map(|source| (source.name, source.document))
                    .map(Policy::from)
                    .collect(),
                boundary: own.boundary.map(Policy::from),
            })
        })
        .collect()
}

impl From<(String, String)> for Policy {
    fn from((name, document): (String, String)) -> Self {
        Self { name, document }
    }
}

/// The roles that were kept; none where no emulator has been.
pub(super) fn read(trail: &Path) -> io::Result<Vec<RolePolicies>> {
    let text = fs_err::read(trail.join(FILE))?;
    Ok(serde_json::from_slice(&text)?)
}
