//! Which names, ids and refs there can be at GitHub.

use policy::language::{Alphabet, Clause, Pattern};

use super::customised::{self, Head};
use super::text::{NAME, OWNER, OWNER_ID, REPOSITORY_ID};

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
    pub(super) environment: Clause,
    pub(super) git_name: Clause,
    pub(super) git_ref: Clause,
    other_claims: Clause,
    contexts: Clause,
    free_claims: Clause,
    more_claims: Clause,
    perhaps_more_claims: Clause,
}

/// What a customised subject has behind its beginning.
pub(super) struct Tail {
    /// The first claim there.
    pub(super) first: Option<Clause>,
    /// All others.
    pub(super) more: Option<Clause>,
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
            // A name that has the escape of a colon in it would have the subject
            // of the name with the colon; nobody means that one (inferred).
            environment: none_of(&["", "*%3A*"]),
            // git-check-ref-format: no empty, dotted or locked part.
            git_name: none_of(&[
                "", "/*", "*/", "*//*", "*..*", "@", ".*", "*/.*", "*.", "*.lock", "-*",
            ]),
            git_ref: Clause::any_of(refs.map(Pattern::wildcards)),
            other_claims: Clause::any_of(customised::other_claims()),
            contexts: Clause::any_of(customised::contexts()),
            free_claims: Clause::any_of(customised::free_claims()),
            more_claims: Clause::any_of(customised::more_claims()),
            perhaps_more_claims: Clause::any_of(
                customised::more_claims()
                    .into_iter()
                    .chain([Pattern::default()]),
            ),
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

    /// What comes behind the beginning of a customised subject.
    pub(super) fn tail(&self, head: Head) -> Tail {
        let (first, more) = match head {
            Head::Alone => (None, None),
            Head::Repository => (Some(&self.other_claims), Some(&self.perhaps_more_claims)),
            Head::Context => (Some(&self.contexts), Some(&self.more_claims)),
            Head::Free => (Some(&self.free_claims), Some(&self.perhaps_more_claims)),
            Head::RepositoryClaim | Head::Owner | Head::OwnerId | Head::RepositoryId => {
                (None, Some(&self.perhaps_more_claims))
            }
        };
        Tail {
            first: first.cloned(),
            more: more.cloned(),
        }
    }
}
