//! The permissions that sessions of roles asked for, counted.

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::trail::{day, files};

/// Calls that were decided alike.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Calls {
    /// ARN.
    role: String,
    #[serde(flatten)]
    asked: Asked,
    count: u64,
    last: Timestamp,
}

/// A permission that was asked for, with the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Asked {
    action: String,
    resource: String,
    outcome: String,
    by: Option<String>,
    #[serde(default)]
    grants: Vec<Value>,
    reason: Option<String>,
}

/// The parts of a record that count.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_time: Timestamp,
    user_identity: Identity,
    longshore: Beside,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    session_context: Option<SessionContext>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SessionContext {
    session_issuer: Issuer,
}

#[derive(Debug, Deserialize)]
struct Issuer {
    arn: String,
}

#[derive(Debug, Deserialize)]
struct Beside {
    #[serde(default)]
    authorizations: Vec<Asked>,
}

/// What sessions of roles asked for from `since` on, in the order of the first
/// time.
pub(super) fn calls(trail: &Path, since: Option<Timestamp>) -> io::Result<Vec<Calls>> {
    let mut counted = Counted::default();
    let first = since.map(|since| day(since).to_string());
    for path in files(trail)? {
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        if first
            .as_deref()
            .zip(stem)
            .is_some_and(|(first, day)| day < first)
        {
            continue;
        }
        for line in BufReader::new(fs_err::File::open(&path)?).split(b'\n') {
            // A line that is being written is not there yet.
            let Ok(record) = serde_json::from_slice::<Record>(&line?) else {
                continue;
            };
            if since.is_none_or(|since| since <= record.event_time) {
                counted.add(record);
            }
        }
    }
    Ok(counted.calls)
}

#[derive(Debug, Default)]
struct Counted {
    calls: Vec<Calls>,
    /// Where in `calls` what was asked and answered alike is.
    places: HashMap<String, usize>,
}

impl Counted {
    fn add(&mut self, record: Record) {
        let Some(session) = record.user_identity.session_context else {
            return;
        };
        let role = session.session_issuer.arn;
        for asked in record.longshore.authorizations {
            let key = serde_json::to_string(&(&role, &asked)).unwrap_or_default();
            let place = *self.places.entry(key).or_insert(self.calls.len());
            if place == self.calls.len() {
                self.calls.push(Calls {
                    role: role.clone(),
                    asked,
                    count: 0,
                    last: record.event_time,
                });
            }
            let calls = &mut self.calls[place];
            calls.count += 1;
            calls.last = calls.last.max(record.event_time);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(second: i64, authorizations: &Value) -> String {
        let time = Timestamp::from_second(second).unwrap();
        let role = "arn:aws:iam::123456789012:role/publisher";
        let issuer = json!({ "sessionIssuer": { "arn": role } });
        let record = json!({
            "eventTime": time, "userIdentity": { "type": "AssumedRole", "sessionContext": issuer },
            "longshore": { "recorded": true, "authorizations": authorizations },
        });
        format!("{record}\n")
    }

    #[test]
    fn what_was_decided_alike_is_counted_together_and_half_a_line_is_passed_over() {
        let trail = tempfile::tempdir().unwrap();
        let account = trail.path().join("123456789012");
        fs_err::create_dir_all(&account).unwrap();
        let put = json!({ "action": "ecr:PutImage", "resource": "r", "outcome": "allowed", "by": "identity" });
        let denied = json!({
            "action": "ecr:PutImage", "resource": "r", "outcome": "implicitly_denied",
            "by": "identity", "reason": "nothing allows it",
        });
        let text = line(1, &json!([put, denied])) + &line(5, &json!([put])) + "{\"eventTime\":";
        fs_err::write(account.join("1970-01-01.jsonl"), text).unwrap();
        let next = line(86_400, &json!([put]));
        fs_err::write(account.join("1970-01-02.jsonl"), next).unwrap();

        let found = calls(trail.path(), None).unwrap();
        let counts: Vec<(u64, i64)> = found
            .iter()
            .map(|calls| (calls.count, calls.last.as_second()))
            .collect();
        assert_eq!(counts, [(3, 86_400), (1, 1)]);
        let since = |second| {
            let since = Timestamp::from_second(second).unwrap();
            let found = calls(trail.path(), Some(since)).unwrap();
            found.iter().map(|calls| calls.count).sum::<u64>()
        };
        assert_eq!((since(2), since(86_400), since(86_401)), (2, 1, 0));
    }
}
