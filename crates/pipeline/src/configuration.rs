//! `longshore.toml`.
//!
//! Unknown keys are errors: a misspelt key that is silently ignored is worse
//! than one that stops the command.

use std::path::PathBuf;

use oci::RepositoryName;
use serde::Deserialize;

mod assets;
mod audit;
mod check;
mod dockerfile;
mod image;

pub use self::image::{ImageTable, ImprintLevel, LinkingTable};
pub use assets::AssetTable;
pub use audit::{AdvisoryLevel, AuditTable, IgnoreTable};
pub use check::{CheckTable, SuppressTable};
pub use dockerfile::DockerfileTable;

/// The file's name; it stands at the root of the repository.
pub const FILE_NAME: &str = "longshore.toml";

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// What is built: one image, or each `[[image]]` in its order. Empty only where
    /// nothing is built, for a check.
    #[serde(rename = "image", default, deserialize_with = "image::one_or_several")]
    pub images: Vec<ImageTable>,
    /// Under which tags it is published.
    #[serde(default)]
    pub publish: PublishTable,
    /// What known flaws of packages mean for it.
    #[serde(default)]
    pub audit: AuditTable,
    /// Where AWS's side is described, or what it is.
    #[serde(default)]
    pub aws: AwsTable,
    /// The GitHub repository and workflow.
    pub github: Option<GithubTable>,
    /// What `longshore check` leaves out or accepts.
    #[serde(default)]
    pub check: CheckTable,
}

/// `[publish]`: under which tags the image is published.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PublishTable {
    /// The tag that is set once and never moved; it may hold placeholders.
    pub immutable_tag: String,
    /// The tags that follow every publish, set last and in this order.
    pub moving_tags: Vec<String>,
    /// Whether anything is pushed beside the image: bills of materials, provenance,
    /// signature, and the document of its inputs.
    pub attest: bool,
    /// The key that signs: a file, relative to `longshore.toml`, `env://NAME`,
    /// `awskms:///KEY`, or `keyless`.
    pub signing_key: Option<String>,
    /// Who certifies keys of the run, where there is no other.
    pub fulcio: String,
    /// The public log of signatures with such keys.
    pub rekor: String,
}

impl Default for PublishTable {
    fn default() -> Self {
        Self {
            immutable_tag: "{commit}".to_owned(),
            moving_tags: vec!["latest".to_owned()],
            attest: true,
            signing_key: None,
            fulcio: "https://fulcio.sigstore.dev".to_owned(),
            rekor: "https://rekor.sigstore.dev".to_owned(),
        }
    }
}

/// `[aws]`: where AWS's side is described. Whatever is not said here is read
/// from the Terraform root.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwsTable {
    /// The Terraform root, relative to `longshore.toml`.
    pub terraform: Option<PathBuf>,
    /// The account, 12 digits.
    pub account: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The name or ARN of the role that publishes.
    pub role: Option<String>,
    /// The ECR repository.
    pub repository: Option<RepositoryName>,
}

/// `[github]`: the repository whose runs publish.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GithubTable {
    /// `owner/name`.
    pub repository: String,
    /// The owner's id, as `gh api repos/OWNER/NAME --jq .owner.id` prints it.
    pub owner_id: u64,
    /// The repository's id, as `gh api repos/OWNER/NAME --jq .id` prints it.
    pub repository_id: u64,
    /// The workflow that publishes, relative to `longshore.toml`.
    #[serde(default = "default_workflow")]
    pub workflow: PathBuf,
}

fn default_workflow() -> PathBuf {
    PathBuf::from(".github/workflows/publish.yml")
}

/// Why `longshore.toml` is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// Not TOML, an unknown key, a missing one, or a value of the wrong type.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// A value that TOML cannot judge.
    #[error("`{key}` {reason}")]
    Value {
        /// The key.
        key: &'static str,
        /// What is wrong with its value.
        reason: String,
    },
}

impl Configuration {
    /// Parses and checks the text of a `longshore.toml`.
    pub fn parse(text: &str) -> Result<Self, ConfigurationError> {
        let configuration = Self::parse_for_check(text)?;
        if configuration.images.is_empty() {
            wrong("image", "is missing: nothing says what the image holds")?;
        }
        Ok(configuration)
    }

    /// The same where nothing is built: there need not be an image.
    pub fn parse_for_check(text: &str) -> Result<Self, ConfigurationError> {
        let configuration: Self = toml::from_str(text)?;
        image::check(&configuration.images)?;
        configuration.check()?;
        Ok(configuration)
    }

    /// Whether there are several images, each of which goes by its own name.
    pub fn has_several(&self) -> bool {
        self.images.len() > 1
    }

    /// The images with the names `wanted`, in the order of the file; all, where no
    /// name is given.
    pub fn selected(&self, wanted: &[String]) -> Result<Vec<&ImageTable>, ConfigurationError> {
        let names = || self.images.iter().map(ImageTable::name);
        if let Some(unknown) = wanted
            .iter()
            .find(|wanted| !names().any(|name| name == *wanted))
        {
            let known = names().collect::<Vec<_>>().join(", ");
            let reason = format!("names no `{unknown}`; there is {known}");
            return Err(ConfigurationError::Value {
                key: "image.name",
                reason,
            });
        }
        let images = self.images.iter();
        let chosen = |image: &&ImageTable| {
            wanted.is_empty() || wanted.iter().any(|wanted| wanted == image.name())
        };
        Ok(images.filter(chosen).collect())
    }
}

fn wrong(key: &'static str, reason: &str) -> Result<(), ConfigurationError> {
    Err(ConfigurationError::Value {
        key,
        reason: reason.to_owned(),
    })
}

impl Configuration {
    fn check(&self) -> Result<(), ConfigurationError> {
        if let Some(account) = &self.aws.account
            && !(account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()))
        {
            return wrong("aws.account", "must be the 12 digits of an AWS account");
        }
        if !self.publish.immutable_tag.contains("commit}") {
            return wrong(
                "publish.immutable-tag",
                "must hold `{commit}` or `{short-commit}`: an immutable tag names one commit",
            );
        }
        if self.publish.signing_key.is_some() && !self.publish.attest {
            return wrong(
                "publish.attest",
                "is `false`, and `publish.signing-key` has nothing to sign: leave one of them out",
            );
        }
        self.audit.check()?;
        self.check.check()?;
        match &self.github {
            Some(github)
                if github
                    .repository
                    .split('/')
                    .filter(|part| !part.is_empty())
                    .count()
                    != 2 =>
            {
                wrong("github.repository", "must be `owner/name`")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALLEST: &str = "[image]\npackage = \"api\"\n";

    #[test]
    fn the_smallest_file_names_a_package() {
        let configuration = Configuration::parse(SMALLEST).unwrap();
        assert_eq!(configuration.images[0].target, "x86_64-unknown-linux-gnu");
        assert_eq!(configuration.publish.moving_tags, ["latest"]);
        assert_eq!(configuration.images[0].name(), "api");
    }

    #[test]
    fn a_check_needs_no_image_and_reads_one_that_is_there() {
        let alone = Configuration::parse_for_check("[aws]\naccount = \"123456789012\"\n").unwrap();
        assert_eq!(alone.images, []);
        let one = Configuration::parse_for_check(SMALLEST).unwrap();
        assert_eq!(one.images.len(), 1);
        for wrong in ["[image]\n", "[imge]\n", "[aws]\naccount = \"12\"\n"] {
            assert!(Configuration::parse_for_check(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn mistakes_are_refused_by_name() {
        for (text, word) in [
            ("", "image"),
            ("[image]\npackage = \"api\"\nprot = 1\n", "prot"),
            ("[image]\npackage = 3\n", "package"),
            (
                "[image]\npackage = \"api\"\n[aws]\naccount = \"12\"\n",
                "aws.account",
            ),
            (
                "[image]\npackage = \"api\"\nwritable = [\"data\"]\n",
                "image.writable",
            ),
            (
                "[image]\npackage = \"api\"\n[[image.assets]]\nfrom = \"../a\"\nto = \"/a\"\n",
                "image.assets.from",
            ),
            (
                "[image]\npackage = \"api\"\n[[image.assets]]\nfrom = \"a\"\nto = \"a\"\n",
                "image.assets.to",
            ),
            (
                "[image]\npackage = \"api\"\n[[image.assets]]\nfrom = \"a\"\nto = \"/a\"\nmode = \"9\"\n",
                "0644",
            ),
            (
                "[image]\npackage = \"api\"\n[[image.assets]]\nfrom = \"a\"\nto = \"/a\"\nexclude = [\"a[\"]\n",
                "image.assets.exclude",
            ),
            ("[image]\npackage = \"api\"\nbase = \"debian:12\"\n", "HOST"),
            ("[image]\npackage = \"api\"\ncompression = \"xz\"\n", "xz"),
            (
                "[image]\npackage = \"api\"\nruntimes = [\"docker\"]\n",
                "docker-20.10",
            ),
            (
                "[image]\npackage = \"api\"\nhealth = \"/x\"\n",
                "image.ports",
            ),
            (
                "[image]\npackage = \"api\"\n[publish]\nimmutable-tag = \"v1\"\n",
                "commit",
            ),
            (
                "[image]\npackage = \"api\"\n[publish]\nattest = false\nsigning-key = \"k\"\n",
                "publish.attest",
            ),
            (
                "[image]\npackage = \"api\"\n[aws]\nrepository = \"A\"\n",
                "repository name",
            ),
            (
                "[image]\npackage = \"api\"\n[github]\nrepository = \"a\"\nowner-id = 1\nrepository-id = 2\n",
                "owner/name",
            ),
        ] {
            let error = Configuration::parse(text).unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
