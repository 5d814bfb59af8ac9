//! Places as the repository sees them. Terraform is read by absolute paths; a
//! report names files from the checked directory on, on every machine alike.

use std::path::Path;

use receipts::{Finding, Fix, Location, Matrix, RoleProof};

use crate::render::secret::masked;

/// Takes `root` off the places and diffs of findings.
pub(super) fn findings(findings: &mut [Finding], root: &Path) {
    let root = format!("{}/", root.display());
    for finding in findings {
        location(finding.location.as_mut(), &root);
        diff(finding.fix.as_mut(), &root);
    }
}

/// Takes `root` off the places of proofs.
pub(super) fn proofs(proofs: &mut [RoleProof], root: &Path) {
    let root = format!("{}/", root.display());
    for proof in proofs {
        location(proof.location.as_mut(), &root);
    }
}

/// Takes `root` off the places of roles.
pub(super) fn matrix(matrix: &mut Matrix, root: &Path) {
    let root = format!("{}/", root.display());
    for role in &mut matrix.roles {
        location(role.location.as_mut(), &root);
    }
}

fn location(location: Option<&mut Location>, root: &str) {
    if let Some(location) = location
        && let Some(file) = location.file.strip_prefix(root)
    {
        location.file = file.to_owned();
    }
}

fn diff(fix: Option<&mut Fix>, root: &str) {
    let Some(diff) = fix.and_then(|fix| fix.diff.as_mut()) else {
        return;
    };
    // The lines around a change may hold what must not be shown.
    *diff = masked(diff).into_owned();
    for side in ["--- a/", "+++ b/"] {
        *diff = diff.replace(&format!("{side}{root}"), side);
    }
}
