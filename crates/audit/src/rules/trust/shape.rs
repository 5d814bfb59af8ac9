//! The statement around the conditions: action, principal, and what IAM refuses.

use policy::{
    ActionElement, Effect, PolicyForm, PrincipalElement, PrincipalSet, PrincipalType, Statement,
};
use terraform::PolicyPart;

use super::values::is_positive;
use super::{SeenStatement, SeenTrust, WEB_IDENTITY, spots, trades_tokens};
use crate::Rule;
use crate::findings::{Findings, in_words};

/// What IAM does not store.
pub(super) fn rejected(trust: &SeenTrust<'_>, findings: &mut Findings) {
    for problem in policy::check_text(&trust.role.trust_policy, PolicyForm::Trust) {
        let spot = spots::of_path(&trust.role.trust_origin, &problem.path);
        let message = format!(
            "IAM does not store this trust policy (`{}`): {}",
            problem.code,
            sentence(&problem.message)
        );
        findings
            .add(
                Rule::TrustRejectedByIam,
                trust.subject(),
                spots::at(&spot),
                message,
            )
            .fix = in_words("Change what IAM complains about, or the apply fails half-way.");
    }
}

/// A complaint as the end of a sentence.
pub(in crate::rules) fn sentence(message: &str) -> String {
    let message = message.trim_end();
    if message.ends_with('.') {
        message.to_owned()
    } else {
        format!("{message}.")
    }
}

/// A statement for a provider that allows something else.
pub(super) fn wrong_action(seen: &SeenStatement<'_>, findings: &mut Findings) {
    let ActionElement::Action(actions) = &seen.statement.action else {
        return;
    };
    if trades_tokens(seen.statement) || names_everyone(seen.statement) {
        return;
    }
    let listed = actions.join("`, `");
    let spot = match actions.as_slice() {
        [only] => {
            let part = PolicyPart::ElementValue(seen.index, "Action", only);
            seen.trust.spot(part)
        }
        _ => seen.trust.spot(PolicyPart::Element(seen.index, "Action")),
    };
    let message = format!(
        "{} names an identity provider and allows `{listed}`: a token is traded by `{WEB_IDENTITY}`, which nothing allows here.",
        seen.name()
    );
    let summary = format!("Allow `{WEB_IDENTITY}`.");
    findings
        .add(
            Rule::TrustWrongAction,
            seen.trust.subject(),
            spots::at(&spot),
            message,
        )
        .fix = match actions.as_slice() {
        [_] => spots::rewrite(seen.trust.root, &spot, WEB_IDENTITY, summary),
        _ => in_words(summary),
    };
}

/// Keys that say which callers with AWS credentials are meant.
const OF_CALLERS: [&str; 5] = [
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:SourceAccount",
];

/// A statement for everyone. One that tokens cannot use and whose conditions say
/// which callers are meant is left alone.
pub(super) fn open_principal(
    trust: &SeenTrust<'_>,
    index: usize,
    statement: &Statement,
    findings: &mut Findings,
) {
    if statement.effect == Effect::Deny || !names_everyone(statement) {
        return;
    }
    let narrowed = statement.conditions.iter().any(|condition| {
        let of_callers = OF_CALLERS.iter();
        is_positive(condition)
            && of_callers
                .into_iter()
                .any(|key| condition.key.eq_ignore_ascii_case(key))
    });
    if narrowed && !trades_tokens(statement) {
        return;
    }
    let spot = trust.spot(PolicyPart::ElementValue(index, "Principal", "*"));
    let message = if trades_tokens(statement) {
        "The principal is everyone: any identity provider of the account, and by AWS's documentation any principal of any account, only has to meet the conditions."
    } else {
        "The principal is everyone: any AWS account may ask for the role, and gets it where no condition stands in the way."
    };
    findings
        .add(
            Rule::TrustOpenPrincipal,
            trust.subject(),
            spots::at(&spot),
            message,
        )
        .fix = in_words("Name the identity provider, or the account or role that is meant.");
}

/// Whether the principal is everyone, in one of the ways to say so.
pub(super) fn names_everyone(statement: &Statement) -> bool {
    match &statement.principal {
        Some(PrincipalElement::Principal(PrincipalSet::Everyone)) => true,
        Some(PrincipalElement::Principal(PrincipalSet::Listed(entries))) => {
            entries.iter().any(|entry| {
                entry.value == "*"
                    && matches!(entry.kind, PrincipalType::Aws | PrincipalType::Federated)
            })
        }
        _ => false,
    }
}
