//! The trail: one CloudTrail-shaped JSON line per request, with the reason of
//! every decision beside the AWS shape.
//!
//! It must never hold a token, a password or a secret key: what goes in is
//! named field by field, nothing is copied wholesale from a request.
//!
//! Shape: CloudTrail User Guide, "CloudTrail record contents".

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use policy::{Decision, Principal};
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::random;

/// What is noted about one request while it is handled. Clones are handles to
/// the same note.
#[derive(Debug, Clone)]
pub(crate) struct Note(Arc<Mutex<Entry>>);

/// What the network said about a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    /// Address of the peer, without its port.
    pub(crate) address: String,
    /// The `User-Agent` header.
    pub(crate) user_agent: String,
}

#[derive(Debug)]
struct Entry {
    request_id: String,
    origin: Origin,
    source: String,
    name: String,
    identity: Value,
    parameters: Value,
    resources: Vec<String>,
    decision: Option<Value>,
    reason: Option<String>,
    error: Option<(String, String)>,
}

impl Note {
    pub(crate) fn new(origin: Origin) -> Self {
        Self(Arc::new(Mutex::new(Entry {
            request_id: random::uuid(),
            origin,
            source: "unknown".to_owned(),
            name: "Unknown".to_owned(),
            identity: json!({ "type": "Unknown" }),
            parameters: Value::Null,
            resources: Vec::new(),
            decision: None,
            reason: None,
            error: None,
        })))
    }

    /// Names what is asked for: a service such as `sts.amazonaws.com` and an
    /// operation such as `AssumeRoleWithWebIdentity`.
    pub(crate) fn event(&self, source: &str, name: &str) {
        let mut entry = self.entry();
        source.clone_into(&mut entry.source);
        name.clone_into(&mut entry.name);
    }

    /// Names who asks.
    pub(crate) fn caller(&self, caller: &Caller) {
        self.entry().identity = identity(caller);
    }

    /// Names a caller that has no AWS identity: the subject of a web token.
    pub(crate) fn web_identity(&self, provider_arn: &str, audience: &str, subject: &str) {
        self.entry().identity = json!({
            "type": "WebIdentityUser",
            "principalId": format!("{provider_arn}:{audience}:{subject}"),
            "userName": subject,
            "identityProvider": provider_arn,
        });
    }

    /// The parameters worth keeping; the caller has left out every secret.
    pub(crate) fn parameters(&self, parameters: Value) {
        self.entry().parameters = parameters;
    }

    /// Adds the ARN of a resource that the request touches.
    pub(crate) fn resource(&self, arn: &str) {
        self.entry().resources.push(arn.to_owned());
    }

    /// The policy engine's answer. The last one counts.
    pub(crate) fn decision(&self, decision: &Decision) {
        let mut entry = self.entry();
        entry.decision = serde_json::to_value(decision).ok();
        entry.reason = (!decision.is_allowed()).then(|| decision.reason());
    }

    /// Why the request is refused, where AWS's own message does not say it.
    pub(crate) fn because(&self, reason: impl Into<String>) {
        self.entry().reason = Some(reason.into());
    }

    /// The error that the caller is given.
    pub(crate) fn error(&self, code: &str, message: &str) {
        self.entry().error = Some((code.to_owned(), message.to_owned()));
    }

    /// The reason of the refusal, if there was one.
    pub(crate) fn reason(&self) -> Option<String> {
        self.entry().reason.clone()
    }

    /// The request's id, a UUID.
    pub(crate) fn request_id(&self) -> String {
        self.entry().request_id.clone()
    }

    /// What the network said about the request.
    pub(crate) fn origin(&self) -> Origin {
        self.entry().origin.clone()
    }

    fn entry(&self) -> MutexGuard<'_, Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn identity(caller: &Caller) -> Value {
    let kind = match &caller.principal {
        Principal::AccountRoot { .. } => "Root",
        Principal::User { .. } => "IAMUser",
        Principal::AssumedRole { .. } => "AssumedRole",
        Principal::Federated { .. } => "WebIdentityUser",
        Principal::Service { .. } => "AWSService",
        Principal::Anonymous => "Unknown",
    };
    let mut identity = json!({
        "type": kind,
        "principalId": caller.user_id,
        "arn": caller.arn(),
        "accountId": caller.principal.account(),
        "accessKeyId": caller.access_key_id,
    });
    if let Principal::AssumedRole { role_arn, .. } = &caller.principal {
        identity["sessionContext"] = json!({
            "sessionIssuer": { "type": "Role", "arn": role_arn },
        });
    }
    identity
}

/// The files `<data>/trail/YYYY-MM-DD.jsonl`, one per day of the emulator's clock.
#[derive(Debug)]
pub(crate) struct Trail {
    directory: PathBuf,
    account: String,
    region: String,
    appending: Mutex<()>,
}

impl Trail {
    /// A trail in `directory`, which exists.
    pub(crate) fn new(directory: PathBuf, account: &str, region: &str) -> Self {
        Self {
            directory,
            account: account.to_owned(),
            region: region.to_owned(),
            appending: Mutex::new(()),
        }
    }

    /// Appends what was noted as one line.
    pub(crate) fn append(&self, note: &Note, now: Timestamp) -> std::io::Result<()> {
        let mut line = self.record(&note.entry(), now).to_string();
        line.push('\n');
        let day = now.to_zoned_datetime(TimeZone::UTC).date();
        let path = self.directory.join(format!("{day}.jsonl"));
        let _one_at_a_time = self
            .appending
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut file = fs_err::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)?;
        file.write_all(line.as_bytes())
    }

    /// The records of `request_id`, or all of them, oldest first, at most the
    /// last `limit`. A line that is not JSON (cut off by a kill) is passed over.
    pub(crate) fn find(
        &self,
        request_id: Option<&str>,
        limit: usize,
    ) -> std::io::Result<Vec<Value>> {
        let mut files: Vec<PathBuf> = fs_err::read_dir(&self.directory)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        files.sort();
        let mut found = std::collections::VecDeque::new();
        for path in files {
            for line in BufReader::new(fs_err::File::open(path)?).split(b'\n') {
                let Ok(record) = serde_json::from_slice::<Value>(&line?) else {
                    continue;
                };
                if request_id.is_some_and(|id| record["requestID"] != id) {
                    continue;
                }
                if found.len() == limit {
                    found.pop_front();
                }
                found.push_back(record);
            }
        }
        Ok(found.into())
    }

    fn record(&self, entry: &Entry, now: Timestamp) -> Value {
        let resources: Vec<Value> = entry
            .resources
            .iter()
            .map(|arn| json!({ "ARN": arn, "accountId": self.account }))
            .collect();
        let mut record = json!({
            "eventVersion": "1.11",
            "userIdentity": entry.identity,
            "eventTime": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "eventSource": entry.source,
            "eventName": entry.name,
            "awsRegion": self.region,
            "sourceIPAddress": entry.origin.address,
            "userAgent": entry.origin.user_agent,
            "requestParameters": entry.parameters,
            "responseElements": null,
            "requestID": entry.request_id,
            "eventID": random::uuid(),
            "resources": resources,
            "eventType": "AwsApiCall",
            "recipientAccountId": self.account,
            "longshore": { "reason": entry.reason, "decision": entry.decision },
        });
        if let Some((code, message)) = &entry.error {
            record["errorCode"] = json!(code);
            record["errorMessage"] = json!(message);
        }
        record
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_noted_request_is_found_by_its_id_even_beside_a_torn_line() {
        let directory = tempfile::tempdir().unwrap();
        let trail = Trail::new(directory.path().to_owned(), "123456789012", "eu-west-1");
        let now = Timestamp::UNIX_EPOCH;
        let note = Note::new(Origin::default());
        note.event("ecr.amazonaws.com", "PutImage");
        note.because("no statement matches");
        note.error("AccessDeniedException", "User is not authorized");
        fs_err::write(directory.path().join("1970-01-01.jsonl"), "{\"torn\n").unwrap();
        trail.append(&Note::new(Origin::default()), now).unwrap();
        trail.append(&note, now).unwrap();

        let found = trail.find(Some(&note.request_id()), 10).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["eventName"], "PutImage");
        assert_eq!(found[0]["errorCode"], "AccessDeniedException");
        assert_eq!(found[0]["longshore"]["reason"], "no statement matches");
        assert_eq!(trail.find(None, 1).unwrap(), found);
    }
}
