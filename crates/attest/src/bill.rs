//! A bill of materials before it is written in a form.

use std::collections::{BTreeMap, BTreeSet};

use oci::Digest;

use crate::dependencies::{Dependencies, Package, PackageSource};
use crate::installed::{Installed, Release};

/// What is known to be in an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// What the program that Longshore puts into it was compiled from.
    pub compiled: Option<Dependencies>,
    /// What was found in the files of a Dockerfile's image.
    pub installed: Option<Installed>,
}

impl Contents {
    /// Whether anything is known.
    pub fn is_known(&self) -> bool {
        self.compiled.is_some() || self.installed.is_some()
    }

    /// The lists of packages of Rust: with the paths of the program where it was found in
    /// the image.
    pub fn lists(&self) -> impl Iterator<Item = (&[String], &Dependencies)> {
        let own = self.compiled.iter().map(|list| (&[][..], list));
        let found = self.installed.iter().flat_map(|found| &found.programs);
        own.chain(found.map(|program| (&*program.paths, &program.dependencies)))
    }
}

/// What a bill of materials is written from.
#[derive(Debug, Clone)]
pub struct BillOfMaterials<'a> {
    /// The image's name: its repository.
    pub image: &'a str,
    /// The image's digest.
    pub digest: Digest,
    /// RFC 3339; the commit's time, so that the same image has the same bill.
    pub created: &'a str,
    /// Longshore's own version.
    pub tool_version: &'a str,
    /// What is known to be in the image.
    pub contents: &'a Contents,
    /// What is in the image besides, and on no list here: a few words each.
    pub unlisted: Vec<String>,
}

/// What a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    OperatingSystem,
    Application,
    Library,
    /// Of an operating system.
    Package,
}

/// One line of a bill.
#[derive(Debug)]
pub(crate) struct Component<'a> {
    /// A name that no other has.
    pub(crate) reference: String,
    pub(crate) kind: Kind,
    pub(crate) name: &'a str,
    pub(crate) version: Option<&'a str>,
    pub(crate) url: Option<String>,
    pub(crate) license: Option<&'a str>,
    pub(crate) checksum: Option<&'a str>,
    /// Was needed to build, and is not in the image.
    pub(crate) build_only: bool,
    /// Where a package of Rust came from.
    pub(crate) origin: Option<&'a PackageSource>,
    /// What a package of an operating system was built from.
    pub(crate) source: Option<&'a str>,
    /// Where in the image a program is.
    pub(crate) paths: BTreeSet<&'a str>,
    /// What it depends on, by place; none where that is not known.
    pub(crate) dependencies: Option<BTreeSet<usize>>,
}

/// Everything that a bill says of an image.
pub(crate) struct Lines<'a> {
    pub(crate) components: Vec<Component<'a>>,
    /// The places of those that are in the image by themselves, and not only for another.
    pub(crate) top: BTreeSet<usize>,
    /// What is not listed.
    pub(crate) unlisted: Vec<String>,
    /// Nothing of the image is known.
    pub(crate) unknown: bool,
}

impl<'a> Lines<'a> {
    pub(crate) fn of(bill: &BillOfMaterials<'a>) -> Self {
        let contents = bill.contents;
        let mut lines = Self {
            components: Vec::new(),
            top: BTreeSet::new(),
            unlisted: bill.unlisted.clone(),
            unknown: false,
        };
        let mut places = BTreeMap::new();
        if let Some(compiled) = &contents.compiled {
            lines.add_list(&[], compiled, &mut places);
        }
        if let Some(installed) = &contents.installed {
            lines.add_system(installed, &mut places);
            for program in &installed.programs {
                lines.add_list(&program.paths, &program.dependencies, &mut places);
            }
            lines.unlisted.push(UNLISTED.to_owned());
            let unread = installed.unread.iter();
            lines
                .unlisted
                .extend(unread.map(|file| format!("{}: {}", file.path, file.reason)));
            lines.unknown = contents.compiled.is_none() && installed.is_empty();
        }
        lines
    }

    /// Adds what the operating system brings; of packages that are called the same the
    /// first.
    fn add_system(&mut self, installed: &'a Installed, places: &mut BTreeMap<String, usize>) {
        let release = installed.release.as_ref();
        let system = release.map(operating_system);
        let packages = installed.packages.iter().map(|package| Component {
            reference: package.reference(release),
            kind: Kind::Package,
            name: &package.name,
            version: Some(&package.version),
            url: package.url(release),
            license: package.license.as_deref(),
            checksum: None,
            build_only: false,
            origin: None,
            source: package.source.as_deref(),
            paths: BTreeSet::new(),
            dependencies: None,
        });
        for component in system.into_iter().chain(packages) {
            let next = self.components.len();
            let at = *places.entry(component.reference.clone()).or_insert(next);
            if at == next {
                self.top.insert(at);
                self.components.push(component);
            }
        }
    }

    /// Adds what one program was compiled from. What another has too is one component;
    /// `places` says which.
    fn add_list(
        &mut self,
        program: &'a [String],
        list: &'a Dependencies,
        places: &mut BTreeMap<String, usize>,
    ) {
        let mut own = Vec::new();
        for (place, package) in list.packages.iter().enumerate() {
            let reference = reference(program.first(), package);
            let next = self.components.len();
            let at = *places.entry(reference.clone()).or_insert(next);
            if at == next {
                self.components.push(library(reference, package));
            }
            let component = &mut self.components[at];
            component.build_only &= package.build_only;
            if place == list.root {
                component.kind = Kind::Application;
                component.paths.extend(program.iter().map(String::as_str));
                self.top.insert(at);
            }
            own.push(at);
        }
        for (package, at) in list.packages.iter().zip(&own) {
            let on = package.dependencies.iter();
            let on = on.filter_map(|place| own.get(*place));
            let known = &mut self.components[*at].dependencies;
            known.get_or_insert_default().extend(on);
        }
    }
}

/// What no list can have of an image that a Dockerfile made.
const UNLISTED: &str = "what the Dockerfile brought without a package manager of the operating \
     system: copied files, packages of other languages, programs without a list of their packages";

fn library(reference: String, package: &Package) -> Component<'_> {
    Component {
        reference,
        kind: Kind::Library,
        name: &package.name,
        version: Some(&package.version),
        url: package.url(),
        license: package.license.as_deref(),
        checksum: package.checksum.as_deref(),
        build_only: package.build_only,
        origin: Some(&package.source),
        source: None,
        paths: BTreeSet::new(),
        dependencies: None,
    }
}

fn operating_system(release: &Release) -> Component<'_> {
    let named = release.distribution();
    Component {
        reference: format!("os:{}", named.as_deref().unwrap_or(&release.id)),
        kind: Kind::OperatingSystem,
        name: &release.id,
        version: release.version.as_deref().or(release.codename.as_deref()),
        url: None,
        license: None,
        checksum: None,
        build_only: false,
        origin: None,
        source: None,
        paths: BTreeSet::new(),
        dependencies: None,
    }
}

/// What no other package is called. One without a package URL is known within its program
/// only.
fn reference(program: Option<&String>, package: &Package) -> String {
    let of = || {
        let Package { name, version, .. } = package;
        match (program, &package.source) {
            (None, _) => format!("local:{name}@{version}"),
            (Some(path), PackageSource::Unnamed(place)) => {
                format!("program:{path}:{place}:{name}@{version}")
            }
            (Some(path), _) => format!("program:{path}:{name}@{version}"),
        }
    };
    package.url().unwrap_or_else(of)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::dependencies::tests::{dependencies, package};
    use crate::installed::tests::{release, system_package};
    use crate::installed::{PackageManager, Program, Unread};

    /// An image of a Dockerfile with a program of ours on it.
    pub(crate) fn hybrid() -> Contents {
        let zlib = system_package(PackageManager::Dpkg, "zlib1g");
        let odd = Package {
            dependencies: vec![1],
            ..package("api", PackageSource::Local)
        };
        let generator = Package {
            name: "gen".to_owned(),
            ..package("gen", PackageSource::CratesIo)
        };
        Contents {
            compiled: Some(dependencies()),
            installed: Some(Installed {
                release: Some(release("ID=debian\nVERSION_ID=12\n")),
                packages: vec![system_package(PackageManager::Dpkg, "libc6"), zlib],
                programs: vec![Program {
                    paths: vec!["/usr/bin/api".to_owned()],
                    dependencies: Dependencies {
                        packages: vec![odd, package("bytes", PackageSource::CratesIo), generator],
                        root: 0,
                    },
                }],
                unread: vec![Unread {
                    path: "/var/lib/rpm/rpmdb.sqlite".to_owned(),
                    program: false,
                    reason: "databases of RPM are not read".to_owned(),
                }],
            }),
        }
    }

    pub(crate) fn compiled() -> Contents {
        Contents {
            compiled: Some(dependencies()),
            installed: None,
        }
    }

    pub(crate) fn bill(contents: &Contents) -> BillOfMaterials<'_> {
        BillOfMaterials {
            image: "acme/api",
            digest: Digest::of(b"image"),
            created: "2026-11-26T12:00:00Z",
            tool_version: "0.1.0",
            contents,
            unlisted: Vec::new(),
        }
    }

    #[test]
    fn a_package_of_two_programs_is_one_and_their_own_packages_are_two() {
        let contents = hybrid();
        let lines = Lines::of(&bill(&contents));
        let references: Vec<_> = lines
            .components
            .iter()
            .map(|component| component.reference.as_str())
            .collect();
        let debian =
            |name| format!("pkg:deb/debian/{name}@1:2.4.47-2%2Bb1?arch=amd64&distro=debian-12");
        assert_eq!(
            references,
            [
                "local:api@1.2.3+meta",
                "pkg:cargo/bytes@1.2.3%2Bmeta",
                "pkg:cargo/gen@1.2.3%2Bmeta?vcs_url=git%2Bhttps://github.com/acme/gen%3Frev%3D1%23abc",
                "os:debian-12",
                &debian("libc6"),
                &debian("zlib1g"),
                "program:/usr/bin/api:api@1.2.3+meta",
                "pkg:cargo/gen@1.2.3%2Bmeta",
            ]
        );
        assert_eq!(lines.top, BTreeSet::from([0, 3, 4, 5, 6]));
        let found = &lines.components[6];
        assert_eq!(found.paths, BTreeSet::from(["/usr/bin/api"]));
        assert_eq!(found.dependencies, Some(BTreeSet::from([1])));
        assert_eq!(lines.components[4].dependencies, None);
        assert!(!lines.unknown);
        assert_eq!(lines.unlisted.len(), 2);
    }

    #[test]
    fn packages_that_are_called_the_same_are_one() {
        let mut contents = hybrid();
        let packages = &mut contents.installed.as_mut().unwrap().packages;
        let mut again = packages[0].clone();
        again.source = None;
        again.license = Some("MIT".to_owned());
        again.name = again.name.to_uppercase();
        packages.push(again);
        assert_eq!(Lines::of(&bill(&contents)).components.len(), 8);
    }

    #[test]
    fn what_one_program_ships_is_shipped_whoever_else_only_builds_with_it() {
        let mut contents = hybrid();
        let compiled = contents.compiled.as_mut().unwrap();
        compiled.packages[1].build_only = true;
        let lines = Lines::of(&bill(&contents));
        assert!(!lines.components[1].build_only);
        assert!(lines.components[2].build_only);
        assert_eq!(lines.components[1].license, Some("MIT/Apache-2.0"));
    }

    #[test]
    fn an_image_of_which_nothing_is_known_says_so() {
        let contents = Contents {
            compiled: None,
            installed: Some(Installed::default()),
        };
        let lines = Lines::of(&bill(&contents));
        assert!(lines.unknown && lines.components.is_empty());
        assert_eq!(lines.unlisted, [UNLISTED]);
        assert!(Lines::of(&bill(&compiled())).unlisted.is_empty());
    }
}
