//! The bills of materials, as the libraries of `CycloneDX` and SPDX read them.

use std::process::Command;

use super::python_with;
use crate::attestations::{CYCLONEDX, SPDX, documents, project_of_parts};
use crate::harness::{Emulator, json_of, repository, succeed};
use crate::source::Cargo;

#[tokio::test(flavor = "multi_thread")]
async fn the_libraries_of_both_forms_find_no_fault_in_the_bills() {
    let Some(python) = python_with("cyclonedx.validation.json, jsonschema, spdx_tools") else {
        return;
    };
    for project in [project_of_parts(), crate::advisories::project()] {
        project.commit_anyway();
        let emulator = Emulator::start(project.path());
        let job = emulator.publisher().await;
        let mut publish = Cargo::new().publish(project.path(), &job);
        let receipt = json_of(&succeed(publish.arg("--allow-dirty")));
        let digest = receipt["digest"].as_str().unwrap();
        let documents = documents(&emulator.registry_reader().await, digest).await;
        let folder = tempfile::tempdir().unwrap();
        let mut validate = Command::new(&python);
        validate.arg(repository().join("tests/clients/bills/validate.py"));
        for (kind, name) in [(CYCLONEDX, "bill.cdx.json"), (SPDX, "bill.spdx.json")] {
            let file = folder.path().join(name);
            std::fs::write(&file, documents[kind][0].to_string()).unwrap();
            validate.arg(file);
        }
        succeed(&mut validate);
    }
}
