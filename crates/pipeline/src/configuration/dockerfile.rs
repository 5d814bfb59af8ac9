//! `[image.dockerfile]`: the Dockerfile that an image is, or is built on.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use build::{BuildError, Builder, DockerfileBuild};
use serde::Deserialize;

use super::{ConfigurationError, wrong};
use crate::placeholder::Placeholders;

/// A Dockerfile. Its image is what a package's program is put on, or the whole image
/// where there is no package.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct DockerfileTable {
    /// The file, relative to `longshore.toml`.
    pub file: PathBuf,
    /// The directory that it copies from, relative to `longshore.toml`.
    pub context: PathBuf,
    /// The stage to build; the last one, if none is named.
    pub target: Option<String>,
    /// Build arguments; values may hold placeholders.
    pub arguments: BTreeMap<String, String>,
    /// Variables whose values `RUN --mount=type=secret,id=NAME` may read.
    pub secrets: Vec<String>,
    /// The program that builds, where it is not to be chosen by what is there.
    pub builder: Option<Builder>,
}

impl Default for DockerfileTable {
    fn default() -> Self {
        Self {
            file: PathBuf::from("Dockerfile"),
            context: PathBuf::from("."),
            target: None,
            arguments: BTreeMap::new(),
            secrets: Vec::new(),
            builder: None,
        }
    }
}

impl DockerfileTable {
    /// The images of registries that the Dockerfile names. They are pinned before there
    /// is a commit to build: an argument with a placeholder may not choose one.
    pub(crate) fn images(
        &self,
        checkout: &Path,
        architecture: &str,
    ) -> Result<Vec<String>, BuildError> {
        let file = checkout.join(&self.file);
        let images = DockerfileBuild::images(&file, &self.arguments, architecture)?;
        let placeholders = Placeholders {
            commit: "0".repeat(40),
            committed_at: String::new(),
        };
        let fill = |(name, template): (&String, &String)| {
            let value = placeholders
                .fill(template)
                .unwrap_or_else(|_| template.clone());
            (name.clone(), value)
        };
        let filled = self.arguments.iter().map(fill).collect();
        let others = DockerfileBuild::images(&file, &filled, architecture)?;
        match images.iter().find(|image| !others.contains(image)) {
            Some(image) => Err(BuildError::Dockerfile(format!(
                "{}: `{image}` comes from an argument with a placeholder, which has another value in each commit and cannot be pinned",
                self.file.display()
            ))),
            None => Ok(images),
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigurationError> {
        let inside = |path: &Path| {
            let mut parts = path.components();
            parts.all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
        };
        if !inside(&self.file) || self.file.as_os_str().is_empty() {
            return wrong(
                "image.dockerfile.file",
                "must be a path below the directory of longshore.toml",
            );
        }
        if !inside(&self.context) {
            return wrong(
                "image.dockerfile.context",
                "must be a path below the directory of longshore.toml",
            );
        }
        let is_name = |name: &String| {
            let mut letters = name.bytes();
            letters.all(|letter| letter.is_ascii_alphanumeric() || letter == b'_')
                && !name.is_empty()
        };
        if !self.secrets.iter().all(is_name) {
            return wrong(
                "image.dockerfile.secrets",
                "must list names of environment variables, never values",
            );
        }
        if !self.arguments.keys().all(is_name) {
            return wrong(
                "image.dockerfile.arguments",
                "must have names of letters, digits and `_`",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use build::Builder;

    use crate::Configuration;

    #[test]
    fn a_dockerfile_is_an_image_of_its_own_or_what_a_package_is_put_on() {
        let read = |text: &str| Configuration::parse(text).map(|read| read.images);
        let alone = read("[image]\nname = \"web\"\n[image.dockerfile]\n").unwrap();
        assert_eq!(alone[0].package, None);
        let table = alone[0].dockerfile.as_ref().unwrap();
        assert_eq!(table.file.to_str(), Some("Dockerfile"));
        let both = "[image]\npackage = \"api\"\n[image.dockerfile]\nbuilder = \"buildah\"\n";
        let both = read(both).unwrap();
        let table = both[0].dockerfile.as_ref().unwrap();
        assert_eq!(table.builder, Some(Builder::Buildah));
    }

    #[test]
    fn no_base_depends_on_a_placeholder() {
        let directory = tempfile::tempdir().unwrap();
        let text = "ARG V=1\nFROM debian:$V\nARG REVISION\n";
        fs_err::write(directory.path().join("Dockerfile"), text).unwrap();
        let images = |argument: &str| {
            let (name, value) = argument.split_once('=').unwrap();
            let table = super::DockerfileTable {
                arguments: [(name.to_owned(), value.to_owned())].into(),
                ..Default::default()
            };
            let images = table.images(directory.path(), "amd64");
            images.map_err(|error| error.to_string())
        };
        assert_eq!(images("REVISION={commit}").unwrap(), ["debian:1"]);
        assert_eq!(images("V=12").unwrap(), ["debian:12"]);
        let error = images("V={short-commit}").unwrap_err();
        assert!(error.contains("{short-commit}"), "{error}");
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        for (text, word) in [
            ("[image]\nname = \"web\"\n", "image.package"),
            ("[image]\n[image.dockerfile]\n", "image.name"),
            (
                "[image]\nname = \"../../../esc\"\n[image.dockerfile]\n",
                "../../../esc",
            ),
            (
                "[image]\npackage = \"a\"\nbase = \"r.example/aa:b\"\n[image.dockerfile]\n",
                "image.base",
            ),
            (
                "[image]\nname = \"a\"\nbinary = \"b\"\n[image.dockerfile]\n",
                "image.binary",
            ),
            (
                "[image]\nname = \"a\"\n[image.dockerfile]\nfile = \"../x\"\n",
                "image.dockerfile.file",
            ),
            (
                "[image]\nname = \"a\"\n[image.dockerfile]\ncontext = \"/\"\n",
                "image.dockerfile.context",
            ),
            (
                "[image]\nname = \"a\"\n[image.dockerfile]\nsecrets = [\"A=b\"]\n",
                "image.dockerfile.secrets",
            ),
            (
                "[image]\nname = \"a\"\n[image.dockerfile]\nbuilder = \"make\"\n",
                "make",
            ),
            (
                "[image]\nname = \"a\"\n[image.dockerfile]\nfiles = \"x\"\n",
                "files",
            ),
        ] {
            let error = Configuration::parse(text).unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
