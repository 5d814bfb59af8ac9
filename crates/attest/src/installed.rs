//! What was found in the files of an image that nobody listed: packages of its
//! operating system, and programs that say what they were compiled from.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::dependencies::{Dependencies, escaped};

pub mod apk;
pub mod dpkg;
mod release;
mod stanza;

pub use release::Release;

/// The packages that are read of one database, or of one image.
pub const MOST_PACKAGES: usize = 100_000;

/// What was found in the files of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// The operating system, where the image says which.
    pub release: Option<Release>,
    /// What package managers list, sorted, each once.
    pub packages: Vec<SystemPackage>,
    /// The programs of Rust with a list of their packages, sorted by their paths.
    pub programs: Vec<Program>,
    /// What says more of the image and was not understood, sorted by path.
    pub unread: Vec<Unread>,
}

/// A program in an image with the list that `cargo auditable` puts into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Where it is, from `/` on: programs with the same list are one.
    pub paths: Vec<String>,
    /// What it was compiled from.
    pub dependencies: Dependencies,
}

/// A file whose packages are not on the bill.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unread {
    /// Where it is, from `/` on.
    pub path: String,
    /// Whether it is a program, and no database.
    pub program: bool,
    /// Why.
    pub reason: String,
}

/// Whose database lists a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PackageManager {
    /// Debian's, Ubuntu's.
    Dpkg,
    /// Alpine's.
    Apk,
}

/// A package of an operating system, as its database lists it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SystemPackage {
    /// Whose database.
    pub manager: PackageManager,
    /// Its name.
    pub name: String,
    /// Its version, with the epoch where it has one.
    pub version: String,
    /// The architecture in the words of the distribution.
    pub architecture: Option<String>,
    /// What it was built from, where that is called otherwise: `NAME` or
    /// `NAME@VERSION`.
    pub source: Option<String>,
    /// Its licence, as the database states it.
    pub license: Option<String>,
}

impl SystemPackage {
    /// Says what of the texts that it goes by none can be: only what is seen may stand in
    /// a bill.
    fn check(&self) -> Result<(), String> {
        let parts = [&self.name, &self.version].into_iter();
        let mut parts = parts.chain(&self.architecture).chain(&self.source);
        match parts.find(|part| !is_plain(part)) {
            Some(odd) => Err(format!("has the odd value `{}`", odd.escape_debug())),
            None => Ok(()),
        }
    }
}

/// What was read of a database: one that is damaged has packages too.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The packages.
    pub packages: Vec<SystemPackage>,
    /// Why these are not all.
    pub fault: Option<String>,
}

impl Reading {
    /// Notes the first fault.
    fn wrong(&mut self, fault: String) {
        self.fault.get_or_insert(fault);
    }
}

impl Installed {
    /// Whether anything was found that says what is in the image.
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty() && self.programs.is_empty()
    }

    /// Forgets the program at `path`, from `/` on, in whose place another file is.
    pub fn replace(&mut self, path: &str) {
        for program in &mut self.programs {
            program.paths.retain(|other| other != path);
        }
        self.programs.retain(|program| !program.paths.is_empty());
        self.unread.retain(|unread| unread.path != path);
    }
}

impl PackageManager {
    /// The type of package URL.
    fn kind(self) -> &'static str {
        match self {
            Self::Dpkg => "deb",
            Self::Apk => "apk",
        }
    }
}

impl SystemPackage {
    /// The package URL (purl-spec, types `deb` and `apk`), or `None` where the image does
    /// not say whose distribution it is: names are those of a vendor. The epoch is part of
    /// the version. `distro` and `upstream` are as Syft writes them.
    pub fn url(&self, release: Option<&Release>) -> Option<String> {
        let release = release?;
        let mut url = format!(
            "pkg:{}/{}/{}@{}",
            self.manager.kind(),
            escaped(&release.id),
            escaped(&self.name.to_ascii_lowercase()),
            escaped(&self.version)
        );
        let distribution = release.distribution();
        let qualifiers = [
            ("arch", self.architecture.as_ref()),
            ("distro", distribution.as_ref()),
            ("upstream", self.source.as_ref()),
        ];
        let mut separator = '?';
        for (name, value) in qualifiers {
            if let Some(value) = value {
                let _ = write!(url, "{separator}{name}={}", escaped(value));
                separator = '&';
            }
        }
        Some(url)
    }

    /// A name that no other package of the image has.
    pub(crate) fn reference(&self, release: Option<&Release>) -> String {
        self.url(release).unwrap_or_else(|| {
            let kind = self.manager.kind();
            let architecture = self.architecture.as_deref().unwrap_or("unknown");
            format!("{kind}:{}@{}?arch={architecture}", self.name, self.version)
        })
    }
}

/// Whether a text can be a name or a version: something, and nothing that is not seen.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn system_package(manager: PackageManager, name: &str) -> SystemPackage {
        SystemPackage {
            manager,
            name: name.to_owned(),
            version: "1:2.4.47-2+b1".to_owned(),
            architecture: Some("amd64".to_owned()),
            source: None,
            license: None,
        }
    }

    pub(crate) fn release(text: &str) -> Release {
        Release::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn urls_are_those_of_the_vendor_and_none_without_one() {
        let debian = release("ID=debian\nVERSION_ID=\"12\"\n");
        let mut package = system_package(PackageManager::Dpkg, "libattr1");
        assert_eq!(package.url(None), None);
        assert_eq!(
            package.url(Some(&debian)).unwrap(),
            "pkg:deb/debian/libattr1@1:2.4.47-2%2Bb1?arch=amd64&distro=debian-12"
        );
        package.source = Some("attr@1:2.4.47-2".to_owned());
        let rolling = release("ID=debian\nVERSION_CODENAME=trixie\n");
        assert_eq!(
            package.url(Some(&rolling)).unwrap(),
            "pkg:deb/debian/libattr1@1:2.4.47-2%2Bb1?arch=amd64&distro=debian-trixie\
             &upstream=attr%401:2.4.47-2"
        );
        let alpine = release("ID=alpine\nVERSION_ID=3.22.1\n");
        let package = system_package(PackageManager::Apk, "libstdc++");
        assert_eq!(
            package.url(Some(&alpine)).unwrap(),
            "pkg:apk/alpine/libstdc%2B%2B@1:2.4.47-2%2Bb1?arch=amd64&distro=alpine-3.22.1"
        );
    }
}
