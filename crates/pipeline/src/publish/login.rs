//! A registry that is not ECR, and a login to it from where `docker login` or `podman
//! login` keeps it: a file itself, or a credential helper that it names ([Docker's
//! reference], [containers-auth.json(5)]). Of several files the first counts that knows
//! of the registry.
//!
//! [Docker's reference]: https://docs.docker.com/reference/cli/docker/login/
//! [containers-auth.json(5)]: https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oci::{NameError, RepositoryName};
use receipts::Identity;
use registry::{Credentials, Password};
use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use url::Url;

use super::PublishFailure;

/// Docker Hub, as people name it.
const HUB: &str = "docker.io";
/// Where Docker Hub's registry answers.
const HUB_REGISTRY: &str = "registry-1.docker.io";
/// The name under which logins to Docker Hub are kept.
const HUB_LOGIN: &str = "https://index.docker.io/v1/";
/// Long enough for a person to open a key ring.
const PATIENCE: Duration = Duration::from_mins(2);
const LONGEST_COMPLAINT: usize = 300;

/// A repository of a registry that is not looked up in AWS: `HOST[:PORT]/REPOSITORY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryAddress {
    /// Host and port, as they stand in image references.
    pub host: String,
    /// Where the registry answers.
    pub endpoint: Url,
    /// The repository.
    pub repository: RepositoryName,
}

/// Why a text names no repository of a registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No host, or something else in its place.
    #[error(
        "it must be HOST[:PORT]/REPOSITORY, such as `registry.example.com/team/app` or `docker.io/team/app`"
    )]
    Host,
    /// A URL.
    #[error(
        "leave `{0}://` out: a registry is asked by https, one of this machine (`localhost`, a loopback address) by http"
    )]
    Scheme(String),
    /// A name and a password, which everybody could read on the command line.
    #[error("it must not hold a login: `docker login HOST` keeps one")]
    Login,
    /// The rest is no repository's name.
    #[error("{0}; tags come from `[publish]` of longshore.toml")]
    Repository(#[from] NameError),
}

impl FromStr for RegistryAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.contains('@') {
            return Err(AddressError::Login);
        }
        if let Some((scheme, _)) = text.split_once("://") {
            return Err(AddressError::Scheme(scheme.to_owned()));
        }
        let (host, repository) = text.split_once('/').ok_or(AddressError::Host)?;
        // As for Docker, a name without these is a part of the repository's.
        if !host.contains(['.', ':']) && host != "localhost" {
            return Err(AddressError::Host);
        }
        let answers = if host == HUB { HUB_REGISTRY } else { host };
        Ok(Self {
            host: host.to_owned(),
            endpoint: registry::endpoint(answers).ok_or(AddressError::Host)?,
            repository: repository.parse()?,
        })
    }
}

/// Why a login that may be there cannot be used. Never shows what is kept.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The file.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    /// The file is not what Docker writes.
    #[error("{file} is no configuration of Docker: line {line}, column {column}")]
    Malformed {
        /// The file.
        file: PathBuf,
        /// Where.
        line: usize,
        /// Where.
        column: usize,
    },
    /// `auth` is not the base64 of a username and a password.
    #[error("`auths` of {0} holds no username and password for it")]
    NoPair(PathBuf),
    /// A helper.
    #[error("{helper} {what}")]
    Helper {
        /// The program.
        helper: String,
        /// What it did.
        what: String,
    },
}

/// A login as it was found; nobody's, where there is none.
pub(crate) struct Kept {
    pub(crate) identity: Identity,
    pub(crate) credentials: Option<Credentials>,
}

/// `config.json`, as far as it is about logins.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DockerConfiguration {
    auths: BTreeMap<String, Auth>,
    /// Helpers by registry.
    cred_helpers: BTreeMap<String, String>,
    /// The helper of all other registries.
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth: Option<String>,
    identitytoken: Option<String>,
}

/// What a helper prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HelperAnswer {
    username: String,
    secret: String,
}

impl RegistryAddress {
    /// The login to this registry that one of `files` keeps or names a helper for.
    pub(crate) async fn login(&self, files: &[PathBuf]) -> Result<Kept, PublishFailure> {
        let found = self.find(files).await;
        let (source, credentials) = found.map_err(|source| PublishFailure::NoLogin {
            host: self.host.clone(),
            source,
        })?;
        let principal = match &credentials {
            None => "anonymous",
            // Whose it is only the registry knows.
            Some(found) if found.is_identity_token() => "identity token",
            Some(found) => &found.username,
        };
        Ok(Kept {
            identity: Identity {
                principal: principal.to_owned(),
                account: None,
                source,
                subject: None,
            },
            credentials,
        })
    }

    /// The name under which Docker keeps the login.
    fn key(&self) -> &str {
        if self.host == HUB {
            HUB_LOGIN
        } else {
            &self.host
        }
    }

    /// The entry for this repository: of those for parts of the registry the one that says
    /// most of its name, as containers-auth.json(5) wants it.
    fn nearest<'a, T>(&self, entries: &'a BTreeMap<String, T>) -> Option<(&'a str, &'a T)> {
        let named = entries.iter().filter_map(|(name, entry)| {
            let rank = (self.named_by(name)?, name == self.key());
            Some((rank, (name.as_str(), entry)))
        });
        named.max_by_key(|(rank, _)| *rank).map(|(_, found)| found)
    }

    /// How much of the repository's name an entry called `name` says, in bytes; nothing
    /// where it is for another one. Older versions of Docker kept addresses of the API.
    fn named_by(&self, name: &str) -> Option<usize> {
        let (host, path) = host_and_path(name);
        if host != self.host && host != host_and_path(self.key()).0 {
            return None;
        }
        if matches!(path, "" | "v1" | "v2") {
            return Some(0);
        }
        let rest = self.repository.as_str().strip_prefix(path)?;
        (rest.is_empty() || rest.starts_with('/')).then_some(path.len())
    }

    async fn find(&self, files: &[PathBuf]) -> Result<(String, Option<Credentials>), LoginError> {
        for file in files {
            if let Some(found) = self.find_in(file).await? {
                return Ok(found);
            }
        }
        Ok(("no login".to_owned(), None))
    }

    /// What one file says about this registry, if it says something.
    async fn find_in(
        &self,
        file: &Path,
    ) -> Result<Option<(String, Option<Credentials>)>, LoginError> {
        let Some(configuration) = read(file)? else {
            return Ok(None);
        };
        let own = self.nearest(&configuration.cred_helpers);
        let all = configuration.creds_store.as_ref();
        if let Some((name, helper)) = own.or(all.map(|helper| (self.key(), helper))) {
            let helper = format!("docker-credential-{helper}");
            let kept = ask(&helper, name).await?;
            if own.is_some() || kept.is_some() {
                return Ok(Some((helper, kept)));
            }
        }
        let Some((_, kept)) = self.nearest(&configuration.auths) else {
            return Ok(None);
        };
        let source = file.display().to_string();
        let token = kept.identitytoken.as_ref().filter(|text| !text.is_empty());
        if let Some(token) = token {
            let token = Credentials::of_identity_token(token.clone());
            return Ok(Some((source, Some(token))));
        }
        // An empty entry says that a helper has the login.
        let Some(pair) = kept.auth.as_ref().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let pair = credentials_of(pair).ok_or_else(|| LoginError::NoPair(file.to_owned()))?;
        Ok(Some((source, Some(pair))))
    }
}

impl fmt::Display for RegistryAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.host, self.repository)
    }
}

fn read(file: &Path) -> Result<Option<DockerConfiguration>, LoginError> {
    let text = match fs_err::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    // The parser's own message could quote a password.
    let parsed = serde_json::from_slice(&text).map_err(|error| LoginError::Malformed {
        file: file.to_owned(),
        line: error.line(),
        column: error.column(),
    });
    parsed.map(Some)
}

fn host_and_path(name: &str) -> (&str, &str) {
    let name = name.strip_prefix("https://").unwrap_or(name);
    let name = name.strip_prefix("http://").unwrap_or(name);
    let (host, path) = name.split_once('/').unwrap_or((name, ""));
    (host, path.trim_end_matches('/'))
}

/// The username and password that the base64 text of an `auth` says.
fn credentials_of(auth: &str) -> Option<Credentials> {
    let pair = String::from_utf8(STANDARD.decode(auth.trim()).ok()?).ok()?;
    let (username, password) = pair.split_once(':')?;
    Some(Credentials {
        username: username.to_owned(),
        password: Password::new(password.trim_end_matches('\0')),
    })
}

/// Asks a credential helper; `None` where it has no login ([its protocol]).
///
/// [its protocol]: https://github.com/docker/docker-credential-helpers
async fn ask(helper: &str, key: &str) -> Result<Option<Credentials>, LoginError> {
    let failed = |what: String| LoginError::Helper {
        helper: helper.to_owned(),
        what,
    };
    let running = tokio::time::timeout(PATIENCE, run(helper, key));
    let output = running
        .await
        .map_err(|_| failed("did not end within two minutes".to_owned()))?
        .map_err(|error| failed(format!("cannot be run: {error}")))?;
    if !output.status.success() {
        // By its protocol a helper says on stdout why it failed.
        let said = String::from_utf8_lossy(&output.stdout);
        if said.contains("credentials not found") {
            return Ok(None);
        }
        let said: String = said.trim().chars().take(LONGEST_COMPLAINT).collect();
        return Err(failed(format!("failed ({}): {said}", output.status)));
    }
    let answer: HelperAnswer = serde_json::from_slice(&output.stdout)
        .map_err(|_| failed("printed no login".to_owned()))?;
    Ok(Some(Credentials {
        username: answer.username,
        password: Password::new(answer.secret),
    }))
}

async fn run(helper: &str, key: &str) -> io::Result<Output> {
    let mut child = Command::new(helper)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that does not read has its answer all the same.
        let _ = stdin.write_all(key.as_bytes()).await;
    }
    child.wait_with_output().await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> RegistryAddress {
        text.parse().unwrap()
    }

    async fn found(text: &str, configuration: &str) -> Result<Kept, PublishFailure> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config.json");
        fs_err::write(&file, configuration).unwrap();
        address(text).login(&[file]).await
    }

    async fn who(text: &str, configuration: &str) -> String {
        found(text, configuration).await.unwrap().identity.principal
    }

    #[test]
    fn an_address_has_a_host_and_a_repository_and_no_tag() {
        let local = address("localhost:5000/team/app");
        assert_eq!(local.endpoint.as_str(), "http://localhost:5000/");
        assert_eq!(local.repository.as_str(), "team/app");
        let hub = address("docker.io/team/app");
        assert_eq!(hub.endpoint.as_str(), "https://registry-1.docker.io/");
        assert_eq!(hub.to_string(), "docker.io/team/app");
        for wrong in [
            "app",
            "team/app",
            "/app",
            "https://r.example/app",
            "ada:secret@r.example/app",
            "r.example/",
            "r.example/app:tag",
            "r.example/App",
        ] {
            let error = wrong.parse::<RegistryAddress>().unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_login_is_found_under_its_host_or_an_older_address() {
        let auth = STANDARD.encode("ada:hunter2:x");
        for (image, key) in [
            ("r.example/app", "r.example"),
            ("r.example:5000/app", "r.example:5000"),
            ("r.example/app", "https://r.example/v1/"),
            ("docker.io/team/app", "https://index.docker.io/v1/"),
        ] {
            let text = format!(r#"{{"auths":{{"{key}":{{"auth":"{auth}"}}}}}}"#);
            let kept = found(image, &text).await.unwrap();
            assert_eq!(kept.identity.principal, "ada", "{key}");
            assert!(!format!("{:?}", kept.credentials).contains("hunter2"));
        }
        let text = format!(r#"{{"auths":{{"r.example:5000":{{"auth":"{auth}"}}}}}}"#);
        assert_eq!(who("r.example/app", &text).await, "anonymous");
        assert_eq!(who("other.example/app", &text).await, "anonymous");
        assert_eq!(who("r.example/app", "{}").await, "anonymous");
        let address = address("r.example/app");
        assert!(address.login(&[]).await.unwrap().credentials.is_none());
        let missing = address.login(&["/missing/config.json".into()]).await;
        assert!(missing.unwrap().credentials.is_none());
    }

    #[tokio::test]
    async fn of_the_logins_to_one_registry_the_nearest_to_the_repository_counts() {
        let auth = |name: &str| STANDARD.encode(format!("{name}:hunter2"));
        let text = format!(
            r#"{{"auths":{{"r.example/team":{{"auth":"{}"}},"r.example/team-b":{{"auth":"{}"}},
               "r.example/team/app":{{"auth":"{}"}},"docker.io/team":{{"auth":"{}"}}}}}}"#,
            auth("team"),
            auth("other"),
            auth("app"),
            auth("hub"),
        );
        for (image, expected) in [
            ("r.example/team/app", "app"),
            ("r.example/team/app/part", "app"),
            ("r.example/team/apple", "team"),
            ("r.example/team-b/app", "other"),
            ("r.example/app", "anonymous"),
            ("docker.io/team/app", "hub"),
            ("docker.io/others/app", "anonymous"),
        ] {
            assert_eq!(who(image, &text).await, expected, "{image}");
        }
    }

    #[tokio::test]
    async fn the_first_file_that_knows_of_the_registry_counts() {
        let directory = tempfile::tempdir().unwrap();
        let files = ["auth.json", "config.json"].map(|name| directory.path().join(name));
        let entry = |host: &str, user: &str| {
            let auth = STANDARD.encode(format!("{user}:hunter2"));
            format!(r#""{host}":{{"auth":"{auth}"}}"#)
        };
        let (podman, docker) = (entry("r.example", "ada"), entry("other.example", "grace"));
        fs_err::write(&files[0], format!(r#"{{"auths":{{{podman}}}}}"#)).unwrap();
        let both = format!("{},{docker}", entry("r.example", "eve"));
        fs_err::write(&files[1], format!(r#"{{"auths":{{{both}}}}}"#)).unwrap();
        for (image, user) in [("r.example/app", "ada"), ("other.example/app", "grace")] {
            let kept = address(image).login(&files).await.unwrap();
            assert_eq!(kept.identity.principal, user);
        }
    }

    #[tokio::test]
    async fn an_identity_token_is_a_login_of_whoever_it_names() {
        let auth = STANDARD.encode("00000000-0000-0000-0000-000000000000:");
        let text =
            format!(r#"{{"auths":{{"r.example":{{"auth":"{auth}","identitytoken":"hunter2"}}}}}}"#);
        let kept = found("r.example/app", &text).await.unwrap();
        assert_eq!(kept.identity.principal, "identity token");
        assert!(kept.credentials.unwrap().is_identity_token());
    }

    #[tokio::test]
    async fn what_cannot_be_used_is_an_error_that_shows_nothing_of_it() {
        for text in [
            r#"{"auths":{"r.example":{"auth":"hunter2"}}}"#,
            r#"{"auths":{"r.example":"hunter2"}}"#,
            r#"{"auths":{"r.example":{"auth":"aHVudGVyMg=="}}}"#,
            r#"{"credHelpers":{"r.example":"of-nobody-hunter"}}"#,
        ] {
            let failure = found("r.example/app", text).await.err().unwrap();
            let problem = failure.problem();
            let said = format!("{problem:?} {failure:?}");
            assert!(
                !said.contains("hunter2") && !said.contains("aHVu"),
                "{said}"
            );
            assert!(said.contains("docker login r.example"), "{said}");
        }
    }
}
