//! Subjects that a repository's owner has put together from other claims:
//! `KEY:VALUE`, joined by colons, with `%3A` for a colon in a value
//! (<https://docs.github.com/en/actions/reference/security/oidc#customizing-the-token-claims>).
//!
//! The claim at the beginning is told truly where it names the owner or the
//! repository; what comes behind it is taken to be anything that has that form.

use policy::language::{Alphabet, Characters, Pattern, Repeat, Token};

/// What such a subject is made of.
pub(super) const ALPHABET: Alphabet = Alphabet::AllBut("");

/// The claims that a subject can be made of besides `repo`.
const CLAIMS: [&str; 29] = [
    "actor",
    "actor_id",
    "base_ref",
    "check_run_id",
    "enterprise",
    "enterprise_id",
    "environment",
    "environment_node_id",
    "event_name",
    "head_ref",
    "job_workflow_ref",
    "job_workflow_sha",
    "ref",
    "ref_protected",
    "ref_type",
    "repo_property_*",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "repository_visibility",
    "run_attempt",
    "run_id",
    "run_number",
    "runner_environment",
    "sha",
    "workflow",
    "workflow_ref",
    "workflow_sha",
];

/// Those among them that say who the repository is, which have shapes of their own.
const TRUE_CLAIMS: [&str; 4] = [
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
];

/// What a customised subject begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    /// `repo:`, in either form, and nothing else.
    Alone,
    /// `repo:`, in either form, and another claim.
    Repository,
    /// `repo:`, in either form, and what a subject that nobody customised has,
    /// with more claims behind it.
    Context,
    /// `repository:`.
    RepositoryClaim,
    /// `repository_owner:`.
    Owner,
    /// `repository_owner_id:`.
    OwnerId,
    /// `repository_id:`.
    RepositoryId,
    /// Any other claim.
    Free,
}

impl Head {
    /// All but `repo:`; only `repo` ever carries the ids.
    pub(super) const OTHERS: [Self; 5] = [
        Self::RepositoryClaim,
        Self::Owner,
        Self::OwnerId,
        Self::RepositoryId,
        Self::Free,
    ];

    /// Those that begin with `repo:`.
    pub(super) const REPOSITORY: [Self; 3] = [Self::Alone, Self::Repository, Self::Context];

    pub(super) fn begin(self) -> &'static str {
        match self {
            Self::Alone | Self::Repository | Self::Context => "repo:",
            Self::RepositoryClaim => "repository:",
            Self::Owner => "repository_owner:",
            Self::OwnerId => "repository_owner_id:",
            Self::RepositoryId => "repository_id:",
            Self::Free => "",
        }
    }
}

fn within_value(repeat: Repeat) -> Token {
    Token {
        characters: Characters::AllBut(':'),
        repeat,
    }
}

fn key(key: &str) -> Vec<Token> {
    key.chars()
        .flat_map(|char| match char {
            '*' => vec![within_value(Repeat::Once), within_value(Repeat::Run)],
            char => vec![Token::char(char)],
        })
        .collect()
}

/// `begin KEY:VALUE`.
fn claim(begin: &str, name: &str) -> Vec<Token> {
    let mut tokens = key(&format!("{begin}{name}:"));
    // These two are empty outside of pull requests.
    if !matches!(name, "head_ref" | "base_ref") {
        tokens.push(within_value(Repeat::Once));
    }
    tokens.push(within_value(Repeat::Run));
    tokens
}

fn claims(begin: &str, wanted: impl Fn(&str) -> bool) -> Vec<Pattern> {
    let names = CLAIMS.iter().filter(|name| wanted(name));
    names.map(|name| Pattern::new(claim(begin, name))).collect()
}

/// A claim behind `repo:OWNER/NAME` that is not the context.
pub(super) fn other_claims() -> Vec<Pattern> {
    claims(":", |name| !matches!(name, "ref" | "environment"))
}

/// The context behind `repo:OWNER/NAME`.
pub(super) fn contexts() -> Vec<Pattern> {
    let mut contexts = claims(":", |name| matches!(name, "ref" | "environment"));
    contexts.push(Pattern::literal(":pull_request"));
    contexts
}

/// The beginning of a subject that names neither owner nor repository there.
pub(super) fn free_claims() -> Vec<Pattern> {
    let mut beginnings = claims("", |name| !TRUE_CLAIMS.contains(&name));
    beginnings.push(Pattern::literal("pull_request"));
    beginnings
}

/// More claims behind the first.
pub(super) fn more_claims() -> Vec<Pattern> {
    let more = CLAIMS.iter().map(|name| {
        let mut tokens = claim(":", name);
        tokens.push(Token::any_run());
        Pattern::new(tokens)
    });
    more.collect()
}
