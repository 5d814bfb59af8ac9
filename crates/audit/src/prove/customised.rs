//! Subjects that a repository's owner has put together from other claims:
//! `KEY:VALUE`, joined by colons, with `%3A` for a colon in a value
//! (<https://docs.github.com/en/actions/reference/security/oidc#customizing-the-token-claims>).
//!
//! The claim at the beginning is told truly where it names the owner or the
//! repository; what comes behind it is taken to be anything of that form.

use policy::language::{Alphabet, Characters, Pattern, Repeat, Token};

/// What such a subject is made of.
pub(super) const ALPHABET: Alphabet = Alphabet::AllBut("");

/// The claims that a subject can be made of besides `repo`.
const CLAIMS: [&str; 30] = [
    "actor",
    "actor_id",
    "base_ref",
    "check_run_id",
    "context",
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
    /// `repo:`, in either form.
    Repository,
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
    /// All but `repo:`. Only `repo` ever carries the ids.
    pub(super) const OTHERS: [Self; 5] = [
        Self::RepositoryClaim,
        Self::Owner,
        Self::OwnerId,
        Self::RepositoryId,
        Self::Free,
    ];

    pub(super) fn begin(self) -> &'static str {
        match self {
            Self::Repository => "repo:",
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

/// `begin KEY:VALUE`, alone and with more behind it.
fn claim(begin: &str, name: &str) -> [Pattern; 2] {
    let mut one = key(&format!("{begin}{name}:"));
    // `head_ref` and `base_ref` are empty outside of pull requests.
    one.push(within_value(Repeat::Run));
    let mut more = one.clone();
    more.extend(more_claims());
    [Pattern::new(one), Pattern::new(more)]
}

/// A colon and anything.
fn more_claims() -> [Token; 3] {
    let any = Token {
        characters: Characters::Any,
        repeat: Repeat::Once,
    };
    [Token::char(':'), any, Token::any_run()]
}

/// Behind `repo:OWNER/NAME`.
pub(super) fn tails_of_repository() -> Vec<Pattern> {
    let mut tails = vec![Pattern::default()];
    tails.extend(CLAIMS.iter().flat_map(|name| claim(":", name)));
    let mut pull_request = key(":pull_request");
    pull_request.extend(more_claims());
    tails.push(Pattern::new(pull_request));
    tails
}

/// Those that read like a subject that nobody customised, and mean the same run.
pub(super) fn tails_of_default() -> Vec<Pattern> {
    let [on_ref, _] = claim(":", "ref");
    let [in_environment, _] = claim(":", "environment");
    vec![on_ref, in_environment]
}

/// Behind another claim that names the owner or the repository.
pub(super) fn tails() -> Vec<Pattern> {
    vec![Pattern::default(), Pattern::new(more_claims())]
}

/// A subject that begins with a claim that names neither.
pub(super) fn free_claims() -> Vec<Pattern> {
    let names = CLAIMS.iter().filter(|name| !TRUE_CLAIMS.contains(name));
    let mut claims: Vec<Pattern> = names.flat_map(|name| claim("", name)).collect();
    let mut pull_request = key("pull_request");
    claims.push(Pattern::new(pull_request.clone()));
    pull_request.extend(more_claims());
    claims.push(Pattern::new(pull_request));
    claims
}
