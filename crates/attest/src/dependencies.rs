//! What a program was compiled from.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// Everything that building one program compiled, as a graph.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dependencies {
    /// The packages, sorted by name, version and source.
    pub packages: Vec<Package>,
    /// Where the package of the program itself stands in `packages`.
    pub root: usize,
}

/// One package of a [`Dependencies`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it came from.
    pub source: PackageSource,
    /// Whether only build scripts and macros run it, and nothing of it is in the
    /// program.
    pub build_only: bool,
    /// The licence as its manifest states it.
    pub license: Option<String>,
    /// SHA-256 of its archive, hexadecimal, where the lock file has one.
    pub checksum: Option<String>,
    /// What it depends on: places in [`Dependencies::packages`], sorted.
    pub dependencies: Vec<usize>,
}

/// Where a package came from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PackageSource {
    /// The checkout itself.
    Local,
    /// crates.io.
    CratesIo,
    /// Another registry, by its address.
    Registry(String),
    /// A commit of a git repository, as cargo writes it.
    Git(String),
    /// Somewhere that the list in a program does not name: `git`, `registry`.
    Unnamed(String),
}

impl Package {
    /// The package URL ([purl-spec], type `cargo`), or `None` for a package of a
    /// checkout or of an unnamed place: without a registry its name would be read as
    /// that of a stranger on crates.io.
    ///
    /// [purl-spec]: https://github.com/package-url/purl-spec
    pub fn url(&self) -> Option<String> {
        let mut url = format!(
            "pkg:cargo/{}@{}",
            escaped(&self.name),
            escaped(&self.version)
        );
        match &self.source {
            PackageSource::Local | PackageSource::Unnamed(_) => return None,
            PackageSource::CratesIo => {}
            PackageSource::Registry(address) => {
                let _ = write!(url, "?repository_url={}", escaped(address));
            }
            PackageSource::Git(address) => {
                let _ = write!(url, "?vcs_url={}", escaped(address));
            }
        }
        Some(url)
    }
}

/// Percent-encodes what may not stand in a part of a package URL.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_~:/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn package(name: &str, source: PackageSource) -> Package {
        Package {
            name: name.to_owned(),
            version: "1.2.3+meta".to_owned(),
            source,
            build_only: false,
            license: None,
            checksum: None,
            dependencies: Vec::new(),
        }
    }

    /// A program, a library of crates.io and a build dependency from git.
    pub(crate) fn dependencies() -> Dependencies {
        let git = PackageSource::Git("git+https://github.com/acme/gen?rev=1#abc".to_owned());
        let program = Package {
            dependencies: vec![1, 2],
            license: Some("Apache-2.0".to_owned()),
            ..package("api", PackageSource::Local)
        };
        let library = Package {
            license: Some("MIT/Apache-2.0".to_owned()),
            checksum: Some("ab".repeat(32)),
            ..package("bytes", PackageSource::CratesIo)
        };
        let generator = Package {
            build_only: true,
            license: Some("house rules".to_owned()),
            ..package("gen", git)
        };
        Dependencies {
            packages: vec![program, library, generator],
            root: 0,
        }
    }

    #[test]
    fn urls_name_the_registry_a_package_came_from_and_none_for_local_ones() {
        let url = |source| package("a", source).url();
        assert_eq!(url(PackageSource::Local), None);
        assert_eq!(
            url(PackageSource::CratesIo).unwrap(),
            "pkg:cargo/a@1.2.3%2Bmeta"
        );
        let git = PackageSource::Git("git+https://host/x?branch=b#c0".to_owned());
        assert_eq!(
            url(git).unwrap(),
            "pkg:cargo/a@1.2.3%2Bmeta?vcs_url=git%2Bhttps://host/x%3Fbranch%3Db%23c0"
        );
    }
}
