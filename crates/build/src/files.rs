//! Files of a workspace and their digests.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{self, BufReader};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};
use std::process::Stdio;

use fs_err as fs;
use oci::{Digest, Hasher};
use tokio::process::Command;

use crate::BuildError;

/// Directories that hold no sources: what git keeps, and what cargo makes.
const NO_SOURCES: [&str; 2] = [".git", "target"];
/// Beyond so many directories within each other, links must be going round.
const DEEPEST: usize = 64;

/// The value of an input that is not there.
pub(crate) const ABSENT: &str = "absent";

/// The files of `directory` that git tracks, or would if they were added, sorted.
/// Outside of a checkout, all files.
pub(crate) async fn list(directory: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let output = Command::new("git")
        .arg("-C")
        .arg(directory)
        .args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "-z",
        ])
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|source| BuildError::NoProgram {
            program: "git",
            source,
        })?;
    let mut files = Vec::new();
    if output.status.success() {
        let names = output.stdout.split(|byte| *byte == 0);
        let names = names.filter(|name| !name.is_empty());
        files.extend(names.map(|name| directory.join(OsStr::from_bytes(name))));
    } else {
        walk(directory, &mut files)?;
    }
    files.sort_unstable();
    files.dedup();
    Ok(files)
}

/// Adds all files below `directory`, but for what git keeps and cargo makes.
pub(crate) fn walk(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), BuildError> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if NO_SOURCES
            .iter()
            .any(|skipped| entry.file_name() == *skipped)
        {
            continue;
        }
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// What stands at `path`, as an input's value: the digest of a file, or of all
/// files below a directory; links are followed, for a compiler would.
pub(crate) fn content(path: &Path) -> Result<String, BuildError> {
    content_within(path, DEEPEST)
}

fn content_within(path: &Path, deepest: usize) -> Result<String, BuildError> {
    let Ok(metadata) = fs::metadata(path) else {
        return Ok(ABSENT.to_owned());
    };
    if metadata.is_file() {
        return Ok(hash(path)?.to_string());
    }
    if !metadata.is_dir() || deepest == 0 {
        return Ok("neither file nor directory".to_owned());
    }
    let mut below = BTreeMap::new();
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        if !NO_SOURCES.iter().any(|skipped| name == *skipped) {
            let content = content_within(&path.join(&name), deepest - 1)?;
            below.insert(name.to_string_lossy().into_owned(), content);
        }
    }
    let mut text = String::new();
    for (name, content) in below {
        // Writing to a text never fails.
        let _ = writeln!(text, "{} {content}", name.escape_debug());
    }
    Ok(format!("directory {}", Digest::of(text.as_bytes())))
}

/// The digest of a file, which is read in pieces.
pub(crate) fn hash(path: &Path) -> Result<Digest, BuildError> {
    let mut file = BufReader::with_capacity(1 << 17, fs::File::open(path)?);
    let mut hasher = Hasher::default();
    io::copy(&mut file, &mut hasher)?;
    Ok(hasher.finish())
}

/// `path` without `.` and `..`, by its text alone.
pub(crate) fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_changes_with_every_file_below_it_and_with_what_links_lead_to() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/b/file"), "1").unwrap();
        let outside = directory.path().join("outside");
        fs::write(&outside, "1").unwrap();
        std::os::unix::fs::symlink(&outside, root.join("link")).unwrap();
        std::os::unix::fs::symlink("..", root.join("a/loop")).unwrap();
        let mut seen = vec![content(&root).unwrap()];
        let mut changed = |what: &str| {
            let now = content(&root).unwrap();
            assert!(!seen.contains(&now), "{what}");
            seen.push(now);
        };
        fs::write(root.join("a/b/file"), "2").unwrap();
        changed("file");
        fs::write(&outside, "2").unwrap();
        changed("link");
        fs::write(root.join("new"), "").unwrap();
        changed("new");
        fs::create_dir(root.join("target")).unwrap();
        fs::write(root.join("target/x"), "").unwrap();
        assert_eq!(content(&root).unwrap(), *seen.last().unwrap());
        assert_eq!(content(&directory.path().join("gone")).unwrap(), ABSENT);
    }

    #[test]
    fn paths_lose_dots() {
        assert_eq!(plain(Path::new("/a/./b/../c")), Path::new("/a/c"));
    }
}
