//! Where a login to the registry of a base may come from.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use aws::{AwsError, Client};
use jiff::Timestamp;
use registry::Credentials;
use url::Url;

use super::session::credentials as shown;
use super::{Destination, IdentityPlan, PublishFailure, RegistryAddress};

/// What stands in the name of an ECR registry between account and region (AWS, "Amazon
/// ECR private registry").
const ECR: &str = ".dkr.ecr.";

/// Files that may keep a login, whoever publishes, and whom AWS's tools would find on this
/// machine.
#[derive(Debug, Clone, Default)]
pub struct Logins {
    /// The files, in their order.
    pub files: Vec<PathBuf>,
    /// Whoever publishes to ECR, for a registry of which no file knows; known once the
    /// publish begins.
    publisher: OnceLock<Publisher>,
    /// Who reads ECR where nobody publishes to it.
    chain: Option<Chain>,
}

/// An identity in AWS that publishes.
#[derive(Clone)]
struct Publisher {
    destination: Destination,
    client: Arc<Client>,
}

/// AWS's chain of credentials.
#[derive(Debug, Clone)]
struct Chain {
    settings: Result<aws::Settings, aws::SettingsError>,
    clock: fn() -> Timestamp,
}

impl Logins {
    /// Those that files keep.
    pub fn of(files: Vec<PathBuf>) -> Self {
        Self {
            files,
            ..Self::default()
        }
    }

    /// Has a registry of ECR of which no file knows read with the credentials that
    /// `settings` lead to; `clock` dates requests.
    #[must_use]
    pub fn with_chain(
        mut self,
        settings: Result<aws::Settings, aws::SettingsError>,
        clock: fn() -> Timestamp,
    ) -> Self {
        self.chain = Some(Chain { settings, clock });
        self
    }

    /// Has a registry of ECR of which no file knows read as whoever publishes.
    pub(super) fn are_those_of(&self, destination: &Destination, client: &Arc<Client>) {
        self.publisher.get_or_init(|| Publisher {
            destination: destination.clone(),
            client: Arc::clone(client),
        });
    }

    /// The login to the registry of `address`, if there is one.
    pub(crate) async fn login(
        &self,
        address: &RegistryAddress,
    ) -> Result<Option<Credentials>, PublishFailure> {
        let kept = address.login(&self.files).await?.credentials;
        match (self.publisher.get(), &self.chain) {
            _ if kept.is_some() => Ok(kept),
            (Some(publisher), _) if publisher.is_in_aws() => publisher.login(address).await,
            (_, Some(chain)) => chain.login(address).await,
            _ => Ok(None),
        }
    }
}

impl Chain {
    /// What ECR gives the holder of the machine's credentials; nothing where there are
    /// none, for a registry may let everybody read.
    async fn login(
        &self,
        address: &RegistryAddress,
    ) -> Result<Option<Credentials>, PublishFailure> {
        let unusable = |error: &aws::SettingsError| AwsError::Setting {
            what: "environment",
            reason: error.to_string(),
        };
        let step = "asking ECR for a login to the base's registry";
        let failed = |source| PublishFailure::Aws { step, source };
        let settings = match (region(&address.endpoint), &self.settings) {
            (Some(place), Ok(settings)) => {
                let region = place.split('.').next().unwrap_or(place);
                settings.clone().in_region(region)
            }
            (Some(_), Err(error)) => Err(error.clone()),
            // On this machine there may be a registry that stands in for ECR.
            (None, Ok(settings))
                if address.endpoint.scheme() == "http" && settings.has_other_ecr() =>
            {
                Ok(settings.clone())
            }
            _ => return Ok(None),
        };
        let settings = settings.map_err(|error| failed(unusable(&error)))?;
        let client = Client::new(settings, self.clock).map_err(failed)?;
        let credentials = match client.credentials().await {
            Err(AwsError::NoCredentials { .. }) => return Ok(None),
            found => found.map_err(failed)?.0,
        };
        let authorization = client.registry_authorization(&credentials).await;
        let authorization = authorization.map_err(failed)?;
        let alike = are_alike(&authorization.endpoint, &address.endpoint);
        Ok(alike.then(|| shown(&authorization)))
    }
}

impl Publisher {
    fn is_in_aws(&self) -> bool {
        !matches!(self.destination.identity, IdentityPlan::Login { .. })
    }

    /// What ECR gave whoever publishes, where `address` is in ECR too: a registry of any
    /// account in the same region, for a token is for all registries that its owner may
    /// read (AWS, `GetAuthorizationToken`).
    async fn login(
        &self,
        address: &RegistryAddress,
    ) -> Result<Option<Credentials>, PublishFailure> {
        // On this machine there may be a registry that stands in for ECR.
        let near = address.endpoint.scheme() == "http";
        if !(near || region(&address.endpoint).is_some()) {
            return Ok(None);
        }
        let (endpoint, shown) = self.destination.shown(&self.client).await?;
        Ok(shown.filter(|_| are_alike(&endpoint, &address.endpoint)))
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.destination.identity.fmt(formatter)
    }
}

/// Whether a token of one registry is one of the other.
fn are_alike(one: &Url, other: &Url) -> bool {
    let same_region = region(one).is_some() && region(one) == region(other);
    one.origin() == other.origin() || same_region
}

/// Whether the reference of an image names a registry of ECR.
pub(crate) fn in_ecr(reference: &str) -> bool {
    let host = reference.split('/').next().unwrap_or(reference);
    host.contains(ECR)
}

/// The region and domain of an ECR registry.
fn region(endpoint: &Url) -> Option<&str> {
    let (account, region) = endpoint.host_str()?.split_once(ECR)?;
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let is_aws = region.ends_with(".amazonaws.com") || region.ends_with(".amazonaws.com.cn");
    (is_account && is_aws && endpoint.scheme() == "https").then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_to_the_registries_of_one_region_and_nowhere_else() {
        let own = "https://111111111111.dkr.ecr.eu-west-1.amazonaws.com/";
        for (other, alike) in [
            (own, true),
            (
                "https://222222222222.dkr.ecr.eu-west-1.amazonaws.com/",
                true,
            ),
            (
                "https://222222222222.dkr.ecr.us-east-1.amazonaws.com/",
                false,
            ),
            (
                "https://222222222222.dkr.ecr.eu-west-1.amazonaws.com.evil.example/",
                false,
            ),
            (
                "http://222222222222.dkr.ecr.eu-west-1.amazonaws.com/",
                false,
            ),
            ("https://x.dkr.ecr.eu-west-1.amazonaws.com/", false),
            ("https://r.example/", false),
        ] {
            let (own, other) = (own.parse().unwrap(), other.parse().unwrap());
            assert_eq!(are_alike(&own, &other), alike, "{other}");
        }
    }
}
