//! What the environment says about AWS, read once by the caller and kept here.

use std::path::PathBuf;

use url::Url;

use crate::{Credentials, Secret};

/// How the caller lets this crate see the environment: a variable's name to its
/// value. An empty value counts as absent, as in AWS's own tools.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Why the environment cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Not a URL that can be called.
    #[error("`{variable}` is not a usable URL: {reason}")]
    Url {
        /// The variable.
        variable: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Not the name of a region.
    #[error("`{0}` is not an AWS region: lower-case letters, digits and `-` only")]
    Region(String),
    /// Half a pair of variables.
    #[error("`{present}` is set, but `{missing}` is not")]
    Incomplete {
        /// The variable that is there.
        present: &'static str,
        /// The one that must come with it.
        missing: &'static str,
    },
}

/// Where AWS is and who we may be there.
///
/// `endpoint_url` in profiles is not read; the variables are.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(crate) region: Option<String>,
    pub(crate) sts_endpoint: Option<Url>,
    pub(crate) ecr_endpoint: Option<Url>,
    pub(crate) iam_endpoint: Option<Url>,
    pub(crate) kms_endpoint: Option<Url>,
    pub(crate) github: GithubTokenService,
    pub(crate) static_keys: Option<Credentials>,
    pub(crate) web_identity: Option<WebIdentitySource>,
    pub(crate) profile: ProfileSource,
    pub(crate) container: Option<ContainerSource>,
    /// The instance metadata service; `None` where it is switched off.
    pub(crate) instance_metadata: Option<Url>,
}

/// Where a job asks for its identity token.
#[derive(Debug, Clone)]
pub(crate) struct GithubTokenService {
    pub(crate) url: Option<Url>,
    pub(crate) token: Option<Secret>,
}

/// A token on disk that STS exchanges for a role.
#[derive(Debug, Clone)]
pub(crate) struct WebIdentitySource {
    pub(crate) token_file: PathBuf,
    pub(crate) role_arn: String,
    pub(crate) session_name: String,
}

/// Which profile to read, and where.
#[derive(Debug, Clone)]
pub(crate) struct ProfileSource {
    pub(crate) name: String,
    /// Asked for by name: then it must exist.
    pub(crate) chosen: bool,
    pub(crate) config_file: Option<PathBuf>,
    pub(crate) credentials_file: Option<PathBuf>,
}

/// The credential service of a container.
#[derive(Debug, Clone)]
pub(crate) struct ContainerSource {
    pub(crate) url: Url,
    pub(crate) authorization: Option<Secret>,
    pub(crate) authorization_file: Option<PathBuf>,
}

/// Used when a web identity names no session.
pub(crate) const DEFAULT_SESSION_NAME: &str = "longshore";

impl Settings {
    /// Reads the standard variables of AWS's tools and of GitHub Actions.
    pub fn from_environment(lookup: Lookup<'_>) -> Result<Self, SettingsError> {
        let environment = Environment(lookup);
        let region = environment
            .text("AWS_REGION")
            .or_else(|| environment.text("AWS_DEFAULT_REGION"));
        let everywhere = environment.endpoint("AWS_ENDPOINT_URL")?;
        let or_everywhere = |own: Option<Url>| own.or_else(|| everywhere.clone());
        Ok(Self {
            region: region.map(checked_region).transpose()?,
            sts_endpoint: or_everywhere(environment.endpoint("AWS_ENDPOINT_URL_STS")?),
            ecr_endpoint: or_everywhere(environment.endpoint("AWS_ENDPOINT_URL_ECR")?),
            iam_endpoint: or_everywhere(environment.endpoint("AWS_ENDPOINT_URL_IAM")?),
            kms_endpoint: or_everywhere(environment.endpoint("AWS_ENDPOINT_URL_KMS")?),
            github: GithubTokenService {
                url: environment.url("ACTIONS_ID_TOKEN_REQUEST_URL")?,
                token: environment.secret("ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
            },
            static_keys: environment.static_keys()?,
            web_identity: environment.web_identity()?,
            profile: environment.profile(),
            container: environment.container()?,
            instance_metadata: environment.instance_metadata()?,
        })
    }

    /// Sets the region, where the environment leaves it open.
    ///
    /// The environment outranks other configuration: what it says is kept.
    pub fn with_region(mut self, region: &str) -> Result<Self, SettingsError> {
        if self.region.is_none() {
            self.region = Some(checked_region(region.to_owned())?);
        }
        Ok(self)
    }

    /// Sets the region, whatever the environment says: for a service whose address names it.
    pub fn in_region(mut self, region: &str) -> Result<Self, SettingsError> {
        self.region = Some(checked_region(region.to_owned())?);
        Ok(self)
    }

    /// Whether something else stands in for ECR, which a variable names.
    pub fn has_other_ecr(&self) -> bool {
        self.ecr_endpoint.is_some()
    }
}

/// A region becomes part of a host name, so nothing else may pass.
pub(crate) fn checked_region(region: String) -> Result<String, SettingsError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=63).contains(&region.len()) && region.bytes().all(allowed) {
        Ok(region)
    } else {
        Err(SettingsError::Region(region.chars().take(100).collect()))
    }
}

struct Environment<'a>(Lookup<'a>);

impl Environment<'_> {
    fn text(&self, variable: &str) -> Option<String> {
        (self.0)(variable).filter(|value| !value.is_empty())
    }

    fn secret(&self, variable: &str) -> Option<Secret> {
        self.text(variable).map(Secret::new)
    }

    fn path(&self, variable: &str) -> Option<PathBuf> {
        self.text(variable).map(PathBuf::from)
    }

    fn is_true(&self, variable: &str) -> bool {
        self.text(variable)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    fn url(&self, variable: &'static str) -> Result<Option<Url>, SettingsError> {
        let Some(text) = self.text(variable) else {
            return Ok(None);
        };
        let wrong = |reason: String| SettingsError::Url { variable, reason };
        let url = Url::parse(&text).map_err(|error| wrong(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong(
                "it must start with `https://` or `http://`".to_owned(),
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it must not contain a user or a password".to_owned()));
        }
        Ok(Some(url))
    }

    fn endpoint(&self, variable: &'static str) -> Result<Option<Url>, SettingsError> {
        if self.is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
            return Ok(None);
        }
        self.url(variable)
    }

    fn static_keys(&self) -> Result<Option<Credentials>, SettingsError> {
        let (id, secret) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
        match (self.text(id), self.text(secret)) {
            (Some(key), Some(value)) => Ok(Some(Credentials::new(
                key,
                value,
                self.text("AWS_SESSION_TOKEN"),
            ))),
            (None, None) => Ok(None),
            (Some(_), None) => Err(incomplete(id, secret)),
            (None, Some(_)) => Err(incomplete(secret, id)),
        }
    }

    /// A role without a token file is no source: other tools use it differently.
    fn web_identity(&self) -> Result<Option<WebIdentitySource>, SettingsError> {
        let (file, role) = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN");
        let Some(token_file) = self.path(file) else {
            return Ok(None);
        };
        Ok(Some(WebIdentitySource {
            token_file,
            role_arn: self.text(role).ok_or_else(|| incomplete(file, role))?,
            session_name: self
                .text("AWS_ROLE_SESSION_NAME")
                .unwrap_or_else(|| DEFAULT_SESSION_NAME.to_owned()),
        }))
    }

    fn profile(&self) -> ProfileSource {
        let chosen = self.text("AWS_PROFILE");
        let at_home = |name: &str| Some(self.path("HOME")?.join(".aws").join(name));
        ProfileSource {
            chosen: chosen.is_some(),
            name: chosen.unwrap_or_else(|| "default".to_owned()),
            config_file: self.path("AWS_CONFIG_FILE").or_else(|| at_home("config")),
            credentials_file: self
                .path("AWS_SHARED_CREDENTIALS_FILE")
                .or_else(|| at_home("credentials")),
        }
    }

    /// The relative form outranks the full one, as in AWS's SDKs.
    fn container(&self) -> Result<Option<ContainerSource>, SettingsError> {
        let relative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
        let url = match self.text(relative) {
            Some(path) => {
                let host = "http://169.254.170.2";
                let parsed = Url::parse(&format!("{host}{path}"));
                let wrong = |reason| SettingsError::Url {
                    variable: relative,
                    reason,
                };
                if !path.starts_with('/') {
                    return Err(wrong("it must start with `/`".to_owned()));
                }
                Some(parsed.map_err(|error| wrong(error.to_string()))?)
            }
            None => self.url("AWS_CONTAINER_CREDENTIALS_FULL_URI")?,
        };
        Ok(url.map(|url| ContainerSource {
            url,
            authorization: self.secret("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
            authorization_file: self.path("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
        }))
    }

    fn instance_metadata(&self) -> Result<Option<Url>, SettingsError> {
        if self.is_true("AWS_EC2_METADATA_DISABLED") {
            return Ok(None);
        }
        let configured = self.url("AWS_EC2_METADATA_SERVICE_ENDPOINT")?;
        Ok(configured.or_else(|| Url::parse("http://169.254.169.254").ok()))
    }
}

fn incomplete(present: &'static str, missing: &'static str) -> SettingsError {
    SettingsError::Incomplete { present, missing }
}

#[cfg(test)]
mod tests {
    use crate::testing::settings;

    #[test]
    fn a_service_endpoint_outranks_the_common_one_and_both_can_be_ignored() {
        let variables = [
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:2"),
        ];
        let read = settings(&variables).unwrap();
        assert_eq!(read.sts_endpoint.unwrap().port(), Some(2));
        assert_eq!(read.ecr_endpoint.unwrap().port(), Some(1));
        let ignored = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "True");
        let read = settings(&[variables[0], variables[1], ignored]).unwrap();
        assert!(read.sts_endpoint.is_none() && read.ecr_endpoint.is_none());
    }

    #[test]
    fn the_environments_region_outranks_other_configuration() {
        let read = settings(&[("AWS_DEFAULT_REGION", "eu-west-1"), ("AWS_REGION", "")]).unwrap();
        let read = read.with_region("us-east-1").unwrap();
        assert_eq!(read.region.as_deref(), Some("eu-west-1"));
        let read = settings(&[]).unwrap().with_region("us-east-1").unwrap();
        assert_eq!(read.region.as_deref(), Some("us-east-1"));
    }

    #[test]
    fn wrong_variables_are_named() {
        let cases = [
            (
                "AWS_REGION",
                "evil.example/#",
                "`evil.example/#` is not an AWS region",
            ),
            (
                "AWS_ENDPOINT_URL",
                "localhost",
                "`AWS_ENDPOINT_URL` is not a usable URL",
            ),
            (
                "AWS_ENDPOINT_URL_ECR",
                "ftp://a",
                "must start with `https://`",
            ),
            (
                "AWS_ENDPOINT_URL_STS",
                "https://a:b@c",
                "must not contain a user",
            ),
            (
                "AWS_ACCESS_KEY_ID",
                "AKIA",
                "but `AWS_SECRET_ACCESS_KEY` is not",
            ),
            (
                "AWS_SECRET_ACCESS_KEY",
                "s",
                "but `AWS_ACCESS_KEY_ID` is not",
            ),
            (
                "AWS_WEB_IDENTITY_TOKEN_FILE",
                "/t",
                "but `AWS_ROLE_ARN` is not",
            ),
            (
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                "@evil.example/",
                "must start with `/`",
            ),
        ];
        for (variable, value, expected) in cases {
            let error = settings(&[(variable, value)]).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let read = settings(&[
            ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
            ("AWS_SESSION_TOKEN", "hunter2"),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "hunter2"),
            ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2"),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "hunter2"),
        ]);
        assert!(!format!("{read:?}").contains("hunter2"));
    }
}
