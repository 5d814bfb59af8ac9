//! What stands in a layer.

use std::path::PathBuf;

use crate::ImageError;

/// One file, directory or link of a layer.
#[derive(Debug, Clone)]
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
#[derive(Debug, Clone)]
pub enum Content {
    /// A directory.
    Directory,
    /// A file with these bytes.
    Bytes(Vec<u8>),
    /// A file with the bytes of a file on this machine; only its bytes enter.
    File(PathBuf),
}

impl Entry {
    /// A directory owned by root.
    pub fn directory(path: &str, mode: u32) -> Self {
        Self {
            path: path.to_owned(),
            mode,
            owner: 0,
            content: Content::Directory,
        }
    }

    /// A file of root's that everybody can read.
    pub fn text(path: &str, text: impl Into<String>) -> Self {
        let content = Content::Bytes(text.into().into_bytes());
        Self {
            path: path.to_owned(),
            mode: 0o644,
            owner: 0,
            content,
        }
    }

    /// A program of root's that everybody can run.
    pub fn program(path: &str, file: PathBuf) -> Self {
        Self {
            path: path.to_owned(),
            mode: 0o755,
            owner: 0,
            content: Content::File(file),
        }
    }
}

/// The entries in the order in which a layer has them: by path, parents first,
/// every missing parent added as a directory of root's.
pub(crate) fn in_order(entries: &[Entry]) -> Result<Vec<Entry>, ImageError> {
    let mut all: std::collections::BTreeMap<String, Entry> = std::collections::BTreeMap::new();
    for entry in entries {
        check(&entry.path)?;
        if all.insert(entry.path.clone(), entry.clone()).is_some() {
            return Err(ImageError::DuplicatePath(entry.path.clone()));
        }
    }
    for entry in entries {
        for (index, _) in entry.path.match_indices('/') {
            let parent = &entry.path[..index];
            all.entry(parent.to_owned())
                .or_insert_with(|| Entry::directory(parent, 0o755));
        }
    }
    Ok(all.into_values().collect())
}

fn check(path: &str) -> Result<(), ImageError> {
    let climbs = path.split('/').any(|part| matches!(part, "" | "." | ".."));
    if climbs || path.contains('\0') {
        return Err(ImageError::BadPath(path.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_parents_are_added_before_their_children() {
        let entries = [
            Entry::text("etc/ssl/certs/x", ""),
            Entry::directory("etc", 0o700),
        ];
        let ordered = in_order(&entries).unwrap();
        let paths: Vec<_> = ordered.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(
            paths,
            ["etc", "etc/ssl", "etc/ssl/certs", "etc/ssl/certs/x"]
        );
        assert_eq!(ordered[0].mode, 0o700);
    }

    #[test]
    fn paths_that_climb_or_repeat_are_refused() {
        for path in ["", "/etc", "a/../b", "./a", "a/", "a\0b"] {
            let error = in_order(&[Entry::text(path, "")]).unwrap_err();
            assert!(matches!(error, ImageError::BadPath(_)), "{path:?}: {error}");
        }
        let twice = [Entry::text("a", ""), Entry::text("a", "")];
        assert!(matches!(
            in_order(&twice),
            Err(ImageError::DuplicatePath(_))
        ));
    }
}
