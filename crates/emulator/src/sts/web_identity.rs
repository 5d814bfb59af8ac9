//! `AssumeRoleWithWebIdentity`: a token of GitHub becomes a session of a role.
//!
//! The order of the checks is inferred from public error reports: parameters,
//! token, provider in the role's account, audience, signature, times, role and
//! trust policy, duration.

use std::collections::BTreeMap;

use policy::keys::{CLAIM_KEYS, session_context, web_identity_context};
use policy::{Document, NamedPolicy, Principal, Request, evaluate_trust};

use super::credentials::{self, Lasting};
use super::parameters::{Asked, SessionPolicies};
use super::token::{Refused, Token};
use crate::authorize::global_keys;
use crate::error::AwsError;
use crate::iam::records::{PROVIDERS, Provider, ROLES, Role, provider_prefix, role_key};
use crate::issuer::SigningKey;
use crate::query::Parameters;
use crate::state::State;
use crate::trail::Note;
use crate::xml::Xml;

const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

/// Exchanges the token of `parameters` for credentials.
pub(super) fn assume(state: &State, parameters: &Parameters, note: &Note) -> Result<Xml, AwsError> {
    let asked = Asked::read(parameters)?;
    let text = parameters.bounded("WebIdentityToken", 4..=20_000)?;
    note.resource(asked.role.arn);
    let explain = |refused: Refused| {
        note.because(refused.reason);
        refused.error
    };
    let token = Token::read(text).map_err(explain)?;
    let provider = provider(state, &asked, &token, note)?;
    check_audience(&provider, &token).map_err(explain)?;
    token
        .verify_signature(signing_key(state, &provider))
        .map_err(explain)?;
    note.web_identity(&provider.arn, token.audience(), token.subject());
    token.check_times(state.clock.now()).map_err(explain)?;
    let role = trusted_role(state, &asked, &token, &provider, note)?;
    check_duration(&role, &asked)?;
    let policies = SessionPolicies::read(state, parameters)?;
    let lasting = Lasting {
        context: lasting_context(&provider, &token),
        policies: policies.documents,
    };
    let issued = credentials::issue(state, &role, &asked, lasting)?;
    let answer = Xml::new()
        .text("SubjectFromWebIdentityToken", token.subject())
        .text("Audience", token.audience());
    let answer = issued
        .describe(answer)
        .text("Provider", token.issuer())
        .optional("PackedPolicySize", policies.packed_size);
    let mut noted = answer.to_json();
    // CloudTrail names the provider where the answer names the issuer.
    noted["provider"] = provider.arn.into();
    note.answer(noted);
    Ok(answer)
}

/// The provider for the token's issuer in the account of the role.
fn provider(
    state: &State,
    asked: &Asked<'_>,
    token: &Token<'_>,
    note: &Note,
) -> Result<Provider, AwsError> {
    let account = asked.role.account;
    let host = token.issuer().strip_prefix("https://");
    let found = match host {
        Some(host) => {
            let arn = format!("{}{host}", provider_prefix(account));
            state.store.read(|reader| reader.get(&PROVIDERS, &arn))?
        }
        None => None,
    };
    found.ok_or_else(|| {
        note.because(format!(
            "account {account}, which the role ARN names, has no provider for {}",
            token.issuer()
        ));
        AwsError::invalid(
            "InvalidIdentityToken",
            format!(
                "No OpenIDConnect provider found in your account for {}",
                token.issuer()
            ),
        )
    })
}

fn check_audience(provider: &Provider, token: &Token<'_>) -> Result<(), Refused> {
    if provider.client_ids.contains(token.audience()) {
        return Ok(());
    }
    let listed: Vec<&str> = provider.client_ids.iter().map(String::as_str).collect();
    Err(Refused::invalid(
        "Incorrect token audience",
        format!(
            "the token is for the audience {}, the provider admits {}",
            token.audience(),
            listed.join(", ")
        ),
    ))
}

/// The emulator can verify only the tokens that it signs itself.
fn signing_key<'a>(state: &'a State, provider: &Provider) -> Option<&'a SigningKey> {
    (provider.url == github::ISSUER_HOST).then_some(&state.issuer.key)
}

/// The role, if it is there and its trust policy admits the token. Which of the
/// two it was, AWS does not say.
fn trusted_role(
    state: &State,
    asked: &Asked<'_>,
    token: &Token<'_>,
    provider: &Provider,
    note: &Note,
) -> Result<Role, AwsError> {
    let denied = || {
        AwsError::new(
            403,
            "AccessDenied",
            format!("Not authorized to perform {ACTION}"),
        )
    };
    let key = role_key(asked.role.account, asked.role.name);
    let found = state.store.read(|reader| reader.get(&ROLES, &key))?;
    let Some(role) = found.filter(|role| role.arn == asked.role.arn) else {
        note.because(format!("there is no role {}", asked.role.arn));
        return Err(denied());
    };
    let document = match Document::parse(&role.trust_policy) {
        Ok(document) => document,
        Err(error) => {
            note.because(format!("the role's trust policy cannot be read: {error}"));
            return Err(denied());
        }
    };
    let trust = NamedPolicy {
        name: format!("trust policy of {}", role.name),
        document,
    };
    let request = request(state, asked, token, provider, note);
    let decision = evaluate_trust(&request, &trust);
    note.decision(&decision);
    if decision.is_allowed() {
        Ok(role)
    } else {
        Err(denied())
    }
}

/// What the trust policy is asked.
fn request(
    state: &State,
    asked: &Asked<'_>,
    token: &Token<'_>,
    provider: &Provider,
    note: &Note,
) -> Request {
    let mut context = web_identity_context(&provider.url, token.claims());
    // Without a signature the request does not say its region.
    global_keys(state, &state.settings.region, note, &mut context);
    context.insert("aws:FederatedProvider", provider.arn.clone());
    context.insert("sts:RoleSessionName", asked.session_name);
    // True only where the identity provider itself names the role.
    context.insert("sts:RoleAuthorizedByIdp", "false");
    Request {
        principal: Principal::Federated {
            provider_arn: provider.arn.clone(),
        },
        action: ACTION.to_owned(),
        resource: asked.role.arn.to_owned(),
        resource_account: asked.role.account.to_owned(),
        context,
    }
}

/// AWS's sentence is known from a reimplementation only (inferred).
fn check_duration(role: &Role, asked: &Asked<'_>) -> Result<(), AwsError> {
    if asked.duration <= role.max_session_duration {
        return Ok(());
    }
    Err(AwsError::invalid(
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    ))
}

/// The condition keys that the session keeps from its token.
fn lasting_context(provider: &Provider, token: &Token<'_>) -> BTreeMap<String, Vec<String>> {
    let context = session_context(&provider.url, token.claims());
    let mut lasting = BTreeMap::new();
    for key in CLAIM_KEYS {
        let name = format!("{}:{}", provider.url, key.name);
        if let Some(values) = context.get(&name) {
            lasting.insert(name, values.to_vec());
        }
    }
    lasting.insert(
        "aws:FederatedProvider".to_owned(),
        vec![provider.arn.clone()],
    );
    lasting
}
