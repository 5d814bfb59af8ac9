//! The texts that a run of GitHub Actions writes, by number: the claims that are
//! tied to each other, and parts of them that proofs ask about.

/// `sub`.
pub(super) const SUBJECT: usize = 0;
/// `repository`, `owner/name`.
pub(super) const REPOSITORY: usize = 1;
/// `repository_owner_id`.
pub(super) const OWNER_ID: usize = 2;
/// `repository_id`.
pub(super) const REPOSITORY_ID: usize = 3;
/// `ref`.
pub(super) const REF: usize = 4;
/// `environment`.
pub(super) const ENVIRONMENT: usize = 5;
/// The owner's name.
pub(super) const OWNER: usize = 6;
/// The repository's name without the owner.
pub(super) const NAME: usize = 7;
/// The repository as the subject has it: with ids in the immutable form.
pub(super) const SEGMENT: usize = 8;
/// The branch, tag, environment or pull request number; of a customised subject
/// its first claim behind the repository.
pub(super) const VALUE: usize = 9;
/// All further claims of a customised subject.
pub(super) const MORE: usize = 10;

/// The claims among them.
pub(super) const TIED_CLAIMS: [(&str, usize); 6] = [
    ("sub", SUBJECT),
    ("repository", REPOSITORY),
    ("repository_owner_id", OWNER_ID),
    ("repository_id", REPOSITORY_ID),
    ("ref", REF),
    ("environment", ENVIRONMENT),
];
