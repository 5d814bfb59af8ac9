//! Which programs are compiled by the same run of cargo.
//!
//! Cargo unites the features that the packages of one run ask of a dependency: a
//! program may come out differently beside another than alone. Only programs of which
//! that is not true are compiled together, so that what is built beside an image never
//! shapes it.

use crate::Workspace;
use crate::dependencies::Resolution;

/// The places of `workspaces` in groups that are compiled together.
pub(crate) fn together(workspaces: &[&Workspace], resolutions: &[Resolution]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (place, workspace) in workspaces.iter().enumerate() {
        let name = workspace.build.name();
        if workspaces[..place]
            .iter()
            .any(|other| other.build.name() == name)
        {
            continue;
        }
        let fits = |other: &usize| {
            go_together(workspaces[*other], workspace)
                && resolutions[*other].agrees_with(&resolutions[place])
        };
        match groups.iter_mut().find(|group| group.iter().all(fits)) {
            Some(group) => group.push(place),
            None => groups.push(vec![place]),
        }
    }
    groups
}

/// Whether one command can name both. Features that were asked for would be those of
/// the other too, and binaries of one name would take each other's place.
fn go_together(one: &Workspace, other: &Workspace) -> bool {
    let (left, right) = (&one.build, &other.build);
    left.workspace == right.workspace
        && left.target == right.target
        && left.profile == right.profile
        && left.linking == right.linking
        && left.target_directory == right.target_directory
        && left.features().is_empty()
        && right.features().is_empty()
        && one.facts.binary != other.facts.binary
}
