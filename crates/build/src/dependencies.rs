//! What a package is compiled from: cargo's own resolution of features and
//! targets, which `Cargo.lock` and `cargo metadata` do not show.
//!
//! `cargo tree` is asked twice: once with what builds, once with only what ends
//! in the program. The lock file adds where each package came from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use attest::{Dependencies, Package, PackageSource};
use serde::{Deserialize, Serialize};

use crate::lock_file::{LOCK_FILE, Locked, packages};
use crate::{BuildError, CargoBuild};

/// The registry whose packages need no other name, in both of its protocols.
const CRATES_IO: [&str; 2] = [
    "registry+https://github.com/rust-lang/crates.io-index",
    "sparse+https://index.crates.io/",
];

/// `cargo tree`'s words for what builds, and for what ends in the program.
const BUILT: &str = "normal,build";
const SHIPPED: &str = "normal,no-proc-macro";

/// What cargo would compile of a package, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Resolution {
    /// The packages.
    pub(crate) dependencies: Dependencies,
    /// The features of each package that is built, as many sets as it is built with.
    built: Features,
    /// Those of each that ends in the program.
    shipped: Features,
}

/// Sets of features by package.
type Features = BTreeMap<String, BTreeSet<String>>;

impl Resolution {
    /// Names and versions of the packages.
    pub(crate) fn packages(&self) -> BTreeSet<(&str, &str)> {
        let packages = self.dependencies.packages.iter();
        packages
            .map(|package| (&*package.name, &*package.version))
            .collect()
    }

    /// Whether every package that both build has the same features in both, for the
    /// machine that builds and for the one that runs it: then they are united to
    /// nothing new.
    pub(crate) fn agrees_with(&self, other: &Self) -> bool {
        let agree = |one: &Features, other: &Features| {
            let mut pairs = one.iter();
            pairs.all(|(package, features)| {
                other.get(package).is_none_or(|theirs| theirs == features)
            })
        };
        agree(&self.built, &other.built) && agree(&self.shipped, &other.shipped)
    }
}

impl CargoBuild {
    /// Everything that building the package compiles, without compiling it; `root`
    /// is the workspace's directory.
    pub(crate) async fn resolution(&self, root: &Path) -> Result<Resolution, BuildError> {
        let (built, shipped) = tokio::try_join!(self.tree(BUILT), self.tree(SHIPPED))?;
        let lock = fs_err::read_to_string(root.join(LOCK_FILE))?;
        let told = || {
            Ok(Resolution {
                dependencies: resolve(&built, &shipped, &lock)?,
                built: features(&built)?,
                shipped: features(&shipped)?,
            })
        };
        told().map_err(BuildError::Dependencies)
    }

    async fn tree(&self, edges: &str) -> Result<String, BuildError> {
        let package = ["tree", "--locked", "--package", &self.package];
        let what = ["--target", &self.target, "--edges", edges];
        let form = ["--prefix", "depth", "--format", "{p}\t{l}\t{f}"];
        let plain = ["--charset", "utf8"];
        let features = self.features();
        let features: Vec<_> = features.iter().map(String::as_str).collect();
        let arguments = [&package[..], &features, &what, &form, &plain].concat();
        let tree = self.ask(&arguments).await?;
        Ok(String::from_utf8_lossy(&tree).into_owned())
    }
}

/// A package as `cargo tree` names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct PackageId {
    name: String,
    version: String,
    /// What stands in brackets behind the version: a path, a repository.
    place: Option<String>,
}

/// One line of `cargo tree`.
struct Line {
    depth: usize,
    name: PackageId,
    license: Option<String>,
    features: String,
}

/// Joins the two trees with the lock file.
fn resolve(built: &str, shipped: &str, lock: &str) -> Result<Dependencies, String> {
    let packages = packages(lock).map_err(|error| error.to_string())?;
    let shipped: BTreeSet<PackageId> = lines(shipped)?.into_iter().map(|line| line.name).collect();
    let lines = lines(built)?;
    let root = lines
        .first()
        .ok_or("`cargo tree` printed nothing")?
        .name
        .clone();
    let licenses: BTreeMap<_, _> = lines
        .iter()
        .map(|line| (line.name.clone(), line.license.clone()))
        .collect();
    let mut edges: BTreeMap<&PackageId, BTreeSet<&PackageId>> = BTreeMap::new();
    let mut above: Vec<&PackageId> = Vec::new();
    for line in &lines {
        above.truncate(line.depth);
        if let Some(parent) = above.last() {
            edges.entry(parent).or_default().insert(&line.name);
        }
        above.push(&line.name);
    }
    let places: BTreeMap<_, _> = licenses.keys().zip(0..).collect();
    let package = |(name, license): (&PackageId, &Option<String>)| {
        let locked = locked(&packages, name)?;
        let on = edges.get(name).into_iter().flatten();
        Ok(Package {
            name: name.name.clone(),
            version: name.version.clone(),
            source: source(locked.source.as_deref()),
            build_only: !shipped.contains(name),
            license: license.clone(),
            checksum: locked.checksum.clone(),
            dependencies: on.filter_map(|name| places.get(name).copied()).collect(),
        })
    };
    Ok(Dependencies {
        packages: licenses
            .iter()
            .map(package)
            .collect::<Result<_, String>>()?,
        root: places.get(&root).copied().unwrap_or_default(),
    })
}

/// The features that each package of a tree has.
fn features(tree: &str) -> Result<Features, String> {
    let mut features = Features::new();
    for Line {
        name, features: of, ..
    } in lines(tree)?
    {
        let place = name.place.unwrap_or_default();
        let package = format!("{} {} {place}", name.name, name.version);
        features.entry(package).or_default().insert(of);
    }
    Ok(features)
}

/// The lines of a tree. A package that was shown before ends in `(*)`.
fn lines(tree: &str) -> Result<Vec<Line>, String> {
    let of = |line: &str| {
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        let depth = line[..digits].parse().ok()?;
        let line = line[digits..].trim_end_matches(" (*)");
        let (package, rest) = line.split_once('\t')?;
        let (license, features) = rest.split_once('\t').unwrap_or((rest, ""));
        let license = license.trim();
        Some(Line {
            depth,
            name: name(package)?,
            license: (!license.is_empty()).then(|| license.to_owned()),
            features: features.trim().to_owned(),
        })
    };
    let unread = |line: &str| format!("`cargo tree` printed the line `{line}`");
    tree.lines()
        .filter(|line| !line.is_empty())
        .map(|line| of(line).ok_or_else(|| unread(line)))
        .collect()
}

/// `serde_derive v1.0.0 (proc-macro) (/some/path)`.
fn name(text: &str) -> Option<PackageId> {
    let (name, rest) = text.split_once(" v")?;
    let (version, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let place = rest.replace("(proc-macro)", "");
    let place = place.trim().trim_start_matches('(').trim_end_matches(')');
    Some(PackageId {
        name: name.to_owned(),
        version: version.to_owned(),
        place: (!place.is_empty()).then(|| place.to_owned()),
    })
}

/// The entry of the lock file for `name`. Only where two sources have the same
/// name and version does the place decide.
fn locked<'l>(packages: &'l [Locked], name: &PackageId) -> Result<&'l Locked, String> {
    let same = |entry: &&Locked| entry.name == name.name && entry.version == name.version;
    let candidates: Vec<_> = packages.iter().filter(same).collect();
    let fits = |entry: &&&Locked| match (&entry.source, &name.place) {
        (None, Some(place)) => place.starts_with(['/', '\\']) || place.contains(":\\"),
        (Some(source), Some(place)) => {
            let address = place.split(['?', '#']).next().unwrap_or(place);
            source.starts_with("git+") && source[4..].starts_with(address)
        }
        (Some(source), None) => !source.starts_with("git+"),
        (None, None) => false,
    };
    let chosen = match candidates.as_slice() {
        [only] => Some(only),
        several => several.iter().find(fits),
    };
    let missing = || format!("Cargo.lock has no package `{} {}`", name.name, name.version);
    chosen.copied().ok_or_else(missing)
}

fn source(locked: Option<&str>) -> PackageSource {
    match locked {
        None => PackageSource::Local,
        Some(source) if CRATES_IO.contains(&source) => PackageSource::CratesIo,
        Some(source) if source.starts_with("git+") => PackageSource::Git(source.to_owned()),
        Some(source) => {
            let address = source
                .split_once('+')
                .map_or(source, |(_, address)| address);
            PackageSource::Registry(address.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 4
[[package]]
name = "api"
version = "0.1.0"
[[package]]
name = "bytes"
version = "1.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "ab"
[[package]]
name = "bytes"
version = "1.0.0"
source = "git+https://github.com/tokio-rs/bytes?rev=1#c0ffee"
[[package]]
name = "macros"
version = "2.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "cd"
[[package]]
name = "unused"
version = "9.0.0"
"#;
    const BUILT: &str = "0api v0.1.0 (/somewhere/api)\tMIT\n\
        1bytes v1.0.0\tMIT OR Apache-2.0\n\
        1bytes v1.0.0 (https://github.com/tokio-rs/bytes?rev=1#c0ffee)\t\n\
        1macros v2.0.0 (proc-macro)\tMIT\n\
        2bytes v1.0.0\tMIT OR Apache-2.0 (*)\n";
    const SHIPPED: &str = "0api v0.1.0 (/somewhere/api)\tMIT\n\
        1bytes v1.0.0 (https://github.com/tokio-rs/bytes?rev=1#c0ffee)\t\n";

    #[test]
    fn packages_have_their_source_and_only_what_was_resolved_is_there() {
        let dependencies = resolve(BUILT, SHIPPED, LOCK).unwrap();
        let found: Vec<_> = dependencies
            .packages
            .iter()
            .map(|package| (package.name.as_str(), &package.source, package.build_only))
            .collect();
        let git = "git+https://github.com/tokio-rs/bytes?rev=1#c0ffee".to_owned();
        assert_eq!(
            found,
            [
                ("api", &PackageSource::Local, false),
                ("bytes", &PackageSource::CratesIo, true),
                ("bytes", &PackageSource::Git(git), false),
                ("macros", &PackageSource::CratesIo, true),
            ]
        );
        assert_eq!(dependencies.root, 0);
        assert_eq!(dependencies.packages[0].dependencies, [1, 2, 3]);
        assert_eq!(dependencies.packages[3].dependencies, [1]);
        let license = dependencies.packages[1].license.as_deref();
        assert_eq!(license, Some("MIT OR Apache-2.0"));
    }

    #[test]
    fn programs_agree_where_no_shared_package_has_other_features() {
        let of = |built: &str, shipped: &str| Resolution {
            dependencies: Dependencies {
                packages: Vec::new(),
                root: 0,
            },
            built: features(built).unwrap(),
            shipped: features(shipped).unwrap(),
        };
        let api = of(
            "0api v1.0.0\t\t\n1net v1.0.0\tMIT\ttls,v2\n",
            "1net v1.0.0\tMIT\ttls,v2\n",
        );
        let jobs = of("0jobs v1.0.0\t\t\n1net v1.0.0\tMIT\ttls,v2 (*)\n", "");
        let web = of(
            "0web v1.0.0\t\t\n1net v1.0.0\tMIT\tv2\n",
            "1net v1.0.0\tMIT\tv2\n",
        );
        let other = of("0other v1.0.0\t\t\n1net v2.0.0\tMIT\t\n", "");
        assert!(api.agrees_with(&jobs) && jobs.agrees_with(&api));
        assert!(!api.agrees_with(&web) && !web.agrees_with(&jobs));
        assert!(web.agrees_with(&other));
        // A macro and the program may each have their own.
        let both = of(
            "1net v1.0.0\tMIT\ttls,v2\n2net v1.0.0\tMIT\tv2\n",
            "1net v1.0.0\tMIT\ttls,v2\n",
        );
        assert!(!both.agrees_with(&api));
    }

    #[test]
    fn a_line_that_cannot_be_read_is_an_error_that_shows_it() {
        let error = resolve("what is this\n", "", LOCK).unwrap_err();
        assert!(error.contains("what is this"), "{error}");
        let error = resolve("0gone v1.0.0\tMIT\n", "", LOCK).unwrap_err();
        assert!(error.contains("no package `gone 1.0.0`"), "{error}");
    }
}
