//! Terraform itself as the judge. Needs `terraform` and, in
//! `TERRAFORM_PLUGIN_DIR`, a mirror that holds the AWS provider 5.100.0; without
//! it the tests only say that they did not run, except on CI, where they fail.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use crate::evaluation::unordered;
use crate::{fixture, infra, outputs, read};

/// The provider mirror. The harness is where a test's environment is read.
#[expect(
    clippy::disallowed_methods,
    reason = "a test has no settings to be given"
)]
fn plugins() -> Option<PathBuf> {
    let plugins = std::env::var_os("TERRAFORM_PLUGIN_DIR").map(PathBuf::from);
    let on_ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
    assert!(
        plugins.is_some() || !on_ci,
        "CI=true, but TERRAFORM_PLUGIN_DIR is not set"
    );
    if plugins.is_none() {
        println!("not run: TERRAFORM_PLUGIN_DIR is not set");
    }
    plugins
}

/// Runs a program and gives what it printed; fails with what it complained.
fn run(directory: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .env("CHECKPOINT_DISABLE", "1")
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program} {arguments:?} failed:\n{complaint}"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The outputs that Terraform plans for a root; those known only after an apply
/// are missing.
fn planned_outputs(root: &Path, plugins: &Path) -> BTreeMap<String, Json> {
    let plugins = format!("-plugin-dir={}", plugins.display());
    run(
        root,
        "terraform",
        &["init", "-input=false", "-no-color", &plugins],
    );
    run(
        root,
        "terraform",
        &["plan", "-input=false", "-no-color", "-out=plan"],
    );
    let plan: Json =
        serde_json::from_str(&run(root, "terraform", &["show", "-json", "plan"])).unwrap();
    let outputs = plan["planned_values"]["outputs"].as_object().unwrap();
    outputs
        .iter()
        .filter(|(_, output)| output.get("value").is_some())
        .map(|(name, output)| (name.clone(), output["value"].clone()))
        .collect()
}

fn copy(from: &Path) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let to = directory.path().join("root");
    run(from, "cp", &["-r", ".", to.to_str().unwrap()]);
    directory
}

#[test]
fn terraform_agrees_with_every_output_of_the_fixtures() {
    let Some(plugins) = plugins() else { return };
    for name in ["language", "documents"] {
        let directory = copy(&fixture(name));
        let terraform = planned_outputs(&directory.path().join("root"), &plugins);
        let ours = outputs(&read(&fixture(name)));
        assert_eq!(ours.len(), terraform.len());
        for (output, value) in &terraform {
            if output == "joined_principals" {
                assert_eq!(unordered(&ours[output]), unordered(value));
            } else {
                assert_eq!(&ours[output], value, "{name}: {output}");
            }
        }
    }
}

/// What is added to the publisher's module so that a plan shows its policies: the
/// provider's ARN, which only an apply would know, is given.
const SHOWN: &str = r#"
output "trust" {
  value = data.aws_iam_policy_document.trust.json
}

output "push" {
  value = data.aws_iam_policy_document.push.json
}

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "unused"
  secret_key                  = "unused"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}
"#;

#[test]
fn terraform_agrees_with_the_policies_of_the_publisher() {
    let Some(plugins) = plugins() else { return };
    let directory = copy(&infra().join("modules/github-oidc"));
    let root = directory.path().join("root");
    let main = fs_err::read_to_string(root.join("main.tf")).unwrap();
    let created = "aws_iam_openid_connect_provider.github[0].arn :";
    assert!(main.contains(created));
    let arn = "\"arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com\" :";
    fs_err::write(root.join("main.tf"), main.replace(created, arn)).unwrap();
    fs_err::write(root.join("shown.tf"), SHOWN).unwrap();
    let values = r#"
github_repository          = "acme/portfolio"
github_repository_owner_id = "1234567"
github_repository_id       = "7654321"
repository_arn             = "arn:aws:ecr:eu-west-1:123456789012:repository/portfolio/backend"
"#;
    fs_err::write(root.join("terraform.tfvars"), values).unwrap();
    let terraform = planned_outputs(&root, &plugins);

    let publisher = &read(&infra().join("production")).aws().roles[0];
    assert_eq!(terraform["trust"], publisher.trust_policy.as_str());
    assert_eq!(
        terraform["push"],
        publisher.inline_policies["push"].as_str()
    );
}
