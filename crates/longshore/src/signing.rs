//! The key that signs: named by `longshore.toml` as `cosign` names keys, and read
//! from where that says.

use std::sync::Arc;

use attest::{KeyError, SigningKey};
use pipeline::{Signer, Sigstore};
use receipts::{Problem, ProblemCode};
use reqwest::Url;

use crate::project::Project;
use crate::settings::Settings;

/// What stands in the place of a key where there is none.
const KEYLESS: &str = "keyless";
/// The variable from which `cosign` takes a key's password.
const PASSWORD: &str = "COSIGN_PASSWORD";

/// Whoever signs with `publish.signing-key`, where there is one. Read before anything
/// is built or pushed: a key that cannot sign is found out first.
pub(crate) fn signer(project: &Project, settings: &Settings) -> Result<Option<Signer>, Problem> {
    let Some(place) = &project.configuration.publish.signing_key else {
        return Ok(None);
    };
    if place == KEYLESS {
        let publish = &project.configuration.publish;
        return Ok(Some(Signer::Run(Sigstore {
            fulcio: address("publish.fulcio", &publish.fulcio)?,
            rekor: address("publish.rekor", &publish.rekor)?,
        })));
    }
    // Between the slashes would be an endpoint.
    if let Some(key) = place.strip_prefix("awskms:///") {
        return Ok(Some(Signer::Kms(key.to_owned())));
    }
    let text = text(place, project, settings)?;
    let password = settings.environment.get(PASSWORD);
    let key = SigningKey::from_pem(&text, password.unwrap_or_default());
    key.map(|key| Some(Signer::Key(Arc::new(key))))
        .map_err(|error| {
            let hint = match (&error, password) {
                (KeyError::Password, None) => "set `COSIGN_PASSWORD` to the password of the key",
                (KeyError::Password, Some(_)) => {
                    "compare `COSIGN_PASSWORD` with the password that the key was made with"
                }
                _ => "make one: `cosign generate-key-pair`",
            };
            unusable().fact("key", place).caused_by(&error).hint(hint)
        })
}

fn address(key: &str, text: &str) -> Result<Url, Problem> {
    let what = format!("nothing was pushed: `{key}` is no address");
    Url::parse(text).map_err(|error| {
        let problem = Problem::new(ProblemCode::BadConfiguration, what);
        problem.fact("address", text).caused_by(&error)
    })
}

/// The key's text. How a variable is named is `cosign`'s way.
fn text(place: &str, project: &Project, settings: &Settings) -> Result<String, Problem> {
    match place.split_once("://") {
        // Whoever pastes the key itself must not see it in a log.
        _ if place.contains("-----BEGIN") => Err(unusable()
            .hint("replace that key, and let `publish.signing-key` name a file, `env://NAME` or `awskms:///KEY`: it holds a key itself")),
        Some(("env", name)) => settings.environment.get(name).map(str::to_owned).ok_or_else(|| {
            let hint = format!("set `{name}`, or leave out `publish.signing-key`");
            unusable().fact("key", place).hint(hint)
        }),
        Some(_) => Err(unusable()
            .fact("key", place)
            .hint("let `publish.signing-key` name a file, `env://NAME` or `awskms:///KEY`")),
        None => fs_err::read_to_string(project.at(place.as_ref()))
            .map_err(|error| unusable().fact("key", place).caused_by(&error)),
    }
}

fn unusable() -> Problem {
    let what = "nothing was pushed: the key that is to sign cannot be used";
    Problem::new(ProblemCode::BadSigningKey, what)
}
