//! What a record can be found by.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Deserialize;

/// One value of one attribute. Records are found by all values of all of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Term {
    attribute: Attribute,
    value: String,
}

/// What a record can be looked up by: the keys of `LookupEvents`, and two of the
/// emulator's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Attribute {
    EventId,
    EventName,
    ReadOnly,
    Username,
    ResourceType,
    ResourceName,
    EventSource,
    AccessKeyId,
    /// The region, of what CloudTrail records.
    Region,
    /// The id of the request.
    RequestId,
}

impl Term {
    pub(crate) fn new(attribute: Attribute, value: impl Into<String>) -> Self {
        Self {
            attribute,
            value: value.into(),
        }
    }

    /// What an index keeps of it. Two terms may share a mark: what an index
    /// finds is compared again.
    pub(super) fn mark(&self) -> u32 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        let hash = hasher.finish();
        #[expect(clippy::cast_possible_truncation, reason = "a shorter mark is a mark")]
        let mark = (hash ^ (hash >> 32)) as u32;
        mark
    }
}

/// A resource as `LookupEvents` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
}

/// The parts of a record that say what it can be found by.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Findable {
    pub(crate) event_time: jiff::Timestamp,
    #[serde(rename = "eventID")]
    pub(crate) event_id: String,
    pub(crate) event_name: String,
    pub(crate) event_source: String,
    #[serde(default)]
    pub(crate) read_only: bool,
    aws_region: String,
    #[serde(rename = "requestID")]
    request_id: String,
    user_identity: Identity,
    request_parameters: Option<Parameters>,
    response_elements: Option<Answer>,
    #[serde(default)]
    resources: Vec<Named>,
    longshore: Beside,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    #[serde(rename = "type")]
    kind: Option<String>,
    arn: Option<String>,
    user_name: Option<String>,
    access_key_id: Option<String>,
}

/// The parameters of IAM that name a resource.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    role_name: Option<String>,
    user_name: Option<String>,
    policy_name: Option<String>,
    policy_arn: Option<String>,
    #[serde(rename = "openIDConnectProviderArn")]
    provider_arn: Option<String>,
}

/// The parts of an answer that name a resource.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    credentials: Option<Credentials>,
    assumed_role_user: Option<AssumedRoleUser>,
    role: Option<Named>,
    policy: Option<Named>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credentials {
    access_key_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AssumedRoleUser {
    assumed_role_id: Option<String>,
    arn: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Named {
    #[serde(alias = "ARN")]
    arn: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Beside {
    recorded: bool,
}

impl Findable {
    /// Everything that the record can be found by.
    pub(crate) fn terms(&self) -> Vec<Term> {
        let mut terms = vec![Term::new(Attribute::RequestId, &self.request_id)];
        if !self.longshore.recorded {
            return terms;
        }
        let read_only = self.read_only.to_string();
        terms.extend([
            Term::new(Attribute::Region, &self.aws_region),
            Term::new(Attribute::EventId, &self.event_id),
            Term::new(Attribute::EventName, &self.event_name),
            Term::new(Attribute::EventSource, &self.event_source),
            Term::new(Attribute::ReadOnly, read_only),
        ]);
        let user = self.user_name().map(|name| (Attribute::Username, name));
        let key = self.access_key_id();
        let key = key.map(|key| (Attribute::AccessKeyId, key));
        for (attribute, value) in user.into_iter().chain(key) {
            terms.push(Term::new(attribute, value));
        }
        for resource in self.resources() {
            for term in [
                Term::new(Attribute::ResourceType, resource.kind),
                Term::new(Attribute::ResourceName, resource.name),
            ] {
                if !terms.contains(&term) {
                    terms.push(term);
                }
            }
        }
        terms
    }

    /// `Username`: that of a user or of a web token's subject, the name of a
    /// role's session, `root` (inferred).
    pub(crate) fn user_name(&self) -> Option<&str> {
        let identity = &self.user_identity;
        match identity.kind.as_deref()? {
            "Root" => Some("root"),
            "AssumedRole" => identity.arn.as_deref()?.rsplit('/').next(),
            _ => identity.user_name.as_deref(),
        }
    }

    /// `AccessKeyId`: the key that signed.
    pub(crate) fn access_key_id(&self) -> Option<&str> {
        self.user_identity.access_key_id.as_deref()
    }

    /// `Resources`: what a session was given, those of the record by ARN and by
    /// name, and what IAM was asked about.
    pub(crate) fn resources(&self) -> Vec<Resource> {
        let answered = self.response_elements.iter().flat_map(of_answer);
        let named = self.resources.iter().flat_map(of_arn);
        let asked = self.request_parameters.iter().flat_map(of_parameters);
        let asked = asked.filter(|_| self.event_source == "iam.amazonaws.com");
        let mut all: Vec<Resource> = Vec::new();
        for resource in answered.chain(named).chain(asked) {
            if !all.contains(&resource) {
                all.push(resource);
            }
        }
        all
    }
}

fn listed(kind: &'static str, name: Option<&str>) -> Option<Resource> {
    name.map(|name| Resource {
        kind,
        name: name.to_owned(),
    })
}

fn of_answer(answer: &Answer) -> Vec<Resource> {
    let key = answer.credentials.as_ref();
    let key = key.and_then(|key| key.access_key_id.as_deref());
    let user = answer.assumed_role_user.as_ref();
    let id = user.and_then(|user| user.assumed_role_id.as_deref());
    let arn = |named: &Option<Named>| named.as_ref().and_then(|named| named.arn.clone());
    [
        listed("AWS::IAM::AccessKey", key),
        listed(SESSION, id.and_then(|id| id.rsplit(':').next())),
        listed(SESSION, id),
        listed(SESSION, user.and_then(|user| user.arn.as_deref())),
        listed(ROLE, arn(&answer.role).as_deref()),
        listed(POLICY, arn(&answer.policy).as_deref()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn of_arn(named: &Named) -> Vec<Resource> {
    let arn = named.arn.as_deref();
    let repository = arn.and_then(|arn| Some(arn.split_once(":repository/")?.1));
    let kind = arn.map_or(ROLE, kind_of);
    let by_name = listed(kind, repository.filter(|_| kind == REPOSITORY));
    by_name.into_iter().chain(listed(kind, arn)).collect()
}

fn of_parameters(parameters: &Parameters) -> Vec<Resource> {
    [
        listed(ROLE, parameters.role_name.as_deref()),
        listed(USER, parameters.user_name.as_deref()),
        listed(POLICY, parameters.policy_name.as_deref()),
        listed(POLICY, parameters.policy_arn.as_deref()),
        listed(PROVIDER, parameters.provider_arn.as_deref()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const SESSION: &str = "AWS::STS::AssumedRole";
const REPOSITORY: &str = "AWS::ECR::Repository";
const ROLE: &str = "AWS::IAM::Role";
const USER: &str = "AWS::IAM::User";
const POLICY: &str = "AWS::IAM::Policy";
const PROVIDER: &str = "AWS::IAM::OIDCProvider";

fn kind_of(arn: &str) -> &'static str {
    let mut parts = arn.split(':').skip(2);
    let (service, resource) = (parts.next(), parts.nth(2).unwrap_or_default());
    match (service, resource.split('/').next()) {
        (Some("ecr"), _) => REPOSITORY,
        (Some("iam"), Some("policy")) => POLICY,
        (Some("iam"), Some("user")) => USER,
        (Some("iam"), Some("oidc-provider")) => PROVIDER,
        _ => ROLE,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn findable(record: Value) -> Findable {
        let mut whole = json!({
            "eventTime": "2026-01-02T03:04:05Z", "eventID": "e", "eventName": "PutImage",
            "eventSource": "ecr.amazonaws.com", "readOnly": false, "awsRegion": "eu-west-1",
            "requestID": "r", "userIdentity": {}, "requestParameters": null,
            "responseElements": null, "longshore": { "recorded": true },
        });
        for (name, value) in record.as_object().unwrap() {
            whole[name] = value.clone();
        }
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn an_assumed_role_is_found_by_the_key_the_session_and_the_role() {
        let role = "arn:aws:iam::123456789012:role/publisher";
        let session = "arn:aws:sts::123456789012:assumed-role/publisher/run";
        let record = findable(json!({
            "eventSource": "sts.amazonaws.com", "eventName": "AssumeRoleWithWebIdentity",
            "userIdentity": { "type": "WebIdentityUser", "userName": "repo:acme/api:pull_request" },
            "responseElements": {
                "credentials": { "accessKeyId": "ASIA1" },
                "assumedRoleUser": { "assumedRoleId": "AROA1:run", "arn": session },
            },
            "resources": [{ "ARN": role, "type": "AWS::IAM::Role" }],
        }));
        assert_eq!(record.user_name(), Some("repo:acme/api:pull_request"));
        let listed: Vec<(&str, String)> = record
            .resources()
            .into_iter()
            .map(|resource| (resource.kind, resource.name))
            .collect();
        assert_eq!(
            listed,
            [
                ("AWS::IAM::AccessKey", "ASIA1".to_owned()),
                ("AWS::STS::AssumedRole", "run".to_owned()),
                ("AWS::STS::AssumedRole", "AROA1:run".to_owned()),
                ("AWS::STS::AssumedRole", session.to_owned()),
                ("AWS::IAM::Role", role.to_owned()),
            ]
        );
    }

    #[test]
    fn a_repository_is_found_by_its_name_and_by_its_arn() {
        let arn = "arn:aws:ecr:eu-west-1:123456789012:repository/team/app";
        let record = findable(json!({ "resources": [{ "ARN": arn }] }));
        for name in ["team/app", arn] {
            let term = Term::new(Attribute::ResourceName, name);
            assert!(record.terms().contains(&term), "{name}");
        }
    }

    #[test]
    fn what_cloudtrail_does_not_record_is_found_by_its_request_only() {
        let record = findable(json!({ "longshore": { "recorded": false } }));
        assert_eq!(record.terms(), [Term::new(Attribute::RequestId, "r")]);
    }
}
