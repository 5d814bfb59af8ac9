//! The key that signs: named by `longshore.toml`, read from where it says.

use std::sync::Arc;

use attest::{KeyError, SigningKey};
use receipts::{Problem, ProblemCode};

use crate::project::Project;
use crate::settings::Settings;

/// The variable from which `cosign` takes a key's password.
const PASSWORD: &str = "COSIGN_PASSWORD";

/// The key of `publish.signing-key`, where there is one. Read before anything is
/// built or pushed: a key that cannot sign is found out first.
pub(crate) fn key(
    project: &Project,
    settings: &Settings,
) -> Result<Option<Arc<SigningKey>>, Problem> {
    let Some(place) = &project.configuration.publish.signing_key else {
        return Ok(None);
    };
    let text = text(place, project, settings)?;
    let password = settings.environment.get(PASSWORD);
    let key = SigningKey::from_pem(&text, password.unwrap_or_default());
    key.map(|key| Some(Arc::new(key))).map_err(|error| {
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

/// The key's text. How a variable is named is `cosign`'s way.
fn text(place: &str, project: &Project, settings: &Settings) -> Result<String, Problem> {
    match place.split_once("://") {
        // Whoever pastes the key itself must not see it in a log.
        _ if place.contains("-----BEGIN") => Err(unusable()
            .hint("replace that key, and let `publish.signing-key` name a file or `env://NAME`: it holds a key itself")),
        Some(("env", name)) => settings.environment.get(name).map(str::to_owned).ok_or_else(|| {
            let hint = format!("set `{name}`, or leave out `publish.signing-key`");
            unusable().fact("key", place).hint(hint)
        }),
        Some(_) => Err(unusable()
            .fact("key", place)
            .hint("let `publish.signing-key` name a file or `env://NAME`")),
        None => fs_err::read_to_string(project.at(place.as_ref()))
            .map_err(|error| unusable().fact("key", place).caused_by(&error)),
    }
}

fn unusable() -> Problem {
    let what = "nothing was pushed: the key that is to sign cannot be used";
    Problem::new(ProblemCode::BadSigningKey, what)
}
