//! Files of the project: a directory of this machine as entries of a layer.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use fs_err as fs;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::entry::{Content, Entry};
use crate::error::ImageError;
use crate::layout::is_own;

#[cfg(test)]
mod tests;

/// A directory, or one file, and how it lies in the image.
#[derive(Debug, Clone)]
pub struct Assets {
    /// Where it is on this machine.
    pub from: PathBuf,
    /// Where it will be in the image: `/srv/www`.
    pub to: String,
    /// The owner's number; the group has the same.
    pub owner: u64,
    /// The mode of files, such as `0o644`.
    pub mode: u32,
    /// What is left out.
    pub exclude: Exclude,
    /// Directories that are made here and are no files of the project.
    pub apart: Vec<PathBuf>,
}

/// What git keeps for itself, which differs from clone to clone and may hold a login.
const GIT: &str = ".git";

/// What assets leave out, relative to their directory.
#[derive(Debug, Clone, Default)]
pub struct Exclude(GlobSet);

/// Why a text is no glob.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{glob}` is not a glob: {reason}")]
pub struct GlobError {
    glob: String,
    reason: String,
}

impl Exclude {
    /// As `.gitignore` has it: a glob without `/` is about names at any depth,
    /// one with `/` about paths from the directory on; `*` stays within a name
    /// and `**` does not.
    pub fn new(globs: &[String]) -> Result<Self, GlobError> {
        let mut all = GlobSetBuilder::new();
        for glob in globs {
            let wrong = |error: globset::Error| GlobError {
                glob: glob.clone(),
                reason: error.kind().to_string(),
            };
            let path = glob.trim_end_matches('/');
            let anchored = match path.strip_prefix('/') {
                Some(path) => path.to_owned(),
                None if path.contains('/') => path.to_owned(),
                None => format!("**/{path}"),
            };
            let parsed = GlobBuilder::new(&anchored).literal_separator(true).build();
            all.add(parsed.map_err(wrong)?);
        }
        let all = all.build().map_err(|error| GlobError {
            glob: globs.join(" "),
            reason: error.kind().to_string(),
        })?;
        Ok(Self(all))
    }

    fn leaves_out(&self, path: &Path) -> bool {
        self.0.is_match(path)
    }
}

impl Assets {
    /// The entries, read from disk: files, directories and links, nothing else.
    ///
    /// Modes are made equal: directories and files that their owner may execute
    /// get an `x` for each `r`. A link must stay within the assets. `.git` is never among
    /// them.
    pub fn entries(&self) -> Result<Vec<Entry>, ImageError> {
        let to = self.to.trim_matches('/').to_owned();
        let root = fs::canonicalize(&self.from)?;
        let metadata = fs::metadata(&root)?;
        let mut entries = Vec::new();
        if metadata.is_dir() {
            if !to.is_empty() {
                entries.push(self.entry(to.clone(), true, Content::Directory));
            }
            let walk = Walk {
                assets: self,
                root: &root,
            };
            walk.directory(Path::new(""), &to, &mut entries)?;
        } else {
            let executable = metadata.permissions().mode() & 0o100 != 0;
            entries.push(self.entry(to, executable, Content::File(root)));
        }
        Ok(entries)
    }

    fn entry(&self, path: String, executable: bool, content: Content) -> Entry {
        let mode = match content {
            Content::Symlink(_) => 0o777,
            _ if executable => self.mode | (self.mode & 0o444) >> 2,
            _ => self.mode,
        };
        Entry {
            path,
            mode,
            owner: self.owner,
            content,
        }
    }
}

struct Walk<'a> {
    assets: &'a Assets,
    /// The directory, with no link on the way to it.
    root: &'a Path,
}

impl Walk<'_> {
    /// Adds what is in the directory `relative` of the root, as `to` of the image, and says
    /// whether it has files, left out or not.
    fn directory(
        &self,
        relative: &Path,
        to: &str,
        entries: &mut Vec<Entry>,
    ) -> Result<bool, ImageError> {
        let mut has_files = false;
        for found in fs::read_dir(self.root.join(relative))? {
            let found = found?;
            let relative = relative.join(found.file_name());
            let (place, name) = (found.path(), found.file_name());
            if name == GIT || self.assets.apart.contains(&place) || is_own(&place) {
                continue;
            }
            if self.assets.exclude.leaves_out(&relative) {
                has_files |= !found.file_type()?.is_dir();
                continue;
            }
            let name = name
                .to_str()
                .ok_or_else(|| ImageError::NameNotText(place.clone()))?;
            let path = match to {
                "" => name.to_owned(),
                to => format!("{to}/{name}"),
            };
            let kind = found.file_type()?;
            let entry = |executable, content| self.assets.entry(path.clone(), executable, content);
            if kind.is_dir() {
                let before = entries.len();
                entries.push(entry(true, Content::Directory));
                if self.directory(&relative, &path, entries)? {
                    has_files = true;
                } else {
                    // Git carries no directory without a file: not every checkout of a
                    // commit has it.
                    entries.truncate(before);
                }
                continue;
            } else if kind.is_symlink() {
                entries.push(entry(false, self.link(&relative, &place)?));
            } else if kind.is_file() {
                let executable = found.metadata()?.permissions().mode() & 0o100 != 0;
                entries.push(entry(executable, Content::File(place)));
            } else {
                return Err(ImageError::SpecialFile(place));
            }
            has_files = true;
        }
        Ok(has_files)
    }

    /// A link that stays within the assets, by its text and by where it leads on
    /// this machine: `inner/..` leads out where `inner` is a link itself.
    fn link(&self, relative: &Path, place: &Path) -> Result<Content, ImageError> {
        let target = fs::read_link(place)?;
        let escapes = || ImageError::EscapingLink {
            link: place.to_owned(),
            target: target.clone(),
        };
        let mut depth = relative.components().count() - 1;
        for component in target.components() {
            depth = match component {
                Component::Normal(_) => depth + 1,
                Component::CurDir => depth,
                Component::ParentDir => depth.checked_sub(1).ok_or_else(escapes)?,
                Component::RootDir | Component::Prefix(_) => return Err(escapes()),
            };
        }
        match fs::canonicalize(place) {
            Ok(leads_to) if !leads_to.starts_with(self.root) => return Err(escapes()),
            // A link to nothing is packed as it is.
            _ => {}
        }
        let text = target.to_str();
        let text = text.ok_or_else(|| ImageError::NameNotText(place.to_owned()))?;
        Ok(Content::Symlink(text.to_owned()))
    }
}
