//! The files that a Dockerfile may copy: counted one by one, and handed to the builder
//! as exactly those.
//!
//! Builders read `.dockerignore` alike in most and not in all things, take modes from
//! the disk, and send whatever else lies there. So the context is put together here,
//! with the modes that git knows, and every builder gets the same.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use fs_err as fs;
use oci::Digest;
use tempfile::TempDir;

use super::ignore::Ignore;
use crate::BuildError;
use crate::files::hash;
use crate::unseen::{OURS, is_layout};

/// What never enters from the context's root: files that a builder would read again, and
/// what git keeps for itself, which differs from clone to clone and may hold a login.
const NEVER: [&str; 3] = [".containerignore", ".dockerignore", ".git"];

/// What stands at a path of the context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Directory,
    File { executable: bool, digest: Digest },
    Link(String),
}

/// A context as it was at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Context(pub(super) BTreeMap<String, Found>);

impl Context {
    /// Reads `directory` but for what `ignore` leaves out and what lies `apart`.
    pub(super) fn read(
        directory: &Path,
        ignore: &Ignore,
        apart: &Apart,
    ) -> Result<Self, BuildError> {
        let mut context = Self::default();
        let walk = Walk {
            root: directory,
            ignore,
            apart,
        };
        walk.directory("", &mut context)?;
        Ok(context)
    }

    /// Writes the files to a directory of their own below `place`. A file that has
    /// changed since it was counted is an error.
    pub(super) fn stage(&self, from: &Path, place: &Path) -> Result<TempDir, BuildError> {
        fs::create_dir_all(place)?;
        let staged = tempfile::Builder::new()
            .prefix("context-")
            .permissions(std::fs::Permissions::from_mode(0o755))
            .tempdir_in(place)?;
        for (path, found) in &self.0 {
            let to = staged.path().join(path);
            match found {
                Found::Directory => {
                    fs::create_dir(&to)?;
                    fs::set_permissions(&to, std::fs::Permissions::from_mode(0o755))?;
                }
                Found::Link(target) => fs_err::os::unix::fs::symlink(target, &to)?,
                Found::File { executable, digest } => {
                    fs::copy(from.join(path), &to)?;
                    if hash(&to)? != *digest {
                        return Err(BuildError::Changed(from.join(path)));
                    }
                    let mode = if *executable { 0o755 } else { 0o644 };
                    fs::set_permissions(&to, std::fs::Permissions::from_mode(mode))?;
                }
            }
        }
        Ok(staged)
    }
}

/// Directories that are no part of a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Apart {
    all: Vec<PathBuf>,
    /// One that is there because of them alone, unless it holds more.
    above: Option<PathBuf>,
}

impl Apart {
    /// What Longshore itself writes below `checkout`.
    pub(super) fn ours(checkout: &Path) -> Self {
        let ours = checkout.join(OURS);
        Self {
            above: ours.parent().map(Path::to_owned),
            all: vec![ours],
        }
    }

    /// These directories.
    pub(super) fn all(all: Vec<PathBuf>) -> Self {
        Self { all, above: None }
    }
}

struct Walk<'a> {
    root: &'a Path,
    ignore: &'a Ignore,
    apart: &'a Apart,
}

impl Walk<'_> {
    /// Adds what is in a directory of the context; whether that was anything.
    fn directory(&self, relative: &str, context: &mut Context) -> Result<bool, BuildError> {
        let directory = self.root.join(relative);
        let mut any = false;
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_str().ok_or_else(|| {
                BuildError::Dockerfile(format!(
                    "the name of {} is not UTF-8",
                    entry.path().display()
                ))
            })?;
            let path = match relative {
                "" => name.to_owned(),
                relative => format!("{relative}/{name}"),
            };
            if NEVER.contains(&&*path) || self.apart.all.contains(&entry.path()) {
                continue;
            }
            any |= self.entry(path, &entry, context)?;
        }
        Ok(any)
    }

    fn entry(
        &self,
        path: String,
        entry: &fs::DirEntry,
        context: &mut Context,
    ) -> Result<bool, BuildError> {
        let out = self.ignore.leaves_out(&path);
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if (out && !self.ignore.has_exceptions()) || is_layout(&entry.path()) {
                return Ok(false);
            }
            // The parent must stand before what is in it.
            let any = self.directory(&path, context)?;
            let counts = any || !(out || Some(entry.path()) == self.apart.above);
            if counts {
                context.0.insert(path, Found::Directory);
            }
            return Ok(counts);
        }
        if out {
            return Ok(false);
        }
        let found = if kind.is_symlink() {
            let target = fs::read_link(entry.path())?;
            let target = target.into_os_string().into_string();
            Found::Link(
                target
                    .map_err(|_| BuildError::Dockerfile(format!("the link {path} is not UTF-8")))?,
            )
        } else if kind.is_file() {
            Found::File {
                executable: entry.metadata()?.permissions().mode() & 0o100 != 0,
                digest: hash(&entry.path())?,
            }
        } else {
            // A socket, a pipe or a device is no content.
            return Ok(false);
        };
        context.0.insert(path, found);
        Ok(true)
    }
}

impl Found {
    /// As an input's value.
    pub(super) fn value(&self) -> String {
        match self {
            Self::Directory => "directory".to_owned(),
            Self::Link(target) => format!("link {target}"),
            Self::File {
                executable: true,
                digest,
            } => format!("program {digest}"),
            Self::File { digest, .. } => digest.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_context_is_what_is_counted_with_modes_that_git_knows() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for path in ["src", "target/longshore", "docs", "layout"] {
            fs::create_dir_all(root.join(path)).unwrap();
        }
        for path in [
            "src/main",
            "target/longshore/x",
            "layout/oci-layout",
            "docs/a",
            "docs/b",
            ".dockerignore",
        ] {
            fs::write(root.join(path), path).unwrap();
        }
        fs::write(root.join("layout/.gitignore"), "*\n").unwrap();
        let mode = std::fs::Permissions::from_mode(0o700);
        fs::set_permissions(root.join("src/main"), mode).unwrap();
        fs_err::os::unix::fs::symlink("src", root.join("link")).unwrap();
        let ignore = Ignore::parse("docs\n!docs/b\n");
        let context = Context::read(root, &ignore, &Apart::ours(root)).unwrap();
        let paths: Vec<_> = context.0.keys().map(String::as_str).collect();
        assert_eq!(paths, ["docs", "docs/b", "link", "src", "src/main"]);

        let staged = context.stage(root, &root.join("target/longshore")).unwrap();
        let again = Context::read(staged.path(), &Ignore::default(), &Apart::ours(root)).unwrap();
        assert_eq!(again, context);
        let mode = fs::metadata(staged.path().join("src/main")).unwrap();
        assert_eq!(mode.permissions().mode() & 0o777, 0o755);

        fs::write(root.join("docs/b"), "changed").unwrap();
        let error = context
            .stage(root, &root.join("target/longshore"))
            .unwrap_err();
        assert!(matches!(error, BuildError::Changed(_)), "{error}");
    }

    #[test]
    fn what_cargo_makes_is_apart_where_it_makes_the_program() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for path in ["target/release", "out", "src"] {
            fs::create_dir_all(root.join(path)).unwrap();
            fs::write(root.join(path).join("a"), "a").unwrap();
        }
        let read = |apart: &Apart| Context::read(root, &Ignore::default(), apart).unwrap();
        let apart = Apart::all(vec![root.join("out"), root.join("target")]);
        let paths = read(&apart).0.into_keys().collect::<Vec<_>>();
        assert_eq!(paths, ["src", "src/a"]);
        // A Dockerfile alone may copy what was compiled.
        assert!(read(&Apart::ours(root)).0.contains_key("target/release/a"));
    }

    #[test]
    fn what_a_build_leaves_and_what_git_keeps_changes_no_context() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::write(root.join("a"), "a").unwrap();
        let read =
            || Context::read(&root.join("."), &Ignore::default(), &Apart::ours(root)).unwrap();
        let before = read();
        fs::create_dir(root.join("target")).unwrap();
        assert_eq!(read(), before);
        fs::create_dir_all(root.join("target/longshore/dockerfile")).unwrap();
        fs::create_dir(root.join(".git")).unwrap();
        fs::write(root.join(".git/config"), "token").unwrap();
        fs::write(root.join(".containerignore"), "a").unwrap();
        assert_eq!(read(), before);
        fs::remove_dir_all(root.join(".git")).unwrap();
        fs::write(root.join(".git"), "gitdir: elsewhere").unwrap();
        assert_eq!(read(), before);

        fs::create_dir_all(root.join("sub/.git")).unwrap();
        fs::write(root.join("target/b"), "b").unwrap();
        let paths: Vec<_> = read().0.into_keys().collect();
        assert_eq!(paths, ["a", "sub", "sub/.git", "target", "target/b"]);
    }
}
