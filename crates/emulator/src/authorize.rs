//! Whether a caller may do what it asks: the policies are gathered here, and
//! the policy engine decides.

use std::collections::BTreeMap;

use policy::{Context, Decision, Document, NamedPolicy, Policies, Principal, Request};

use crate::caller::Caller;
use crate::ecr::{Registry, RegistrySettings};
use crate::iam::managed;
use crate::iam::records::{ROLES, USERS, entity_key};
use crate::iam::{PrincipalPolicies, Source};
use crate::state::State;
use crate::store::{Reader, StoreError};
use crate::trail::{Authorization, Note};

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Target<'a> {
    /// Such as `ecr:PutImage`.
    pub(crate) action: &'a str,
    /// An ARN, or `*` for actions that have no resource.
    pub(crate) resource: String,
    /// The account that owns the resource.
    pub(crate) account: &'a str,
    /// The resource's own policy, JSON.
    pub(crate) resource_policy: Option<&'a str>,
    /// The ECR registry that the resource is in, whose policy has a say too.
    pub(crate) registry: Option<&'a Registry>,
    /// Condition keys of this request, such as `aws:ResourceTag/team`.
    pub(crate) context: Vec<(String, String)>,
}

impl<'a> Target<'a> {
    /// A target with neither a policy of its own nor condition keys.
    pub(crate) fn new(action: &'a str, resource: impl Into<String>, account: &'a str) -> Self {
        Self {
            action,
            resource: resource.into(),
            account,
            resource_policy: None,
            registry: None,
            context: Vec::new(),
        }
    }
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub(crate) struct Denied {
    /// AWS's own sentence.
    pub(crate) sentence: String,
    /// What AWS leaves out: which statement came nearest, and what differs.
    pub(crate) reason: String,
}

/// Decides whether `caller` may do what `target` says, and notes the decision.
///
/// Everything that stands in the way of a decision refuses the request.
pub(crate) fn authorize(
    state: &State,
    caller: &Caller,
    target: &Target<'_>,
    note: &Note,
) -> Result<(), Denied> {
    note.resource(&target.resource);
    let (request, policies) = state
        .store
        .read(|reader| prepare(state, reader, caller, target, note))
        .map_err(|error| unreadable(caller, target, note, &error))?;
    let decision = policy::evaluate(&request, &policies);
    note.authorization(Authorization::new(&request, &policies, &decision));
    conclude(&decision, &request, note)
}

/// Whether `caller` might do what `target` says. It is a question only, so
/// nothing is noted.
pub(crate) fn would_allow(
    state: &State,
    caller: &Caller,
    target: &Target<'_>,
    note: &Note,
) -> bool {
    let prepared = state
        .store
        .read(|reader| prepare(state, reader, caller, target, note));
    prepared.is_ok_and(|(request, policies)| policy::evaluate(&request, &policies).is_allowed())
}

/// Decides whether `caller` may assume the role that `target` names, whose trust
/// policy is `trust`, and notes the decision.
pub(crate) fn authorize_assume_role(
    state: &State,
    caller: &Caller,
    target: &Target<'_>,
    trust: &NamedPolicy,
    note: &Note,
) -> Result<(), Denied> {
    note.resource(&target.resource);
    let (request, policies) = state
        .store
        .read(|reader| prepare(state, reader, caller, target, note))
        .map_err(|error| unreadable(caller, target, note, &error))?;
    let decision = policy::evaluate_assume_role(&request, trust, &policies);
    note.authorization(Authorization::new(&request, &policies, &decision));
    conclude(&decision, &request, note)
}

/// Notes `decision` and turns a denial into an error.
fn conclude(decision: &Decision, request: &Request, note: &Note) -> Result<(), Denied> {
    note.decision(decision);
    if decision.is_allowed() {
        return Ok(());
    }
    Err(Denied {
        sentence: decision.denial_sentence(request),
        reason: decision.reason(),
    })
}

fn prepare(
    state: &State,
    reader: &Reader,
    caller: &Caller,
    target: &Target<'_>,
    note: &Note,
) -> Result<(Request, Policies), Unreadable> {
    let own = own_policies(reader, caller)?;
    let mut context = request_context(state, caller, note);
    for (key, value) in &own.tags {
        let key = format!("aws:PrincipalTag/{key}");
        // A tag of the session wins over that of the role.
        if context.get(&key).is_none() {
            context.insert(&key, value.clone());
        }
    }
    for (key, values) in grouped(target.context.iter().cloned()) {
        context.insert_many(&key, values);
    }
    let request = Request {
        principal: caller.principal.clone(),
        action: target.action.to_owned(),
        resource: target.resource.clone(),
        resource_account: target.account.to_owned(),
        context,
    };
    let resource = target
        .resource_policy
        .map(|text| named("the policy of the resource", text))
        .transpose()?;
    let policies = Policies {
        identity: own
            .identity
            .iter()
            .map(|source| named(&source.name, &source.document))
            .collect::<Result<_, _>>()?,
        resource,
        registry: registry_policy(reader, target)?,
        session: caller.session_policies.clone(),
        boundary: own
            .boundary
            .as_ref()
            .map(|(arn, document)| named(arn, document))
            .transpose()?,
        ..Policies::default()
    };
    Ok((request, policies))
}

fn registry_policy(
    reader: &Reader,
    target: &Target<'_>,
) -> Result<Option<NamedPolicy>, Unreadable> {
    let Some(registry) = target.registry else {
        return Ok(None);
    };
    let settings = RegistrySettings::of(reader, registry)?;
    settings
        .policy
        .map(|text| named("the policy of the registry", &text))
        .transpose()
}

/// Values by key: one that comes several times, such as `aws:TagKeys`, has
/// several.
pub(crate) fn grouped(
    keys: impl IntoIterator<Item = (String, String)>,
) -> BTreeMap<String, Vec<String>> {
    let mut grouped: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, value) in keys {
        grouped.entry(key).or_default().push(value);
    }
    grouped
}

/// The condition keys that every request has (IAM User Guide, "AWS global
/// condition context keys").
fn request_context(state: &State, caller: &Caller, note: &Note) -> Context {
    let mut context = caller.context.clone();
    global_keys(state, &caller.region, note, &mut context);
    context.insert("aws:userid", caller.user_id.clone());
    context
}

/// The global keys that do not depend on who calls.
pub(crate) fn global_keys(state: &State, region: &str, note: &Note, context: &mut Context) {
    let now = state.clock.now();
    let origin = note.origin();
    context.insert(
        "aws:CurrentTime",
        now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    );
    context.insert("aws:EpochTime", now.as_second().to_string());
    context.insert("aws:SourceIp", origin.address);
    context.insert("aws:UserAgent", origin.user_agent);
    context.insert("aws:SecureTransport", state.is_secure().to_string());
    context.insert("aws:RequestedRegion", region);
}

/// What the caller's own account says of it. A role or a user that was made
/// anew under an old name is another one: what the old one left, sessions and
/// logins, may do nothing, whoever trusts that name (inferred).
fn own_policies(reader: &Reader, caller: &Caller) -> Result<PrincipalPolicies, Unreadable> {
    let (account, arn) = match &caller.principal {
        Principal::AssumedRole {
            account, role_arn, ..
        } => (account, role_arn),
        Principal::User { account, arn } => (account, arn),
        Principal::AccountRoot { .. } => return Ok(of_root()),
        _ => return Ok(PrincipalPolicies::default()),
    };
    let key = entity_key(account, arn.rsplit('/').next().unwrap_or_default());
    let id = caller.user_id.split(':').next().unwrap_or_default();
    let found = if let Principal::User { .. } = caller.principal {
        let user = reader.get(&USERS, &key)?.filter(|user| user.id == id);
        user.map(|user| PrincipalPolicies::of_user(reader, account, &user))
    } else {
        let role = reader.get(&ROLES, &key)?.filter(|role| role.id == id);
        role.map(|role| PrincipalPolicies::of_role(reader, &role))
    };
    Ok(found.ok_or_else(|| Unreadable::Gone(arn.clone()))??)
}

fn of_root() -> PrincipalPolicies {
    PrincipalPolicies {
        identity: vec![Source {
            name: "the root user".to_owned(),
            document: managed::ADMINISTRATOR_ACCESS.to_owned(),
            kind: "user",
        }],
        ..PrincipalPolicies::default()
    }
}

fn named(name: &str, document: &str) -> Result<NamedPolicy, Unreadable> {
    let parsed = Document::parse(document).map_err(|source| Unreadable::Document {
        name: name.to_owned(),
        source,
    })?;
    Ok(NamedPolicy {
        name: name.to_owned(),
        document: parsed,
    })
}

/// Why the policies of a request cannot be gathered.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0} is gone, or was made anew under its old name")]
    Gone(String),
    #[error("{name} is not a policy that can be read: {source}")]
    Document {
        name: String,
        #[source]
        source: policy::ParseError,
    },
}

fn unreadable(caller: &Caller, target: &Target<'_>, note: &Note, error: &Unreadable) -> Denied {
    let reason = error.to_string();
    note.because(reason.clone());
    Denied {
        sentence: format!(
            "User: {} is not authorized to perform: {} on resource: {}",
            caller.arn(),
            target.action,
            target.resource
        ),
        reason,
    }
}
