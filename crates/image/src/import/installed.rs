//! What the files of an image say of its packages, read while its layers pass by.
//!
//! Of each layer only what the layers above it leave counts, so everything is kept by its
//! path until something takes its place. Whatever a file says, an image is not refused for
//! it: what is not understood is told.

use std::collections::BTreeMap;
use std::io::{BufReader, Read as _};

use attest::Dependencies;
use attest::installed::{Installed, MOST_PACKAGES, Program, Reading, Release, Unread, apk, dpkg};

use super::layer::Content;
use super::parse::{Item, Kind};
use super::program;
use super::window::Window;
use crate::error::ImageError;

const WHITEOUT: &str = ".wh.";
/// A database that is read; those of whole desktops have ten megabytes.
const LARGEST_DATABASE: u64 = 256 << 20;
/// All databases of an image that are read, of all its layers.
const MOST_READ: u64 = 2 << 30;
/// Where dpkg keeps what it knows: in one file, or, on distroless images, one for each
/// package.
const DPKG: [&str; 2] = ["var/lib/dpkg/", "usr/lib/dpkg/"];
const APK: [&str; 2] = ["lib/apk/db/installed", "usr/lib/apk/db/installed"];
/// The first that is there counts (os-release(5)).
const RELEASE: [&str; 2] = ["etc/os-release", "usr/lib/os-release"];
/// Databases that are not read, by directory and name.
const NOT_READ: [(&str, &[&str], &[&str]); 3] = [
    (
        "databases of RPM are not read",
        &["var/lib/rpm/", "usr/lib/sysimage/rpm/", "usr/share/rpm/"],
        &["rpmdb.sqlite", "Packages.db", "Packages"],
    ),
    (
        "databases of pacman are not read",
        &["var/lib/pacman/local/"],
        &["ALPM_DB_VERSION"],
    ),
    (
        "manifests of Chisel are not read",
        &["var/lib/chisel/"],
        &["manifest.wall"],
    ),
];

/// What a path says of the file there.
#[derive(Clone, Copy)]
enum Place {
    Dpkg,
    Apk,
    Release,
    NotRead(&'static str),
}

/// What was found at a path.
enum Found {
    Packages(Reading),
    Release(Option<Release>),
    /// A program, by the place of its list.
    Program((usize, u64)),
    Unread(String),
}

/// Looks at layer after layer.
#[derive(Default)]
pub(super) struct Finder {
    found: BTreeMap<String, Found>,
    /// The lists of programs, and of most none, by where the program's bytes are: a file may
    /// have many names.
    lists: BTreeMap<(usize, u64), Option<Result<Dependencies, String>>>,
    /// The bytes of databases that were read.
    read: u64,
    /// The packages in `lists`, and those of `found`.
    listed: usize,
    held: usize,
}

impl Finder {
    /// The next layer, in our form.
    pub(super) fn layer(&mut self, content: &Content) -> Result<(), ImageError> {
        for path in content.items.keys() {
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
            match name.strip_prefix(WHITEOUT) {
                Some(name) if parent.is_empty() => self.forget(name),
                Some(name) => self.forget(&format!("{parent}/{name}")),
                None => {}
            }
        }
        for (path, item) in &content.items {
            match &item.kind {
                Kind::Directory => self.forget_file(path),
                Kind::HardLink(target) => {
                    self.forget(path);
                    match content.items.get(target) {
                        Some(file) => self.look(path, file, content)?,
                        None => self.look_below(path, target),
                    }
                }
                _ => {
                    self.forget(path);
                    self.look(path, item, content)?;
                }
            }
        }
        Ok(())
    }

    /// What there is when no layer follows.
    pub(super) fn finish(self) -> Installed {
        let mut installed = Installed::default();
        let mut names: BTreeMap<_, Vec<String>> = BTreeMap::new();
        let mut unread = |path: &str, program, reason| {
            let path = format!("/{path}");
            installed.unread.push(Unread {
                path,
                program,
                reason,
            });
        };
        for (path, found) in self.found {
            match found {
                Found::Packages(reading) => {
                    installed.packages.extend(reading.packages);
                    if let Some(fault) = reading.fault {
                        unread(&path, false, fault);
                    }
                }
                Found::Release(release) => {
                    // The first of the two comes first.
                    installed.release = installed.release.or(release);
                }
                Found::Program(place) => match self.lists.get(&place) {
                    Some(Some(Ok(list))) => names.entry(list).or_default().push(format!("/{path}")),
                    Some(Some(Err(reason))) => unread(&path, true, reason.clone()),
                    _ => {}
                },
                Found::Unread(reason) => unread(&path, false, reason),
            }
        }
        installed.packages.sort();
        installed.packages.dedup();
        let programs = names.into_iter().map(|(list, paths)| Program {
            paths,
            dependencies: list.clone(),
        });
        installed.programs = programs.collect();
        installed
            .programs
            .sort_by(|one, other| one.paths.cmp(&other.paths));
        installed
    }

    fn look(&mut self, path: &str, item: &Item, content: &Content) -> Result<(), ImageError> {
        let place = place_of(path);
        let (layer, start, size) = match (&item.kind, place) {
            (Kind::File { layer, start, size }, _) if *size > 0 => (*layer, *start, *size),
            (Kind::Symlink(target), Some(Place::Dpkg | Place::Apk)) => {
                // Where a distribution moved its database, the old name leads to the new one.
                if place_of(&led_to(path, target)).is_some() {
                    return Ok(());
                }
                let reason = format!("it is a link to `{target}`, which is not followed");
                self.keep(path, Found::Unread(reason));
                return Ok(());
            }
            _ => return Ok(()),
        };
        let file = content.file(layer)?;
        let window = || Window::new(file, (start, size));
        let found = match place {
            None => return self.look_at_program((layer, start), path, window),
            Some(Place::NotRead(reason)) => Found::Unread(reason.to_owned()),
            Some(_) if size > LARGEST_DATABASE => Found::Unread(format!("it has {size} bytes")),
            Some(_) if self.read + size > MOST_READ => {
                Found::Unread(format!("{MOST_READ} bytes of databases were read before"))
            }
            Some(Place::Dpkg) => Found::Packages(dpkg::read(BufReader::new(window()))),
            Some(Place::Apk) => Found::Packages(apk::read(BufReader::new(window()))),
            Some(Place::Release) => Found::Release(Release::read(BufReader::new(window()))),
        };
        if !matches!(found, Found::Unread(_)) {
            self.read += size;
        }
        self.keep(path, found);
        Ok(())
    }

    fn look_at_program<'f>(
        &mut self,
        place: (usize, u64),
        path: &str,
        window: impl Fn() -> Window<'f>,
    ) -> Result<(), ImageError> {
        if !self.lists.contains_key(&place) {
            let mut magic = Vec::new();
            window()
                .take(program::MAGIC.len() as u64)
                .read_to_end(&mut magic)?;
            if magic != program::MAGIC {
                return Ok(());
            }
            let list = program::list(window());
            let count = match &list {
                Some(Ok(list)) => list.packages.len(),
                _ => 0,
            };
            let fits = self.listed + count <= MOST_PACKAGES;
            self.listed += if fits { count } else { 0 };
            let list = if fits { list } else { Some(Err(crowd())) };
            self.lists.insert(place, list);
        }
        if self.lists.get(&place).is_some_and(Option::is_some) {
            self.found.insert(path.to_owned(), Found::Program(place));
        }
        Ok(())
    }

    /// Another name of a file of a lower layer.
    fn look_below(&mut self, path: &str, target: &str) {
        let found = match (self.found.get(target), place_of(path)) {
            (Some(Found::Program(place)), None) => Found::Program(*place),
            (_, Some(Place::Dpkg | Place::Apk)) => {
                Found::Unread(format!("it is another name of `/{target}`"))
            }
            _ => return,
        };
        self.keep(path, found);
    }

    fn keep(&mut self, path: &str, mut found: Found) {
        if let Found::Packages(reading) = &mut found {
            let room = MOST_PACKAGES - self.held;
            if reading.packages.len() > room {
                reading.packages.truncate(room);
                reading.fault.get_or_insert_with(crowd);
            }
            self.held += reading.packages.len();
        }
        self.found.insert(path.to_owned(), found);
    }

    fn forget_file(&mut self, path: &str) {
        if let Some(gone) = self.found.remove(path) {
            self.held -= gone.count();
        }
    }

    /// Forgets a path and all below it.
    fn forget(&mut self, path: &str) {
        self.forget_file(path);
        let prefix = format!("{path}/");
        let below = self.found.range(prefix.clone()..);
        let below = below.take_while(|(below, _)| below.starts_with(&prefix));
        let below: Vec<_> = below.map(|(below, _)| below.clone()).collect();
        for path in below {
            self.forget_file(&path);
        }
    }
}

impl Found {
    fn count(&self) -> usize {
        match self {
            Self::Packages(reading) => reading.packages.len(),
            _ => 0,
        }
    }
}

fn crowd() -> String {
    format!("the image lists more than {MOST_PACKAGES} packages")
}

/// What the text of a link at `path` names, without looking at links above that.
fn led_to(path: &str, target: &str) -> String {
    let beside = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    let from = if target.starts_with('/') { "" } else { beside };
    let mut parts = Vec::new();
    for part in from.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn place_of(path: &str) -> Option<Place> {
    let below = DPKG
        .iter()
        .find_map(|directory| path.strip_prefix(directory));
    let of_one = below.and_then(|below| below.strip_prefix("status.d/"));
    let of_one = of_one.is_some_and(|name| {
        // Beside each lies what its files hash to.
        !name.contains('/') && !name.ends_with(".md5sums")
    });
    if below == Some("status") || of_one {
        return Some(Place::Dpkg);
    }
    if APK.contains(&path) {
        return Some(Place::Apk);
    }
    if RELEASE.contains(&path) {
        return Some(Place::Release);
    }
    let other = NOT_READ.iter().find(|(_, directories, names)| {
        let named = |directory| {
            path.strip_prefix(directory)
                .is_some_and(|name| names.contains(&name))
        };
        directories.iter().any(|directory| named(*directory))
    });
    other.map(|(reason, ..)| Place::NotRead(reason))
}
