//! `AssumeRoleWithWebIdentity`: a token of GitHub becomes a session of a role.
//!
//! The order of the checks is inferred from public error reports: parameters,
//! token, provider in the role's account, audience, signature, times, role and
//! trust policy, duration.

use std::collections::BTreeMap;

use policy::keys::{CLAIM_KEYS, session_context, web_identity_context};
use policy::{Document, NamedPolicy, Principal, Request, evaluate_trust};

use super::credentials::{self, Lasting};
use super::key_set::{self, KeySet};
use super::parameters::Asked;
use super::session_policies::SessionPolicies;
use super::session_tags::SessionTags;
use super::token::{Refused, Token};
use crate::authorize::{global_keys, grouped};
use crate::error::AwsError;
use crate::iam::records::{PROVIDERS, Provider, Role, entity_key, provider_prefix};
use crate::iam::{role_context, trusting};
use crate::query::Parameters;
use crate::state::State;
use crate::trail::Note;
use crate::xml::Xml;

const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

/// Exchanges the token of `parameters` for credentials.
pub(super) fn assume(state: &State, parameters: &Parameters, note: &Note) -> Result<Xml, AwsError> {
    let asked = Asked::read(parameters)?;
    let text = parameters.bounded("WebIdentityToken", 4..=20_000)?;
    refuse_other_providers(parameters)?;
    note.resource(asked.role.arn);
    let proven = Proven::read(state, &asked, text, note)?;
    let tags = SessionTags::of_claims(proven.token.claims())?;
    tags.note_beyond(parameters, note);
    let role = trusted_role(state, &asked, &proven, &tags, note)?;
    check_duration(&role, &asked)?;
    let policies = SessionPolicies::read(state, asked.role.account, parameters)?;
    let packed_size = tags.check_size(policies.size)?;
    let mut context = lasting_context(&proven.provider, &proven.token);
    context.extend(tags.lasting_context());
    let lasting = Lasting {
        duration: asked.duration,
        context,
        policies: policies.documents,
        inherited: tags.passed_on(),
    };
    let identity = credentials::of_role(&role, asked.role, asked.session_name);
    let answer = Xml::new()
        .text("SubjectFromWebIdentityToken", proven.token.subject())
        .text("Audience", &proven.audience);
    let answer = credentials::issue(state, identity, lasting)?
        .describe(answer)
        .text("Provider", proven.token.issuer())
        .optional("PackedPolicySize", packed_size)
        .optional("SourceIdentity", tags.source_identity());
    let mut noted = answer.to_json();
    // CloudTrail names the provider where the answer names the issuer.
    noted["provider"] = proven.provider.arn.into();
    note.answer(noted);
    Ok(answer)
}

/// `ProviderId` is for the access tokens of Amazon's and Facebook's OAuth, which
/// are not known here (inferred for the sentence).
fn refuse_other_providers(parameters: &Parameters) -> Result<(), AwsError> {
    match parameters.get("ProviderId") {
        None => Ok(()),
        Some(id) => Err(AwsError::invalid(
            "InvalidIdentityToken",
            format!("The tokens of {id} are not supported"),
        )),
    }
}

/// A token that its issuer signed, for an audience that the provider admits, and
/// that is valid now.
struct Proven<'a> {
    token: Token<'a>,
    provider: Provider,
    audience: String,
}

impl<'a> Proven<'a> {
    fn read(
        state: &State,
        asked: &Asked<'_>,
        text: &'a str,
        note: &Note,
    ) -> Result<Self, AwsError> {
        let explain = |refused: Refused| {
            note.because(refused.reason);
            refused.error
        };
        let token = Token::read(text).map_err(explain)?;
        let provider = provider(state, asked, &token, note)?;
        let audience = admitted_audience(&provider, &token).map_err(explain)?;
        let keys = keys(state, &provider)?;
        token.verify_signature(keys.as_ref()).map_err(explain)?;
        note.web_identity(&provider.arn, &audience, token.subject());
        token.check_times(state.clock.now()).map_err(explain)?;
        Ok(Self {
            token,
            provider,
            audience,
        })
    }
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

/// The audience of the token that the provider admits. Which of several counts
/// is inferred: the first.
fn admitted_audience(provider: &Provider, token: &Token<'_>) -> Result<String, Refused> {
    let audiences = token.audiences();
    let admitted = |audience: &&String| provider.client_ids.contains(*audience);
    if let Some(audience) = audiences.iter().find(admitted) {
        return Ok(audience.clone());
    }
    let listed: Vec<&str> = provider.client_ids.iter().map(String::as_str).collect();
    Err(Refused::invalid(
        "Incorrect token audience",
        format!(
            "the token is for the audience {}, the provider admits {}",
            audiences.join(", "),
            listed.join(", ")
        ),
    ))
}

/// The keys of the provider's issuer: the emulator's own for GitHub and its
/// enterprises, otherwise those that were registered. None are fetched.
fn keys(state: &State, provider: &Provider) -> Result<Option<KeySet>, AwsError> {
    let issuer = format!("https://{}", provider.url);
    if let Some(registered) = key_set::registered(&state.store, &issuer)? {
        return Ok(Some(registered));
    }
    let enterprise = provider.url.strip_prefix(github::ISSUER_HOST);
    let is_own = enterprise.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if !is_own {
        return Ok(None);
    }
    let key = state.issuer.key().map_err(|error| {
        tracing::error!(%error, "the issuer has no key");
        AwsError::new(500, "InternalFailure", error.to_string())
    })?;
    Ok(KeySet::read(&key.set()).ok())
}

/// The role, if it is there and its trust policy admits the token. Which of the
/// two it was, AWS does not say.
fn trusted_role(
    state: &State,
    asked: &Asked<'_>,
    proven: &Proven<'_>,
    tags: &SessionTags,
    note: &Note,
) -> Result<Role, AwsError> {
    let denied = |action: &str| {
        let sentence = format!("Not authorized to perform {action}");
        AwsError::new(403, "AccessDenied", sentence)
    };
    let key = entity_key(asked.role.account, asked.role.name);
    let found = state.store.read(|reader| trusting(reader, &key))?;
    let found = found.filter(|(role, _)| role.arn == asked.role.arn);
    let Some((role, trust_policy)) = found else {
        note.because(format!("there is no role {}", asked.role.arn));
        return Err(denied(ACTION));
    };
    let document = match Document::parse(&trust_policy) {
        Ok(document) => document,
        Err(error) => {
            note.because(format!("the role's trust policy cannot be read: {error}"));
            return Err(denied(ACTION));
        }
    };
    let trust = NamedPolicy {
        name: format!("trust policy of {}", role.name),
        document,
    };
    let mut request = request(state, asked, proven, note);
    for (key, values) in grouped(role_context(&role).into_iter().chain(tags.context())) {
        request.context.insert_many(&key, values);
    }
    for action in [ACTION].into_iter().chain(tags.actions()) {
        action.clone_into(&mut request.action);
        let decision = evaluate_trust(&request, &trust);
        note.decision(&decision);
        if !decision.is_allowed() {
            // That the further actions are named is inferred.
            return Err(denied(action));
        }
    }
    Ok(role)
}

/// What the trust policy is asked.
fn request(state: &State, asked: &Asked<'_>, proven: &Proven<'_>, note: &Note) -> Request {
    let provider = &proven.provider;
    let mut context = web_identity_context(&provider.url, proven.token.claims());
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
