//! Signatures of a workflow's run: `cosign` verifies them against a Sigstore of its
//! own, whose keys `openssl` holds. The public one needs a network.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use oci::Digest;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::cosign::{cosign, has_cosign, log_in};
use crate::attestations::name_key;
use crate::harness::{Emulator, Project, REPOSITORY, both, has, json_of, succeed};

/// Whom the certificate is for, as Fulcio writes a run of a workflow.
const IDENTITY: &str =
    "https://github.com/acme/portfolio/.github/workflows/publish.yml@refs/heads/main";

/// The name under which the log signs its state.
const LOG: &str = "127.0.0.1";

/// Fulcio and Rekor.
struct Sigstore {
    folder: TempDir,
    url: String,
}

impl Sigstore {
    async fn start() -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        let make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 \
            -keyout ca.key -out ca.pem -subj /O=sigstore/CN=test \
            -addext basicConstraints=critical,CA:true -addext keyUsage=critical,keyCertSign";
        openssl(folder.path(), make);
        openssl(
            folder.path(),
            "ecparam -name prime256v1 -genkey -noout -out rekor.key",
        );
        openssl(folder.path(), "ec -in rekor.key -pubout -out rekor.pub");
        openssl(
            folder.path(),
            "req -new -key rekor.key -subj / -out any.csr",
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let sigstore = Arc::new(Self { folder, url });
        let router = Router::new()
            .route("/api/v2/signingCert", post(certify))
            .route("/api/v1/log/entries", post(log))
            .with_state(Arc::clone(&sigstore));
        tokio::spawn(async move { axum::serve(listener, router).await });
        sigstore
    }

    fn at(&self) -> &Path {
        self.folder.path()
    }

    /// What verifiers must trust, as `cosign` writes it down.
    fn trusted_root(&self) -> String {
        let (url, file) = (&self.url, self.at().join("root.json"));
        let (fulcio, rekor) = (
            format!("--fulcio=url={url},certificate-chain=ca.pem"),
            format!("--rekor=url={url},public-key=rekor.pub,start-time=2020-01-01T00:00:00Z"),
        );
        let file = file.to_str().unwrap().to_owned();
        let out = format!("--out={file}");
        let create = ["trusted-root", "create", &fulcio, &rekor, &out];
        succeed(&mut cosign(self.at(), &create));
        file
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        std::fs::write(self.at().join("message"), message).unwrap();
        openssl(self.at(), "dgst -sha256 -sign rekor.key message")
    }
}

fn openssl(folder: &Path, arguments: &str) -> Vec<u8> {
    let mut command = Command::new("openssl");
    command
        .current_dir(folder)
        .args(arguments.split_whitespace());
    succeed(&mut command).stdout
}

fn decoded(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

/// Fulcio: whoever has a token, and the key, gets a certificate.
async fn certify(
    State(sigstore): State<Arc<Sigstore>>,
    Json(asked): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let token = asked["credentials"]["oidcIdentityToken"].as_str().unwrap();
    let claims = token.split('.').nth(1).unwrap();
    let claims = URL_SAFE_NO_PAD.decode(claims).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["aud"], "sigstore");
    let request = &asked["publicKeyRequest"];
    let write = |name: &str, bytes: &[u8]| std::fs::write(sigstore.at().join(name), bytes).unwrap();
    write(
        "key.pub",
        request["publicKey"]["content"].as_str().unwrap().as_bytes(),
    );
    write("proof", &decoded(&request["proofOfPossession"]));
    write("subject", claims["sub"].as_str().unwrap().as_bytes());
    openssl(
        sigstore.at(),
        "dgst -sha256 -verify key.pub -signature proof subject",
    );
    let extensions = format!(
        "keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n\
         subjectAltName=critical,URI:{IDENTITY}\n\
         1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:{}\n",
        claims["iss"].as_str().unwrap()
    );
    write("extensions", extensions.as_bytes());
    let issue = "x509 -req -in any.csr -force_pubkey key.pub -CA ca.pem -CAkey ca.key \
        -set_serial 7 -days 1 -extfile extensions";
    let certificate = String::from_utf8(openssl(sigstore.at(), issue)).unwrap();
    let chain = json!({"certificates": [certificate]});
    let answer = json!({"signedCertificateEmbeddedSct": {"chain": chain}});
    (StatusCode::OK, Json(answer))
}

/// Rekor: a log whose tree has one leaf.
async fn log(
    State(sigstore): State<Arc<Sigstore>>,
    Json(asked): Json<Value>,
) -> (StatusCode, Json<Value>) {
    assert_eq!(
        (&asked["kind"], &asked["apiVersion"]),
        (&json!("dsse"), &json!("0.0.1"))
    );
    let proposed = &asked["spec"]["proposedContent"];
    let text = proposed["envelope"].as_str().unwrap();
    let envelope: Value = serde_json::from_str(text).unwrap();
    let hash = |bytes: &[u8]| json!({"algorithm": "sha256", "value": Digest::of(bytes).hex()});
    let body = json!({"apiVersion": "0.0.1", "kind": "dsse", "spec": {
        "envelopeHash": hash(text.as_bytes()),
        "payloadHash": hash(&decoded(&envelope["payload"])),
        "signatures": [{
            "signature": envelope["signatures"][0]["sig"],
            "verifier": proposed["verifiers"][0],
        }],
    }});
    let body = body.to_string();
    let leaf = [b"\0", body.as_bytes()].concat();
    let root = Digest::of(&leaf).hex();
    let public = openssl(sigstore.at(), "ec -pubin -in rekor.pub -outform DER");
    let log_id = Digest::of(&public).hex();
    let time = jiff::Timestamp::now().as_second();
    // What the log promises: canonical JSON, sorted by key.
    let promise = json!({
        "body": STANDARD.encode(&body), "integratedTime": time, "logID": log_id, "logIndex": 0,
    });
    let promised = sigstore.sign(promise.to_string().as_bytes());
    let root_base64 = STANDARD.encode(hex::decode(&root).unwrap());
    let note = format!("{LOG} - 1\n1\n{root_base64}\n");
    let hint = hex::decode(&log_id[..8]).unwrap();
    let signature = STANDARD.encode([hint, sigstore.sign(note.as_bytes())].concat());
    let mut entry = promise;
    entry["verification"] = json!({
        "signedEntryTimestamp": STANDARD.encode(promised),
        "inclusionProof": {
            "checkpoint": format!("{note}\n\u{2014} {LOG} {signature}\n"),
            "hashes": [], "logIndex": 0, "rootHash": root, "treeSize": 1,
        },
    });
    (
        StatusCode::CREATED,
        Json(json!({"24296fb24b8ad77a": entry})),
    )
}

fn configure(project: &Project, url: &str) {
    name_key(project, "keyless");
    let addresses = format!("[publish]\nfulcio = \"{url}\"\nrekor = \"{url}\"");
    project.edit("longshore.toml", "[publish]", &addresses);
}

#[tokio::test(flavor = "multi_thread")]
async fn cosign_verifies_whose_run_signed_without_any_key() {
    if !has("openssl") || !has_cosign() {
        return;
    }
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let sigstore = Sigstore::start().await;
    configure(&project, &sigstore.url);
    succeed(&mut project.publish(&digest, &emulator.publisher().await));

    let home = project.path();
    log_in(home, &emulator).await;
    let root = sigstore.trusted_root();
    let image = format!("{}/{REPOSITORY}:latest", emulator.registry());
    let issuer = "--certificate-oidc-issuer-regexp=^https?://";
    let verify = |kind: &[&str], identity: &str| {
        let mut command = cosign(home, kind);
        command.args(["--trusted-root", &root, "--insecure-ignore-sct", issuer]);
        command.args(["--certificate-identity", identity, &image]);
        command
    };
    let attestation = ["verify-attestation", "--type", "slsaprovenance1"];
    for kind in [["verify"].as_slice(), &attestation] {
        succeed(&mut verify(kind, IDENTITY));
        let stranger = IDENTITY.replace("acme", "stranger");
        let output = verify(kind, &stranger).output().unwrap();
        assert!(!output.status.success(), "{}", both(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_run_or_without_sigstore_no_tag_is_moved() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    // Nobody listens there.
    configure(&project, "http://127.0.0.1:1");
    let job = emulator.publisher().await;
    for (variables, says) in [
        (&job, "Sigstore did not vouch"),
        (&emulator.variables, "publish from a workflow"),
    ] {
        let mut publish = project.publish(&digest, variables);
        let output = publish.args(["--format", "json"]).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", both(&output));
        let problem = json_of(&output);
        assert_eq!(problem["code"], "E015");
        assert!(problem.to_string().contains(says), "{problem:#}");
    }
    let registry = emulator.registry_reader().await;
    assert!(registry.complete_image("latest").await.is_none());
}
