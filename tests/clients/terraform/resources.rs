//! Every resource of ECR and IAM that the emulator performs, through a whole
//! life: made, drifted, changed in place, destroyed.

use std::path::Path;
use std::process::Output;

use crate::clients::aws_cli::aws;
use crate::harness::{Emulator, Project, both, has, repository, succeed};

/// A root in a directory of its own, applied to an emulator.
struct Root<'a> {
    directory: &'a Path,
    emulator: &'a Emulator,
}

impl Root<'_> {
    fn run(&self, arguments: &str) -> Output {
        super::terraform(self.directory, self.emulator)
            .args(arguments.split_whitespace())
            .output()
            .unwrap()
    }

    fn succeed(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments}: {}", both(&output));
        both(&output)
    }

    /// Whether a plan would change anything, and what it says.
    fn plan(&self, variables: &str) -> (bool, String) {
        let output = self.run(&format!(
            "plan -detailed-exitcode -input=false -no-color {variables}"
        ));
        match output.status.code() {
            Some(0) => (false, both(&output)),
            Some(2) => (true, both(&output)),
            _ => panic!("plan: {}", both(&output)),
        }
    }
}

fn copy_root(to: &Path) {
    let from = repository().join("tests/clients/terraform/resources");
    for file in ["providers.tf", "iam.tf", "ecr.tf"] {
        std::fs::copy(from.join(file), to.join(file)).unwrap();
    }
}

#[test]
fn every_resource_is_made_found_drifted_changed_and_destroyed() {
    let Some(provider) = super::provider().filter(|_| has("terraform") && has("aws")) else {
        return;
    };
    let work = tempfile::tempdir().unwrap();
    let directory = work.path().join("root");
    std::fs::create_dir(&directory).unwrap();
    copy_root(&directory);
    let project = Project::hello();
    let emulator = Emulator::start_with(project.path(), &["--empty"]);
    let root = Root {
        directory: &directory,
        emulator: &emulator,
    };
    root.succeed(&format!(
        "init -input=false -no-color -plugin-dir={}",
        provider.display()
    ));
    root.succeed("apply -auto-approve -input=false -no-color");
    let (changes, plan) = root.plan("");
    assert!(!changes, "the second plan is not empty: {plan}");
    let output = root.succeed("output -no-color");
    assert!(output.contains("portfolio/backend\""), "{output}");

    drift(&emulator);
    let (changes, plan) = root.plan("");
    assert!(changes, "drift is not seen");
    for what in [
        "aws_ecr_repository.backend will be updated in-place",
        "aws_ecr_lifecycle_policy.backend will be created",
        "aws_ecr_repository_policy.backend will be created",
        "aws_ecr_registry_policy.this will be created",
        "aws_iam_role.publisher will be updated in-place",
    ] {
        assert!(plan.contains(what), "{what}: {plan}");
    }

    let changed = "-var changed=true";
    root.succeed(&format!(
        "apply -auto-approve -input=false -no-color {changed}"
    ));
    let (changes, plan) = root.plan(changed);
    assert!(!changes, "the plan after the change is not empty: {plan}");
    root.succeed(&format!("destroy -auto-approve -no-color {changed}"));
    let left = aws(&emulator)
        .args(["ecr", "describe-repositories", "--output", "text"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&left.stdout), "", "{}", both(&left));
}

/// Somebody else changes things by hand.
fn drift(emulator: &Emulator) {
    let repository = "--repository-name portfolio/backend";
    for command in [
        &format!("ecr put-image-tag-mutability {repository} --image-tag-mutability IMMUTABLE"),
        &format!("ecr delete-lifecycle-policy {repository}"),
        &format!("ecr delete-repository-policy {repository}"),
        "ecr delete-registry-policy",
        "iam update-role --role-name publisher --max-session-duration 3601",
    ] {
        succeed(aws(emulator).args(command.split_whitespace()));
    }
}
