//! Bad input of every kind ends in one clear problem and its exit code, and
//! nothing is pushed.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use crate::harness::{Emulator, Project, both, has, in_ci, json_of, longshore, succeed};

/// The problem that `command` ends with; its exit code goes with its code.
fn problem(command: &mut Command, code: &str, exit: i32) -> Value {
    let output = command.args(["--format", "json"]).output().unwrap();
    assert_problem(&output, code, exit)
}

fn assert_problem(output: &Output, code: &str, exit: i32) -> Value {
    assert_eq!(output.status.code(), Some(exit), "{}", both(output));
    let problem = json_of(output);
    assert_eq!(problem["code"], code, "{problem:#}");
    let summary = problem["summary"].as_str().unwrap();
    assert!(
        summary.contains("nothing was") || summary.contains("no "),
        "{summary}"
    );
    problem
}

#[test]
fn no_longshore_toml() {
    let directory = tempfile::tempdir().unwrap();
    let problem = problem(longshore(directory.path()).arg("build"), "E001", 3);
    assert!(problem["hints"].to_string().contains("--directory"));
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let project = Project::hello();
    project.edit("longshore.toml", "[aws]", "[aws]\nacount = \"1\"");
    let problem = problem(longshore(project.path()).arg("rehearse"), "E002", 3);
    let causes = problem["causes"].to_string();
    assert!(
        causes.contains("acount") && causes.contains("line"),
        "{causes}"
    );
}

#[test]
fn a_terraform_root_that_cannot_be_read_is_named_with_its_place() {
    let project = Project::hello();
    project.edit("infra/production/main.tf", "module", "modul€ {{");
    let problem = problem(longshore(project.path()).arg("rehearse"), "E003", 3);
    assert!(
        problem["causes"].to_string().contains("main.tf"),
        "{problem:#}"
    );
}

#[test]
fn a_terraform_root_that_is_not_there() {
    let project = Project::hello();
    project.edit("longshore.toml", "infra/production", "infra/nowhere");
    problem(longshore(project.path()).arg("rehearse"), "E003", 3);
}

#[test]
fn neither_aws_nor_another_registry() {
    let project = Project::hello();
    let file = project.path().join("longshore.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let image = text.split("[aws]").next().unwrap();
    std::fs::write(&file, image).unwrap();
    let problem = problem(longshore(project.path()).arg("publish"), "E004", 3);
    let (causes, hints) = (problem["causes"].to_string(), problem["hints"].to_string());
    assert!(!causes.contains("root has no"), "{causes}");
    assert!(causes.contains("neither `aws.account`"), "{causes}");
    for hint in ["aws.terraform", "--to HOST"] {
        assert!(hints.contains(hint), "{hints}");
    }
}

#[test]
fn a_command_line_that_is_not_understood_is_told_on_stderr_alone() {
    let directory = tempfile::tempdir().unwrap();
    let mut build = longshore(directory.path());
    let output = build.args(["build", "--format", "json", "--nope"]).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", both(&output));
    assert!(output.stdout.is_empty(), "{}", both(&output));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("--nope"), "{said}");
}

#[test]
fn a_role_that_the_terraform_root_does_not_have() {
    let project = Project::hello();
    project.edit("longshore.toml", "[aws]", "[aws]\nrole = \"deployer\"");
    let problem = problem(longshore(project.path()).arg("rehearse"), "E004", 3);
    assert!(
        problem["causes"]
            .to_string()
            .contains("portfolio-publisher"),
        "{problem:#}"
    );
}

#[test]
fn a_workflow_without_an_identity() {
    let project = Project::hello();
    project.edit(
        ".github/workflows/publish.yml",
        "id-token: write",
        "id-token: none",
    );
    project.commit();
    problem(longshore(project.path()).arg("rehearse"), "E005", 3);
}

#[test]
fn no_git_checkout() {
    let project = Project::hello();
    std::fs::remove_dir_all(project.path().join(".git")).unwrap();
    let mut build = longshore(project.path());
    // Not even one of a directory above.
    build.env("GIT_CEILING_DIRECTORIES", project.path().parent().unwrap());
    problem(build.arg("build"), "E010", 4);
}

#[test]
fn uncommitted_changes() {
    let project = Project::hello();
    project.edit("src/main.rs", "smallest", "tiniest");
    let problem = problem(longshore(project.path()).arg("build"), "E011", 4);
    assert!(problem["hints"].to_string().contains("--allow-dirty"));
}

#[test]
fn a_source_that_does_not_compile_shows_the_compilers_words() {
    let project = Project::hello();
    project.edit(
        "src/main.rs",
        "fn main()",
        "fn main() -> Nonsense; fn other()",
    );
    project.commit();
    let problem = problem(longshore(project.path()).arg("build"), "E012", 4);
    assert!(
        problem["causes"].to_string().contains("Nonsense"),
        "{problem:#}"
    );
}

#[test]
fn a_target_that_is_not_installed_is_named_with_the_cure() {
    let project = Project::hello();
    let with = |project: &Project, target: &str| {
        let table = format!("[image]\ntarget = \"{target}\"");
        project.edit("longshore.toml", "[image]", &table);
        project.commit();
    };
    // A processor that no image is built for is told before anything is installed for it.
    let other = Project::hello();
    with(&other, "riscv64gc-unknown-linux-gnu");
    let refused = problem(longshore(other.path()).arg("build"), "E002", 3);
    let said = refused.to_string();
    assert!(
        said.contains("image.target") && said.contains("aarch64"),
        "{said}"
    );

    let target = "x86_64-unknown-linux-gnux32";
    with(&project, target);
    let problem = problem(longshore(project.path()).arg("build"), "E064", 4);
    assert!(
        problem["hints"]
            .to_string()
            .contains(&format!("rustup target add {target}")),
        "{problem:#}"
    );
}

#[tokio::test]
async fn a_tampered_layout_and_one_that_was_swapped() {
    let (project, digest) = Project::built();
    let other = format!("sha256:{}", "0".repeat(64));
    problem(&mut project.publish(&other, &[]), "E041", 7);

    let blobs = project.layout().join("blobs/sha256");
    let largest = std::fs::read_dir(blobs)
        .unwrap()
        .map(|blob| blob.unwrap().path());
    let largest = largest
        .max_by_key(|path| path.metadata().unwrap().len())
        .unwrap();
    let mut bytes = std::fs::read(&largest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&largest, bytes).unwrap();
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    let problem = problem(&mut project.publish(&digest, &job), "E040", 7);
    let said = problem.to_string();
    assert!(
        said.contains("no tag was moved") && said.contains("its bytes are"),
        "{said}"
    );
    let registry = emulator.registry_reader().await;
    assert!(registry.complete_image("latest").await.is_none());

    std::fs::remove_file(&largest).unwrap();
    let problem = self::problem(&mut project.publish(&digest, &[]), "E040", 7);
    assert!(
        problem["causes"].to_string().contains("lacks blob"),
        "{problem:#}"
    );
}

#[test]
fn a_layout_that_is_not_there() {
    let project = Project::hello();
    let digest = format!("sha256:{}", "0".repeat(64));
    problem(&mut project.publish(&digest, &[]), "E040", 7);
}

#[tokio::test]
async fn a_workflow_run_without_a_token_says_which_permission_is_missing() {
    let (project, digest) = Project::built();
    let job = [("GITHUB_ACTIONS".to_owned(), "true".to_owned())];
    let problem = problem(&mut project.publish(&digest, &job), "E020", 5);
    assert!(problem["hints"].to_string().contains("id-token: write"));
}

#[tokio::test]
async fn a_caller_that_the_trust_policy_refuses_sees_its_own_subject_and_no_token() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let job = emulator.job("acme/portfolio", "refs/heads/other").await;
    let problem = problem(&mut project.publish(&digest, &job), "E021", 5);
    let facts = problem["facts"].to_string();
    assert!(
        facts.contains("refs/heads/other") && facts.contains("portfolio-publisher"),
        "{facts}"
    );
}

#[tokio::test]
async fn a_role_that_does_not_exist_is_refused_like_a_stranger() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let role = "[aws]\nrole = \"arn:aws:iam::123456789012:role/nobody\"";
    project.edit("longshore.toml", "[aws]", role);
    let job = emulator.publisher().await;
    problem(&mut project.publish(&digest, &job), "E021", 5);
}

#[tokio::test]
async fn a_wrong_account_has_no_provider() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    project.edit("longshore.toml", "123456789012", "210987654321");
    let job = emulator.publisher().await;
    let problem = problem(&mut project.publish(&digest, &job), "E022", 5);
    assert!(
        problem["causes"]
            .to_string()
            .contains("No OpenIDConnect provider"),
        "{problem:#}"
    );
}

#[tokio::test]
async fn credentials_of_another_account_are_not_used() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    project.edit("longshore.toml", "123456789012", "210987654321");
    let problem = problem(
        &mut project.publish(&digest, &emulator.variables),
        "E023",
        5,
    );
    assert!(
        problem["facts"].to_string().contains("123456789012"),
        "{problem:#}"
    );
}

#[tokio::test]
async fn an_audience_that_the_provider_does_not_list() {
    let (project, digest) = Project::built();
    project.edit(
        "infra/modules/github-oidc/main.tf",
        "audience = \"sts.amazonaws.com\"",
        "audience = \"other\"",
    );
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    let problem = problem(&mut project.publish(&digest, &job), "E022", 5);
    assert!(
        problem["causes"]
            .to_string()
            .contains("Incorrect token audience"),
        "{problem:#}"
    );
}

/// GitHub's side, played by an old recording: a token that was good once.
#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_says_so() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    let client = reqwest::Client::new();
    let old: Value = client
        .get(format!("{}&audience=sts.amazonaws.com", job[1].1))
        .bearer_auth(&job[2].1)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let advance = client.post(format!("{}/_longshore/clock", emulator.url));
    let advance = advance
        .json(&json!({ "advance_seconds": 3600 }))
        .send()
        .await
        .unwrap();
    assert!(advance.status().is_success());

    let recording = serve(Router::new().fallback(move || async move { axum::Json(old) })).await;
    let mut job = job;
    job[1].1 = format!("{recording}/token?api-version=2.0");
    let problem = problem(&mut project.publish(&digest, &job), "E022", 5);
    assert!(
        problem["causes"].to_string().contains("xpired"),
        "{problem:#}"
    );
    assert!(
        problem["hints"].to_string().contains("clock"),
        "{problem:#}"
    );
}

/// A registry between here and the real one, which answers with another digest.
#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_lies_about_a_digest_moves_no_tag() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let lies = |request: Request| async move {
        let lie = format!("sha256:{}", "1".repeat(64));
        let path = request.uri().path().to_owned();
        let created = [
            ("location", format!("{path}/upload")),
            ("docker-content-digest", lie),
        ];
        match (request.method().as_str(), path) {
            ("HEAD", _) => StatusCode::NOT_FOUND.into_response(),
            ("POST", _) => (StatusCode::ACCEPTED, created).into_response(),
            _ => (StatusCode::CREATED, created).into_response(),
        }
    };
    let liar = serve(Router::new().fallback(lies)).await;
    // ECR is elsewhere, and names the liar as the registry.
    let answer = json!({ "authorizationData": [{
        "authorizationToken": "QVdTOnBhc3N3b3Jk", "expiresAt": 4_102_444_800_u64, "proxyEndpoint": liar,
    }] });
    let ecr = serve(Router::new().fallback(move || async move { axum::Json(answer) })).await;
    let mut job = emulator.publisher().await;
    job.push(("AWS_ENDPOINT_URL_ECR".to_owned(), ecr));
    let problem = problem(&mut project.publish(&digest, &job), "E033", 6);
    assert!(
        problem["summary"]
            .as_str()
            .unwrap()
            .starts_with("no tag was moved"),
        "{problem:#}"
    );
}

#[test]
fn a_port_in_use() {
    let project = Project::hello();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = longshore(project.path());
    let output = command
        .args(["emulator", "--listen", &address, "--format", "json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(8), "{}", both(&output));
    assert_eq!(json_of(&output)["code"], "E051");
}

#[test]
fn an_empty_emulator_needs_no_longshore_toml_and_any_other_does() {
    let directory = tempfile::tempdir().unwrap();
    let emulator = |directory: &Path, flags: &[&str]| {
        let mut command = longshore(Path::new("/"));
        command.arg("--directory").arg(directory).arg("emulator");
        command.args(flags).args(["--format", "json", "--", "true"]);
        command.output().unwrap()
    };
    let started = emulator(directory.path(), &["--empty"]);
    assert!(started.status.success(), "{}", both(&started));
    let data = directory.path().join("target/longshore/emulator");
    assert!(data.join("credentials").is_file());
    let mut elsewhere = longshore(directory.path());
    elsewhere.args(["emulator", "--empty", "--", "sh", "-c"]);
    succeed(elsewhere.arg(r#"cd / && test -f "$AWS_SHARED_CREDENTIALS_FILE""#));
    assert_problem(&emulator(directory.path(), &[]), "E001", 3);
    let nowhere = directory.path().join("nowhere");
    assert_problem(&emulator(&nowhere, &["--empty"]), "E001", 3);
}

#[test]
fn an_account_that_is_none_starts_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = longshore(directory.path());
    command.args(["emulator", "--empty", "--account", "12", "--format", "json"]);
    let output = command.args(["--listen", "127.0.0.1:0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", both(&output));
    let problem = json_of(&output);
    assert_eq!(problem["code"], "E002");
    assert!(problem["causes"].to_string().contains("`12`"), "{problem}");
    assert!(!directory.path().join("target").exists());
}

#[test]
fn a_second_emulator_on_the_same_data() {
    let project = Project::hello();
    let first = Emulator::start(project.path());
    let mut command = longshore(project.path());
    command.args([
        "emulator",
        "--listen",
        "127.0.0.1:0",
        "--format",
        "json",
        "--data",
    ]);
    let output = command
        .arg(first.data.path().join("emulator"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(8), "{}", both(&output));
    assert_eq!(json_of(&output)["code"], "E053");
}

#[test]
fn a_full_disk_leaves_nothing_half_written() {
    if !has("mount") || !is_root() {
        assert!(
            !in_ci(),
            "the gate runs as root, to make a disk that is full"
        );
        println!("skipped: only root can make a small disk");
        return;
    }
    let project = Project::hello();
    let disk = project.path().join("target/disk");
    std::fs::create_dir_all(&disk).unwrap();
    succeed(
        Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=128k", "tmpfs"])
            .arg(&disk),
    );
    let _unmounted_at_the_end = Mounted(&disk);
    let mut build = longshore(project.path());
    problem(
        build.arg("build").arg("--layout").arg(disk.join("layout")),
        "E050",
        8,
    );
    let left: Vec<_> = std::fs::read_dir(&disk).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

fn is_root() -> bool {
    succeed(Command::new("id").arg("-u")).stdout == b"0\n"
}

pub(crate) async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}
