//! Known flaws of packages, as the [RustSec database] tells them.
//!
//! [RustSec database]: https://github.com/rustsec/advisory-db

use semver::{Comparator, Op, Prerelease, Version, VersionReq};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::dependencies::{Dependencies, Package, PackageSource};

/// What is known of one flaw of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advisory {
    /// `RUSTSEC-YYYY-NNNN`.
    pub id: String,
    /// The package, as crates.io names it.
    pub package: String,
    /// The heading of its text.
    pub title: String,
    /// `unmaintained`, `unsound` or `notice`, where it is no vulnerability.
    pub informational: Option<String>,
    /// The versions in which it is mended.
    pub patched: Vec<VersionReq>,
    unaffected: Vec<VersionReq>,
}

/// An advisory about a package that was compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding<'a> {
    /// What is known.
    pub advisory: &'a Advisory,
    /// The package.
    pub package: &'a Package,
    /// The lowest version in which it is mended and that no requirement has to be
    /// changed for.
    pub update: Option<Version>,
}

#[derive(Deserialize)]
struct FrontMatter {
    advisory: Header,
    versions: Versions,
    #[serde(default)]
    affected: Affected,
}

#[derive(Deserialize)]
struct Header {
    id: String,
    package: String,
    informational: Option<String>,
    withdrawn: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Versions {
    patched: Vec<VersionReq>,
    #[serde(default)]
    unaffected: Vec<VersionReq>,
}

#[derive(Default, Deserialize)]
struct Affected {
    #[serde(default)]
    os: Vec<String>,
}

impl Advisory {
    /// Reads a file of the database: Markdown below a block of TOML (its README,
    /// "Advisory Format"). Nothing, where the advisory was withdrawn or is about
    /// operating systems that no image is for.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        let text = text.trim_start();
        let (front, body) = text
            .strip_prefix("```toml")
            .and_then(|rest| rest.split_once("\n```"))
            .ok_or("it does not begin with a block of TOML")?;
        let front: FrontMatter = toml::from_str(front).map_err(|error| error.to_string())?;
        let elsewhere = !front.affected.os.is_empty()
            && !front.affected.os.iter().any(|system| system == "linux");
        if front.advisory.withdrawn.is_some() || elsewhere {
            return Ok(None);
        }
        let title = body.lines().find_map(|line| line.strip_prefix("# "));
        Ok(Some(Self {
            id: front.advisory.id,
            package: front.advisory.package,
            title: title.unwrap_or_default().trim().to_owned(),
            informational: front.advisory.informational,
            patched: front.versions.patched,
            unaffected: front.versions.unaffected,
        }))
    }

    /// Whether `version` has the flaw. A pre-release is believed to be mended only
    /// where a range names pre-releases of the same version.
    fn affects(&self, version: &Version) -> bool {
        let mut mended = self.patched.iter().chain(&self.unaffected);
        !mended.any(|range| range.matches(version))
    }

    fn update(&self, version: &Version) -> Option<Version> {
        let compatible = VersionReq {
            comparators: vec![Comparator {
                op: Op::Caret,
                major: version.major,
                minor: Some(version.minor),
                patch: Some(version.patch),
                pre: version.pre.clone(),
            }],
        };
        let ranges = self.patched.iter();
        let starts = ranges.filter_map(|range| start(range).filter(|start| range.matches(start)));
        starts.filter(|start| compatible.matches(start)).min()
    }
}

/// The lowest version of a range that names one.
fn start(range: &VersionReq) -> Option<Version> {
    let names =
        |of: &&Comparator| matches!(of.op, Op::GreaterEq | Op::Exact | Op::Caret | Op::Tilde);
    let lowest = range.comparators.iter().find(names)?;
    Some(Version {
        major: lowest.major,
        minor: lowest.minor.unwrap_or_default(),
        patch: lowest.patch.unwrap_or_default(),
        pre: Prerelease::clone(&lowest.pre),
        build: semver::BuildMetadata::EMPTY,
    })
}

/// Which of `advisories` are about what was compiled. The database is about
/// crates.io: a package of another registry or of a repository is another one.
pub fn findings<'a>(
    dependencies: &'a Dependencies,
    advisories: &'a [Advisory],
) -> Vec<Finding<'a>> {
    let listed = dependencies.packages.iter();
    let public = listed.filter(|package| package.source == PackageSource::CratesIo);
    let of_package = |package: &'a Package| {
        let version = Version::parse(&package.version).ok();
        let about = advisories.iter().filter(|of| of.package == package.name);
        about.filter_map(move |advisory| {
            let version = version.as_ref()?;
            advisory.affects(version).then(|| Finding {
                advisory,
                package,
                update: advisory.update(version),
            })
        })
    };
    public.flat_map(of_package).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dependencies::tests::package;

    fn text(front: &str) -> String {
        format!(
            "```toml\n[advisory]\nid = \"RUSTSEC-2099-0001\"\npackage = \"bytes\"\n\
             date = \"2099-01-01\"\n{front}\n```\n\n# Reads past the end\n\nLong story.\n"
        )
    }

    fn advisory(front: &str) -> Advisory {
        Advisory::parse(&text(front)).unwrap().unwrap()
    }

    #[test]
    fn ranges_decide_and_the_update_is_the_lowest_that_needs_no_other_requirement() {
        let of = advisory(
            "[versions]\npatched = [\">= 1.2.3, < 1.3.0\", \">= 1.3.4\", \">= 2.0.1\"]\n\
             unaffected = [\"<= 0.1.2\"]",
        );
        assert_eq!(of.title, "Reads past the end");
        let version = |text: &str| Version::parse(text).unwrap();
        for (text, affected, update) in [
            ("0.1.2", false, None),
            ("0.1.3", true, None),
            ("1.0.0", true, Some("1.2.3")),
            ("1.2.3", false, None),
            ("1.3.0", true, Some("1.3.4")),
            ("1.3.4-rc.1", true, Some("1.3.4")),
            ("2.5.0", false, None),
        ] {
            assert_eq!(of.affects(&version(text)), affected, "{text}");
            if affected {
                assert_eq!(of.update(&version(text)), update.map(version), "{text}");
            }
        }
    }

    #[test]
    fn what_was_withdrawn_or_is_about_other_systems_counts_for_nothing() {
        let patched = "[versions]\npatched = []";
        for front in [
            format!("withdrawn = \"2099-02-02\"\n{patched}"),
            format!("{patched}\n[affected]\nos = [\"windows\"]"),
        ] {
            assert_eq!(Advisory::parse(&text(&front)), Ok(None), "{front}");
        }
        let both = format!("{patched}\n[affected]\nos = [\"windows\", \"linux\"]");
        assert!(Advisory::parse(&text(&both)).unwrap().is_some());
    }

    #[test]
    fn only_packages_of_crates_io_are_found() {
        let found = |source| {
            let dependencies = Dependencies {
                packages: vec![
                    package("bytes", source),
                    package("other", PackageSource::CratesIo),
                ],
                root: 0,
            };
            let advisories = [advisory("[versions]\npatched = []")];
            findings(&dependencies, &advisories).len()
        };
        assert_eq!(found(PackageSource::CratesIo), 1);
        assert_eq!(found(PackageSource::Local), 0);
        assert_eq!(
            found(PackageSource::Git("git+https://host/bytes#1".to_owned())),
            0
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(front: String, body: String) {
            let _ = Advisory::parse(&body);
            let _ = Advisory::parse(&format!("```toml\n{front}\n```\n{body}"));
        }
    }
}
