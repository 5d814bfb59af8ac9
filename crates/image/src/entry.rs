//! What stands in a layer.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::error::ImageError;

/// The longest path that Linux takes, less the root before it.
const PATH_BYTES: usize = 4094;
/// The longest name of one file.
const NAME_BYTES: usize = 255;

/// One file, directory or link of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where in the image, relative to its root: `usr/bin/backend`.
    pub path: String,
    /// Permission bits, such as `0o755`.
    pub mode: u32,
    /// The owner's number; the group has the same.
    pub owner: u64,
    /// What it is.
    pub content: Content,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A directory.
    Directory,
    /// A file with these bytes.
    Bytes(Vec<u8>),
    /// A file with the bytes of a file on this machine; only its bytes enter.
    File(PathBuf),
    /// A symbolic link to this place.
    Symlink(String),
}

impl Entry {
    /// A directory owned by root.
    pub fn directory(path: &str, mode: u32) -> Self {
        Self::root(path, mode, Content::Directory)
    }

    /// A file of root's that everybody can read.
    pub fn text(path: &str, text: impl Into<String>) -> Self {
        Self::root(path, 0o644, Content::Bytes(text.into().into_bytes()))
    }

    /// A program of root's that everybody can run.
    pub fn program(path: &str, file: PathBuf) -> Self {
        Self::root(path, 0o755, Content::File(file))
    }

    /// A symbolic link of root's.
    pub fn symlink(path: &str, target: &str) -> Self {
        Self::root(path, 0o777, Content::Symlink(target.to_owned()))
    }

    fn root(path: &str, mode: u32, content: Content) -> Self {
        Self {
            path: path.to_owned(),
            mode,
            owner: 0,
            content,
        }
    }
}

/// Directories by path, as the lower layers of an image have them.
pub(crate) type Directories = BTreeMap<String, Entry>;

/// The entries in the order in which a layer has them: by path, parents first,
/// every missing parent added. A parent is as `lower` layers have it, for a layer
/// that names a directory again sets its owner and mode again.
pub(crate) fn in_order(entries: &[Entry], lower: &Directories) -> Result<Vec<Entry>, ImageError> {
    let mut all: BTreeMap<String, Entry> = BTreeMap::new();
    for entry in entries {
        check(entry)?;
        if all.insert(entry.path.clone(), entry.clone()).is_some() {
            return Err(ImageError::DuplicatePath(entry.path.clone()));
        }
    }
    for entry in entries {
        for (index, _) in entry.path.match_indices('/') {
            let parent = &entry.path[..index];
            let is = all
                .entry(parent.to_owned())
                .or_insert_with(|| lower.get(parent).cloned().unwrap_or_else(|| usual(parent)));
            if is.content != Content::Directory {
                return Err(ImageError::NotADirectory {
                    path: entry.path.clone(),
                    parent: parent.to_owned(),
                });
            }
        }
    }
    Ok(all.into_values().collect())
}

/// Adds the directories of an ordered layer to those of the layers below it.
pub(crate) fn add_directories(entries: &[Entry], lower: &mut Directories) {
    for entry in entries {
        if entry.content == Content::Directory {
            lower.insert(entry.path.clone(), entry.clone());
        } else {
            lower.remove(&entry.path);
        }
    }
}

/// A directory that no layer of ours has named: as every distribution has it.
fn usual(path: &str) -> Entry {
    let mode = match path {
        "tmp" | "var/tmp" => 0o1777,
        "root" => 0o700,
        _ => 0o755,
    };
    Entry::directory(path, mode)
}

fn check(entry: &Entry) -> Result<(), ImageError> {
    let path = &entry.path;
    let climbs = path.split('/').any(|part| matches!(part, "" | "." | ".."));
    if climbs || path.contains('\0') {
        return Err(ImageError::BadPath(path.clone()));
    }
    let long_name = path.split('/').any(|part| part.len() > NAME_BYTES);
    let long_link = matches!(&entry.content, Content::Symlink(target) if target.len() > PATH_BYTES);
    if path.len() > PATH_BYTES || long_name || long_link {
        return Err(ImageError::LongPath(path.clone()));
    }
    match &entry.content {
        Content::Symlink(target) if target.is_empty() || target.contains('\0') => {
            Err(ImageError::BadPath(target.clone()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(entries: &[Entry]) -> Vec<&str> {
        entries.iter().map(|entry| entry.path.as_str()).collect()
    }

    #[test]
    fn missing_parents_are_added_before_their_children() {
        let entries = [
            Entry::text("etc/ssl/certs/x", ""),
            Entry::directory("etc", 0o700),
        ];
        let ordered = in_order(&entries, &Directories::new()).unwrap();
        assert_eq!(
            paths(&ordered),
            ["etc", "etc/ssl", "etc/ssl/certs", "etc/ssl/certs/x"]
        );
        assert_eq!(ordered[0].mode, 0o700);
    }

    #[test]
    fn a_parent_is_as_the_layer_below_has_it_and_tmp_stays_open_to_all() {
        let mut data = Entry::directory("data", 0o750);
        data.owner = 65532;
        let mut lower = Directories::new();
        add_directories(std::slice::from_ref(&data), &mut lower);
        let entries = [Entry::text("data/www/x", ""), Entry::text("tmp/y", "")];
        let ordered = in_order(&entries, &lower).unwrap();
        assert_eq!(
            paths(&ordered),
            ["data", "data/www", "data/www/x", "tmp", "tmp/y"]
        );
        assert_eq!(ordered[0], data);
        assert_eq!(ordered[3].mode, 0o1777);
    }

    #[test]
    fn paths_that_climb_repeat_or_are_too_long_are_refused() {
        let order = |entries: &[Entry]| in_order(entries, &Directories::new());
        for path in ["", "/etc", "a/../b", "./a", "a/", "a\0b"] {
            let error = order(&[Entry::text(path, "")]).unwrap_err();
            assert!(matches!(error, ImageError::BadPath(_)), "{path:?}: {error}");
        }
        let twice = [Entry::text("a", ""), Entry::text("a", "")];
        assert!(matches!(order(&twice), Err(ImageError::DuplicatePath(_))));
        for long in ["n".repeat(256), "d/".repeat(2100) + "x"] {
            let error = order(&[Entry::text(&long, "")]).unwrap_err();
            assert!(matches!(error, ImageError::LongPath(_)), "{error}");
        }
        let inside = [Entry::text("a", ""), Entry::text("a/b", "")];
        assert!(matches!(
            order(&inside),
            Err(ImageError::NotADirectory { .. })
        ));
        assert!(order(&[Entry::symlink("a", "")]).is_err());
    }
}
