//! The doors through which `fuzz/` hands in foreign bytes. There are none in a
//! build that does not fuzz.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use http::{HeaderValue, Request, header};
use terraform::{AwsResources, EcrRepository, OidcProvider, Role};
use tokio::runtime::{Builder, Runtime};

use crate::caller::Caller;
use crate::emulator::Emulator;
use crate::settings::{Controls, RegistryBehaviour, Settings, Transport};
use crate::sts::sessions::ACCESS_KEYS;
use crate::trail::{Note, Origin};
use crate::{ecr, json_protocol, login, query, query_protocol, registry, signature, sts};

const ACCOUNT: &str = "123456789012";

/// Reads a web identity token as STS does: whether it is one.
pub fn reads_token(text: &str) -> bool {
    sts::reads_token(text)
}

/// Reads a signature as AWS does: whether the request has the form of a signed
/// one. `headers` are names and values; those that HTTP does not have are left
/// out.
pub fn reads_signature(query: &str, headers: &[(&str, &str)], body: &[u8]) -> bool {
    let headers = headers
        .iter()
        .filter_map(|(name, value)| {
            let name = http::HeaderName::try_from(*name).ok()?;
            Some((name, http::HeaderValue::try_from(*value).ok()?))
        })
        .collect();
    signature::reads(&signature::Received {
        method: &http::Method::POST,
        path: "/",
        query,
        headers: &headers,
        body,
    })
}

/// Reads the parameters of a call of STS or IAM: whether they name an action, and
/// can be read as tags and lists.
pub fn reads_query(text: &[u8]) -> bool {
    query::Parameters::parse(text).is_ok_and(|parameters| {
        let _ = parameters.list("PolicyArns");
        parameters.tags().is_ok() && parameters.required("Action").is_ok()
    })
}

/// Reads a request to the registry: whether its target is one of the distribution
/// protocol. `range` is any header that names a range.
pub fn reads_target(target: &str, range: &str) -> bool {
    registry::reads_target(target, range)
}

/// Reads a manifest as the registry does: whether it is one.
pub fn reads_manifest(media_type: Option<&str>, bytes: &[u8]) -> bool {
    ecr::reads_manifest(media_type, bytes)
}

/// An emulator whose root user calls without a signature, and is logged in to
/// the registry.
#[derive(Debug)]
pub struct Callee {
    /// `None` only while it is opened anew.
    opened: Option<Opened>,
    runtime: Runtime,
    data: PathBuf,
    calls: usize,
}

#[derive(Debug)]
struct Opened {
    emulator: Emulator,
    root: Caller,
    /// The value of `Authorization`.
    login: String,
}

impl Callee {
    /// Calls until the records are forgotten, so that lists stay short.
    const CALLS: usize = 1_000;

    /// Opens an emulator in `data`, which is its own.
    ///
    /// # Panics
    ///
    /// Where the directory cannot be used.
    pub fn open(data: &Path) -> Self {
        let data = data.join("emulator");
        let runtime = Builder::new_current_thread().enable_all().build();
        Self {
            opened: Some(Opened::open(&data)),
            runtime: runtime.expect("there are threads"),
            data,
            calls: 0,
        }
    }

    /// Answers a form as a call of STS or IAM: its status.
    pub fn answers_form(&mut self, text: &[u8]) -> u16 {
        let opened = self.opened();
        let (state, note) = (opened.emulator.state(), Note::new(Origin::default()));
        let status = query_protocol::answers(state, &opened.root, text, &note);
        opened.keep(&note);
        status
    }

    /// Answers JSON as a call of ECR or CloudTrail, whose target is as in
    /// `X-Amz-Target`: its status.
    pub fn answers_json(&mut self, target: &str, body: &[u8]) -> u16 {
        let opened = self.opened();
        let (state, note) = (opened.emulator.state(), Note::new(Origin::default()));
        let status = json_protocol::answers(state, &opened.root, (target, body), &note);
        opened.keep(&note);
        status
    }

    /// Answers a request to the registry, or for a layer: its status.
    pub fn answers_request(&mut self, mut request: Request<Vec<u8>>) -> u16 {
        self.renew();
        let opened = self.opened.get_or_insert_with(|| Opened::open(&self.data));
        let (state, note) = (opened.emulator.state(), Note::new(Origin::default()));
        let login = HeaderValue::try_from(&opened.login).expect("base64 is a header's value");
        let headers = request.headers_mut();
        headers.entry(header::AUTHORIZATION).or_insert(login);
        let is_layer = request.uri().path().starts_with("/layers/");
        let (state, request) = (Arc::clone(state), request.map(Body::from));
        let answering = async {
            let response = if is_layer {
                registry::download(state, request, note.clone()).await
            } else {
                registry::handle(state, request, note.clone()).await
            };
            let status = response.status().as_u16();
            // A body may break off, and says so.
            let _ = to_bytes(response.into_body(), usize::MAX).await;
            status
        };
        let status = self.runtime.block_on(answering);
        opened.keep(&note);
        status
    }

    fn opened(&mut self) -> &Opened {
        self.renew();
        self.opened.get_or_insert_with(|| Opened::open(&self.data))
    }

    fn renew(&mut self) {
        self.calls += 1;
        if self.calls.is_multiple_of(Self::CALLS) {
            // The old one lets go of the directory first.
            self.opened = None;
            fs_err::remove_dir_all(&self.data).expect("the directory is ours");
        }
    }
}

impl Opened {
    fn open(data: &Path) -> Self {
        let settings = Settings {
            data: data.to_owned(),
            account: ACCOUNT.to_owned(),
            region: "eu-west-1".to_owned(),
            accounts: Vec::new(),
            resources: Some(resources()),
            controls: Controls::Off,
            transport: Transport::Plain,
            registry: RegistryBehaviour::Ecr,
        };
        let emulator = Emulator::open(settings, "http://127.0.0.1:4566");
        let emulator = emulator.expect("the directory can be used");
        let keys = emulator.administrator().expect("every account has a root");
        let (id, state) = (&keys.access_key_id, emulator.state());
        let key = state.store.read(|reader| reader.get(&ACCESS_KEYS, id));
        let key = key.ok().flatten().expect("the keys of the root are kept");
        let root = key.caller(id, "eu-west-1");
        let registry = ecr::Registry::new(ACCOUNT, "eu-west-1");
        let (password, _) = login::issue(state, &root, &registry).expect("there is room");
        Self {
            login: format!("Basic {password}"),
            emulator,
            root,
        }
    }

    /// Every call is in the trail.
    fn keep(&self, note: &Note) {
        let state = self.emulator.state();
        let kept = state.trail.append(note, state.clock.now());
        kept.expect("the trail can be written");
    }
}

/// A repository `app`, GitHub as provider, and a role `r` that it may assume.
fn resources() -> AwsResources {
    let issuer = "token.actions.githubusercontent.com";
    let provider = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}");
    let trust_policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Federated":"{provider}"}},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{{"StringEquals":{{"{issuer}:sub":"repo:a/b:ref:refs/heads/main"}}}}}}]}}"#
    );
    AwsResources {
        account: ACCOUNT.to_owned(),
        oidc_providers: vec![OidcProvider {
            arn: provider,
            url: issuer.to_owned(),
            client_ids: vec!["sts.amazonaws.com".to_owned()],
            ..OidcProvider::default()
        }],
        roles: vec![Role {
            name: "r".to_owned(),
            path: "/".to_owned(),
            arn: format!("arn:aws:iam::{ACCOUNT}:role/r"),
            trust_policy,
            max_session_duration: 3_600,
            ..Role::default()
        }],
        repositories: vec![EcrRepository {
            name: "app".to_owned(),
            mutability: "MUTABLE".to_owned(),
            encryption_type: "AES256".to_owned(),
            ..EcrRepository::default()
        }],
        ..AwsResources::default()
    }
}
