//! The policy simulator: `SimulateCustomPolicy` and `SimulatePrincipalPolicy`,
//! answered by the engine that decides about requests.
//!
//! As in AWS, trust policies have no part in it. What the simulator puts in
//! place of a caller that is not named, and the names of inline policies in its
//! answer, are inferred.

use policy::{
    Context, Decision, Document, Effect, NamedPolicy, Outcome, Places, Policies, Principal,
    Request, evaluate,
};

use super::Answer;
use super::call::{Call, missing};
use super::context_keys::{unreadable, used};
use super::page::Page;
use super::principal_policies::{PrincipalPolicies, Source};
use super::records::{GROUPS, ROLES, USERS, entity_key};
use crate::ecr::is_account;
use crate::error::AwsError;
use crate::xml::Xml;

/// Characters (service model).
const LONGEST_DOCUMENT: usize = 131_072;

/// `SimulateCustomPolicy`.
pub(super) fn custom(call: &Call<'_>) -> Answer {
    let texts = documents(call, "PolicyInputList")?;
    if texts.is_empty() {
        call.parameters.required("PolicyInputList.member.1")?;
    }
    call.authorize("*", Vec::new())?;
    let policies = PrincipalPolicies {
        identity: sources(texts),
        ..PrincipalPolicies::default()
    };
    simulate(call, None, policies)
}

/// `SimulatePrincipalPolicy`.
pub(super) fn principal(call: &Call<'_>) -> Answer {
    let (principal, mut policies) = source(call)?;
    policies
        .identity
        .extend(sources(documents(call, "PolicyInputList")?));
    simulate(call, principal, policies)
}

/// Documents of a list parameter, each with its name in answers.
pub(super) fn documents(call: &Call<'_>, list: &str) -> Result<Vec<(String, String)>, AwsError> {
    let mut named = Vec::new();
    for (position, text) in (1..).zip(call.parameters.list(list)) {
        let name = format!("{list}.{position}");
        call.parameters
            .bounded(&format!("{list}.member.{position}"), 1..=LONGEST_DOCUMENT)?;
        Document::parse(text).map_err(|error| unreadable(&name, &error))?;
        named.push((name, text.to_owned()));
    }
    Ok(named)
}

fn sources(documents: Vec<(String, String)>) -> Vec<Source> {
    let source = |(name, document)| Source {
        name,
        document,
        kind: "none",
    };
    documents.into_iter().map(source).collect()
}

/// The role, the user or the group in `PolicySourceArn`, and its policies.
pub(super) fn source(call: &Call<'_>) -> Result<(Option<Principal>, PrincipalPolicies), AwsError> {
    let arn = call.parameters.bounded("PolicySourceArn", 20..=2_048)?;
    call.authorize(arn, Vec::new())?;
    let account = call.account();
    let own = arn.strip_prefix(&format!("arn:aws:iam::{account}:"));
    let (kind, name) = own
        .and_then(|own| own.split_once('/'))
        .ok_or_else(|| AwsError::invalid("InvalidInput", format!("Invalid Entity Arn: {arn}")))?;
    let key = entity_key(account, name.rsplit('/').next().unwrap_or_default());
    let found = call.state.store.read(|reader| match kind {
        "role" => {
            let role = reader.get(&ROLES, &key)?.filter(|role| role.arn == arn);
            role.map(|role| PrincipalPolicies::of_role(reader, &role))
                .transpose()
        }
        "user" => {
            let user = reader.get(&USERS, &key)?.filter(|user| user.arn == arn);
            user.map(|user| PrincipalPolicies::of_user(reader, account, &user))
                .transpose()
        }
        "group" => {
            let group = reader.get(&GROUPS, &key)?.filter(|group| group.arn == arn);
            group
                .map(|group| PrincipalPolicies::of_group(reader, &group))
                .transpose()
        }
        _ => Ok(None),
    })?;
    let policies = found.ok_or_else(|| missing(format!("Entity {arn} cannot be found.")))?;
    let principal = match kind {
        "group" => None,
        "role" => Some(Principal::AssumedRole {
            account: account.to_owned(),
            role_arn: arn.to_owned(),
            session_arn: format!(
                "arn:aws:sts::{account}:assumed-role/{}/simulated",
                arn.rsplit('/').next().unwrap_or_default()
            ),
        }),
        _ => Some(user(arn, account)),
    };
    Ok((principal, policies))
}

fn user(arn: &str, account: &str) -> Principal {
    Principal::User {
        account: account.to_owned(),
        arn: arn.to_owned(),
    }
}

/// Every action on every resource.
fn simulate(call: &Call<'_>, principal: Option<Principal>, own: PrincipalPolicies) -> Answer {
    let actions = call.parameters.list("ActionNames");
    if actions.is_empty() {
        call.parameters.required("ActionNames.member.1")?;
    }
    let mut resources = call.parameters.list("ResourceArns");
    if resources.is_empty() {
        resources.push("*");
    }
    let scene = Scene::read(call, principal, own)?;
    let page = Page::of_numbers(call, actions.len() * resources.len())?;
    let members = page.items.iter().map(|number| {
        let (action, resource) = (number / resources.len(), number % resources.len());
        scene.evaluate(actions[action], resources[resource])
    });
    Ok(Some(page.ends().list("EvaluationResults", members)))
}

/// All that is the same for every action.
struct Scene {
    principal: Principal,
    policies: Policies,
    /// Where the identity policies came from, and where their statements stand.
    sources: Vec<(Source, Places)>,
    context: Context,
    /// The account of resources whose ARN does not say it.
    owner: String,
    /// Keys that the policies ask for and nobody gave.
    missing: Vec<String>,
}

impl Scene {
    fn read(
        call: &Call<'_>,
        principal: Option<Principal>,
        own: PrincipalPolicies,
    ) -> Result<Self, AwsError> {
        let account = call.account();
        let caller = call.parameters.optional("CallerArn", 1..=2_048)?;
        let nobody = format!("arn:aws:iam::{account}:user/simulated");
        let principal = match caller {
            Some(arn) => user(arn, arn.split(':').nth(4).unwrap_or_default()),
            None => principal.unwrap_or_else(|| user(&nobody, account)),
        };
        let mut context = Context::new();
        for (key, value) in &own.tags {
            context.insert(&format!("aws:PrincipalTag/{key}"), value.clone());
        }
        for (key, values) in entries(call) {
            context.insert_many(&key, values);
        }
        let further = documents(call, "PermissionsBoundaryPolicyInputList")?;
        let boundary = further.into_iter().next();
        let boundary = boundary.or(own.boundary);
        let resource = call.parameters.get("ResourcePolicy");
        let resource = resource
            .map(|text| named("ResourcePolicy", text))
            .transpose()?;
        let boundary = boundary
            .map(|(name, text)| named(&name, &text))
            .transpose()?;
        let missing = missing_keys(&own.identity, &context);
        let (mut identity, mut sources) = (Vec::new(), Vec::new());
        for source in own.identity {
            let (document, places) = Document::parse_located(&source.document)
                .map_err(|error| unreadable(&source.name, &error))?;
            let name = source.name.clone();
            identity.push(NamedPolicy { name, document });
            sources.push((source, places));
        }
        let owner = call.parameters.get("ResourceOwner");
        let owner = owner.and_then(|owner| owner.split(':').find(|part| is_account(part)));
        Ok(Self {
            missing,
            principal,
            policies: Policies {
                identity,
                boundary,
                resource,
                ..Policies::default()
            },
            sources,
            context,
            owner: owner.unwrap_or(account).to_owned(),
        })
    }

    fn evaluate(&self, action: &str, resource: &str) -> Xml {
        let request = self.request(action, resource);
        let decision = evaluate(&request, &self.policies);
        let outcome = match decision.outcome {
            Outcome::Allowed => "allowed",
            Outcome::ExplicitlyDenied => "explicitDeny",
            Outcome::ImplicitlyDenied => "implicitDeny",
        };
        let xml = Xml::new()
            .text("EvalActionName", action)
            .text("EvalResourceName", resource)
            .text("EvalDecision", outcome)
            .list("MatchedStatements", self.matched(&decision))
            .texts("MissingContextValues", &self.missing);
        let Some(boundary) = &self.policies.boundary else {
            return xml;
        };
        let alone = Policies {
            identity: vec![boundary.clone()],
            ..Policies::default()
        };
        let allowed = evaluate(&request, &alone).is_allowed();
        let detail = Xml::new().text("AllowedByPermissionsBoundary", allowed);
        xml.element("PermissionsBoundaryDecisionDetail", &detail)
    }

    fn request(&self, action: &str, resource: &str) -> Request {
        let named = resource.split(':').nth(4).filter(|part| is_account(part));
        Request {
            principal: self.principal.clone(),
            action: action.to_owned(),
            resource: resource.to_owned(),
            resource_account: named.unwrap_or(&self.owner).to_owned(),
            context: self.context.clone(),
        }
    }

    /// The statements that decided, with their places.
    fn matched(&self, decision: &Decision) -> Vec<Xml> {
        let effect = match decision.outcome {
            Outcome::Allowed => Effect::Allow,
            Outcome::ExplicitlyDenied => Effect::Deny,
            Outcome::ImplicitlyDenied => return Vec::new(),
        };
        decision
            .statements
            .iter()
            .filter(|report| report.effect == effect && report.mismatches.is_empty())
            .filter_map(|report| {
                let mut sources = self.sources.iter();
                let (source, places) = sources.find(|(source, _)| source.name == report.policy)?;
                Some(matched(source, places, report.index))
            })
            .collect()
    }
}

fn matched(source: &Source, places: &Places, index: usize) -> Xml {
    let xml = Xml::new()
        .text("SourcePolicyId", &source.name)
        .text("SourcePolicyType", source.kind);
    let Some(place) = places.statement(index) else {
        return xml;
    };
    let before = source.document.get(..place.end).unwrap_or_default();
    let end_line = before.matches('\n').count() + 1;
    let last_line = before.rsplit('\n').next().unwrap_or_default();
    let position =
        |line: usize, column: usize| Xml::new().text("Line", line).text("Column", column);
    xml.element("StartPosition", &position(place.line, place.column))
        .element(
            "EndPosition",
            &position(end_line, last_line.chars().count() + 1),
        )
}

/// `ContextEntries`: keys with their values.
fn entries(call: &Call<'_>) -> Vec<(String, Vec<String>)> {
    (1..)
        .map_while(|position| {
            let entry = format!("ContextEntries.member.{position}");
            let name = call.parameters.get(&format!("{entry}.ContextKeyName"))?;
            let values = call.parameters.list(&format!("{entry}.ContextKeyValues"));
            Some((
                name.to_owned(),
                values.into_iter().map(str::to_owned).collect(),
            ))
        })
        .collect()
}

/// Those that follow from the principal are never missing.
fn missing_keys(sources: &[Source], context: &Context) -> Vec<String> {
    const KNOWN: [&str; 7] = [
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalisawsservice",
        "aws:principaltype",
        "aws:resourceaccount",
        "aws:userid",
        "aws:username",
    ];
    let mut keys: Vec<String> = sources
        .iter()
        .flat_map(|source| used(&source.document))
        .collect();
    keys.retain(|key| {
        context.get(key).is_none() && !KNOWN.contains(&key.to_ascii_lowercase().as_str())
    });
    keys.sort();
    keys.dedup();
    keys
}

fn named(name: &str, text: &str) -> Result<NamedPolicy, AwsError> {
    let document = Document::parse(text).map_err(|error| unreadable(name, &error))?;
    Ok(NamedPolicy {
        name: name.to_owned(),
        document,
    })
}
