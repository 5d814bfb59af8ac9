//! The controls of a running emulator, asked over HTTP.

use std::io;

use ::emulator::SnapshotName;
use receipts::{Problem, ProblemCode};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{SECRET_VARIABLE, STANDARD_ADDRESS};
use crate::settings::Settings;

/// Where clients of an emulator find it.
const ADDRESS_VARIABLE: &str = "AWS_ENDPOINT_URL";

/// An emulator that runs, with its controls on.
pub(super) struct Controls<'a> {
    address: String,
    secret: Option<&'a str>,
    client: Client,
    /// What did not happen when it does not do what it is asked: `nothing was
    /// reported`.
    outcome: &'static str,
}

impl<'a> Controls<'a> {
    /// Of the emulator at `url`; otherwise at the address that the environment
    /// names, otherwise at the standard one.
    pub(super) fn of(
        url: Option<&str>,
        settings: &'a Settings,
        outcome: &'static str,
    ) -> Result<Self, Problem> {
        let named = url.or_else(|| settings.environment.get(ADDRESS_VARIABLE));
        let address = named.map_or_else(|| format!("http://{STANDARD_ADDRESS}"), str::to_owned);
        match Client::builder().no_proxy().build() {
            Ok(client) => Ok(Self {
                address,
                secret: settings.environment.get(SECRET_VARIABLE),
                client,
                outcome,
            }),
            Err(error) => Err(silent(&address, outcome, &error)),
        }
    }

    /// A request of one control, by its path below `/_longshore/`.
    pub(super) fn request(&self, method: Method, control: &str) -> RequestBuilder {
        let address = self.address.trim_end_matches('/');
        let url = format!("{address}/_longshore/{control}");
        let request = self.client.request(method, url);
        match self.secret {
            Some(secret) => request.bearer_auth(secret),
            None => request,
        }
    }

    /// A snapshot's name where it stands in a path, in which another text would
    /// name another control.
    pub(super) fn snapshot_name(&self, name: &str) -> Result<SnapshotName, Problem> {
        let name = SnapshotName::try_from(name.to_owned());
        name.map_err(|error| self.refused(&error))
    }

    /// What the control answers; no body counts as `null`.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<T, Problem> {
        let failed = |error: &dyn std::error::Error| silent(&self.address, self.outcome, error);
        let answer = request.send().await.map_err(|error| failed(&error))?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|error| failed(&error))?;
        if status.is_success() {
            let body = if body.is_empty() { &b"null"[..] } else { &body };
            return serde_json::from_slice(body).map_err(|error| failed(&error));
        }
        let said: Value = serde_json::from_slice(&body).unwrap_or_default();
        let message = said["message"].as_str().unwrap_or("it does not say why");
        let is_about_a_snapshot = match status {
            StatusCode::CONFLICT | StatusCode::BAD_REQUEST => true,
            // An emulator without controls says 404 too.
            StatusCode::NOT_FOUND => message.starts_with("there is no snapshot"),
            _ => false,
        };
        let cause = io::Error::other(format!("{status}: {message}"));
        if !is_about_a_snapshot {
            return Err(failed(&cause));
        }
        Err(self.refused(&cause))
    }

    fn refused(&self, cause: &dyn std::error::Error) -> Problem {
        let summary = format!("{}: the emulator refused", self.outcome);
        Problem::new(ProblemCode::SnapshotUnusable, summary)
            .caused_by(cause)
            .fact("address", &self.address)
            .hint("`longshore emulator snapshots` lists those that there are")
    }
}

fn silent(address: &str, outcome: &str, error: &dyn std::error::Error) -> Problem {
    let summary = format!("{outcome}: the emulator cannot be asked");
    Problem::new(ProblemCode::EmulatorSilent, summary)
        .caused_by(error)
        .fact("address", address)
        .hint("it must run with `--controls`, where its address says")
}
