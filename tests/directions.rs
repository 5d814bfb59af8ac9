//! Arrows point down only: each crate may depend on those listed here, and on
//! no other of ours. A new arrow is a decision, made in this table.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::harness::{repository, succeed};

/// What each crate may use of ours.
const ALLOWED: [(&str, &[&str]); 15] = [
    // Pure.
    ("oci", &[]),
    ("policy", &[]),
    ("github", &[]),
    ("receipts", &[]),
    ("attest", &["oci"]),
    // Adapters: strangers to each other.
    ("build", &["attest", "oci"]),
    ("image", &["attest", "oci"]),
    ("registry", &["oci"]),
    ("aws", &[]),
    ("terraform", &[]),
    // Use cases: none imports another. The emulator never meets its clients.
    (
        "pipeline",
        &[
            "attest",
            "aws",
            "build",
            "image",
            "oci",
            "receipts",
            "registry",
            "terraform",
        ],
    ),
    ("audit", &["github", "policy", "receipts", "terraform"]),
    ("emulator", &["github", "oci", "policy", "terraform"]),
    // The binary.
    (
        "longshore",
        &[
            "attest",
            "audit",
            "aws",
            "build",
            "emulator",
            "github",
            "image",
            "oci",
            "pipeline",
            "receipts",
            "registry",
            "terraform",
        ],
    ),
    // What is shipped imports nothing of ours.
    ("backend", &[]),
];

/// What only pure crates must not touch.
const EFFECTS: [&str; 6] = ["tokio", "reqwest", "fs-err", "tempfile", "axum", "redb"];
const PURE: [&str; 5] = ["oci", "policy", "github", "receipts", "attest"];

fn packages() -> Vec<Value> {
    let output = succeed(
        Command::new("cargo")
            .args(["metadata", "--no-deps", "--format-version=1", "--offline"])
            .current_dir(repository()),
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// Normal and build dependencies; tests may reach wherever they like.
fn dependencies(package: &Value) -> BTreeSet<String> {
    package["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|dependency| dependency["kind"] != "dev")
        .map(|dependency| dependency["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_crate_depends_only_on_what_the_table_allows() {
    let ours: BTreeSet<_> = ALLOWED.iter().map(|(name, _)| (*name).to_owned()).collect();
    for package in packages() {
        let name = package["name"].as_str().unwrap();
        let row = ALLOWED.iter().find(|(row, _)| *row == name);
        let (_, allowed) = row.unwrap_or_else(|| panic!("{name} has no row in the table"));
        for dependency in dependencies(&package).intersection(&ours) {
            assert!(
                allowed.contains(&dependency.as_str()),
                "{name} must not use {dependency}"
            );
        }
    }
}

#[test]
fn pure_crates_have_no_effects() {
    for package in packages() {
        let name = package["name"].as_str().unwrap();
        if PURE.contains(&name) {
            let found = dependencies(&package);
            let effects = EFFECTS.iter().filter(|effect| found.contains(**effect));
            assert_eq!(effects.collect::<Vec<_>>(), Vec::<&&str>::new(), "{name}");
        }
    }
}
