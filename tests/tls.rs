//! The emulator over HTTPS, as clients that trust its authority see it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;

use reqwest::{Certificate, Client, ClientBuilder, Version};
use serde_json::json;

use crate::harness::{Emulator, Project, REPOSITORY, both, has, json_of, succeed};

fn authority(emulator: &Emulator) -> PathBuf {
    emulator.data.path().join("emulator/ca.pem")
}

fn address(emulator: &Emulator) -> SocketAddr {
    emulator.url.trim_start_matches("https://").parse().unwrap()
}

/// A client that trusts the emulator's authority and nobody else.
fn client(emulator: &Emulator) -> ClientBuilder {
    let pem = std::fs::read(authority(emulator)).unwrap();
    let authority = Certificate::from_pem(&pem).unwrap();
    Client::builder().tls_certs_only([authority]).no_proxy()
}

/// Asks for the health of the emulator under `host`.
async fn version(emulator: &Emulator, builder: ClientBuilder, host: &str) -> Option<Version> {
    let address = address(emulator);
    let client = builder.resolve(host, address).build().unwrap();
    let url = format!("https://{host}:{}/_longshore/health", address.port());
    let answer = client.get(url).send().await.ok()?;
    assert!(answer.status().is_success());
    Some(answer.version())
}

#[tokio::test]
async fn every_name_of_the_emulator_is_in_its_certificate_and_no_other() {
    let project = Project::hello();
    let extra = [
        "--tls",
        "--tls-name",
        "registry.example",
        "--tls-name",
        "192.0.2.7",
    ];
    let emulator = Emulator::start_with(project.path(), &extra);
    assert!(emulator.url.starts_with("https://"), "{}", emulator.url);
    let mut variables = emulator.variables.iter();
    let region = variables.find(|(name, _)| name == "AWS_REGION");
    let region = &region.unwrap().1;
    for host in [
        "localhost",
        "portfolio.localhost",
        "127.0.0.1",
        &format!("123456789012.dkr.ecr.{region}.amazonaws.com"),
        "123456789012.dkr.ecr.us-west-2.localhost",
        &format!("api.ecr.{region}.amazonaws.com"),
        &format!("sts.{region}.amazonaws.com"),
        "sts.amazonaws.com",
        "iam.amazonaws.com",
        "token.actions.githubusercontent.com",
        "registry.example",
    ] {
        let found = version(&emulator, client(&emulator), host).await;
        assert_eq!(found, Some(Version::HTTP_2), "{host}");
    }
    for host in ["example.com", "s3.amazonaws.com", "other.example"] {
        let found = version(&emulator, client(&emulator), host).await;
        assert_eq!(found, None, "{host}");
    }
    let old = client(&emulator).http1_only();
    assert_eq!(
        version(&emulator, old, "localhost").await,
        Some(Version::HTTP_11)
    );
    let stranger = Client::builder().no_proxy();
    assert_eq!(version(&emulator, stranger, "localhost").await, None);
}

#[tokio::test]
async fn a_publish_over_https_ends_whole_and_every_address_it_was_given_is_https() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start_with(project.path(), &["--tls"]);
    let http = client(&emulator).build().unwrap();
    let job = emulator
        .job_with(&http, "acme/portfolio", "refs/heads/main")
        .await;
    for (name, value) in &job {
        assert!(
            !name.ends_with("_URL") || value.starts_with("https://"),
            "{name}={value}"
        );
    }
    let mut publish = project.publish(&digest, &job);
    let untrusted = both(&publish.output().unwrap());
    assert!(
        untrusted.contains("hint: this machine does not trust"),
        "{untrusted}"
    );
    succeed(publish.env("SSL_CERT_FILE", authority(&emulator)));

    let start = format!("{}/v2/{REPOSITORY}/blobs/uploads/", emulator.url);
    let challenge = http.get(&start).send().await.unwrap();
    assert_eq!(challenge.status(), 401);
    let realm = challenge.headers()["www-authenticate"].to_str().unwrap();
    assert!(
        realm.contains(&format!("realm=\"{}/\"", emulator.url)),
        "{realm}"
    );
    if !has("aws") {
        return;
    }
    let login = json_of(&succeed(
        aws(&emulator).args(["ecr", "get-authorization-token"]),
    ));
    let data = &login["authorizationData"][0];
    assert_eq!(data["proxyEndpoint"], emulator.url);
    let token = data["authorizationToken"].as_str().unwrap();
    let started = http
        .post(&start)
        .header("authorization", format!("Basic {token}"));
    let started = started.send().await.unwrap();
    assert_eq!(started.status(), 202);
    let location = started.headers()["location"].to_str().unwrap();
    assert!(location.starts_with(&start), "{location}");
}

/// The `aws` command, which trusts the emulator by the variables that it gave.
fn aws(emulator: &Emulator) -> Command {
    let mut command = Command::new("aws");
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(emulator.variables.iter().cloned());
    command
}

#[test]
fn aws_trusts_the_bundle_and_policies_see_that_the_transport_is_secure() {
    if !has("aws") {
        return;
    }
    let project = Project::hello();
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "ecr:ListImages",
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    }] });
    for (flags, is_denied) in [(&["--tls"][..], false), (&[][..], true)] {
        let emulator = Emulator::start_with(project.path(), flags);
        let mut set = aws(&emulator);
        set.args([
            "ecr",
            "set-repository-policy",
            "--repository-name",
            REPOSITORY,
        ]);
        succeed(set.arg("--policy-text").arg(policy.to_string()));
        let mut list = aws(&emulator);
        list.args(["ecr", "list-images", "--repository-name", REPOSITORY]);
        let output = list.output().unwrap();
        assert_eq!(output.status.success(), !is_denied, "{}", both(&output));
        assert!(
            !is_denied || both(&output).contains("explicit deny"),
            "{}",
            both(&output)
        );
    }
}

#[tokio::test]
async fn plain_http_is_told_so_and_handshakes_that_stand_still_hold_up_nobody() {
    let project = Project::hello();
    let emulator = Emulator::start_with(project.path(), &["--tls"]);
    let mut silent = Vec::new();
    for number in 0..200 {
        let mut stream = TcpStream::connect(address(&emulator)).unwrap();
        // Half of them begin: a record that announces more than comes.
        if number % 2 == 0 {
            stream.write_all(&[22, 3, 1, 2, 0, 1]).unwrap();
        }
        silent.push(stream);
    }
    let mut garbage = TcpStream::connect(address(&emulator)).unwrap();
    garbage.write_all(&[22; 10_000]).unwrap();
    let mut plain = TcpStream::connect(address(&emulator)).unwrap();
    plain
        .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    // A reset after the answer is as good an end as any.
    let _ = plain.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("speaks HTTPS"), "{answer}");
    let found = version(&emulator, client(&emulator), "localhost").await;
    assert_eq!(found, Some(Version::HTTP_2));
}

#[test]
fn a_name_for_the_certificate_that_is_none_is_refused() {
    let project = Project::hello();
    let mut command = crate::harness::longshore(project.path());
    let output = command
        .args([
            "emulator",
            "--tls",
            "--tls-name",
            "https://registry.example",
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        both(&output).contains("is no host name"),
        "{}",
        both(&output)
    );
}
