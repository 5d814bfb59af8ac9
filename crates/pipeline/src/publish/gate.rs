//! The gate before a push: known flaws of what was compiled.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use attest::installed::Unread;
use attest::{Contents, Finding, findings};
use build::{AdvisoryDatabase, AdvisoryError, advisories};
use oci::Platform;
use receipts::{Advisory, Problem, ProblemCode};
use tokio::sync::OnceCell;

use crate::configuration::{AdvisoryLevel, AuditTable};

/// RustSec's own repository.
const REPOSITORY: &str = "https://github.com/rustsec/advisory-db";
/// What is fetched of a repository, below the directory of `longshore.toml`.
const COPY: &str = "target/longshore/advisories";

/// Why the gate does not open.
#[derive(Debug, thiserror::Error)]
pub enum GateFailure {
    /// Packages that were compiled are known to be vulnerable.
    #[error("packages that were compiled are known to be vulnerable")]
    Vulnerable(Vec<Advisory>),
    /// What is known of packages is not known here.
    #[error("the advisories could not be read")]
    NoAdvisories(#[source] AdvisoryError),
    /// The layout does not say what its program was compiled from.
    #[error("the layout does not say what its program was compiled from")]
    NoDependencies,
    /// A program that was compiled elsewhere does not list the packages that cargo resolves
    /// here.
    #[error(
        "the program that was given for {0} does not have the list of packages of this `Cargo.lock`"
    )]
    Unlisted(Platform),
    /// Cargo compiles nothing of the image, and no program in it lists its packages.
    #[error("no program in the Dockerfile's image lists the packages that it was compiled from")]
    NoList,
    /// A program in the image of a Dockerfile has a list that cannot be read.
    #[error("the program {path} lists its packages, but {reason}", path = .0.path, reason = .0.reason)]
    Unread(Unread),
}

/// What is asked before a push.
#[derive(Debug, Clone)]
pub struct Gate {
    table: AuditTable,
    database: AdvisoryDatabase,
    /// Where that is, once it has been asked: a publish is judged by one state of it, and
    /// fetches it once.
    directory: OnceCell<PathBuf>,
}

impl Gate {
    /// What `table` asks for, in a project in `directory`; nothing, where it is off.
    pub fn new(table: &AuditTable, directory: &Path) -> Option<Self> {
        if table.advisories == AdvisoryLevel::Off {
            return None;
        }
        let database = match table.database.as_deref() {
            Some(path) if !path.contains("://") => {
                AdvisoryDatabase::Directory(directory.join(path))
            }
            address => AdvisoryDatabase::Repository {
                address: address.unwrap_or(REPOSITORY).to_owned(),
                copy: directory.join(COPY),
            },
        };
        Some(Self {
            table: table.clone(),
            database,
            directory: OnceCell::new(),
        })
    }

    /// The advisories about `contents`, those of the image of each platform. Where
    /// they are to be denied, a vulnerability is a failure; so is whatever keeps them
    /// from being known.
    pub(super) async fn pass(&self, contents: &[Contents]) -> Result<Vec<Advisory>, GateFailure> {
        for of_image in contents {
            is_told(of_image)?;
        }
        let lists = || contents.iter().flat_map(Contents::lists);
        let packages = lists().flat_map(|(_, list)| &list.packages);
        let names = packages.map(|package| package.name.as_str()).collect();
        let known = self.known(&names).await;
        let known = known.map_err(GateFailure::NoAdvisories)?;
        let ignored = |id: &str| self.table.ignore.iter().any(|entry| entry.id == id);
        let mut found: Vec<Advisory> = Vec::new();
        for (programs, list) in lists() {
            let about = findings(list, &known).into_iter();
            for finding in about.filter(|finding| !ignored(&finding.advisory.id)) {
                let advisory = reported(&finding, programs);
                if !found.contains(&advisory) {
                    found.push(advisory);
                }
            }
        }
        let denied = self.table.advisories == AdvisoryLevel::Deny;
        let vulnerable = found.iter().filter(|of| of.informational.is_none());
        let vulnerable: Vec<_> = vulnerable.cloned().collect();
        if denied && !vulnerable.is_empty() {
            return Err(GateFailure::Vulnerable(vulnerable));
        }
        Ok(found)
    }

    async fn known(&self, names: &BTreeSet<&str>) -> Result<Vec<attest::Advisory>, AdvisoryError> {
        let fetched = async || self.database.directory().await.map(Path::to_owned);
        let directory = self.directory.get_or_try_init(fetched).await?;
        advisories(directory, names)
    }
}

/// Whether an image says what its programs were compiled from: silence would look as if
/// nothing were known against them.
fn is_told(contents: &Contents) -> Result<(), GateFailure> {
    let unread = contents.installed.iter().flat_map(|found| &found.unread);
    if let Some(unread) = unread.clone().find(|unread| unread.program) {
        return Err(GateFailure::Unread(unread.clone()));
    }
    match contents.lists().next() {
        Some(_) => Ok(()),
        None if contents.installed.is_some() => Err(GateFailure::NoList),
        None => Err(GateFailure::NoDependencies),
    }
}

fn reported(finding: &Finding<'_>, programs: &[String]) -> Advisory {
    let Finding {
        advisory, package, ..
    } = finding;
    Advisory {
        id: advisory.id.clone(),
        package: package.name.clone(),
        version: package.version.clone(),
        title: advisory.title.clone(),
        informational: advisory.informational.clone(),
        build_only: package.build_only,
        patched: advisory.patched.iter().map(ToString::to_string).collect(),
        update: finding.update.as_ref().map(ToString::to_string),
        programs: programs.to_vec(),
    }
}

impl GateFailure {
    /// What people and machines are told.
    pub fn problem(&self) -> Problem {
        let unknown = "nothing was pushed: it is not known whether packages are vulnerable";
        let unknown = Problem::new(ProblemCode::NoAdvisories, unknown).caused_by(self);
        let remedy = match self {
            Self::Vulnerable(found) => return vulnerable(found),
            Self::NoAdvisories(_) => {
                "try again, or get a copy and let `audit.database` name its directory: \
                 `git clone https://github.com/rustsec/advisory-db`"
                    .to_owned()
            }
            Self::NoDependencies => {
                "build it with `longshore build`, and keep `dependencies.json` in its layout; a program \
                 for `--binary` is made by `longshore build --platform PLATFORM` at the same commit"
                    .to_owned()
            }
            Self::Unlisted(platform) => format!(
                "make it with `longshore build --platform {platform}` at this commit: what Longshore \
                 compiles has the list (`.dep-v0`) in it"
            ),
            Self::NoList => {
                "advisories are about programs of Rust: `image.package` names one that Longshore \
                 compiles, and `cargo auditable build` in the Dockerfile makes one with its list"
                    .to_owned()
            }
            Self::Unread(_) => {
                "build the program anew with `cargo auditable build`, or leave it out".to_owned()
            }
        };
        unknown
            .hint(remedy)
            .hint("`audit.advisories = \"off\"` publishes without looking")
    }
}

fn vulnerable(found: &[Advisory]) -> Problem {
    let what = "nothing was pushed: packages that were compiled are known to be vulnerable";
    let mut problem = Problem::new(ProblemCode::Vulnerable, what);
    for advisory in found {
        let Advisory { id, title, .. } = advisory;
        let patched = match advisory.patched.as_slice() {
            [] => "patched in no version".to_owned(),
            patched => format!("patched in {}", patched.join(" or ")),
        };
        let mut name = format!("{} {}", advisory.package, advisory.version);
        if !advisory.programs.is_empty() {
            name = format!("{name} in {}", advisory.programs.join(", "));
        }
        problem = problem.fact(&name, format!("{id}: {title}; {patched}"));
    }
    for advisory in found {
        let package = format!("{}@{}", advisory.package, advisory.version);
        problem = problem.hint(match &advisory.update {
            _ if !advisory.programs.is_empty() => format!(
                "{} has {package} in it: the Dockerfile must bring one that was compiled without",
                advisory.programs.join(", ")
            ),
            Some(update) => format!("`cargo update -p {package} --precise {update}`"),
            None => format!(
                "no update of {package} is patched: `cargo tree -i {package}` shows who asks for it"
            ),
        });
    }
    problem.hint("what cannot harm goes into `audit.ignore` of `longshore.toml`, with the reason")
}

#[cfg(test)]
mod tests {
    use attest::{Dependencies, Package, PackageSource};

    use super::*;

    #[tokio::test]
    async fn what_is_asked_twice_of_a_publish_is_fetched_once() {
        let place = tempfile::tempdir().unwrap();
        let database = place.path().join("database");
        fs_err::create_dir_all(database.join("crates")).unwrap();
        fs_err::write(database.join("crates/README"), "none yet").unwrap();
        for words in [
            "init --quiet",
            "add --all",
            "-c user.name=a -c user.email=a@b commit --quiet --message=all",
        ] {
            let mut git = std::process::Command::new("git");
            let git = git.current_dir(&database).args(words.split(' '));
            assert!(git.status().unwrap().success(), "{words}");
        }
        let table = AuditTable {
            advisories: AdvisoryLevel::Deny,
            database: Some(format!("file://{}", database.display())),
            ..AuditTable::default()
        };
        let gate = Gate::new(&table, place.path()).unwrap();
        let contents = [Contents {
            compiled: Some(Dependencies {
                packages: vec![Package {
                    name: "a".to_owned(),
                    version: "1.0.0".to_owned(),
                    source: PackageSource::CratesIo,
                    build_only: false,
                    license: None,
                    checksum: None,
                    dependencies: Vec::new(),
                }],
                root: 0,
            }),
            installed: None,
        }];
        assert_eq!(gate.pass(&contents).await.unwrap(), []);
        fs_err::remove_dir_all(&database).unwrap();
        assert_eq!(gate.pass(&contents).await.unwrap(), []);
        // The next publish looks anew.
        let next = Gate::new(&table, place.path()).unwrap();
        let failure = next.pass(&contents).await.unwrap_err();
        assert!(matches!(failure, GateFailure::NoAdvisories(_)), "{failure}");
    }
}
