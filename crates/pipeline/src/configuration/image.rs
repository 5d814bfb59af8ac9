//! `[image]`, or each `[[image]]`: what an image holds.

use std::collections::BTreeMap;
use std::fmt;

use ::image::{Compression, Runtime};
use build::Linking;
use oci::{Platform, RepositoryName};
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};

use super::{AssetTable, ConfigurationError, DockerfileTable, wrong};
use crate::base::BaseReference;

/// One image.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ImageTable {
    /// What the image goes by, where that is not the package's name.
    pub name: Option<String>,
    /// The cargo package; none where a Dockerfile is the whole image.
    pub package: Option<String>,
    /// Its binary; a package with one binary needs no name.
    pub binary: Option<String>,
    /// Features of the package, besides its default ones.
    #[serde(default)]
    pub features: Vec<String>,
    /// Whether the package's default features are on.
    #[serde(default = "on")]
    pub default_features: bool,
    /// The ECR repository, where it is not that of `[aws]`.
    pub repository: Option<RepositoryName>,
    /// The image that this one is built on.
    pub base: Option<BaseReference>,
    /// The Dockerfile whose image this one is, or is built on.
    pub dockerfile: Option<DockerfileTable>,
    /// The Rust target. Never chosen by what is installed: the same commit must
    /// give the same image on every machine.
    #[serde(default = "default_target")]
    pub target: String,
    /// What the image runs on; several make an index of one image for each. None for
    /// what the target says.
    #[serde(default, deserialize_with = "platforms")]
    pub platforms: Vec<Platform>,
    /// Whether libraries are in the program, or loaded by it.
    #[serde(default)]
    pub linking: LinkingTable,
    /// The cargo profile.
    #[serde(default = "default_profile")]
    pub profile: String,
    /// TCP ports that the program listens on.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// The path that answers 200 when the program is healthy.
    pub health: Option<String>,
    /// Directories that the program may write to.
    #[serde(default)]
    pub writable: Vec<String>,
    /// Environment variables; values may hold placeholders.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Files of the project, each table a layer of its own.
    #[serde(default)]
    pub assets: Vec<AssetTable>,
    /// Whether the image has all time zones.
    #[serde(default)]
    pub time_zones: bool,
    /// How layers are compressed, where the rule is not to decide.
    pub compression: Option<Compression>,
    /// Runtimes that cannot read zstd and will run the image.
    #[serde(default)]
    pub runtimes: Vec<Runtime>,
    /// What it does where the program holds something of the machine that compiled it.
    #[serde(default)]
    pub reproducible: ImprintLevel,
}

/// What an imprint does: a path, a name or a time of the machine in the program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImprintLevel {
    /// Nothing is said.
    Off,
    /// It is shown.
    #[default]
    Warn,
    /// No image is made.
    Deny,
}

/// How libraries come to a program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkingTable {
    /// They are in it.
    #[default]
    Static,
    /// It loads them: from the base, or from a layer of their own where there is none.
    Dynamic,
}

fn on() -> bool {
    true
}

fn default_target() -> String {
    "x86_64-unknown-linux-gnu".to_owned()
}

fn default_profile() -> String {
    "release".to_owned()
}

fn platforms<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Platform>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    let platforms = names.iter().map(|name| name.parse());
    platforms
        .collect::<Result<_, _>>()
        .map_err(D::Error::custom)
}

/// `[image]` or each `[[image]]`. Not an untagged enumeration, whose errors name
/// neither key nor reason.
pub(super) fn one_or_several<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<ImageTable>, D::Error> {
    struct Images;

    impl<'de> Visitor<'de> for Images {
        type Value = Vec<ImageTable>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("`[image]` or several `[[image]]`")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            let image = ImageTable::deserialize(MapAccessDeserializer::new(map))?;
            Ok(vec![image])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
            let mut images = Vec::new();
            while let Some(image) = sequence.next_element()? {
                images.push(image);
            }
            Ok(images)
        }
    }

    deserializer.deserialize_any(Images)
}

/// What each image must say, and several must say besides.
pub(super) fn check(images: &[ImageTable]) -> Result<(), ConfigurationError> {
    for (position, image) in images.iter().enumerate() {
        image.check()?;
        let name = image.name();
        // It is part of a path and of a repository's name.
        let plain = name.parse::<RepositoryName>().is_ok() && !name.contains('/');
        if (image.name.is_some() || images.len() > 1) && !plain {
            return wrong(
                "image.name",
                &format!(
                    "`{name}` must be of 2 to 256 small letters and digits, with `.`, `_` or `-` between"
                ),
            );
        }
        let others = &images[..position];
        if others.iter().any(|other| other.name() == name) {
            return wrong(
                "image.name",
                &format!("is `{name}` twice: each image needs its own"),
            );
        }
        if images.len() > 1 && image.repository.is_none() {
            return wrong(
                "image.repository",
                &format!("is missing for `{name}`: of several images each has its own"),
            );
        }
        if image.repository.is_some()
            && others
                .iter()
                .any(|other| other.repository == image.repository)
        {
            return wrong(
                "image.repository",
                "is the same for two images, whose tags would be each other's",
            );
        }
    }
    Ok(())
}

impl ImageTable {
    /// What the image goes by.
    pub fn name(&self) -> &str {
        let name = self.name.as_deref().or(self.package.as_deref());
        name.unwrap_or_default()
    }

    /// The image of each platform, in the order in which an index lists them: with the
    /// target that compiles for it, which is this one's with another processor.
    pub fn for_each_platform(&self) -> Vec<Self> {
        if self.platforms.is_empty() {
            return vec![self.clone()];
        }
        let mut platforms = self.platforms.clone();
        platforms.sort_by_key(ToString::to_string);
        let rest = self.target.split_once('-').map_or("", |(_, rest)| rest);
        let image = |platform: &Platform| {
            let processor = build::processor_of(&platform.architecture);
            Self {
                target: format!("{}-{rest}", processor.unwrap_or_default()),
                ..self.clone()
            }
        };
        platforms.iter().map(image).collect()
    }

    /// Where the program has its libraries from.
    pub fn linking(&self) -> Linking {
        let has_base = self.base.is_some() || self.dockerfile.is_some();
        match (self.linking, has_base) {
            (LinkingTable::Static, _) => Linking::Static,
            (LinkingTable::Dynamic, false) => Linking::Packed,
            (LinkingTable::Dynamic, true) => Linking::Base,
        }
    }

    fn check_platforms(&self) -> Result<(), ConfigurationError> {
        for (place, platform) in self.platforms.iter().enumerate() {
            let known = build::processor_of(&platform.architecture).is_some();
            if platform.os != "linux" || platform.variant.is_some() || !known {
                let reason = format!("lists `{platform}`; there is linux/amd64 and linux/arm64");
                return wrong("image.platforms", &reason);
            }
            if self.platforms[..place].contains(platform) {
                return wrong("image.platforms", &format!("lists `{platform}` twice"));
            }
        }
        Ok(())
    }

    /// A program, a Dockerfile, or both.
    fn check_engine(&self) -> Result<(), ConfigurationError> {
        let Some(dockerfile) = &self.dockerfile else {
            if self.package.is_none() {
                return wrong(
                    "image.package",
                    "is missing: an image has a `package`, an `[image.dockerfile]`, or both",
                );
            }
            return Ok(());
        };
        dockerfile.check()?;
        if self.base.is_some() {
            return wrong("image.base", "and `[image.dockerfile]` would be two bases");
        }
        if self.package.is_none() {
            if self.name.is_none() {
                return wrong(
                    "image.name",
                    "is missing: there is no package to name it after",
                );
            }
            if self.binary.is_some() || !self.features.is_empty() || !self.default_features {
                return wrong("image.binary", "and features need an `image.package`");
            }
        }
        Ok(())
    }

    fn check_writable(&self) -> Result<(), ConfigurationError> {
        for path in &self.writable {
            if !path.starts_with('/') || path.contains("..") {
                return wrong("image.writable", "must list absolute paths without `..`");
            }
            if path.split('/').all(|part| matches!(part, "" | ".")) {
                let reason = format!("lists `{path}`, the root of the image; name directories");
                return wrong("image.writable", &reason);
            }
        }
        Ok(())
    }

    /// An image whose variables no runtime can set would start nowhere.
    fn check_environment(&self) -> Result<(), ConfigurationError> {
        for (name, value) in &self.environment {
            let reason = match name.as_str() {
                "" => "has a variable without a name".to_owned(),
                name if name.contains(['=', '\0']) => {
                    format!("has the name {name:?}, and no name has `=` or NUL in it")
                }
                name if value.contains('\0') => format!("gives `{name}` a value with NUL in it"),
                _ => continue,
            };
            return wrong("image.environment", &reason);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), ConfigurationError> {
        self.check_engine()?;
        if build::architecture_of(&self.target).is_none() {
            let reason = format!(
                "is `{}`; images are built for targets of `x86_64` and `aarch64`",
                self.target
            );
            return wrong("image.target", &reason);
        }
        self.check_platforms()?;
        if self.linking == LinkingTable::Dynamic && !self.target.ends_with("-gnu") {
            return wrong(
                "image.linking",
                "can be `dynamic` for targets with glibc only, `-gnu`",
            );
        }
        self.check_writable()?;
        self.check_environment()?;
        for assets in &self.assets {
            assets.check()?;
        }
        if self
            .health
            .as_ref()
            .is_some_and(|path| !path.starts_with('/'))
        {
            return wrong("image.health", "must be a path that starts with `/`");
        }
        if self.health.is_some() && self.ports.is_empty() {
            return wrong(
                "image.health",
                "needs a port in `image.ports` to be asked on",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::Configuration;

    fn several(second: &str) -> String {
        format!("[[image]]\npackage = \"api\"\nrepository = \"team/api\"\n\n[[image]]\n{second}")
    }

    #[test]
    fn several_images_are_told_apart_and_chosen_by_name() {
        let text = several("package = \"api\"\nname = \"jobs\"\nrepository = \"team/jobs\"\n");
        let configuration = Configuration::parse(&text).unwrap();
        let names = |wanted: &[&str]| {
            let wanted: Vec<_> = wanted.iter().map(ToString::to_string).collect();
            let chosen = configuration
                .selected(&wanted)
                .map_err(|error| error.to_string());
            chosen.map(|images| {
                images
                    .iter()
                    .map(|image| image.name().to_owned())
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(names(&[]).unwrap(), ["api", "jobs"]);
        assert_eq!(names(&["jobs"]).unwrap(), ["jobs"]);
        assert_eq!(names(&["jobs", "api"]).unwrap(), ["api", "jobs"]);
        let error = names(&["web"]).unwrap_err();
        assert!(
            error.contains("web") && error.contains("api, jobs"),
            "{error}"
        );
    }

    #[test]
    fn what_would_mix_up_two_images_is_refused() {
        for (second, word) in [
            (
                "package = \"api\"\nrepository = \"team/jobs\"\n",
                "image.name",
            ),
            ("package = \"jobs\"\n", "image.repository"),
            (
                "package = \"jobs\"\nrepository = \"team/api\"\n",
                "each other's",
            ),
            (
                "package = \"jobs\"\nname = \"a/b\"\nrepository = \"team/jobs\"\n",
                "image.name",
            ),
            ("package = \"jobs\"\nrepo = \"team/jobs\"\n", "repo"),
        ] {
            let error = Configuration::parse(&several(second))
                .unwrap_err()
                .to_string();
            assert!(error.contains(word), "{second}: {error}");
        }
    }

    #[test]
    fn what_would_start_nowhere_is_refused() {
        for (line, said) in [
            ("writable = [\"/\"]", "`image.writable` lists `/`, the root"),
            (
                "environment = { \"\" = \"x\" }",
                "`image.environment` has a variable without a name",
            ),
            ("environment = { \"A=B\" = \"x\" }", "the name \"A=B\""),
            (
                "environment = { \"A\\u0000\" = \"x\" }",
                "the name \"A\\0\"",
            ),
            (
                "environment = { A = \"\\u0000\" }",
                "gives `A` a value with NUL",
            ),
        ] {
            let text = format!("[image]\npackage = \"api\"\n{line}\n");
            let error = Configuration::parse(&text).unwrap_err().to_string();
            assert!(error.contains(said), "{line}: {error}");
        }
    }
}
