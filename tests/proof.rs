//! What is proved is what happens: the emulator's STS admits every token that a
//! proof shows, and no other.
//!
//! Checker and emulator meet here only: one reads the Terraform root and
//! computes a set, the other is asked over HTTP.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Map, Value, json};

use crate::harness::{Emulator, json_of, longshore, repository};

/// Setups whose trust policies admit more than they should, each in another way.
const SETUPS: [&str; 12] = [
    "deny-that-leaves-branches",
    "trust-any-branch",
    "trust-any-environment",
    "trust-every-ref-for-tags",
    "trust-ids-as-wildcards",
    "trust-not-like-alone",
    "trust-on-repository-name",
    "trust-on-workflow-name",
    "trust-owner-wildcard-and-branch",
    "trust-owner-without-slash",
    "trust-pull-request-listed",
    "trust-repository-prefix",
];

fn setup(name: &str) -> PathBuf {
    repository().join("fixtures/setups/flawed").join(name)
}

/// The proofs of `longshore check --prove`.
fn proofs(directory: &Path) -> Vec<Value> {
    let mut command = longshore(directory);
    command.args(["check", "--prove", "--no-zizmor", "--format", "json"]);
    let report = json_of(&command.output().unwrap());
    report["proofs"].as_array().unwrap().clone()
}

fn claims(example: &Value) -> Map<String, Value> {
    let pairs: Vec<(String, String)> = serde_json::from_value(example["claims"].clone()).unwrap();
    let text = |(name, value)| (name, Value::String(value));
    pairs.into_iter().map(text).collect()
}

/// Tokens near an admitted one: most are outside the set, some are inside too.
fn neighbours(claims: &Map<String, Value>) -> Vec<Map<String, Value>> {
    let subject = claims["sub"].as_str().unwrap();
    let (repository, context) = subject.split_once(':').unwrap().1.split_once(':').unwrap();
    let with = |subject: String| {
        let mut changed = claims.clone();
        changed.insert("sub".to_owned(), subject.into());
        changed
    };
    let mut all = vec![
        with(format!("{subject}x")),
        with(subject.replace("repo:", "repo:x")),
        with(subject.replace("repo:acme", "repo:Acme")),
        with(format!("repo:{repository}:pull_request")),
        with(format!("repo:{repository}:ref:refs/heads/main")),
        with(format!("repo:{repository}-other:{context}")),
        with(format!("repo:mallory/evil:{context}")),
    ];
    for claim in ["repository", "ref", "environment", "workflow"] {
        let mut without = claims.clone();
        without.remove(claim);
        all.push(without);
    }
    all
}

/// Whether `longshore explain` says that a token with these claims is admitted.
fn explained(directory: &Path, role: &str, claims: &Map<String, Value>) -> bool {
    let mut child = longshore(directory)
        .args([
            "explain", "--claims", "-", "--role", role, "--format", "json",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let document = serde_json::to_vec(claims).unwrap();
    child.stdin.take().unwrap().write_all(&document).unwrap();
    let answer = json_of(&child.wait_with_output().unwrap());
    answer["admitted"].as_bool().unwrap()
}

/// Whether STS gives a token with these claims the role.
async fn admitted(emulator: &Emulator, role: &str, claims: &Map<String, Value>) -> bool {
    let http = reqwest::Client::new();
    let minted: Value = http
        .post(format!("{}/_longshore/tokens", emulator.url))
        .json(&json!({ "claims": claims }))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let answer = http
        .post(&emulator.url)
        .form(&[
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", role),
            ("RoleSessionName", "proof"),
            ("WebIdentityToken", minted["value"].as_str().unwrap()),
        ])
        .send()
        .await
        .unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(
        status == 200 || text.contains("<Code>AccessDenied</Code>"),
        "{claims:?}: {text}"
    );
    status == 200
}

#[tokio::test]
async fn sts_admits_every_counterexample_and_judges_its_neighbours_as_explained() {
    let (mut shown, mut outside) = (0, 0);
    for name in SETUPS {
        let directory = setup(name);
        let emulator = Emulator::start(&directory);
        for proof in proofs(&directory) {
            let role = proof["role"].as_str().unwrap();
            for example in proof["excess"].as_array().unwrap() {
                let example = claims(example);
                assert!(
                    admitted(&emulator, role, &example).await,
                    "{name}: STS refuses {example:?}"
                );
                shown += 1;
                for neighbour in neighbours(&example) {
                    let inside = admitted(&emulator, role, &neighbour).await;
                    assert_eq!(
                        inside,
                        explained(&directory, role, &neighbour),
                        "{name}: {neighbour:?}"
                    );
                    outside += usize::from(!inside);
                }
            }
        }
    }
    // The setups show something, and the neighbours are not all inside.
    assert!(shown >= SETUPS.len(), "{shown}");
    assert!(outside >= shown, "{outside}");
}
