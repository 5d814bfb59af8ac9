//! A publish that AWS refused, explained where it failed: the answer is in the
//! log before anybody asks.

use audit::explain::{Answer, Evidence, Question, explain};
use aws::AwsError;
use pipeline::PublishFailure;
use receipts::{Problem, ProblemCode};
use serde_json::{Map, Value};

use super::caller::in_words;
use super::role::InTerraform;
use crate::commands::publish::now;
use crate::project::Project;

/// The problem of a failure, with an explanation where AWS refused the identity
/// and the project's Terraform root says who should get in.
pub(crate) fn with_explanation(failure: &PublishFailure, project: &Project) -> Problem {
    let mut problem = failure.problem();
    let PublishFailure::Refused {
        role,
        claims,
        source: AwsError::Service(error),
    } = failure
    else {
        return problem;
    };
    // What may pass by itself needs no other policy.
    if !matches!(
        problem.code,
        ProblemCode::IdentityRefused | ProblemCode::IdentityInvalid
    ) {
        return problem;
    }
    // The publish got this far with the same files; what cannot be read now must
    // not hide why it failed.
    let Ok(Some(terraform)) = InTerraform::read(project) else {
        return problem;
    };
    let claims: Map<String, Value> = claims
        .iter()
        .map(|(name, text)| (name.clone(), value(name, text)))
        .collect();
    let code = error.code.as_deref().unwrap_or_default();
    let explanation = explain(&Question {
        caller: in_words(&claims),
        claims,
        evidence: Evidence::Token(now()),
        signature: None,
        role: role.clone(),
        trust: terraform.trust(role),
        providers: Some(terraform.providers()),
        answer: Some(Answer::of_error(code, &error.message)),
        session_name: None,
        repository: project.own_repository(),
    });
    problem.explanation = Some(Box::new(explanation));
    problem
}

/// The times are numbers in a token.
fn value(name: &str, text: &str) -> Value {
    match (name, text.parse::<i64>()) {
        ("exp" | "iat" | "nbf", Ok(number)) => number.into(),
        _ => text.into(),
    }
}
