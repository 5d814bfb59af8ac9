//! Why AWS refuses a caller: what users see, whole.

mod pitfalls;
mod signature;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::harness::{Emulator, Project, both, json_of, longshore, seen, snapshots, succeed};

const HOST: &str = "token.actions.githubusercontent.com";

/// Compares with `tests/snapshots/NAME.snap`; what differs from run to run is
/// masked.
fn assert_seen(name: &str, seen: &str) {
    let mut settings = snapshots();
    settings.add_filter(
        r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "REQUEST",
    );
    settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME");
    settings.add_filter(r"127\.0\.0\.1:\d+", "EMULATOR");
    settings.bind(|| insta::assert_snapshot!(name, seen));
}

fn explain(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = longshore(directory);
    command.arg("explain").args(arguments);
    command
}

fn with_input(command: &mut Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Longshore stops reading what is too long, which is no failure of the test.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// The kind of the near miss that JSON names.
fn kind(output: &Output) -> Value {
    json_of(output)["nearest_miss"]["kind"].clone()
}

#[test]
fn every_caller_of_the_project_is_explained() {
    let project = Project::hello();
    for (caller, code) in [
        ("publisher", 0),
        ("pull-request", 5),
        ("fork-pull-request", 5),
        ("other-branch", 5),
        ("tag", 5),
        ("other-environment", 5),
        ("sibling-repository", 5),
        ("stranger", 5),
        ("recycled-name", 5),
    ] {
        let output = explain(project.path(), &["--caller", caller])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", both(&output));
        assert_seen(
            &format!("explain_{}", caller.replace('-', "_")),
            &seen(&output),
        );
    }
    let by_name = explain(project.path(), &["--form", "name"])
        .output()
        .unwrap();
    assert_eq!(by_name.status.code(), Some(0), "{}", both(&by_name));
}

#[test]
fn colours_mark_what_differs() {
    let project = Project::hello();
    let output = explain(project.path(), &["--caller", "tag"])
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    assert_seen("explain_tag_coloured", &seen(&output));
}

#[test]
fn the_json_document_is_the_explanation() {
    let project = Project::hello();
    let output = explain(project.path(), &["--caller", "tag", "--format", "json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", both(&output));
    assert_seen("explain_tag_json", &seen(&output));
}

#[test]
fn the_diff_for_a_job_that_gained_an_environment_lets_it_in() {
    let project = Project::hello();
    let workflow = ".github/workflows/publish.yml";
    project.edit(
        workflow,
        "  publish:\n",
        "  publish:\n    environment: production\n",
    );
    let output = explain(project.path(), &["--format", "json"])
        .output()
        .unwrap();
    assert_eq!(
        kind(&output),
        "ref-against-environment",
        "{}",
        both(&output)
    );
    let diff = json_of(&output)["fix"]["diff"].as_str().unwrap().to_owned();
    let mut apply = Command::new("git");
    apply.args(["apply", "-"]).current_dir(project.path());
    let applied = with_input(&mut apply, &diff);
    assert!(applied.status.success(), "{}\n{diff}", both(&applied));
    succeed(&mut explain(project.path(), &[]));
}

#[tokio::test]
async fn a_token_is_decoded_and_never_printed() {
    let project = Project::hello();
    let emulator = Emulator::start(project.path());
    let job = emulator.job("acme/portfolio", "refs/heads/other").await;
    let token = token_of(&job).await;
    std::fs::write(project.path().join("token"), format!("\n'{token}'\n")).unwrap();
    let text = explain(project.path(), &["--token-file", "token"])
        .output()
        .unwrap();
    assert_eq!(text.status.code(), Some(5), "{}", both(&text));
    let document = with_input(
        explain(project.path(), &["--token-file", "-", "--format", "json"])
            .env("CLICOLOR_FORCE", "1"),
        &json!({ "count": 1, "value": token }).to_string(),
    );
    assert_eq!(kind(&document), "other-branch", "{}", both(&document));
    // A job asks for its own token.
    let in_job = explain(project.path(), &["--format", "json"])
        .envs(job.iter().cloned())
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", project.path().join("summary"))
        .output()
        .unwrap();
    assert_eq!(kind(&in_job), "other-branch", "{}", both(&in_job));
    let summary = std::fs::read_to_string(project.path().join("summary")).unwrap();
    assert!(summary.contains("**other-branch**"), "{summary}");
    let everything = both(&text) + &both(&document) + &both(&in_job) + &summary;
    for part in token.split('.') {
        assert!(!everything.contains(part), "{everything}");
    }
    assert!(!everything.contains("eyJ"));
    // The payload alone is enough; its time is judged as of the one that is given.
    let payload = format!("  \"{}==\" ", token.split('.').nth(1).unwrap());
    let late = [
        "--claims",
        "-",
        "--at",
        "2099-01-01T00:00:00Z",
        "--format",
        "json",
    ];
    let late = with_input(&mut explain(project.path(), &late), &payload);
    assert_eq!(
        json_of(&late)["checks"][3]["result"],
        "failed",
        "{}",
        both(&late)
    );
    assert_eq!(kind(&late), "other-branch");
}

async fn token_of(job: &[(String, String)]) -> String {
    let variable = |name: &str| {
        let found = job.iter().find(|(variable, _)| variable == name);
        found.unwrap().1.clone()
    };
    let url = variable("ACTIONS_ID_TOKEN_REQUEST_URL") + "&audience=sts.amazonaws.com";
    let bearer = variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
    let answer = reqwest::Client::new()
        .get(url)
        .bearer_auth(bearer)
        .send()
        .await;
    let answer: Value = answer.unwrap().json().await.unwrap();
    answer["value"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_publish_that_aws_refuses_explains_itself() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let mut job = emulator.job("acme/portfolio", "refs/heads/other").await;
    let output = project.publish(&digest, &job).output().unwrap();
    assert_seen("explain_publish_denied", &seen(&output));
    let summary = project.path().join("summary");
    job.push(("GITHUB_ACTIONS".to_owned(), "true".to_owned()));
    job.push((
        "GITHUB_STEP_SUMMARY".to_owned(),
        summary.display().to_string(),
    ));
    let output = project
        .publish(&digest, &job)
        .args(["--format", "json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", both(&output));
    let problem = json_of(&output);
    assert_eq!(problem["code"], "E021");
    assert_eq!(
        problem["explanation"]["nearest_miss"]["kind"],
        "other-branch"
    );
    assert_seen(
        "explain_publish_summary",
        &std::fs::read_to_string(summary).unwrap(),
    );
}

#[tokio::test]
async fn a_policy_that_was_never_applied_is_told_apart() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let job = emulator.job("acme/portfolio", "refs/heads/release").await;
    // The files change, what AWS holds does not.
    project.edit(
        "infra/production/terraform.tfvars",
        "= \"main\"",
        "= \"release\"",
    );
    let arguments = ["--format", "json"];
    let output = project
        .publish(&digest, &job)
        .args(arguments)
        .output()
        .unwrap();
    let problem = json_of(&output);
    let miss = &problem["explanation"]["nearest_miss"];
    assert_eq!(miss["kind"], "not-as-applied", "{problem:#}");

    let live = |arguments: &[&str]| {
        let mut command = explain(project.path(), &["--live"]);
        command
            .args(arguments)
            .envs(emulator.variables.iter().cloned());
        command.output().unwrap()
    };
    let output = live(&["--caller", "publisher"]);
    assert_seen("explain_live", &seen(&output));
    let absent = "arn:aws:iam::123456789012:role/ci/portfolio-publisher";
    let output = live(&["--role", absent, "--format", "json"]);
    assert_eq!(kind(&output), "role-missing", "{}", both(&output));
    let elsewhere = "arn:aws:iam::999999999999:role/portfolio-publisher";
    let output = live(&["--role", elsewhere, "--format", "json"]);
    assert_eq!(json_of(&output)["code"], "E023", "{}", both(&output));
}

#[test]
fn a_refused_publisher_is_explained_by_the_rehearsal() {
    let project = Project::hello();
    project.edit("longshore.toml", "acme/portfolio", "Acme/portfolio");
    project.commit();
    let output = longshore(project.path())
        .args(["rehearse", "--format", "json"])
        .output()
        .unwrap();
    let receipt = json_of(&output);
    let miss = &receipt["problem"]["explanation"]["nearest_miss"];
    assert_eq!(miss["kind"], "letter-case", "{receipt:#}");
}

#[test]
fn a_role_in_another_account_is_told_from_a_policy_that_refuses() {
    let project = Project::hello();
    for (role, wanted) in [
        (
            "arn:aws:iam::123456789013:role/portfolio-publisher",
            "wrong-account",
        ),
        (
            "arn:aws:iam::123456789012:role/portfolio-publisherr",
            "role-missing",
        ),
    ] {
        let output = explain(project.path(), &["--role", role, "--format", "json"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(5));
        assert_eq!(kind(&output), wanted, "{}", both(&output));
    }
}

#[test]
fn foreign_text_cannot_write_to_the_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let claims = json!({
        "iss": format!("https://{HOST}"), "aud": "sts.amazonaws.com",
        "sub": "repo:a/b:ref:\u{1b}[2Jx\n::error::owned",
    });
    let policy = json!({ "Statement": [{
        "Sid": "\u{202e}x\r", "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": { "Federated": format!("arn:aws:iam::123456789012:oidc-provider/{HOST}") },
        "Condition": { "StringEquals": { format!("{HOST}:sub"): "\u{7}" } },
    }] });
    std::fs::write(directory.path().join("t.json"), policy.to_string()).unwrap();
    let output = with_input(
        &mut explain(
            directory.path(),
            &["--claims", "-", "--trust-policy", "t.json"],
        ),
        &claims.to_string(),
    );
    assert_eq!(output.status.code(), Some(5), "{}", both(&output));
    let text = both(&output);
    assert!(
        !text.contains(['\u{1b}', '\u{7}', '\u{202e}', '\r']),
        "{text}"
    );
    assert!(!text.contains("\n::error"), "{text}");
}

#[test]
fn every_bad_input_ends_in_one_clear_problem() {
    let project = Project::hello();
    let huge = "x".repeat(5_000_000);
    std::fs::write(project.path().join("list.json"), "[1, 2]").unwrap();
    std::fs::write(project.path().join("open.json"), "{\"Statement\": [").unwrap();
    let mut all = Vec::new();
    for (arguments, input) in [
        (&["--token-file", "-"][..], ""),
        (&["--token-file", "-"], "eyJhbGciOiJSUzI1NiJ9"),
        (&["--token-file", "-"], "not a token"),
        (&["--token-file", "-"], "a.!!!.c"),
        (&["--token-file", "-"], "e30.aHVudGVyMg.c2ln"),
        (&["--token-file", "-"], huge.as_str()),
        (&["--token-file", "absent"], ""),
        (&["--claims", "-"], "[1, 2]"),
        (&["--claims", "-"], "{\"sub\": "),
        (&["--claims", "-"], "ÿ"),
        (&["--role", "nobody"], ""),
        (&["--role", "arn:aws:iam::1:role/x"], ""),
        (&["--trust-policy", "absent.json"], ""),
        (&["--trust-policy", "list.json"], ""),
        (&["--trust-policy", "open.json"], ""),
        (&["--at", "yesterday"], ""),
        (&["--caller", "nobody"], ""),
        (&["--caller", "tag", "--claims", "-"], "{}"),
    ] {
        let output = with_input(&mut explain(project.path(), arguments), input);
        assert!(
            matches!(output.status.code(), Some(2 | 3 | 8)),
            "{}",
            both(&output)
        );
        assert!(!both(&output).contains("hunter2"));
        all.push(format!("===== {}\n{}", arguments.join(" "), seen(&output)));
    }
    // What can be read is explained, however little it is.
    let several = json!({ "iss": format!("https://{HOST}"), "aud": ["a", "b"], "sub": "x" });
    let arguments = ["--claims", "-", "--format", "json"];
    let output = with_input(
        &mut explain(project.path(), &arguments),
        &several.to_string(),
    );
    assert_eq!(kind(&output), "audience", "{}", both(&output));
    let output = with_input(&mut explain(project.path(), &arguments), "{}");
    assert_eq!(kind(&output), "claim-absent", "{}", both(&output));
    assert_seen("explain_bad_input", &all.join("\n"));

    let nowhere = tempfile::tempdir().unwrap();
    let output = explain(nowhere.path(), &["--format", "json"])
        .output()
        .unwrap();
    assert_eq!(json_of(&output)["code"], "E001");
}
