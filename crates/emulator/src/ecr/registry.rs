//! Which registry: one account in one region.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::settings::Settings;

/// An ECR private registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Registry {
    /// The account, twelve digits: the registry's id.
    pub(crate) account: String,
    /// The region, such as `eu-central-1`.
    pub(crate) region: String,
}

impl Registry {
    /// The registry of an account in a region.
    pub(crate) fn new(account: impl Into<String>, region: impl Into<String>) -> Self {
        Self {
            account: account.into(),
            region: region.into(),
        }
    }

    /// The registry that the emulator's own address stands for.
    pub(crate) fn default_of(settings: &Settings) -> Self {
        Self::new(&settings.account, &settings.region)
    }

    /// The registry that a host names, with or without a port:
    /// `ACCOUNT.dkr.ecr.REGION.amazonaws.com`, also of the FIPS and dual-stack
    /// endpoints, under whatever domain the emulator is reached by (Amazon ECR
    /// User Guide, "Amazon ECR endpoints"). `None` for every other host.
    pub(crate) fn of_host(host: &str) -> Option<Self> {
        let (account, rest) = host.split_once('.')?;
        let rest = ["dkr.ecr.", "dkr.ecr-fips.", "dkr-ecr.", "dkr-ecr-fips."]
            .iter()
            .find_map(|service| rest.strip_prefix(service))?;
        let (region, _domain) = rest.split_once('.')?;
        (is_account(account) && is_region(region)).then(|| Self::new(account, region))
    }

    /// `HOST:PORT`, where clients reach this registry: the emulator's own
    /// address for the default one, a name below `localhost` for the others.
    pub(crate) fn host(&self, settings: &Settings, base_url: &str) -> String {
        let own = base_url.split_once("://").map_or(base_url, |(_, own)| own);
        if *self == Self::default_of(settings) {
            return own.to_owned();
        }
        let Self { account, region } = self;
        let name = format!("{account}.dkr.ecr.{region}.localhost");
        match own.rsplit_once(':') {
            Some((_, port)) => format!("{name}:{port}"),
            None => name,
        }
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.account, self.region)
    }
}

/// Whether `text` is an account's id: twelve digits.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether `text` has the form of a region, such as `us-gov-west-1`. Which
/// regions there are is not known here: all of them are at this address.
pub(crate) fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [partition, middle @ .., number] = parts.as_slice() else {
        return false;
    };
    let letters = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let digits = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    text.len() <= 32
        && (2..=4).contains(&partition.len())
        && letters(partition)
        && (1..=2).contains(&middle.len())
        && middle.iter().all(letters)
        && digits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::settings::RegistryBehaviour;

    fn settings() -> Settings {
        Settings {
            data: std::path::PathBuf::new(),
            account: "111111111111".to_owned(),
            region: "eu-central-1".to_owned(),
            accounts: Vec::new(),
            resources: None,
            controls: crate::settings::Controls::Off,
            transport: crate::settings::Transport::Plain,
            registry: RegistryBehaviour::Ecr,
        }
    }

    #[test]
    fn a_host_of_ecr_names_its_registry_under_any_domain() {
        let registry = Registry::new("222222222222", "us-gov-west-1");
        for host in [
            "222222222222.dkr.ecr.us-gov-west-1.amazonaws.com",
            "222222222222.dkr.ecr.us-gov-west-1.localhost:4566",
            "222222222222.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
            "222222222222.dkr-ecr.us-gov-west-1.on.aws",
        ] {
            assert_eq!(Registry::of_host(host).as_ref(), Some(&registry), "{host}");
        }
        for host in [
            "localhost:4566",
            "127.0.0.1",
            "22222.dkr.ecr.us-east-1.localhost",
            "222222222222.dkr.ecr.nowhere.localhost",
            "222222222222.dkr.ecr.us-east-1",
            "222222222222.ecr.us-east-1.localhost",
            "",
        ] {
            assert_eq!(Registry::of_host(host), None, "{host}");
        }
    }

    #[test]
    fn a_region_is_letters_between_dashes_and_a_number() {
        for region in [
            "us-east-1",
            "eu-isoe-west-1",
            "us-iso-east-1",
            "ap-southeast-10",
        ] {
            assert!(is_region(region), "{region}");
        }
        for other in [
            "",
            "us",
            "us-east",
            "us-east-",
            "US-EAST-1",
            "us-east-1a",
            "us/east-1",
            "us--1",
        ] {
            assert!(!is_region(other), "{other}");
        }
    }

    #[test]
    fn the_default_registry_is_at_the_own_address_and_others_have_a_name() {
        let settings = settings();
        let host = |registry: Registry| registry.host(&settings, "http://127.0.0.1:4566");
        assert_eq!(host(Registry::default_of(&settings)), "127.0.0.1:4566");
        for (account, region) in [
            ("222222222222", "eu-central-1"),
            ("111111111111", "us-east-1"),
        ] {
            let name = host(Registry::new(account, region));
            assert_eq!(name, format!("{account}.dkr.ecr.{region}.localhost:4566"));
            assert_eq!(
                Registry::of_host(&name),
                Some(Registry::new(account, region))
            );
        }
    }

    proptest! {
        #[test]
        fn no_host_makes_the_reader_panic(host in any::<String>()) {
            let _ = Registry::of_host(&host);
        }
    }
}
