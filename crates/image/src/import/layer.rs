//! A layer as any builder would have to write it: what differs from the layers below,
//! and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use fs_err as fs;

use super::archive::{LayerData, foreign};
use super::parse::{Found, Item, Kind};
use super::tree::Tree;
use crate::error::ImageError;

/// Places that engines make for their own mounts while a `RUN` runs, and leave behind
/// as empty directories or empty files. Every engine makes them again where it runs the
/// image.
const STUBS: [&str; 14] = [
    ".dockerenv",
    "dev",
    "dev/console",
    "dev/mqueue",
    "dev/pts",
    "dev/shm",
    "etc",
    "etc/hostname",
    "etc/hosts",
    "etc/mtab",
    "etc/resolv.conf",
    "proc",
    "run",
    "sys",
];
/// The same of names below `/run`.
const STUBS_OF_RUN: [&str; 2] = ["run/.containerenv", "run/secrets"];

/// The items of a layer, in the order of their paths.
pub(super) struct Content {
    pub(super) items: BTreeMap<String, Item>,
    files: BTreeMap<usize, fs::File>,
}

impl Content {
    /// The file that has the contents of a builder's layer.
    pub(super) fn file(&self, layer: usize) -> Result<&fs::File, ImageError> {
        let file = self.files.get(&layer);
        file.ok_or_else(|| foreign(format!("the contents of layer {layer} are gone")))
    }
}

/// Takes the layers of a builder one by one.
pub(super) struct Normaliser {
    tree: Tree,
    /// Directories without anything in them, which wait for the next layer: whether a
    /// `WORKDIR` is a layer of its own differs from builder to builder.
    waiting: BTreeMap<String, Item>,
    working_directory: String,
}

impl Normaliser {
    pub(super) fn new(working_directory: Option<&str>) -> Self {
        Self {
            tree: Tree::default(),
            waiting: BTreeMap::new(),
            working_directory: working_directory
                .unwrap_or_default()
                .trim_matches('/')
                .to_owned(),
        }
    }

    /// The next layer; none where nothing is left of it, or only directories.
    pub(super) fn layer(
        &mut self,
        number: usize,
        found: Vec<Found>,
        data: LayerData,
    ) -> Result<Option<Content>, ImageError> {
        for found in &found {
            self.forget_waiting(found);
        }
        let mut parts = Parts::of(number, found);
        parts.explain_opaque(&self.tree);
        parts.drop_needless_whiteouts(&self.tree);
        parts.drop_stubs(&self.tree);
        for (path, item) in std::mem::take(&mut self.waiting) {
            parts.items.entry(path).or_insert(item);
        }
        parts.drop_what_is_below(&self.tree);
        parts.check_parents(&self.tree)?;
        let only_directories = parts
            .items
            .values()
            .all(|item| item.kind == Kind::Directory);
        if only_directories && parts.gone.is_empty() {
            self.waiting = parts.items;
            return Ok(None);
        }
        parts.order_hard_links(&self.tree)?;
        Ok(Some(
            self.content(parts, BTreeMap::from([(number, data.file)])),
        ))
    }

    /// What is left when there are no more layers. The directory that the program
    /// starts in is there, whether the builder made it or leaves that to the engine.
    pub(super) fn finish(mut self) -> Option<Content> {
        let mut items = std::mem::take(&mut self.waiting);
        let directory = self.working_directory.clone();
        let below_link = ancestors(&directory).any(|parent| {
            let item = self.tree.get(parent);
            item.is_some_and(|item| item.kind != Kind::Directory)
        });
        let climbs = directory
            .split('/')
            .any(|part| matches!(part, "" | "." | ".."));
        if !climbs && !below_link && !self.tree.has(&directory) {
            items.entry(directory).or_insert_with(usual);
        }
        if items.is_empty() {
            return None;
        }
        let parts = Parts {
            items,
            gone: BTreeSet::new(),
            opaque: Vec::new(),
        };
        Some(self.content(parts, BTreeMap::new()))
    }

    /// A directory that waits, and is gone before its layer has come, never was.
    fn forget_waiting(&mut self, found: &Found) {
        let (path, itself) = match found {
            Found::Item(_, item) if item.kind == Kind::Directory => return,
            Found::Item(path, _) | Found::Whiteout(path) => (path, true),
            Found::Opaque(path) => (path, false),
        };
        if itself {
            self.waiting.remove(path);
        }
        let prefix = format!("{path}/");
        let below = self.waiting.range(prefix.clone()..);
        let below = below.take_while(|(waits, _)| waits.starts_with(&prefix));
        let below: Vec<_> = below.map(|(waits, _)| waits.clone()).collect();
        for waits in below {
            self.waiting.remove(&waits);
        }
    }

    /// Adds parents and whiteouts, and takes the layer into the tree.
    fn content(&mut self, parts: Parts, files: BTreeMap<usize, fs::File>) -> Content {
        let Parts {
            mut items, gone, ..
        } = parts;
        for path in &gone {
            self.tree.remove(path);
        }
        let whiteouts = gone.iter().map(|path| {
            let name = path.rfind('/').map_or(0, |slash| slash + 1);
            let whiteout = format!("{}.wh.{}", &path[..name], &path[name..]);
            let empty = Item {
                kind: Kind::File {
                    layer: 0,
                    start: 0,
                    size: 0,
                },
                mode: 0,
                ..usual()
            };
            (whiteout, empty)
        });
        let whiteouts: Vec<_> = whiteouts.collect();
        let mut parents = BTreeMap::new();
        let paths = items.keys().chain(whiteouts.iter().map(|(path, _)| path));
        for parent in paths.flat_map(|path| ancestors(path)) {
            if !items.contains_key(parent) && !parents.contains_key(parent) {
                let below = self.tree.get(parent).cloned();
                parents.insert(parent.to_owned(), below.unwrap_or_else(usual));
            }
        }
        items.extend(parents);
        for (path, item) in &items {
            self.tree.put(path, item);
        }
        items.extend(whiteouts);
        Content { items, files }
    }
}

/// A layer, taken apart.
struct Parts {
    items: BTreeMap<String, Item>,
    /// Paths of lower layers that are gone.
    gone: BTreeSet<String>,
    opaque: Vec<String>,
}

impl Parts {
    /// Of two entries with the same path the later one counts, as where it is unpacked.
    fn of(number: usize, found: Vec<Found>) -> Self {
        let mut parts = Self {
            items: BTreeMap::new(),
            gone: BTreeSet::new(),
            opaque: Vec::new(),
        };
        for found in found {
            match found {
                Found::Item(path, mut item) => {
                    if let Kind::File { layer, .. } = &mut item.kind {
                        *layer = number;
                    }
                    parts.items.insert(path, item);
                }
                Found::Whiteout(path) => {
                    parts.gone.insert(path);
                }
                Found::Opaque(path) => parts.opaque.push(path),
            }
        }
        parts
    }

    /// Names everything that an emptied directory has lost.
    fn explain_opaque(&mut self, tree: &Tree) {
        // Removed and made again is emptied.
        let (items, opaque) = (&self.items, &mut self.opaque);
        self.gone.retain(|path| match items.get(path) {
            None => true,
            Some(item) => {
                if item.kind == Kind::Directory {
                    opaque.push(path.clone());
                }
                false
            }
        });
        while let Some(directory) = self.opaque.pop() {
            for child in tree.children(&directory) {
                match self.items.get(&child).map(|item| &item.kind) {
                    None => {
                        self.gone.insert(child);
                    }
                    Some(Kind::Directory) => self.opaque.push(child),
                    Some(_) => {}
                }
            }
        }
    }

    /// Whether a directory above `path` is gone or replaced, and all below with it.
    fn covers(&self, path: &str) -> bool {
        ancestors(path).any(|parent| {
            let replaced = self.items.get(parent);
            self.gone.contains(parent) || replaced.is_some_and(|item| item.kind != Kind::Directory)
        })
    }

    /// Whether what lower layers have at `path` is gone.
    fn removes(&self, path: &str) -> bool {
        self.gone.contains(path) || self.covers(path)
    }

    fn drop_needless_whiteouts(&mut self, tree: &Tree) {
        let needed = self.gone.iter();
        let needed = needed.filter(|path| tree.has(path) && !self.covers(path));
        self.gone = needed.cloned().collect();
    }

    /// Leaves out what an engine has left behind, deepest first, so that a directory
    /// of nothing else goes too.
    fn drop_stubs(&mut self, tree: &Tree) {
        let mut stubs = [&STUBS[..], &STUBS_OF_RUN[..]].concat();
        stubs.sort_unstable_by(|one, other| other.cmp(one));
        for stub in stubs {
            let Some(item) = self.items.get(stub) else {
                continue;
            };
            let empty = match &item.kind {
                Kind::Directory => {
                    let prefix = format!("{stub}/");
                    let mut below = self.items.range(prefix.clone()..);
                    let inhabited = below
                        .next()
                        .is_some_and(|(path, _)| path.starts_with(&prefix));
                    !inhabited && item.mode == 0o755
                }
                Kind::File { size, .. } => *size == 0,
                Kind::Symlink(target) => stub == "etc/mtab" && target.ends_with("proc/mounts"),
                Kind::HardLink(_) | Kind::Special(..) => false,
            };
            if empty && item.owner == 0 && item.group == 0 && !tree.has(stub) {
                self.items.remove(stub);
            }
        }
    }

    /// Leaves out directories that are as the layers below have them.
    fn drop_what_is_below(&mut self, tree: &Tree) {
        self.items.retain(|path, item| {
            item.kind != Kind::Directory || tree.get(path).is_none_or(|below| below != item)
        });
    }

    /// Nothing lies below what is no directory: unpacked, it would be written to where
    /// a link leads.
    fn check_parents(&self, tree: &Tree) -> Result<(), ImageError> {
        let paths = self.items.keys().chain(&self.gone);
        for path in paths {
            for parent in ancestors(path) {
                let is = self.items.get(parent).or_else(|| tree.get(parent));
                if is.is_some_and(|item| item.kind != Kind::Directory) {
                    return Err(ImageError::NotADirectory {
                        path: path.clone(),
                        parent: parent.to_owned(),
                    });
                }
            }
        }
        Ok(())
    }

    /// The names that lead to each path by hard links. A chain is followed once, however
    /// many begin on it.
    fn names_of_files(&self) -> Result<BTreeMap<String, Vec<String>>, ImageError> {
        let mut ends: BTreeMap<&str, &str> = BTreeMap::new();
        let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for path in self.items.keys() {
            let (mut chain, mut end) = (Vec::new(), path.as_str());
            while let Some(Kind::HardLink(next)) = self.items.get(end).map(|item| &item.kind) {
                chain.push(end);
                if chain.len() > self.items.len() {
                    return Err(foreign(format!("the link `/{path}` leads to itself")));
                }
                end = next;
                if let Some(known) = ends.get(end) {
                    end = known;
                    break;
                }
            }
            ends.extend(chain.into_iter().map(|link| (link, end)));
            if end != path {
                names.entry(end.to_owned()).or_default().push(path.clone());
            }
        }
        Ok(names)
    }

    /// Of the names of one file the first has its bytes, the others are links to it.
    fn order_hard_links(&mut self, tree: &Tree) -> Result<(), ImageError> {
        let names = self.names_of_files()?;
        for (target, mut links) in names {
            match self.items.get(&target) {
                Some(Item {
                    kind: Kind::Directory,
                    ..
                }) => {
                    return Err(foreign(format!("`/{}` links to a directory", links[0])));
                }
                Some(item) => {
                    let item = item.clone();
                    links.push(target);
                    links.sort_unstable();
                    let first = links[0].clone();
                    for path in &links[1..] {
                        let kind = Kind::HardLink(first.clone());
                        self.items.insert(
                            path.clone(),
                            Item {
                                kind,
                                ..item.clone()
                            },
                        );
                    }
                    self.items.insert(first, item);
                }
                // A name of a file that a lower layer has, if it has one.
                None if tree.has(&target) && !self.removes(&target) => {
                    let is_file = |item: &Item| !matches!(item.kind, Kind::Directory);
                    if !tree.get(&target).is_some_and(is_file) {
                        return Err(foreign(format!("`/{}` links to a directory", links[0])));
                    }
                    for path in links {
                        if let Some(item) = self.items.get_mut(&path) {
                            item.kind = Kind::HardLink(target.clone());
                        }
                    }
                }
                None => {
                    return Err(foreign(format!(
                        "`/{}` links to `/{target}`, which is not there",
                        links[0]
                    )));
                }
            }
        }
        Ok(())
    }
}

/// A directory of root's that everybody can read.
fn usual() -> Item {
    Item {
        mode: 0o755,
        owner: 0,
        group: 0,
        attributes: Vec::new(),
        kind: Kind::Directory,
    }
}

/// The directories that a path lies in, highest first.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(index, _)| &path[..index])
}
