//! Terraform against the emulator: this repository's own `infra/`, and every
//! resource.

mod resources;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Emulator, Project, both, has, in_ci, repository, succeed};

/// The directory with the AWS provider 5.100.0, where one was given. That
/// version predates `image_tag_mutability_exclusion_filter`, which the module
/// needs, so the test applies a copy with only that taken out.
pub(super) fn provider() -> Option<PathBuf> {
    let directory = std::env::var_os("TERRAFORM_PLUGIN_DIR").map(PathBuf::from);
    assert!(
        directory.is_some() || !in_ci(),
        "the gate sets TERRAFORM_PLUGIN_DIR"
    );
    if directory.is_none() {
        println!("skipped: TERRAFORM_PLUGIN_DIR names no directory with the AWS provider");
    }
    directory
}

fn terraform(root: &Path, emulator: &Emulator) -> Command {
    let mut command = Command::new("terraform");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command
        .current_dir(root)
        .envs(emulator.variables.iter().cloned())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .env("TF_IN_AUTOMATION", "1");
    command
}

#[tokio::test]
async fn apply_makes_what_a_publish_needs_and_a_second_plan_is_empty() {
    let Some(provider) = provider().filter(|_| has("terraform")) else {
        return;
    };
    let (project, digest) = Project::built();
    let copy = project.path().join("copy");
    succeed(Command::new(repository().join("infra/copy-for-old-provider.sh")).arg(&copy));
    let root = ["production", "infra/production"].map(|root| copy.join(root));
    let root = root.iter().find(|root| root.is_dir()).unwrap();
    // Nothing comes from longshore's own reading of the files.
    let emulator = Emulator::start_with(project.path(), &["--empty"]);
    let terraform = || terraform(root, &emulator);

    let plugins = format!("-plugin-dir={}", provider.display());
    succeed(terraform().args(["init", "-input=false", "-no-color", &plugins]));
    succeed(terraform().args(["validate", "-no-color"]));
    succeed(terraform().args(["apply", "-auto-approve", "-input=false", "-no-color"]));
    let plan = terraform()
        .args(["plan", "-detailed-exitcode", "-input=false", "-no-color"])
        .output();
    let plan = plan.unwrap();
    assert_eq!(
        plan.status.code(),
        Some(0),
        "the second plan is not empty: {}",
        both(&plan)
    );

    // The applied role publishes, exactly like the one that was read.
    // `latest` is not excluded from immutability in the copy, and set only once.
    let job = emulator.publisher().await;
    succeed(&mut project.publish(&digest, &job));

    // What was pushed holds the repository: nothing is destroyed by surprise.
    let destroyed = terraform()
        .args(["destroy", "-auto-approve", "-no-color"])
        .output()
        .unwrap();
    assert!(
        both(&destroyed).contains("RepositoryNotEmptyException"),
        "{}",
        both(&destroyed)
    );
}
