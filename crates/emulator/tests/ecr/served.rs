//! An emulator on a free port, and a client for it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use emulator::{Controls, Emulator, RegistryBehaviour, Settings, Transport};
use oci::{Descriptor, Digest, media_type};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use terraform::{AwsResources, EcrRepository, OidcProvider, Role};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::signing::{Keys, headers};

pub(crate) const ACCOUNT: &str = "123456789012";
/// A second account, without any resources.
pub(crate) const SECOND_ACCOUNT: &str = "222222222222";
pub(crate) const REGION: &str = "eu-central-1";
pub(crate) const OTHER_REGION: &str = "us-west-2";
/// A repository that Terraform made: immutable tags except `latest`.
pub(crate) const REPOSITORY: &str = "portfolio/backend";
/// A second repository, with mutable tags.
pub(crate) const OTHER: &str = "other";

/// A served emulator.
pub(crate) struct Served {
    pub(crate) base: String,
    pub(crate) client: reqwest::Client,
    pub(crate) administrator: Keys,
    /// The root keys of [`SECOND_ACCOUNT`].
    pub(crate) second_administrator: Keys,
    pub(crate) credentials_file: PathBuf,
    /// The emulator's own, so that it can be killed.
    runtime: Option<Runtime>,
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Served {
    /// Serves `data` with two repositories, and the roles that are given.
    pub(crate) async fn start(data: &Path, roles: Vec<Role>) -> Self {
        Self::start_as(data, roles, RegistryBehaviour::Ecr).await
    }

    /// As `start`, with a registry of either behaviour.
    pub(crate) async fn start_as(
        data: &Path,
        roles: Vec<Role>,
        registry: RegistryBehaviour,
    ) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(emulator::THREADS)
            .enable_all()
            .build()
            .unwrap();
        let listening = runtime.spawn(TcpListener::bind("127.0.0.1:0"));
        let listener = listening.await.unwrap().unwrap();
        let address = listener.local_addr().unwrap();
        let base = format!("http://{address}");
        let settings = Settings {
            data: data.join("state"),
            account: ACCOUNT.to_owned(),
            region: REGION.to_owned(),
            accounts: vec![SECOND_ACCOUNT.to_owned()],
            resources: Some(resources(roles)),
            controls: Controls::On { secret: None },
            transport: Transport::Plain,
            registry,
        };
        let emulator = Emulator::open(settings, &base).unwrap();
        let keys_of = |account: &str| {
            let mut administrators = emulator.administrators().iter();
            let (_, keys) = administrators.find(|(id, _)| id == account).unwrap();
            Keys {
                id: keys.access_key_id.clone(),
                secret: keys.secret_access_key.clone(),
                session_token: None,
            }
        };
        let (administrator, second_administrator) = (keys_of(ACCOUNT), keys_of(SECOND_ACCOUNT));
        let credentials_file = emulator.credentials_file().to_owned();
        runtime.spawn(emulator.serve(listener, std::future::pending()));
        Self {
            base,
            client: client(address),
            administrator,
            second_administrator,
            credentials_file,
            runtime: Some(runtime),
        }
    }

    /// Stops as a kill does: every task is dropped where it stands.
    pub(crate) async fn kill(mut self) {
        let runtime = self.runtime.take().unwrap();
        let ending = move || runtime.shutdown_timeout(Duration::from_secs(10));
        tokio::task::spawn_blocking(ending).await.unwrap();
    }

    pub(crate) fn host(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// The emulator's time.
    pub(crate) async fn now(&self) -> jiff::Timestamp {
        let url = format!("{}/_longshore/health", self.base);
        let health: Value = self
            .client
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        health["time"].as_str().unwrap().parse().unwrap()
    }

    /// Has garbage collected: what there was.
    pub(crate) async fn collect(&self) -> Value {
        let url = format!("{}/_longshore/garbage", self.base);
        let answer = self.client.post(url).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json().await.unwrap()
    }

    /// Waits until the trail is in its files.
    pub(crate) async fn flush_trail(&self) {
        let url = format!("{}/_longshore/trail?request_id=none", self.base);
        let answer = self.client.get(url).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }

    /// Moves the emulator's clock.
    pub(crate) async fn advance(&self, seconds: i64) {
        let url = format!("{}/_longshore/clock", self.base);
        let body = json!({ "advance_seconds": seconds });
        let answer = self.client.post(url).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }

    /// A signed call of ECR's API: status and body.
    pub(crate) async fn call_as(&self, keys: &Keys, operation: &str, body: Value) -> (u16, Value) {
        self.call_in(REGION, keys, operation, body).await
    }

    /// A signed call of ECR's API in a region.
    pub(crate) async fn call_in(
        &self,
        region: &str,
        keys: &Keys,
        operation: &str,
        body: Value,
    ) -> (u16, Value) {
        self.call_at(("ecr", region), keys, operation, body).await
    }

    /// A signed call of a JSON service in a region.
    pub(crate) async fn call_at(
        &self,
        (service, region): (&str, &str),
        keys: &Keys,
        operation: &str,
        body: Value,
    ) -> (u16, Value) {
        let body = body.to_string();
        let date = self.now().await.strftime("%Y%m%dT%H%M%SZ").to_string();
        let mut request = self.client.post(&self.base);
        for (name, value) in headers(
            keys,
            (self.host(), region),
            &date,
            (service, operation),
            &body,
        ) {
            request = request.header(name, value);
        }
        let answer = request.body(body).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap())
    }

    /// A call of IAM or STS by the administrator that succeeds: its answer.
    pub(crate) async fn query(&self, service: &str, parameters: &[(&str, &str)]) -> String {
        let (status, text) = self.ask(service, parameters).await;
        assert_eq!(status, 200, "{text}");
        text
    }

    /// A call of IAM or STS by the administrator: status and answer.
    pub(crate) async fn ask(&self, service: &str, parameters: &[(&str, &str)]) -> (u16, String) {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(parameters)
            .finish();
        let date = self.now().await.strftime("%Y%m%dT%H%M%SZ").to_string();
        let mut request = self.client.post(&self.base);
        let (scope, operation) = ((self.host(), "us-east-1"), (service, ""));
        for (name, value) in headers(&self.administrator, scope, &date, operation, &body) {
            request = request.header(name, value);
        }
        let answer = request.body(body).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.text().await.unwrap())
    }

    /// A call by the administrator that succeeds.
    pub(crate) async fn call(&self, operation: &str, body: Value) -> Value {
        let (status, answer) = self.call_as(&self.administrator, operation, body).await;
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    }

    /// A call by the administrator that fails: code and sentence.
    pub(crate) async fn refusal(&self, operation: &str, body: Value) -> (String, String) {
        let (status, answer) = self.call_as(&self.administrator, operation, body).await;
        assert_eq!(status, 400, "{operation}: {answer}");
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        (text("__type"), text("message"))
    }

    /// The value of the `Authorization` header for the registry.
    pub(crate) async fn log_in(&self, keys: &Keys) -> String {
        let (status, answer) = self.call_as(keys, "GetAuthorizationToken", json!({})).await;
        assert_eq!(status, 200, "{answer}");
        let token = &answer["authorizationData"][0]["authorizationToken"];
        format!("Basic {}", token.as_str().unwrap())
    }

    pub(crate) async fn administrator(&self) -> Docker<'_> {
        self.docker(&self.administrator).await
    }

    /// A client that is logged in with `keys` to the emulator's own address.
    pub(crate) async fn docker(&self, keys: &Keys) -> Docker<'_> {
        Docker {
            served: self,
            base: self.base.clone(),
            login: self.log_in(keys).await,
        }
    }

    /// `http://HOST:PORT` of the registry of an account in a region.
    pub(crate) fn registry(&self, account: &str, region: &str) -> String {
        let (_, port) = self.base.rsplit_once(':').unwrap();
        format!("http://{account}.dkr.ecr.{region}.localhost:{port}")
    }
}

/// A client that finds the hosts of registries of other accounts and regions,
/// as a resolver that knows `*.localhost` does.
fn client(address: SocketAddr) -> reqwest::Client {
    let mut builder = reqwest::Client::builder().no_proxy();
    for account in [ACCOUNT, SECOND_ACCOUNT] {
        for region in [REGION, OTHER_REGION] {
            let name = format!("{account}.dkr.ecr.{region}.localhost");
            builder = builder.resolve(&name, address);
        }
    }
    builder.build().unwrap()
}

/// A logged-in client of the registry.
pub(crate) struct Docker<'a> {
    pub(crate) served: &'a Served,
    /// `http://HOST:PORT` of the registry that is asked.
    pub(crate) base: String,
    pub(crate) login: String,
}

impl Docker<'_> {
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.base)
        };
        let request = self.served.client.request(method, url);
        request.header("authorization", &self.login)
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    /// Uploads a blob as Docker does: one chunk, then the end.
    pub(crate) async fn upload(&self, repository: &str, bytes: &[u8]) -> Descriptor {
        let start = format!("/v2/{repository}/blobs/uploads/");
        let started = self.request(Method::POST, &start).send().await.unwrap();
        assert_eq!(started.status(), StatusCode::ACCEPTED);
        let patch = self.request(Method::PATCH, &header(&started, "location"));
        let sent = patch.body(bytes.to_vec()).send().await.unwrap();
        assert_eq!(sent.status(), StatusCode::CREATED);
        let digest = Digest::of(bytes);
        let end = format!("{}?digest={digest}", header(&sent, "location"));
        let ended = self.request(Method::PUT, &end).send().await.unwrap();
        assert_eq!(ended.status(), StatusCode::CREATED);
        assert_eq!(header(&ended, "docker-content-digest"), digest.to_string());
        Descriptor::new(media_type::LAYER_GZIP, digest, bytes.len() as u64)
    }

    pub(crate) async fn put_manifest(
        &self,
        repository: &str,
        reference: &str,
        body: &str,
    ) -> Response {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let request = self.request(Method::PUT, &path);
        let request = request.header("content-type", media_type::MANIFEST);
        request.body(body.to_owned()).send().await.unwrap()
    }

    /// Pushes a small image whose layer is `content`, and returns its manifest.
    pub(crate) async fn push(&self, repository: &str, reference: &str, content: &str) -> String {
        let config = self.upload(repository, b"{}").await;
        let layer = self.upload(repository, content.as_bytes()).await;
        let manifest = manifest(config, &layer);
        let answer = self.put_manifest(repository, reference, &manifest).await;
        assert_eq!(
            answer.status(),
            StatusCode::CREATED,
            "{}",
            answer.text().await.unwrap()
        );
        manifest
    }
}

/// A manifest of one layer.
pub(crate) fn manifest(mut config: Descriptor, layer: &Descriptor) -> String {
    media_type::CONFIG.clone_into(&mut config.media_type);
    json!({
        "schemaVersion": 2,
        "mediaType": media_type::MANIFEST,
        "config": config,
        "layers": [layer],
    })
    .to_string()
}

pub(crate) fn header(response: &Response, name: &str) -> String {
    let value = response.headers().get(name);
    value
        .map(|value| value.to_str().unwrap().to_owned())
        .unwrap_or_default()
}

/// Status, code and sentence of the registry's refusal.
pub(crate) async fn refused(response: Response) -> (u16, String, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    let error = &body["errors"][0];
    let text = |name: &str| error[name].as_str().unwrap().to_owned();
    (status, text("code"), text("message"))
}

fn resources(roles: Vec<Role>) -> AwsResources {
    let repository = |name: &str, mutability: &str, exclusions: &[&str]| EcrRepository {
        name: name.to_owned(),
        mutability: mutability.to_owned(),
        exclusion_filters: exclusions.iter().map(|&filter| filter.to_owned()).collect(),
        scan_on_push: true,
        encryption_type: "AES256".to_owned(),
        tags: BTreeMap::from([("team".to_owned(), "web".to_owned())]),
        ..EcrRepository::default()
    };
    AwsResources {
        account: ACCOUNT.to_owned(),
        region: Some(REGION.to_owned()),
        oidc_providers: vec![OidcProvider {
            arn: format!(
                "arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
            ),
            url: "token.actions.githubusercontent.com".to_owned(),
            client_ids: vec!["sts.amazonaws.com".to_owned()],
            ..OidcProvider::default()
        }],
        roles,
        repositories: vec![
            repository(REPOSITORY, "IMMUTABLE_WITH_EXCLUSION", &["latest"]),
            repository(OTHER, "MUTABLE", &[]),
        ],
        ..AwsResources::default()
    }
}
