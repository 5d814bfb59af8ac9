//! Signing with a key that never leaves AWS KMS, which the emulator has none of:
//! `openssl` holds the key.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::attestations::{BUNDLE, documents, name_key, openssl_verifies};
use crate::harness::{Emulator, Project, both, has, json_of, succeed};

const ARN: &str = "arn:aws:kms:eu-west-1:123456789012:key/1234";

/// What the service does when it is to sign.
#[derive(Clone, Copy, PartialEq)]
enum Conduct {
    Signs,
    Denies,
    SignsWithAnotherKey,
}

struct Kms {
    url: String,
    conduct: Conduct,
    keys: TempDir,
    /// The headers of each request.
    seen: Mutex<Vec<HeaderMap>>,
}

fn openssl(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new("openssl");
    succeed(command.current_dir(folder).args(arguments)).stdout
}

impl Kms {
    async fn start(conduct: Conduct) -> Arc<Self> {
        let keys = tempfile::tempdir().unwrap();
        for key in ["own", "other"] {
            let file = format!("{key}.pem");
            let make = [
                "ecparam",
                "-name",
                "prime256v1",
                "-genkey",
                "-noout",
                "-out",
            ];
            openssl(keys.path(), &[make.as_slice(), &[&file]].concat());
        }
        openssl(
            keys.path(),
            &["ec", "-in", "own.pem", "-pubout", "-out", "own.pub"],
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let kms = Arc::new(Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            conduct,
            keys,
            seen: Mutex::default(),
        });
        let router = axum::Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&kms));
        tokio::spawn(async move { axum::serve(listener, router).await });
        kms
    }

    fn public_key(&self) -> PathBuf {
        self.keys.path().join("own.pub")
    }

    fn sign(&self, digest: &[u8]) -> Vec<u8> {
        let key = match self.conduct {
            Conduct::SignsWithAnotherKey => "other.pem",
            _ => "own.pem",
        };
        std::fs::write(self.keys.path().join("digest"), digest).unwrap();
        let sign = ["pkeyutl", "-sign", "-in", "digest", "-inkey", key];
        openssl(self.keys.path(), &sign)
    }
}

async fn answer(State(kms): State<Arc<Kms>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers["x-amz-target"].to_str().unwrap().to_owned();
    kms.seen.lock().unwrap().push(headers);
    let asked: Value = serde_json::from_slice(&body).unwrap();
    match target.as_str() {
        "TrentService.GetPublicKey" => {
            assert_eq!(asked["KeyId"], "alias/release");
            let der = ["ec", "-in", "own.pem", "-pubout", "-outform", "DER"];
            let public = openssl(kms.keys.path(), &der);
            let answer = json!({
                "KeyId": ARN, "KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY",
                "PublicKey": STANDARD.encode(public), "SigningAlgorithms": ["ECDSA_SHA_256"],
            });
            Json(answer).into_response()
        }
        "TrentService.Sign" if kms.conduct == Conduct::Denies => {
            let refusal = json!({"__type": "AccessDeniedException", "Message": "not authorized"});
            (StatusCode::BAD_REQUEST, Json(refusal)).into_response()
        }
        "TrentService.Sign" => {
            assert_eq!(asked["KeyId"], ARN);
            assert_eq!(asked["MessageType"], "DIGEST");
            let digest = STANDARD.decode(asked["Message"].as_str().unwrap()).unwrap();
            let signature = STANDARD.encode(kms.sign(&digest));
            Json(json!({"KeyId": ARN, "Signature": signature})).into_response()
        }
        other => panic!("{other}"),
    }
}

/// The project's publish, signed by `kms`.
async fn publish(project: &Project, digest: &str, emulator: &Emulator, kms: &Kms) -> Command {
    name_key(project, "awskms:///alias/release");
    publish_again(project, digest, emulator, kms).await
}

async fn publish_again(project: &Project, digest: &str, emulator: &Emulator, kms: &Kms) -> Command {
    let mut publish = project.publish(digest, &emulator.publisher().await);
    publish.args(["--format", "json"]);
    publish.env("AWS_ENDPOINT_URL_KMS", &kms.url);
    publish
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_kms_signs_with_the_identity_that_publishes() {
    if !has("openssl") {
        return;
    }
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let kms = Kms::start(Conduct::Signs).await;
    succeed(&mut publish(&project, &digest, &emulator, &kms).await);
    let documents = documents(&emulator.registry_reader().await, &digest).await;
    assert_eq!(documents[BUNDLE].len(), 2);
    for bundle in &documents[BUNDLE] {
        assert!(openssl_verifies(bundle, &kms.public_key(), b""));
    }
    for headers in kms.seen.lock().unwrap().iter() {
        let signature = headers["authorization"].to_str().unwrap();
        assert!(
            signature.contains("/eu-west-1/kms/aws4_request"),
            "{signature}"
        );
        assert!(
            headers.contains_key("x-amz-security-token"),
            "a session of the role"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_signed_for_an_image_that_is_there() {
    if !has("openssl") {
        return;
    }
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let kms = Kms::start(Conduct::Signs).await;
    succeed(&mut publish(&project, &digest, &emulator, &kms).await);
    let asked = std::mem::take(&mut *kms.seen.lock().unwrap()).len();
    assert_eq!(asked, 3, "the key, and a signature of each statement");
    succeed(&mut publish_again(&project, &digest, &emulator, &kms).await);
    assert_eq!(kms.seen.lock().unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kms_that_does_not_sign_or_signs_wrongly_leaves_the_tags_where_they_are() {
    if !has("openssl") {
        return;
    }
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let cases = [
        (Conduct::Denies, "`kms:Sign`"),
        (Conduct::SignsWithAnotherKey, "does not hold"),
    ];
    let plain = std::fs::read_to_string(project.path().join("longshore.toml")).unwrap();
    for (conduct, says) in cases {
        std::fs::write(project.path().join("longshore.toml"), &plain).unwrap();
        let kms = Kms::start(conduct).await;
        let output = publish(&project, &digest, &emulator, &kms)
            .await
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", both(&output));
        let problem = json_of(&output);
        assert_eq!(problem["code"], "E015");
        assert!(problem.to_string().contains(says), "{problem:#}");
        let registry = emulator.registry_reader().await;
        assert!(registry.complete_image("latest").await.is_none());
    }
}
