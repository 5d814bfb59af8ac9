//! The bills of materials, as the libraries of `CycloneDX` and SPDX read them.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use super::python_with;
use crate::attestations::{CYCLONEDX, SPDX, documents, project_of_parts};
use crate::dockerfile;
use crate::harness::{Emulator, Project, json_of, repository, succeed};
use crate::source::Cargo;

const LIBRARIES: &str = "cyclonedx.validation.json, jsonschema, spdx_tools";

#[tokio::test(flavor = "multi_thread")]
async fn the_libraries_of_both_forms_find_no_fault_in_the_bills() {
    let Some(python) = python_with(LIBRARIES) else {
        return;
    };
    for project in [project_of_parts(), crate::advisories::project()] {
        project.commit_anyway();
        validate(&python, &published(&project, &Cargo::new()).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_libraries_of_both_forms_find_no_fault_in_the_bills_of_dockerfiles() {
    let Some(python) = python_with(LIBRARIES) else {
        return;
    };
    let Some(project) = dockerfile::bills::of_everything() else {
        return;
    };
    validate(&python, &published(&project, &Cargo::new()).await);
}

/// What is said about the image of a project.
async fn published(project: &Project, cargo: &Cargo) -> BTreeMap<String, Vec<Value>> {
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    let mut publish = cargo.publish(project.path(), &job);
    publish.envs(dockerfile::BUILDAH.environment());
    let receipt = json_of(&succeed(publish.arg("--allow-dirty")));
    let digest = receipt["digest"].as_str().unwrap();
    documents(&emulator.registry_reader().await, digest).await
}

fn validate(python: &str, documents: &BTreeMap<String, Vec<Value>>) {
    let folder = tempfile::tempdir().unwrap();
    let mut validate = Command::new(python);
    validate.arg(repository().join("tests/clients/bills/validate.py"));
    for (kind, name) in [(CYCLONEDX, "bill.cdx.json"), (SPDX, "bill.spdx.json")] {
        let file = folder.path().join(name);
        std::fs::write(&file, documents[kind][0].to_string()).unwrap();
        validate.arg(file);
    }
    succeed(&mut validate);
}
