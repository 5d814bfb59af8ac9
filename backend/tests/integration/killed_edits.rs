//! The process is killed while editors write: an edit that was acknowledged is there,
//! and each edit that is there is in the audit, once.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::mpsc::{Sender, channel};

use serde_json::{Value, json};

use crate::killed::ask;
use crate::postgres;
use crate::process::Running;

/// After how many acknowledgements the process is killed, each time.
const KILLS: [usize; 4] = [1, 9, 24, 47];
/// How many edits of a document there are before it is deleted.
const EDITS: usize = 6;

/// An edit that was acknowledged.
struct Edit {
    /// The path below `/api/v1/editor/`.
    path: String,
    /// What is there since; nothing if it was deleted.
    after: Option<Value>,
}

struct Editor<'a> {
    address: &'a str,
    token: &'a str,
    acknowledged: Sender<Edit>,
}

/// A status, the `ETag` in quotes, and a body.
struct Answer {
    status: u16,
    etag: String,
    body: String,
}

/// Nothing if no whole answer came.
fn request(address: &str, token: &str, head: &str, body: &str) -> Option<Answer> {
    let answer = ask(
        address,
        &format!(
            "{head}\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    )?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let etag = head.lines().find_map(|line| line.strip_prefix("etag: "));
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let is_whole = length.is_none_or(|length| length.parse() == Ok(body.len()));
    is_whole.then(|| Answer {
        status: head[9..12].parse().expect("a status"),
        etag: etag.unwrap_or_default().to_owned(),
        body: body.to_owned(),
    })
}

fn read(address: &str, token: &str, path: &str) -> Option<Answer> {
    let head = format!("GET /api/v1/editor/{path} HTTP/1.1");
    request(address, token, &head, "")
}

impl Editor<'_> {
    /// Asks for a change and says if it was acknowledged. Returns the answer.
    fn change(&self, path: &str, condition: &str, after: Option<Value>) -> Option<Answer> {
        let method = if after.is_some() { "PUT" } else { "DELETE" };
        let head = format!("{method} /api/v1/editor/{path} HTTP/1.1\r\n{condition}");
        let body = after.as_ref().map(Value::to_string).unwrap_or_default();
        let answer = request(self.address, self.token, &head, &body)?;
        if (200..300).contains(&answer.status) {
            let path = path.to_owned();
            self.acknowledged.send(Edit { path, after }).ok()?;
        }
        Some(answer)
    }

    /// Makes documents, changes each some times and deletes it, until the process is gone.
    fn edit_documents(&self, name: &str, content: impl Fn(&str) -> Value) -> Option<()> {
        for number in 0.. {
            let path = format!("{name}-{number}");
            let mut condition = "If-None-Match: *".to_owned();
            for edit in 0..EDITS {
                let text = format!("{path} {edit}");
                let answer = self.change(&path, &condition, Some(content(&text)))?;
                assert!(answer.status < 300, "{}", answer.body);
                condition = format!("If-Match: {}", answer.etag);
            }
            let answer = self.change(&path, &condition, None)?;
            assert_eq!(answer.status, 204, "{}", answer.body);
        }
        None
    }

    /// Changes the profile beside others who do, until the process is gone.
    fn edit_profile(&self, name: &str) -> Option<()> {
        for number in 0.. {
            let before = read(self.address, self.token, "profile")?;
            let mut profile: Value = serde_json::from_str(&before.body).expect("JSON");
            profile["name"] = json!(format!("{name} {number}"));
            let condition = format!("If-Match: {}", before.etag);
            let answer = self.change("profile", &condition, Some(profile))?;
            assert!([200, 412].contains(&answer.status), "{}", answer.body);
        }
        None
    }
}

fn project(title: &str) -> Value {
    json!({"title": title, "summary": "s", "description": "d", "year": 2026, "source_url": null,
        "technologies": [], "tags": [], "links": [], "images": [], "position": 1})
}

fn post(title: &str) -> Value {
    json!({"title": title, "summary": "s", "markdown": "m", "tags": [], "published_at": null})
}

/// Every change in the audit, before and after, by the path of what was changed.
fn audit(address: &str, token: &str) -> BTreeMap<String, Vec<(Value, Value)>> {
    let mut changes: BTreeMap<String, Vec<_>> = BTreeMap::new();
    let parsed = |text: &Value| match text.as_str() {
        Some(text) => serde_json::from_str(text).expect("JSON"),
        None => Value::Null,
    };
    for page in 1.. {
        let answer = read(address, token, &format!("audit?per_page=100&page={page}"));
        let list: Value = serde_json::from_str(&answer.expect("an answer").body).expect("JSON");
        for change in list["changes"].as_array().expect("changes") {
            let subject = change["subject"].as_str().expect("text");
            let path = match subject.split_once(' ').expect("a kind and a name") {
                ("profile", _) => "profile".to_owned(),
                (kind @ ("project" | "post"), slug) => format!("{kind}s/{slug}"),
                // No editor did that.
                _ => continue,
            };
            let change = (parsed(&change["before"]), parsed(&change["after"]));
            changes.entry(path).or_default().push(change);
        }
        if list["next_page"].is_null() {
            break;
        }
    }
    changes
}

/// From what is there now, its changes lead back to its beginning, and no change is left.
fn assert_changes_lead_to(path: &str, mut now: Value, mut changes: Vec<(Value, Value)>) {
    while let Some(last) = changes.iter().position(|(_, after)| *after == now) {
        now = changes.swap_remove(last).0;
    }
    assert!(changes.is_empty(), "{path}: {now} and {changes:?}");
}

fn kill_and_look(command: &dyn Fn() -> Command) {
    let output = command()
        .args(["token", "create", "editor", "content:write,audit:read"])
        .output()
        .expect("a process");
    let token = String::from_utf8(output.stdout).expect("a token");
    let token = token.trim();
    let mut all: Vec<Edit> = Vec::new();
    for (round, kill) in KILLS.into_iter().enumerate() {
        let mut running = Running::start(&mut command());
        let address = running.address.clone();
        let (acknowledged, edits) = channel();
        let [projects, posts, first, second] = [(); 4].map(|()| Editor {
            address: &address,
            token,
            acknowledged: acknowledged.clone(),
        });
        drop(acknowledged);
        std::thread::scope(|scope| {
            scope.spawn(move || projects.edit_documents(&format!("projects/{round}"), project));
            scope.spawn(move || posts.edit_documents(&format!("posts/{round}"), post));
            scope.spawn(move || first.edit_profile(&format!("{round} first")));
            scope.spawn(move || second.edit_profile(&format!("{round} second")));
            all.extend(edits.iter().take(kill));
            running.child.kill().expect("SIGKILL");
            // What was acknowledged before the kill arrived.
            all.extend(edits.iter());
        });
    }
    assert!(all.len() >= KILLS.iter().sum());
    let running = Running::start(&mut command());
    let audit = audit(&running.address, token);
    for Edit { path, after } in &all {
        let after = after.clone().unwrap_or_default();
        let recorded = audit[path].iter().filter(|change| change.1 == after);
        assert_eq!(recorded.count(), 1, "{path}: {after}");
    }
    for (path, changes) in audit {
        let answer = read(&running.address, token, &path).expect("an answer");
        let now = match answer.status {
            200 => serde_json::from_str(&answer.body).expect("JSON"),
            _ => Value::Null,
        };
        assert_changes_lead_to(&path, now, changes);
    }
}

#[test]
fn an_edit_that_was_acknowledged_before_a_kill_is_there_after_it_and_in_the_audit() {
    let directory = tempfile::tempdir().expect("a directory");
    postgres::on_each_program(directory.path(), kill_and_look);
}
