//! A project, an emulator, and a `longshore` that sees nothing of this
//! machine's environment.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};
use tempfile::TempDir;

/// The repository under test.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// `longshore` in an empty environment: only what a compiler needs is kept.
pub(crate) fn longshore(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
    command
        .env_clear()
        .current_dir(directory)
        .stdin(Stdio::null());
    for name in [
        "PATH",
        "HOME",
        "CARGO_HOME",
        "RUSTUP_HOME",
        "RUSTUP_TOOLCHAIN",
    ] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// Whether this is the gate, where nothing may be skipped.
pub(crate) fn in_ci() -> bool {
    std::env::var_os("CI").is_some()
}

/// Whether `program` can be started. In CI its absence is a failure; elsewhere
/// the reason of the skip is printed.
pub(crate) fn has(program: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .stdout(Stdio::null())
        .status()
        .unwrap()
        .success();
    assert!(
        found || !in_ci(),
        "{program} is not installed: .ci/run must install it"
    );
    if !found {
        println!("skipped: {program} is not installed");
    }
    found
}

/// Runs to the end, and shows everything when it fails.
pub(crate) fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}\n{}", both(&output));
    output
}

/// Both streams, for messages.
pub(crate) fn both(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}", text(&output.stdout), text(&output.stderr))
}

/// Everything that a user sees, with escapes visible.
pub(crate) fn seen(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('\u{1b}', "␛");
    format!(
        "exit code: {}\n----- stdout -----\n{}----- stderr -----\n{}",
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// How snapshots are kept: in `tests/snapshots/NAME.snap`.
pub(crate) fn snapshots() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(repository().join("tests/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

/// The one JSON document on stdout.
pub(crate) fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", both(output)))
}

/// Fails where `document` is not what the schema in `file` asks for.
pub(crate) fn assert_valid(file: &str, document: &Value) {
    let path = repository().join(file);
    let mut schemas = boon::Schemas::new();
    let schema: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let mut compiler = boon::Compiler::new();
    compiler.enable_format_assertions();
    let url = "https://example.com/schema.json";
    compiler.add_resource(url, schema).unwrap();
    let schema = compiler.compile(url, &mut schemas).unwrap();
    if let Err(error) = schemas.validate(document, schema) {
        panic!("{error:#}\n{document:#}");
    }
}

/// A checkout of the smallest service with this repository's own `infra/` and
/// workflow.
pub(crate) struct Project {
    pub(crate) directory: TempDir,
}

impl Project {
    pub(crate) fn hello() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let source = repository();
        copy(&source.join("fixtures/projects/hello"), directory.path());
        copy(&source.join("infra"), &directory.path().join("infra"));
        copy(&source.join(".github"), &directory.path().join(".github"));
        let project = Self { directory };
        project.git(&["init", "--quiet", "--initial-branch=main"]);
        project.commit();
        project
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Commits everything, at a fixed time by a fixed author.
    pub(crate) fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message=everything"]);
    }

    /// A commit that changes no file.
    pub(crate) fn commit_anyway(&self) {
        self.git(&["commit", "--quiet", "--allow-empty", "--message=nothing"]);
    }

    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} lacks {from}");
        std::fs::write(path, text.replace(from, to)).unwrap();
    }

    pub(crate) fn git(&self, arguments: &[&str]) {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.path()).args(arguments);
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "Ada")
                .env(format!("GIT_{role}_EMAIL"), "ada@example.com")
                .env(format!("GIT_{role}_DATE"), "2026-01-01T00:00:00Z");
        }
        command
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null");
        succeed(&mut command);
    }

    /// A project with a layout that was built once for all tests.
    pub(crate) fn built() -> (Self, String) {
        static BUILT: OnceLock<(Project, String)> = OnceLock::new();
        let (first, digest) = BUILT.get_or_init(|| {
            let project = Self::hello();
            let output = succeed(longshore(project.path()).arg("build"));
            (
                project,
                String::from_utf8(output.stdout).unwrap().trim().to_owned(),
            )
        });
        let directory = tempfile::tempdir().unwrap();
        copy(first.path(), directory.path());
        (Self { directory }, digest.clone())
    }

    pub(crate) fn layout(&self) -> PathBuf {
        self.path().join("target/longshore/layout")
    }

    /// `longshore publish` of the layout, as a job with `environment`.
    pub(crate) fn publish(&self, digest: &str, environment: &[(String, String)]) -> Command {
        let mut command = longshore(self.path());
        command
            .arg("publish")
            .arg("--layout")
            .arg(self.layout())
            .args(["--digest", digest]);
        command.envs(environment.iter().cloned());
        command
    }
}

/// Copies a tree, but nothing that cargo made except a layout.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        let (source, target) = (entry.path(), to.join(&name));
        let made_by_cargo = from.ends_with("target") && name != "longshore";
        if made_by_cargo || name == ".terraform" {
            continue;
        }
        if source.is_dir() {
            copy(&source, &target);
        } else {
            std::fs::copy(&source, &target).unwrap();
        }
    }
}

/// A running `longshore emulator`.
pub(crate) struct Emulator {
    child: Child,
    pub(crate) url: String,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) data: TempDir,
}

impl Emulator {
    /// With the resources of the project's Terraform root.
    pub(crate) fn start(project: &Path) -> Self {
        Self::start_with(project, &[])
    }

    /// On a free port, with its controls.
    pub(crate) fn start_with(project: &Path, arguments: &[&str]) -> Self {
        let mut command = longshore(project);
        command.args(["emulator", "--listen", "127.0.0.1:0", "--controls"]);
        Self::launch(command.args(arguments))
    }

    /// As `command`, a `longshore emulator`, says; its data goes to a directory
    /// of its own.
    pub(crate) fn launch(command: &mut Command) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut emulator = Self::launch_at(command, data.path());
        emulator.data = data;
        emulator
    }

    /// The same, with its data below `directory`, which stays; `data` is empty.
    pub(crate) fn launch_at(command: &mut Command, directory: &Path) -> Self {
        let (child, variables) = launched(command, directory);
        Self {
            child,
            url: variable(&variables, "AWS_ENDPOINT_URL"),
            variables,
            data: tempfile::tempdir().unwrap(),
        }
    }

    /// Ends the process; its data stays until this is dropped.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Kills the process where it stands, and starts `command` on its data.
    pub(crate) fn kill_and_launch(&mut self, command: &mut Command) {
        self.kill();
        (self.child, self.variables) = launched(command, self.data.path());
        self.url = variable(&self.variables, "AWS_ENDPOINT_URL");
    }

    /// The id of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where the registry listens, as it stands in image references.
    pub(crate) fn registry(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// The environment of a job that a push to main of `repository` started.
    pub(crate) async fn job(&self, repository: &str, git_ref: &str) -> Vec<(String, String)> {
        self.job_with(&reqwest::Client::new(), repository, git_ref)
            .await
    }

    /// The same, asked for by `client`.
    pub(crate) async fn job_with(
        &self,
        client: &reqwest::Client,
        repository: &str,
        git_ref: &str,
    ) -> Vec<(String, String)> {
        let (owner, name) = repository.split_once('/').unwrap();
        let run = json!({
            "repository": {
                "owner": owner, "owner_id": "1234567", "name": name, "id": "7654321",
                "visibility": "private",
            },
            "event": "push", "git_ref": git_ref,
            "workflow": "publish", "workflow_path": ".github/workflows/publish.yml",
            "actor": "ada", "actor_id": "1", "sha": "0".repeat(40),
            "run_id": 42, "run_number": 7, "run_attempt": 1,
        });
        let answer: Value = client
            .post(format!("{}/_longshore/runs", self.url))
            .json(&json!({ "run": run, "form": "immutable" }))
            .send()
            .await
            .unwrap()
            .error_for_status()
            .unwrap()
            .json()
            .await
            .unwrap();
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        vec![
            ("AWS_ENDPOINT_URL".to_owned(), self.url.clone()),
            (
                "ACTIONS_ID_TOKEN_REQUEST_URL".to_owned(),
                text("request_url"),
            ),
            (
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN".to_owned(),
                text("request_token"),
            ),
            ("GITHUB_RUN_ID".to_owned(), "42".to_owned()),
        ]
    }

    /// The token that GitHub gives this job for AWS.
    pub(crate) async fn github_token(&self, job: &[(String, String)]) -> String {
        let variable = |wanted: &str| {
            let found = job.iter().find(|(name, _)| name == wanted);
            &found.unwrap().1
        };
        let url = variable("ACTIONS_ID_TOKEN_REQUEST_URL");
        let answer: Value = reqwest::Client::new()
            .get(format!("{url}&audience=sts.amazonaws.com"))
            .bearer_auth(variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        answer["value"].as_str().unwrap().to_owned()
    }

    /// The variables of a program that has AWS's standard ones for another
    /// identity, and is told of the root user's key beside them.
    pub(crate) fn for_an_administrator(&self) -> Vec<(String, String)> {
        let variables = self.variables.iter().cloned();
        variables
            .filter_map(|(name, value)| match name.as_str() {
                "AWS_ACCESS_KEY_ID" => Some(("ADMINISTRATOR_KEY".to_owned(), value)),
                "AWS_SECRET_ACCESS_KEY" => Some(("ADMINISTRATOR_SECRET".to_owned(), value)),
                "AWS_SHARED_CREDENTIALS_FILE" => None,
                _ => Some((name, value)),
            })
            .collect()
    }

    /// The environment of the job that may publish.
    pub(crate) async fn publisher(&self) -> Vec<(String, String)> {
        self.job("acme/portfolio", "refs/heads/main").await
    }

    /// The registry as its administrator reads it.
    pub(crate) async fn registry_reader(&self) -> Reader {
        let lookup = |name: &str| {
            let found = self.variables.iter().find(|(variable, _)| variable == name);
            found.map(|(_, value)| value.clone())
        };
        let settings = aws::Settings::from_environment(&lookup).unwrap();
        let client = aws::Client::new(settings, jiff::Timestamp::now).unwrap();
        let (credentials, _) = client.credentials().await.unwrap();
        let login = client.registry_authorization(&credentials).await.unwrap();
        Reader {
            url: self.url.clone(),
            password: login.password.expose().to_owned(),
        }
    }
}

/// Starts `command`, a `longshore emulator`, on `data`, and reads the variables
/// that it prints.
fn launched(command: &mut Command, data: &Path) -> (Child, Vec<(String, String)>) {
    let mut child = command
        .args(["--format", "json", "--data"])
        .arg(data.join("emulator"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let lines = stdout.lines().map(Result::unwrap);
    let document: String = lines.take_while(|line| line != "}").collect();
    let variables: Value = serde_json::from_str(&(document + "}")).unwrap();
    let variables = variables.as_object().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let variables = variables.map(|(name, value)| (name.clone(), text(value)));
    (child, variables.collect())
}

fn variable(variables: &[(String, String)], name: &str) -> String {
    let mut variables = variables.iter();
    let found = variables.find(|(variable, _)| variable == name);
    found.unwrap().1.clone()
}

/// Reads what the registry holds.
pub(crate) struct Reader {
    url: String,
    pub(crate) password: String,
}

impl Reader {
    /// The answer to `GET /v2/<path>`: status and body.
    pub(crate) async fn get(&self, path: &str) -> (u16, Vec<u8>) {
        let accepted = "application/vnd.oci.image.manifest.v1+json, \
                        application/vnd.oci.image.index.v1+json";
        let answer = reqwest::Client::new()
            .get(format!("{}/v2/{path}", self.url))
            .basic_auth("AWS", Some(&self.password))
            .header("accept", accepted)
            .send()
            .await
            .unwrap();
        (
            answer.status().as_u16(),
            answer.bytes().await.unwrap().to_vec(),
        )
    }

    /// Stores a manifest under a tag.
    pub(crate) async fn push_manifest(&self, repository: &str, tag: &str, bytes: &[u8]) {
        let url = format!("{}/v2/{repository}/manifests/{tag}", self.url);
        let put = reqwest::Client::new()
            .put(url)
            .basic_auth("AWS", Some(&self.password))
            .header("content-type", "application/vnd.oci.image.manifest.v1+json");
        let answer = put.body(bytes.to_vec()).send().await.unwrap();
        answer.error_for_status().unwrap();
    }

    /// Stores a blob.
    pub(crate) async fn push_blob(&self, repository: &str, bytes: &[u8]) {
        let client = reqwest::Client::new();
        let url = format!("{}/v2/{repository}/blobs/uploads/", self.url);
        let post = client.post(url).basic_auth("AWS", Some(&self.password));
        let answer = post.send().await.unwrap().error_for_status().unwrap();
        let place = answer.headers()["location"].to_str().unwrap();
        let mut place = answer.url().join(place).unwrap();
        let digest = oci::Digest::of(bytes).to_string();
        place.query_pairs_mut().append_pair("digest", &digest);
        let put = client.put(place).basic_auth("AWS", Some(&self.password));
        let answer = put.body(bytes.to_vec()).send().await.unwrap();
        answer.error_for_status().unwrap();
    }

    /// The manifest that `tag` of the publishers' repository points to, after a
    /// check that every blob it names is there, whole.
    pub(crate) async fn complete_image(&self, tag: &str) -> Option<Value> {
        let (status, bytes) = self.get(&format!("{REPOSITORY}/manifests/{tag}")).await;
        if status == 404 {
            return None;
        }
        assert_eq!(status, 200, "{tag}");
        let manifest: Value = serde_json::from_slice(&bytes).unwrap();
        let layers = manifest["layers"].as_array().unwrap();
        for blob in layers.iter().chain([&manifest["config"]]) {
            let digest = blob["digest"].as_str().unwrap();
            let (status, bytes) = self.get(&format!("{REPOSITORY}/blobs/{digest}")).await;
            assert_eq!(status, 200, "{tag} names {digest}");
            assert_eq!(oci::Digest::of(&bytes).to_string(), digest);
        }
        Some(manifest)
    }
}

/// The repository of `infra/production`.
pub(crate) const REPOSITORY: &str = "portfolio/backend";

impl Drop for Emulator {
    fn drop(&mut self) {
        self.kill();
    }
}
