//! An emulator with two accounts on a free port, and calls to it.

use std::path::Path;

use emulator::{Controls, Emulator, RegistryBehaviour, Settings, Transport};
use jiff::Timestamp;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::answer::Answer;
use crate::signer::{Keys, Scope, Signed};

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const SECOND_ACCOUNT: &str = "222222222222";
pub(crate) const REGION: &str = "eu-central-1";

/// A served emulator.
pub(crate) struct Served {
    pub(crate) base: String,
    pub(crate) client: reqwest::Client,
    /// The root keys of [`ACCOUNT`].
    pub(crate) root: Keys,
    /// The root keys of [`SECOND_ACCOUNT`].
    pub(crate) second_root: Keys,
}

impl Served {
    /// Serves the directory `data`.
    pub(crate) async fn start(data: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let settings = Settings {
            data: data.join("state"),
            account: ACCOUNT.to_owned(),
            region: REGION.to_owned(),
            accounts: vec![SECOND_ACCOUNT.to_owned()],
            resources: None,
            controls: Controls::On { secret: None },
            transport: Transport::Plain,
            registry: RegistryBehaviour::Ecr,
        };
        let emulator = Emulator::open(settings, &base).unwrap();
        let keys = |account: &str| {
            let mut administrators = emulator.administrators().iter();
            let (_, keys) = administrators.find(|(id, _)| id == account).unwrap();
            Keys {
                id: keys.access_key_id.clone(),
                secret: keys.secret_access_key.clone(),
                session_token: None,
            }
        };
        let (root, second_root) = (keys(ACCOUNT), keys(SECOND_ACCOUNT));
        tokio::spawn(emulator.serve(listener, std::future::pending()));
        Self {
            base,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            root,
            second_root,
        }
    }

    /// The emulator's time.
    pub(crate) async fn now(&self) -> Timestamp {
        let url = format!("{}/_longshore/health", self.base);
        let health = self.client.get(url).send().await.unwrap();
        let health: Value = health.json().await.unwrap();
        health["time"].as_str().unwrap().parse().unwrap()
    }

    /// Moves the emulator's clock.
    pub(crate) async fn advance(&self, seconds: i64) {
        let url = format!("{}/_longshore/clock", self.base);
        let body = json!({ "advance_seconds": seconds });
        let answer = self.client.post(url).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }

    /// A signature of this moment.
    pub(crate) async fn scope<'a>(&self, service: &'a str) -> Scope<'a> {
        Scope {
            service,
            region: "us-east-1",
            time: self.now().await,
        }
    }

    /// A signed call of STS that is not sent yet.
    pub(crate) async fn prepare(&self, keys: &Keys, action: &str) -> Signed {
        let body = form("sts", action, &[]);
        Signed::form(&self.base, body, keys, self.scope("sts").await)
    }

    /// Sends a request: a form, or the address alone where it has no body.
    pub(crate) async fn send(&self, request: Signed) -> Answer {
        let mut sent = if request.body.is_empty() {
            self.client.get(request.url)
        } else {
            self.client.post(request.url).body(request.body)
        };
        for (name, value) in request.headers {
            sent = sent.header(name, value);
        }
        let answer = sent.send().await.unwrap();
        Answer {
            status: answer.status().as_u16(),
            xml: answer.text().await.unwrap(),
        }
    }
}

impl Served {
    /// A signed call of `sts` or `iam`.
    pub(crate) async fn call(
        &self,
        keys: &Keys,
        service: &str,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Answer {
        let body = form(service, action, parameters);
        let scope = self.scope(service).await;
        self.send(Signed::form(&self.base, body, keys, scope)).await
    }

    /// A call of IAM by the root user of [`ACCOUNT`] that succeeds.
    pub(crate) async fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> Answer {
        self.call(&self.root, "iam", action, parameters)
            .await
            .good()
    }

    /// Makes a role with a trust policy of one statement, and returns its ARN.
    pub(crate) async fn role(&self, name: &str, statement: Value) -> String {
        let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        let parameters = [("RoleName", name), ("AssumeRolePolicyDocument", &policy)];
        self.iam("CreateRole", &parameters).await.text("Arn")
    }

    /// Puts an inline policy of one statement that allows.
    pub(crate) async fn allow(&self, role: &str, action: &str, resource: &str) {
        let statement = json!({ "Effect": "Allow", "Action": action, "Resource": resource });
        let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        self.iam(
            "PutRolePolicy",
            &[
                ("RoleName", role),
                ("PolicyName", &action.replace([':', '*'], "-")),
                ("PolicyDocument", &policy),
            ],
        )
        .await;
    }

    /// Registers an issuer in [`ACCOUNT`], for one audience.
    pub(crate) async fn provider(&self, url: &str, audience: &str) {
        let parameters = [("Url", url), ("ClientIDList.member.1", audience)];
        self.iam("CreateOpenIDConnectProvider", &parameters).await;
    }

    /// A control: its answer, which is one of success.
    pub(crate) async fn control(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/_longshore/{path}", self.base);
        let answer = self.client.post(url).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.unwrap()
    }

    /// A token of GitHub's issuer with these claims.
    pub(crate) async fn token(&self, claims: Value) -> String {
        let minted = self.control("tokens", json!({ "claims": claims })).await;
        minted["value"].as_str().unwrap().to_owned()
    }

    /// `AssumeRoleWithWebIdentity`, which is not signed.
    pub(crate) async fn exchange(
        &self,
        role: &str,
        token: &str,
        further: &[(&str, &str)],
    ) -> Answer {
        let mut parameters = vec![
            ("RoleArn", role),
            ("RoleSessionName", "GitHubActions"),
            ("WebIdentityToken", token),
        ];
        parameters.extend_from_slice(further);
        let body = form("sts", "AssumeRoleWithWebIdentity", &parameters);
        let headers = vec![(
            "content-type".to_owned(),
            "application/x-www-form-urlencoded".to_owned(),
        )];
        self.send(Signed {
            url: self.base.clone(),
            headers,
            body,
        })
        .await
    }

    /// `AssumeRole` under the session name `work`.
    pub(crate) async fn assume(&self, keys: &Keys, role: &str, further: &[(&str, &str)]) -> Answer {
        let mut parameters = vec![("RoleArn", role), ("RoleSessionName", "work")];
        parameters.extend_from_slice(further);
        self.call(keys, "sts", "AssumeRole", &parameters).await
    }
}

/// The form of a call.
pub(crate) fn form(service: &str, action: &str, parameters: &[(&str, &str)]) -> String {
    let version = match service {
        "iam" => "2010-05-08",
        _ => "2011-06-15",
    };
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", action);
    form.append_pair("Version", version);
    form.extend_pairs(parameters);
    form.finish()
}
