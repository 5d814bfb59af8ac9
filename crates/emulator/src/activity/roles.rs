//! The policies of every role, kept beside the trail.

use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::iam::managed;
use crate::iam::records::{ROLES, Role};
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
        .map(|(_, role)| of_role(reader, role))
        .collect()
}

fn of_role(reader: &Reader, role: Role) -> Result<RolePolicies, StoreError> {
    let managed = |name: String| {
        let document = managed::document(reader, &name)?;
        Ok::<_, StoreError>(document.map(|document| Policy { name, document }))
    };
    let inline = role.inline_policies.into_iter();
    let mut policies: Vec<Policy> = inline
        .map(|(name, document)| Policy { name, document })
        .collect();
    for arn in role.attached_policies {
        policies.extend(managed(arn)?);
    }
    let boundary = role.permissions_boundary.map(managed).transpose()?;
    Ok(RolePolicies {
        role: role.arn,
        policies,
        boundary: boundary.flatten(),
    })
}

/// The roles that were kept; none where no emulator has been.
pub(super) fn read(trail: &Path) -> io::Result<Vec<RolePolicies>> {
    let text = fs_err::read(trail.join(FILE))?;
    Ok(serde_json::from_slice(&text)?)
}
