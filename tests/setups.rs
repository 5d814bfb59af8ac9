//! `longshore check` on every setup of `fixtures/setups`: it finds each flaw of
//! the flawed ones, and lets the sound ones pass.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{both, copy, longshore, repository};

/// How many checks run at a time; each is a process of its own.
const AT_A_TIME: usize = 4;

/// A setup and what its `expected.json` says of it.
struct Setup {
    /// `flawed/NAME` or `sound/NAME`.
    name: String,
    directory: PathBuf,
    flaws: Vec<Flaw>,
    /// Warnings and errors that a sound setup gets rightly.
    allowed: Vec<String>,
}

/// Something that is wrong with a setup.
struct Flaw {
    what: String,
    /// Any of these rules finds it.
    rules: Vec<String>,
    /// Why `check` does not find it, where that is meant.
    missed: Option<String>,
}

#[test]
fn every_flaw_is_found() {
    let failures = failures_of(&setups("flawed"), |setup, report| {
        let found = rules_of(&findings(report));
        let not_as_expected = |flaw: &&Flaw| {
            let is_found = flaw.rules.iter().any(|rule| found.contains(rule.as_str()));
            is_found == flaw.missed.is_some()
        };
        let wrong = setup.flaws.iter().filter(not_as_expected);
        wrong.map(|flaw| explain(flaw, &found)).collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn sound_setups_pass() {
    let failures = failures_of(&setups("sound"), |setup, report| {
        let loud = findings(report).into_iter().filter(|finding| {
            let rule = finding["rule"].as_str().unwrap();
            finding["severity"] != "note" && !setup.allowed.iter().any(|allowed| allowed == rule)
        });
        loud.map(|finding| format!("{}: {}", finding["rule"], finding["message"]))
            .collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_rule_finds_a_flaw_that_names_it() {
    let proved: BTreeSet<String> = of_each(&setups("flawed"), |setup, report| {
        let found = rules_of(&findings(report));
        let named = setup.flaws.iter().flat_map(|flaw| &flaw.rules);
        let proved = named.filter(|rule| found.contains(rule.as_str()));
        proved.cloned().collect()
    })
    .into_iter()
    .map(|(_, rule)| rule)
    .collect();
    let pages = std::fs::read_dir(repository().join("docs/checks")).unwrap();
    let without: Vec<String> = pages
        .map(|page| page.unwrap().path())
        .map(|page| page.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|rule| rule != "README" && !proved.contains(rule))
        .collect();
    assert!(without.is_empty(), "no setup for {}", without.join(", "));
}

/// What `judge` says of the report on each setup, with the setup's name before it.
fn failures_of(setups: &[Setup], judge: Judge) -> Vec<String> {
    let judged = of_each(setups, judge).into_iter();
    judged
        .map(|(name, failure)| format!("{name}: {failure}"))
        .collect()
}

type Judge = fn(&Setup, &Value) -> Vec<String>;

/// What `judge` says of the report on each setup, by the setup's name.
fn of_each(setups: &[Setup], judge: Judge) -> Vec<(String, String)> {
    let share = setups.len().div_ceil(AT_A_TIME);
    std::thread::scope(|scope| {
        let threads: Vec<_> = setups
            .chunks(share)
            .map(|setups| scope.spawn(move || of_share(setups, judge)))
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join().unwrap());
        joined.flatten().collect()
    })
}

fn of_share(setups: &[Setup], judge: Judge) -> Vec<(String, String)> {
    let mut judged = Vec::new();
    for setup in setups {
        let sentences = check(setup).map_or_else(
            |output| vec![format!("no report: {output}")],
            |report| judge(setup, &report),
        );
        let named = |sentence| (setup.name.clone(), sentence);
        judged.extend(sentences.into_iter().map(named));
    }
    judged
}

/// The report on a copy of the setup, or everything that was printed instead.
fn check(setup: &Setup) -> Result<Value, String> {
    let directory = tempfile::tempdir().unwrap();
    copy(&setup.directory, directory.path());
    std::fs::remove_file(directory.path().join("expected.json")).unwrap();
    let output = longshore(directory.path())
        .args(["check", "--format", "json", "--no-zizmor", "--directory"])
        .arg(directory.path())
        .output()
        .unwrap();
    let report: Option<Value> = serde_json::from_slice(&output.stdout).ok();
    report
        .filter(|report| report["findings"].is_array())
        .ok_or_else(|| both(&output))
}

fn findings(report: &Value) -> Vec<&Value> {
    report["findings"].as_array().unwrap().iter().collect()
}

fn rules_of<'a>(findings: &[&'a Value]) -> BTreeSet<&'a str> {
    let rules = findings.iter().map(|finding| &finding["rule"]);
    rules.map(|rule| rule.as_str().unwrap()).collect()
}

fn explain(flaw: &Flaw, found: &BTreeSet<&str>) -> String {
    let Flaw { what, rules, .. } = flaw;
    match &flaw.missed {
        Some(_) => format!("found, so take `missed` out of expected.json: {what}"),
        None => format!("not found: {what}; one of {rules:?} among {found:?}"),
    }
}

/// The setups of `fixtures/setups/KIND`, by name.
fn setups(kind: &str) -> Vec<Setup> {
    let root = repository().join("fixtures/setups").join(kind);
    let entries = std::fs::read_dir(&root).unwrap();
    let mut directories: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    directories.sort();
    let read = |directory: &PathBuf| setup(kind, directory);
    directories.iter().map(read).collect()
}

fn setup(kind: &str, directory: &Path) -> Setup {
    let text = std::fs::read_to_string(directory.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    let flaws = expected["flaws"]
        .as_array()
        .unwrap()
        .iter()
        .map(|flaw| Flaw {
            what: flaw["what"].as_str().unwrap().to_owned(),
            rules: texts(&flaw["rules"]),
            missed: flaw["missed"].as_str().map(str::to_owned),
        });
    let name = directory.file_name().unwrap().to_str().unwrap();
    Setup {
        name: format!("{kind}/{name}"),
        directory: directory.to_owned(),
        flaws: flaws.collect(),
        allowed: texts(&expected["allowed"]),
    }
}

fn texts(list: &Value) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}
