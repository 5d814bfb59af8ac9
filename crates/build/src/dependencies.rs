//! What a package is compiled from: cargo's own resolution of features and
//! targets, which `Cargo.lock` and `cargo metadata` do not show.
//!
//! `cargo tree` is asked twice: once with what builds, once with only what ends
//! in the program. The lock file adds where each package came from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use attest::{Dependencies, Package, PackageSource};

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

impl CargoBuild {
    /// Everything that building the package compiles, without compiling it; `root`
    /// is the workspace's directory.
    pub(crate) async fn dependencies(&self, root: &Path) -> Result<Dependencies, BuildError> {
        let (built, shipped) = tokio::try_join!(self.tree(BUILT), self.tree(SHIPPED))?;
        let lock = fs_err::read_to_string(root.join(LOCK_FILE))?;
        resolve(&built, &shipped, &lock).map_err(BuildError::Dependencies)
    }

    async fn tree(&self, edges: &str) -> Result<String, BuildError> {
        let package = ["tree", "--locked", "--package", &self.package];
        let what = ["--target", &self.target, "--edges", edges];
        let form = ["--prefix", "depth", "--format", "{p}\t{l}"];
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

/// The lines of a tree. A package that was shown before ends in `(*)`.
fn lines(tree: &str) -> Result<Vec<Line>, String> {
    let of = |line: &str| {
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        let depth = line[..digits].parse().ok()?;
        let (package, license) = line[digits..].split_once('\t')?;
        let license = license.trim_end_matches(" (*)").trim();
        Some(Line {
            depth,
            name: name(package)?,
            license: (!license.is_empty()).then(|| license.to_owned()),
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
    fn a_line_that_cannot_be_read_is_an_error_that_shows_it() {
        let error = resolve("what is this\n", "", LOCK).unwrap_err();
        assert!(error.contains("what is this"), "{error}");
        let error = resolve("0gone v1.0.0\tMIT\n", "", LOCK).unwrap_err();
        assert!(error.contains("no package `gone 1.0.0`"), "{error}");
    }
}
