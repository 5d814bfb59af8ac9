//! The rules that read Terraform, on the corpus of setups: every flaw is found
//! where it is, and nothing sound is warned about.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests stop at the first surprise"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use audit::{OwnRepository, Setup, TerraformRoot, UnreadableRoot, WorkflowFile};
use receipts::{Finding, Location, Severity};
use serde_json::Value;
use terraform::Given;

/// Rules about Terraform that compare sets of callers, which have tests of
/// their own.
const OF_THE_PROOF: [&str; 9] = [
    "trust-admits-strangers",
    "trust-admits-other-repositories",
    "trust-admits-pull-requests",
    "trust-admits-other-refs",
    "trust-admits-other-environments",
    "trust-admits-nobody",
    "trust-subject-never-minted",
    "job-refused",
    "role-unused",
];

const PREFIXES: [&str; 6] = [
    "trust-",
    "provider-",
    "session-too-long",
    "permission-",
    "ecr-",
    "terraform-",
];

fn reads_terraform(rule: &str) -> bool {
    PREFIXES.iter().any(|prefix| rule.starts_with(prefix)) && !OF_THE_PROOF.contains(&rule)
}

fn setups(kind: &str) -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/setups");
    let mut setups: Vec<PathBuf> = fs_err::read_dir(all.join(kind))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    setups.sort();
    assert!(!setups.is_empty());
    setups
}

/// The values of `longshore.toml`, which are strings and numbers in tables.
fn configuration(directory: &Path) -> BTreeMap<String, String> {
    let text = fs_err::read_to_string(directory.join("longshore.toml")).unwrap_or_default();
    let mut table = "";
    let mut values = BTreeMap::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[') {
            table = name.trim_end_matches(']');
        } else if let Some((key, value)) = line.split_once('=') {
            let value = value.trim().trim_matches('"').to_owned();
            values.insert(format!("{table}.{}", key.trim()), value);
        }
    }
    values
}

fn load(directory: &Path) -> Setup {
    let values = configuration(directory);
    let get = |key: &str| values.get(key).cloned();
    let given = Given {
        account: get("aws.account").unwrap_or_else(|| "123456789012".to_owned()),
        ..Given::default()
    };
    let infra = directory.join("infra");
    let mut unreadable_roots = Vec::new();
    let read = infra.is_dir().then(|| terraform::read(&infra, &given));
    let root = read.and_then(|read| match read {
        Ok(root) => Some(TerraformRoot::new("infra", root)),
        Err(error) => {
            unreadable_roots.push(UnreadableRoot::new("infra", directory, &error));
            None
        }
    });
    let aws = root
        .as_ref()
        .map(|root| root.aws.clone())
        .unwrap_or_default();
    let roles: Vec<_> = aws
        .roles
        .iter()
        .filter(|role| match get("aws.role") {
            Some(name) => role.name == name,
            None => role.trust_policy.contains("AssumeRoleWithWebIdentity"),
        })
        .collect();
    let repositories: Vec<_> = aws
        .repositories
        .iter()
        .filter(|repository| get("aws.repository").is_none_or(|name| name == repository.name))
        .collect();
    let own = get("github.repository");
    let repository = own.as_ref().and_then(|own| {
        let (owner, name) = own.split_once('/')?;
        Some(OwnRepository {
            owner: owner.to_owned(),
            name: name.to_owned(),
            owner_id: get("github.owner-id"),
            id: get("github.repository-id"),
        })
    });
    let only = |found: Vec<String>| match found.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    };
    Setup {
        repository,
        publisher_role: only(roles.iter().map(|role| role.arn.clone()).collect()),
        ecr_repositories: only(repositories.iter().map(|one| one.arn.clone()).collect())
            .into_iter()
            .collect(),
        workflows: workflows(directory),
        roots: root.into_iter().collect(),
        unreadable_roots,
        ..Setup::default()
    }
}

fn workflows(directory: &Path) -> Vec<WorkflowFile> {
    let Ok(entries) = fs_err::read_dir(directory.join(".github/workflows")) else {
        return Vec::new();
    };
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = fs_err::read_to_string(&path).unwrap();
            let name = path.strip_prefix(directory).unwrap();
            WorkflowFile::new(name.to_str().unwrap(), text)
        })
        .collect()
}

/// Whether a place is in the file of `FILE:LINE` and in the same block or so.
fn is_near(place: &Location, at: &str) -> bool {
    const NEAR: usize = 15;
    let (file, line) = at.rsplit_once(':').unwrap();
    place.file.ends_with(file) && place.line.abs_diff(line.parse().unwrap()) <= NEAR
}

/// The findings of the rules that this file is about.
fn findings(directory: &Path) -> Vec<Finding> {
    let mut findings = audit::check(&load(directory));
    findings.retain(|finding| reads_terraform(&finding.rule));
    findings
}

fn expected(directory: &Path) -> Value {
    let text = fs_err::read_to_string(directory.join("expected.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn names(value: &Value) -> Vec<&str> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Value::as_str).collect()
}

/// The rules that `longshore.toml` suppresses.
fn accepted(directory: &Path) -> Vec<String> {
    let values = configuration(directory);
    let rule = values.get("[check.suppress.rule");
    rule.cloned().into_iter().collect()
}

/// One line for each finding, for messages of tests.
fn told(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let place = finding.location.as_ref();
        let line = place.map_or(0, |place| place.line);
        let file = place.map_or("", |place| place.file.rsplit('/').next().unwrap_or(""));
        let fix = finding
            .fix
            .as_ref()
            .expect("every finding says what to change");
        format!(
            "    {} {file}:{line} {}\n        {}\n        -> {}\n{}",
            finding.rule,
            finding.subject,
            finding.message,
            fix.summary,
            fix.diff.as_deref().unwrap_or("")
        )
    };
    findings.iter().map(line).collect()
}

#[test]
fn every_flaw_is_found_by_one_of_its_rules() {
    let mut missed = String::new();
    for directory in setups("flawed") {
        let found = findings(&directory);
        for flaw in expected(&directory)["flaws"].as_array().unwrap() {
            let rules = names(&flaw["rules"]);
            let ours = rules.iter().filter(|rule| reads_terraform(rule));
            let of_the_proof = rules.iter().any(|rule| OF_THE_PROOF.contains(rule));
            if ours.count() == 0 || flaw.get("missed").is_some() {
                continue;
            }
            let at = flaw["where"].as_str().unwrap();
            let hit = found.iter().any(|one| {
                rules.contains(&one.rule.as_str())
                    && one
                        .location
                        .as_ref()
                        .is_some_and(|place| is_near(place, at))
            });
            if !hit && !of_the_proof {
                let what = &flaw["what"];
                let _ = write!(missed, "{}: {what}\n{}", directory.display(), told(&found));
            }
        }
    }
    assert!(missed.is_empty(), "missed:\n{missed}");
}

#[test]
fn nothing_sound_is_warned_about() {
    let mut alarms = String::new();
    for directory in setups("sound") {
        let expected = expected(&directory);
        let allowed = names(&expected["allowed"]);
        // What the configuration accepts is not taken out here.
        let accepted = accepted(&directory);
        let mut found = findings(&directory);
        found.retain(|finding| {
            finding.severity > Severity::Note
                && !allowed.contains(&finding.rule.as_str())
                && !accepted.contains(&finding.rule)
        });
        if !found.is_empty() {
            let _ = write!(alarms, "{}\n{}", directory.display(), told(&found));
        }
    }
    assert!(alarms.is_empty(), "false alarms:\n{alarms}");
}

#[test]
fn the_root_of_this_repository_has_nothing_worse_than_a_note() {
    let infra = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/production");
    let given = Given {
        account: "123456789012".to_owned(),
        ..Given::default()
    };
    let root = TerraformRoot::new("infra/production", terraform::read(&infra, &given).unwrap());
    let setup = Setup {
        repository: Some(OwnRepository {
            owner: "acme".to_owned(),
            name: "portfolio".to_owned(),
            owner_id: Some("1234567".to_owned()),
            id: Some("7654321".to_owned()),
        }),
        publisher_role: Some(root.aws.roles[0].arn.clone()),
        ecr_repositories: vec![root.aws.repositories[0].arn.clone()],
        roots: vec![root],
        ..Setup::default()
    };
    let mut findings = audit::check(&setup);
    findings.retain(|one| reads_terraform(&one.rule) && one.severity > Severity::Note);
    assert!(findings.is_empty(), "{}", told(&findings));
}
