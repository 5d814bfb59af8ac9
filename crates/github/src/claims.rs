//! All claims of the token that GitHub mints for a run.
//!
//! Names and values:
//! <https://docs.github.com/en/actions/reference/security/oidc#oidc-token-claims>,
//! and, for `sha`, `ref_protected` and the times, published sample tokens.

use serde_json::{Map, Value, json};

use crate::run::{Event, Run};
use crate::subject::{SubjectForm, subject};

/// What is decided when the token is minted, and not by the run.
#[derive(Debug, Clone)]
pub struct Minting {
    /// The issuer, a URL.
    pub issuer: String,
    /// The audience asked for; `None` is GitHub's default, the owner's URL.
    pub audience: Option<String>,
    /// The form of the subject.
    pub form: SubjectForm,
    /// Now, in seconds since 1970.
    pub issued_at: i64,
    /// A fresh id for the token.
    pub token_id: String,
}

/// Sample tokens are valid from ten minutes before until five minutes after.
const VALID_BEFORE_SECONDS: i64 = 600;
const VALID_AFTER_SECONDS: i64 = 300;

/// The token's payload. Every value is a string except the three times, as in
/// GitHub's tokens.
pub fn claims(run: &Run, minting: &Minting) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut set = |name: &str, value: String| claims.insert(name.to_owned(), Value::String(value));
    let repository = &run.repository;
    let git_ref = run.event.git_ref();
    let workflow_ref = format!("{}/{}@{git_ref}", repository.full_name(), run.workflow_path);
    let (head, base) = match &run.event {
        Event::PullRequest { head, base, .. } => (head.clone(), base.clone()),
        _ => (String::new(), String::new()),
    };

    set("iss", minting.issuer.clone());
    set("sub", subject(run, minting.form));
    set("aud", audience(run, minting));
    set("jti", minting.token_id.clone());
    set("repository", repository.full_name());
    set("repository_id", repository.id.clone());
    set("repository_owner", repository.owner.clone());
    set("repository_owner_id", repository.owner_id.clone());
    set(
        "repository_visibility",
        repository.visibility.as_str().to_owned(),
    );
    set("actor", run.actor.clone());
    set("actor_id", run.actor_id.clone());
    set("event_name", run.event.name().to_owned());
    set("ref", git_ref.clone());
    set("ref_type", ref_type(&git_ref).to_owned());
    set("ref_protected", (git_ref == "refs/heads/main").to_string());
    set("head_ref", head);
    set("base_ref", base);
    set("sha", run.sha.clone());
    set("workflow", run.workflow.clone());
    set("workflow_ref", workflow_ref.clone());
    set("workflow_sha", run.sha.clone());
    set("job_workflow_ref", workflow_ref);
    set("job_workflow_sha", run.sha.clone());
    set("run_id", run.run_id.to_string());
    set("run_number", run.run_number.to_string());
    set("run_attempt", run.run_attempt.to_string());
    set("runner_environment", "github-hosted".to_owned());
    if let Some(environment) = &run.environment {
        set("environment", environment.clone());
    }
    claims.extend(times(minting.issued_at));
    claims
}

/// `nbf`, `iat` and `exp` of a token issued at `issued_at`, in seconds since 1970.
pub fn times(issued_at: i64) -> Map<String, Value> {
    Map::from_iter([
        ("nbf".to_owned(), json!(issued_at - VALID_BEFORE_SECONDS)),
        ("iat".to_owned(), json!(issued_at)),
        ("exp".to_owned(), json!(issued_at + VALID_AFTER_SECONDS)),
    ])
}

fn audience(run: &Run, minting: &Minting) -> String {
    let default = || format!("https://github.com/{}", run.repository.owner);
    minting.audience.clone().unwrap_or_else(default)
}

fn ref_type(git_ref: &str) -> &'static str {
    if git_ref.starts_with("refs/tags/") {
        "tag"
    } else {
        "branch"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::tests::push_to_main;

    fn minting(audience: Option<&str>) -> Minting {
        Minting {
            issuer: crate::ISSUER.to_owned(),
            audience: audience.map(str::to_owned),
            form: SubjectForm::Immutable,
            issued_at: 1_000,
            token_id: "id".to_owned(),
        }
    }

    #[test]
    fn the_audience_defaults_to_the_owner() {
        assert_eq!(
            claims(&push_to_main(), &minting(None))["aud"],
            "https://github.com/acme"
        );
        assert_eq!(claims(&push_to_main(), &minting(Some("x")))["aud"], "x");
    }

    #[test]
    fn the_token_lives_five_minutes_and_was_valid_for_ten() {
        let claims = claims(&push_to_main(), &minting(None));
        assert_eq!(
            (&claims["nbf"], &claims["exp"]),
            (&json!(400), &json!(1_300))
        );
    }

    #[test]
    fn there_is_an_environment_claim_only_for_jobs_with_one() {
        let with = Run {
            environment: Some("prod".to_owned()),
            ..push_to_main()
        };
        assert_eq!(claims(&with, &minting(None))["environment"], "prod");
        assert!(!claims(&push_to_main(), &minting(None)).contains_key("environment"));
    }
}
