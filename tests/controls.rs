//! The emulator's controls: off unless asked for, and not for strangers.

use std::net::{IpAddr, UdpSocket};
use std::path::PathBuf;
use std::process::Command;

use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Emulator, Project, in_ci, longshore, seen, succeed};

const SECRET: &str = "a-secret-of-the-tests";

/// An emulator without a project, whose messages are kept.
struct Started {
    emulator: Emulator,
    directory: TempDir,
}

impl Started {
    fn new(listen: &str, arguments: &[&str], secret: Option<&str>) -> Self {
        let directory = bare_directory();
        let messages = std::fs::File::create(directory.path().join("messages")).unwrap();
        let mut command = longshore(directory.path());
        command.args(["emulator", "--listen", listen]);
        command.args(arguments).stderr(messages);
        command.envs(secret.map(|secret| ("LONGSHORE_CONTROLS_SECRET", secret)));
        Self {
            emulator: Emulator::launch(&mut command),
            directory,
        }
    }

    fn messages(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("messages")).unwrap()
    }

    fn secret_file(&self) -> PathBuf {
        self.emulator.data.path().join("emulator/controls.secret")
    }

    /// Where `address`, one of this machine, reaches it.
    fn at(&self, address: IpAddr) -> String {
        let (_, port) = self.emulator.url.rsplit_once(':').unwrap();
        format!("http://{address}:{port}")
    }
}

fn bare_directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(
        directory.path().join("longshore.toml"),
        "[image]\npackage = \"none\"\n",
    )
    .unwrap();
    directory
}

/// An address of this machine that is not loopback: whoever connects to it
/// comes from it. Nothing is sent to find it.
fn outer_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    let found = socket
        .connect("198.51.100.1:9")
        .and_then(|()| socket.local_addr());
    let address = found.ok().map(|address| address.ip());
    assert!(address.is_some() || !in_ci(), "the gate has a network");
    if address.is_none() {
        println!("skipped: this machine has no address but loopback");
    }
    address
}

async fn send(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn move_clock(url: &str) -> RequestBuilder {
    let url = format!("{url}/_longshore/clock");
    Client::new()
        .post(url)
        .json(&json!({ "advance_seconds": 60 }))
}

async fn health(url: &str) -> Response {
    reqwest::get(format!("{url}/_longshore/health"))
        .await
        .unwrap()
}

#[tokio::test]
async fn without_the_flag_there_is_nothing_but_health() {
    let started = Started::new("127.0.0.1:0", &[], Some(SECRET));
    let url = &started.emulator.url;
    let (status, answer) = send(move_clock(url).bearer_auth(SECRET)).await;
    assert_eq!(status, 404);
    let sentence = answer["message"].as_str().unwrap();
    assert!(
        sentence.contains("longshore emulator --controls"),
        "{sentence}"
    );
    for path in [
        "/_longshore",
        "/_longshore/",
        "/_longshore/trail",
        "/_longshore/no",
    ] {
        let answer = reqwest::get(format!("{url}{path}")).await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
    }
    assert_eq!(health(url).await.status(), 200);
    assert!(!started.secret_file().exists());
}

#[tokio::test]
async fn another_machine_needs_the_secret_and_a_program_of_this_one_does_not() {
    let Some(outer) = outer_address() else { return };
    let started = Started::new("0.0.0.0:0", &["--controls"], None);
    let url = started.at(outer);
    assert_eq!(health(&url).await.status(), 200);
    assert_eq!(send(move_clock(&url)).await.0, 401);
    assert_eq!(send(move_clock(&url).bearer_auth("guessed")).await.0, 401);
    let claimed = move_clock(&url).header("host", "localhost");
    assert_eq!(send(claimed).await.0, 401, "a host is only claimed");

    let kept = std::fs::read_to_string(started.secret_file()).unwrap();
    let secret = kept.trim_end();
    assert_eq!(send(move_clock(&url).bearer_auth(secret)).await.0, 200);
    assert_eq!(send(move_clock(&started.emulator.url)).await.0, 200);

    let messages = started.messages();
    assert!(messages.contains("controls.secret"), "{messages}");
    assert!(
        messages.contains("warning: 0.0.0.0 is reachable"),
        "{messages}"
    );
    assert!(!messages.contains(secret), "{messages}");
}

#[tokio::test]
async fn a_given_secret_is_used_and_not_kept() {
    let Some(outer) = outer_address() else { return };
    let started = Started::new("0.0.0.0:0", &["--controls"], Some(SECRET));
    let url = started.at(outer);
    assert_eq!(send(move_clock(&url).bearer_auth(SECRET)).await.0, 200);
    assert!(!started.secret_file().exists());
    let messages = started.messages();
    assert!(messages.contains("LONGSHORE_CONTROLS_SECRET"), "{messages}");
    assert!(!messages.contains(SECRET), "{messages}");
}

#[test]
fn a_secret_that_is_too_short_starts_nothing() {
    let directory = bare_directory();
    let mut command: Command = longshore(directory.path());
    command.args(["emulator", "--listen", "127.0.0.1:0", "--controls"]);
    command.env("LONGSHORE_CONTROLS_SECRET", "short");
    let text = seen(&command.output().unwrap());
    assert!(text.contains("exit code: 3"), "{text}");
    assert!(text.contains("E002"), "{text}");
    assert!(text.contains("LONGSHORE_CONTROLS_SECRET"), "{text}");
    assert!(!text.contains("short\""), "{text}");
}

#[tokio::test]
async fn a_web_page_on_this_machine_is_refused() {
    let started = Started::new("127.0.0.1:0", &["--controls"], None);
    let url = &started.emulator.url;
    let page = move_clock(url).header("origin", "http://evil.example");
    assert_eq!(send(page).await.0, 403);
    let rebound = move_clock(url).header("host", "rebound.example");
    assert_eq!(send(rebound).await.0, 401);
    let (status, clock) = send(Client::new().get(format!("{url}/_longshore/clock"))).await;
    assert_eq!((status, &clock["offset_seconds"]), (200, &json!(0)));
}

#[tokio::test]
async fn the_clock_is_moved_set_and_read() {
    let started = Started::new("127.0.0.1:0", &["--controls"], None);
    let url = &started.emulator.url;
    let clock = format!("{url}/_longshore/clock");
    let (_, moved) = send(move_clock(url)).await;
    assert_eq!(moved["offset_seconds"], 60);
    let set = json!({ "set": "2031-05-06T07:08:09Z" });
    let (status, _) = send(Client::new().post(&clock).json(&set)).await;
    assert_eq!(status, 200);
    let (_, read) = send(Client::new().get(&clock)).await;
    assert!(
        read["now"].as_str().unwrap().starts_with("2031-05-06T07:"),
        "{read}"
    );
    let unclear = json!({ "advance_seconds": 1, "set": "2031-05-06T07:08:09Z" });
    assert_eq!(send(Client::new().post(&clock).json(&unclear)).await.0, 400);
}

#[tokio::test]
async fn a_token_for_a_kind_of_caller_is_minted_without_a_run() {
    let started = Started::new("127.0.0.1:0", &["--controls"], None);
    let tokens = format!("{}/_longshore/tokens", started.emulator.url);
    let wanted = |kind: &str| {
        json!({ "caller": { "kind": kind, "form": "immutable", "repository": {
            "owner": "acme", "owner_id": "11", "name": "api", "id": "22", "visibility": "private",
        } } })
    };
    let (status, answer) = send(Client::new().post(&tokens).json(&wanted("tag"))).await;
    assert_eq!(status, 200, "{answer}");
    let token = aws::WebIdentityToken::new(answer["value"].as_str().unwrap().to_owned());
    let claims = token.decoded().unwrap();
    assert_eq!(claims["sub"], "repo:acme@11/api@22:ref:refs/tags/v1.0.0");
    let (status, answer) = send(
        Client::new()
            .post(&tokens)
            .json(&wanted("fork-pull-request")),
    )
    .await;
    assert_eq!(status, 422, "{answer}");
}

#[tokio::test]
async fn a_publish_through_a_bad_network_ends_whole() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let faults = format!("{}/_longshore/faults", emulator.url);
    for rule in [
        json!({ "schedule": { "skip": 4, "every": 8 },
                "fault": { "refuse": { "status": 503 } } }),
        json!({ "schedule": { "skip": 2, "every": 9 },
                "when": { "service": "ecr.amazonaws.com" },
                "fault": { "drop": { "handled": true } } }),
        json!({ "when": { "operation": "CompleteLayerUpload" }, "schedule": { "times": 1 },
                "fault": { "cut_request": { "after_bytes": 100 } } }),
    ] {
        assert_eq!(send(Client::new().post(&faults).json(&rule)).await.0, 200);
    }
    succeed(&mut project.publish(&digest, &emulator.publisher().await));
    let (_, rules) = send(Client::new().get(&faults)).await;
    let struck: u64 = rules
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["struck"].as_u64().unwrap())
        .sum();
    assert!(struck > 2, "{rules}");
    let cleared = Client::new().delete(&faults).send().await.unwrap();
    assert_eq!(cleared.status(), 204);
    let reader = emulator.registry_reader().await;
    assert!(reader.complete_image("latest").await.is_some());
}
