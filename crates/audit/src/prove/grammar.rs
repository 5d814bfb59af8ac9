//! Which names, ids and refs there can be at GitHub.

use policy::language::{Alphabet, Clause, Pattern};

use super::customised::{self, Head};
use super::text::{NAME, OWNER, OWNER_ID, REF, REPOSITORY_ID, VALUE};

/// Names of accounts; the underscore is that of enterprises' managed users.
pub(super) const OWNERS: Alphabet =
    Alphabet::Of("xyzabcdefghijklmnopqrstuvwABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
/// Names of repositories.
pub(super) const NAMES: Alphabet =
    Alphabet::Of("xyzabcdefghijklmnopqrstuvwABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
/// Ids and numbers of pull requests.
pub(super) const DIGITS: Alphabet = Alphabet::Of("7123456890");
/// Names of branches and tags (git-check-ref-format).
pub(super) const BRANCH: Alphabet = Alphabet::AllBut("\u{7f} ~^:?*[\\");
/// Names of environments and other texts.
pub(super) const FREE: Alphabet = Alphabet::AllBut("");

/// The rules that the alphabets do not say. Made once and shared by all proofs,
/// so that their automata are built once.
#[derive(Debug)]
pub(super) struct Grammar {
    owner: Clause,
    name: Clause,
    pub(super) id: Clause,
    pub(super) filled: Clause,
    pub(super) git_name: Clause,
    pub(super) git_ref: Clause,
    own_tails: Clause,
    default_tails: Clause,
    other_tails: Clause,
    free_claims: Clause,
}

fn none_of(patterns: &[&str]) -> Clause {
    Clause::none_of(patterns.iter().map(|pattern| Pattern::wildcards(pattern)))
}

impl Grammar {
    pub(super) fn new() -> Self {
        let refs = ["refs/heads/?*", "refs/tags/?*", "refs/pull/?*/merge"];
        Self {
            owner: none_of(&["", "-*", "_*"]),
            name: none_of(&["", ".", ".."]),
            id: none_of(&["", "0*"]),
            filled: none_of(&[""]),
            // git-check-ref-format: no empty, dotted or locked part.
            git_name: none_of(&[
                "", "/*", "*/", "*//*", "*..*", "@", ".*", "*/.*", "*.", "*.lock", "-*",
            ]),
            git_ref: Clause::any_of(refs.map(Pattern::wildcards)),
            own_tails: Clause::any_of(customised::tails_of_repository()),
            default_tails: Clause::none_of(customised::tails_of_default()),
            other_tails: Clause::any_of(customised::tails()),
            free_claims: Clause::any_of(customised::free_claims()),
        }
    }

    /// What holds for every repository.
    pub(super) fn repository(&self) -> Vec<(usize, Clause)> {
        vec![
            (OWNER, self.owner.clone()),
            (NAME, self.name.clone()),
            (OWNER_ID, self.id.clone()),
            (REPOSITORY_ID, self.id.clone()),
        ]
    }

    /// What can come behind the beginning of a customised subject.
    pub(super) fn tails(&self, head: Head) -> Vec<(usize, Clause)> {
        match head {
            Head::Repository => vec![
                (VALUE, self.own_tails.clone()),
                (VALUE, self.default_tails.clone()),
            ],
            Head::Free => vec![(VALUE, self.free_claims.clone())],
            _ => vec![(VALUE, self.other_tails.clone())],
        }
    }

    /// That a run is on a branch or tag, or the merge ref of a pull request.
    pub(super) fn on_ref(&self) -> (usize, Clause) {
        (REF, self.git_ref.clone())
    }
}
