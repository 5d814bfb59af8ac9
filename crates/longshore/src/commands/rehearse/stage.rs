//! The emulator of a rehearsal, and how callers reach it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use ::emulator::{Controls, RegistryBehaviour, Transport};
use github::{Run, SubjectForm};
use pipeline::Cloud;
use receipts::{Problem, ProblemCode};
use serde::Deserialize;
use serde_json::{Value, json};
use terraform::AwsResources;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::commands::emulator::Stage;
use crate::environment::Environment;

/// A running emulator.
pub(super) struct Rehearsal {
    /// Where it listens.
    pub(super) url: String,
    http: reqwest::Client,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
    /// Removed with everything in it, unless the user asked to keep it.
    _temporary: Option<tempfile::TempDir>,
}

/// What GitHub puts into the environment of a job with an identity.
#[derive(Debug, Deserialize)]
struct TokenRequest {
    request_url: Option<String>,
    request_token: Option<String>,
}

impl Rehearsal {
    pub(super) async fn open(
        data: Option<&Path>,
        cloud: &Cloud,
        resources: AwsResources,
    ) -> Result<Self, Problem> {
        let temporary = match data {
            Some(_) => None,
            None => Some(tempfile::tempdir().map_err(|error| failed(&error))?),
        };
        let data = match (data, &temporary) {
            (Some(data), _) => data.to_owned(),
            (None, Some(temporary)) => temporary.path().join("emulator"),
            (None, None) => {
                return Err(failed(&std::io::Error::other("no directory for its data")));
            }
        };
        let stage = Stage {
            data,
            account: cloud.account.clone(),
            region: cloud.region.clone(),
            accounts: Vec::new(),
            resources: Some(resources),
            controls: Controls::On { secret: None },
            transport: Transport::Plain,
            registry: RegistryBehaviour::Ecr,
        };
        let free_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (listener, emulator, url) = stage.open(free_port).await?;
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(emulator.serve(listener, async {
            let _ = stopped.await;
        }));
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .map_err(|error| failed(&error))?;
        Ok(Self {
            url,
            http,
            stop,
            served,
            _temporary: temporary,
        })
    }

    /// Stops the emulator and waits until its state is on disk.
    pub(super) async fn close(self) -> Result<(), Problem> {
        let _ = self.stop.send(());
        self.served.await.map_err(|error| failed(&error))
    }

    /// The environment of a job of `run`: AWS is here, and GitHub's tokens too.
    pub(super) async fn environment(
        &self,
        run: &Run,
        form: SubjectForm,
    ) -> Result<Environment, Problem> {
        let request = json!({ "run": run, "form": form });
        let answer = self
            .http
            .post(format!("{}/_longshore/runs", self.url))
            .json(&request)
            .send();
        let answer = answer.await.and_then(reqwest::Response::error_for_status);
        let token: TokenRequest = answer
            .map_err(|error| failed(&error))?
            .json()
            .await
            .map_err(|error| failed(&error))?;
        let mut variables = vec![("AWS_ENDPOINT_URL".to_owned(), self.url.clone())];
        if let (Some(url), Some(token)) = (token.request_url, token.request_token) {
            variables.push(("ACTIONS_ID_TOKEN_REQUEST_URL".to_owned(), url));
            variables.push(("ACTIONS_ID_TOKEN_REQUEST_TOKEN".to_owned(), token));
        }
        Ok(variables.into_iter().collect())
    }

    /// Why the emulator decided as it did, from its trail.
    pub(super) async fn reason(&self, request_id: &str) -> Option<String> {
        let url = format!("{}/_longshore/trail", self.url);
        let answer = self
            .http
            .get(url)
            .query(&[("request_id", request_id)])
            .send()
            .await
            .ok()?;
        let records: Vec<Value> = answer.json().await.ok()?;
        let reason = records.first()?["longshore"]["reason"].as_str()?;
        Some(reason.to_owned())
    }
}

fn failed(error: &dyn std::error::Error) -> Problem {
    Problem::new(
        ProblemCode::EmulatorFailed,
        "the rehearsal stopped: the emulator failed",
    )
    .caused_by(error)
}
