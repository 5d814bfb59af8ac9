//! What was noted, as the records of CloudTrail.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::hidden::without_secrets;
use super::note::{Entry, Operation};
use super::operations::{is_read_only, recorded_message, shows_answer};
use crate::random;

/// Longest text of `errorCode`, `errorMessage` and `userAgent`, in bytes.
const TEXT_LIMIT: usize = 1 << 10;
/// Longest `requestParameters` and `responseElements`, in bytes; longer ones
/// are left out.
const ELEMENTS_LIMIT: usize = 100 << 10;
/// What the registry of ECR calls itself where it makes a call for a client.
const REGISTRY: &str = "ecr.amazonaws.com";

/// A record, and the account whose trail it belongs to.
#[derive(Debug, PartialEq)]
pub(super) struct Delivery {
    pub(super) account: String,
    pub(super) record: Value,
}

/// The records of one request: one for each operation that it performed, for
/// each account that it concerns. What CloudTrail would not record is there
/// too, and marked, in the trail of `account`, the emulator's own.
pub(super) fn deliveries(
    entry: &Entry,
    account: &str,
    region: &str,
    now: Timestamp,
) -> Vec<Delivery> {
    let home = entry.who.account().unwrap_or(account);
    let mut accounts = vec![home];
    if is_told_to_others(entry) {
        for (_, owner) in &entry.resources {
            if !owner.is_empty() && !accounts.contains(&owner.as_str()) {
                accounts.push(owner);
            }
        }
    }
    let mut all = Vec::new();
    for (position, operation) in entry.operations.iter().enumerate() {
        let is_last = position + 1 == entry.operations.len();
        let shared = (accounts.len() > 1).then(random::uuid);
        for account in &accounts {
            let event = Event {
                entry,
                operation,
                is_last,
                account,
                is_home: *account == home,
                shared: shared.as_deref(),
            };
            all.push(Delivery {
                account: (*account).to_owned(),
                record: event.record(region, now),
            });
        }
    }
    all
}

/// Whether the owners of the resources get a record of their own. Those of a
/// role are not told of refusals (IAM User Guide, "Logging IAM and AWS STS API
/// calls with AWS CloudTrail"); that others are not told either is inferred.
fn is_told_to_others(entry: &Entry) -> bool {
    let is_denied = |(code, _): &(String, String)| code.starts_with("AccessDenied");
    is_recorded(entry) && !entry.error.as_ref().is_some_and(is_denied)
}

/// CloudTrail records what an authenticated caller asks of a service.
fn is_recorded(entry: &Entry) -> bool {
    entry.recorded && entry.who.account().is_some()
}

/// One record to be written.
struct Event<'a> {
    entry: &'a Entry,
    operation: &'a Operation,
    /// Whether it is the operation that the error and the request id belong to.
    is_last: bool,
    account: &'a str,
    is_home: bool,
    shared: Option<&'a str>,
}

impl Event<'_> {
    fn record(&self, region: &str, now: Timestamp) -> Value {
        let entry = self.entry;
        let name = &self.operation.name;
        let (address, agent) = self.origin();
        let request_id = if self.is_last {
            entry.request_id.clone()
        } else {
            random::uuid()
        };
        let mut record = json!({
            "eventVersion": "1.11",
            "userIdentity": self.identity(),
            "eventTime": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "eventSource": entry.source,
            "eventName": name,
            "awsRegion": entry.region.as_deref().unwrap_or(region),
            "sourceIPAddress": address,
            "userAgent": cut(agent),
        });
        let error = entry.error.as_ref().filter(|_| self.is_last);
        if let Some((code, message)) = error {
            record["errorCode"] = json!(cut(code));
            record["errorMessage"] = json!(cut(recorded_message(name, code, message)));
        }
        record["requestParameters"] = bounded(&self.parameters());
        record["responseElements"] = if error.is_none() && shows_answer(name) {
            bounded(&self.operation.answer)
        } else {
            Value::Null
        };
        record["requestID"] = json!(request_id);
        record["eventID"] = json!(random::uuid());
        record["readOnly"] = json!(is_read_only(name));
        if let Some(resources) = self.resources() {
            record["resources"] = resources;
        }
        record["eventType"] = json!("AwsApiCall");
        record["managementEvent"] = json!(true);
        record["recipientAccountId"] = json!(self.account);
        if let Some(shared) = self.shared {
            record["sharedEventID"] = json!(shared);
        }
        record["eventCategory"] = json!("Management");
        record["longshore"] = self.beside();
        record
    }

    /// The parameters. The registry always says which registry it is.
    fn parameters(&self) -> Value {
        let mut parameters = self.operation.parameters.clone();
        let owner = self.entry.resources.first().map(|(_, owner)| owner);
        if let (true, Some(owner)) = (self.entry.through_registry, owner)
            && let Some(members) = parameters.as_object_mut()
        {
            members.insert("registryId".to_owned(), json!(owner));
        }
        parameters
    }

    fn identity(&self) -> Value {
        let who = &self.entry.who;
        let mut identity = if self.is_home {
            who.at_home()
        } else {
            who.abroad()
        };
        if self.entry.through_registry {
            identity["invokedBy"] = json!(REGISTRY);
        }
        identity
    }

    /// Address and agent. Where the registry makes the call, CloudTrail shows
    /// the registry.
    fn origin(&self) -> (&str, &str) {
        if self.entry.through_registry {
            (REGISTRY, REGISTRY)
        } else {
            let origin = &self.entry.origin;
            (&origin.address, &origin.user_agent)
        }
    }

    /// The resources, for the services that name them: IAM does not. ECR gives
    /// no type.
    fn resources(&self) -> Option<Value> {
        let entry = self.entry;
        if entry.source == "iam.amazonaws.com" || entry.resources.is_empty() {
            return None;
        }
        let resources = entry.resources.iter().map(|(arn, owner)| {
            let mut resource = json!({ "accountId": owner });
            if arn.starts_with("arn:aws:iam::") && arn.contains(":role/") {
                resource["type"] = json!("AWS::IAM::Role");
            }
            resource["ARN"] = json!(arn);
            resource
        });
        Some(resources.collect())
    }

    /// What AWS does not say. It stays in the caller's account: another is told
    /// no more than AWS would tell it.
    fn beside(&self) -> Value {
        let entry = self.entry;
        let mut beside = Map::new();
        beside.insert("recorded".to_owned(), json!(is_recorded(entry)));
        if !self.is_home {
            return beside.into();
        }
        if entry.through_registry {
            let origin = &entry.origin;
            beside.insert("sourceIPAddress".to_owned(), json!(origin.address));
            beside.insert("userAgent".to_owned(), json!(cut(&origin.user_agent)));
        }
        if self.is_last {
            if let Some((code, message)) = &entry.shown {
                let shown = json!({ "code": code, "message": message });
                beside.insert("shown".to_owned(), shown);
            }
            if !entry.faults.is_empty() {
                beside.insert("faults".to_owned(), json!(entry.faults));
            }
            beside.insert("reason".to_owned(), json!(entry.reason));
            beside.insert("decision".to_owned(), json!(entry.decision));
            beside.insert("authorizations".to_owned(), json!(entry.authorizations));
        }
        beside.into()
    }
}

fn bounded(elements: &Value) -> Value {
    let elements = without_secrets(elements.clone());
    if elements.to_string().len() > ELEMENTS_LIMIT {
        Value::Null
    } else {
        elements
    }
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(TEXT_LIMIT))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests;
