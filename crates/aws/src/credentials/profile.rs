//! Profiles in `~/.aws/config` and `~/.aws/credentials` (AWS CLI user guide,
//! "Configuration and credential file settings").

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use super::{process, read_text};
use crate::settings::{DEFAULT_SESSION_NAME, ProfileSource, WebIdentitySource};
use crate::{AwsError, Client, Credentials};

/// The settings of one profile.
pub(crate) type Profile = BTreeMap<String, String>;

impl Client {
    /// The profile's credentials; `None` where it has none, or is the default one
    /// and does not exist.
    pub(super) async fn profile_credentials(
        &self,
        source: &ProfileSource,
    ) -> Result<Option<Credentials>, AwsError> {
        let wrong = |reason: &str| AwsError::Profile {
            profile: source.name.clone(),
            reason: reason.to_owned(),
        };
        let Some(mut profile) = read(source).await? else {
            return if source.chosen {
                Err(wrong(
                    "it is in neither the config nor the credentials file",
                ))
            } else {
                Ok(None)
            };
        };
        if let Some(role_arn) = profile.remove("role_arn") {
            let Some(token_file) = profile.remove("web_identity_token_file") else {
                return Err(wrong(ROLE_FROM_KEYS));
            };
            let source = WebIdentitySource {
                token_file: token_file.into(),
                role_arn,
                session_name: profile
                    .remove("role_session_name")
                    .unwrap_or_else(|| DEFAULT_SESSION_NAME.to_owned()),
            };
            return self.exchange_token_file(&source).await.map(Some);
        }
        let keys = (
            profile.remove("aws_access_key_id"),
            profile.remove("aws_secret_access_key"),
        );
        match keys {
            (Some(id), Some(secret)) => {
                let token = profile.remove("aws_session_token");
                return Ok(Some(Credentials::new(id, secret, token)));
            }
            (None, None) => {}
            _ => return Err(wrong("it has one half of a key pair only")),
        }
        if let Some(command) = profile.remove("credential_process") {
            return process::run(&command)
                .await
                .map(Some)
                .map_err(|reason| wrong(&reason));
        }
        let signs_in = ["sso_session", "sso_start_url", "login_session"];
        if signs_in.iter().any(|key| profile.contains_key(*key)) {
            return Err(wrong(SIGN_IN));
        }
        Ok(None)
    }
}

const ROLE_FROM_KEYS: &str = "`role_arn` with `source_profile` or `credential_source` is not \
    supported here; let the AWS CLI do it: add a profile with `credential_process = aws configure \
    export-credentials --profile <this one>`";
const SIGN_IN: &str = "signing in through a browser is not supported here; let the AWS CLI do it: \
    add a profile with `credential_process = aws configure export-credentials --profile <this one>`";

/// Reads the profile from both files; the credentials file outranks the other.
pub(crate) async fn read(source: &ProfileSource) -> Result<Option<Profile>, AwsError> {
    let mut found: Option<Profile> = None;
    let files = [
        (source.config_file.as_deref(), Kind::Config),
        (source.credentials_file.as_deref(), Kind::Credentials),
    ];
    for (path, kind) in files {
        let Some(text) = read_if_there(path).await? else {
            continue;
        };
        if let Some(values) = parse(&text, kind, &source.name) {
            found.get_or_insert_default().extend(values);
        }
    }
    Ok(found)
}

async fn read_if_there(path: Option<&Path>) -> Result<Option<String>, AwsError> {
    let Some(path) = path else {
        return Ok(None);
    };
    match read_text(path).await {
        Ok(text) => Ok(Some(text)),
        Err(AwsError::File { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Sections are `[default]` and `[profile NAME]`.
    Config,
    /// Sections are `[NAME]`.
    Credentials,
}

/// The settings of the profile `name`, or `None` where no section is of it.
/// Lines that mean nothing are skipped: the files belong to other tools too.
fn parse(text: &str, kind: Kind, name: &str) -> Option<Profile> {
    let mut found: Option<Profile> = None;
    let mut inside = false;
    for line in text.lines() {
        // Indented lines are the values of a nested setting, such as `s3 =`.
        if line.starts_with([' ', '\t', '#', ';']) {
            continue;
        }
        if let Some(section) = line.strip_prefix('[') {
            let title = section.split(']').next().unwrap_or_default();
            inside = profile_of(title, kind) == Some(name);
            if inside {
                found.get_or_insert_default();
            }
        } else if inside
            && let Some((key, value)) = line.split_once('=')
            && let Some(profile) = &mut found
        {
            let value = without_comment(value).trim();
            profile.insert(key.trim().to_ascii_lowercase(), value.to_owned());
        }
    }
    found
}

fn profile_of(title: &str, kind: Kind) -> Option<&str> {
    let title = title.trim();
    if kind == Kind::Credentials || title == "default" {
        return Some(title);
    }
    let name = title.strip_prefix("profile")?;
    name.starts_with([' ', '\t'])
        .then(|| name.trim().trim_matches(['"', '\'']))
}

/// A comment within a line starts at a `#` or `;` after white space.
fn without_comment(value: &str) -> &str {
    let comment = value
        .match_indices(['#', ';'])
        .find(|(at, _)| value[..*at].ends_with([' ', '\t']));
    comment.map_or(value, |(at, _)| &value[..at])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CONFIG: &str = "\
# a comment
[default]
region = eu-west-1 # ours
s3 =
  region = nested
[profile \"my work\"]
Region=us-east-1
[profiled]
region = nobody
[my work]
region = not a profile of a config file
";

    #[test]
    fn sections_keys_comments_and_nesting_are_told_apart() {
        let region = |name| parse(CONFIG, Kind::Config, name).and_then(|mut p| p.remove("region"));
        assert_eq!(region("default").as_deref(), Some("eu-west-1"));
        assert_eq!(region("my work").as_deref(), Some("us-east-1"));
        assert_eq!(region("d"), None);
        let credentials = parse("[a]\naws_access_key_id = A#B\n", Kind::Credentials, "a").unwrap();
        assert_eq!(credentials["aws_access_key_id"], "A#B");
    }

    proptest! {
        #[test]
        fn any_file_is_read_without_panic(text: String, name: String) {
            let _ = parse(&text, Kind::Config, &name);
            let _ = parse(&text, Kind::Credentials, &name);
            let _ = parse(&format!("[{name}]\n{text}"), Kind::Credentials, name.trim());
        }
    }
}
