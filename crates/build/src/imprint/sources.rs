//! The sources of what was compiled: what stands in them is the same everywhere.

use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use fs_err as fs;

use super::ImprintKind;
use super::origin::{Compile, Origin, directory};
use super::scan::{Found, is_of_path};
use crate::files::walk;

/// The sources, which are read only where something was found.
pub(super) struct Sources<'a> {
    compile: &'a Compile<'a>,
}

impl<'a> Sources<'a> {
    pub(super) fn of(compile: &'a Compile<'a>) -> Self {
        Self { compile }
    }

    /// Removes what the program holds because a source does.
    pub(super) fn remove_their_own(&self, found: &mut Vec<(Found, usize)>) {
        let mut open: Vec<_> = found
            .iter()
            .filter_map(|(found, _)| {
                let sought = &found.text[..found.ordinary?];
                let sought = if found.kind == ImprintKind::Path {
                    sought
                } else {
                    &found.text
                };
                Some((found.clone(), AhoCorasick::new([sought]).ok()?))
            })
            .collect();
        let mut own = Vec::new();
        if open.is_empty() {
            return;
        }
        for text in self.files().filter_map(|file| fs::read(file).ok()) {
            open.retain(|(found, search)| {
                let mut places = search.find_iter(&text);
                let has = places.any(|place| has(&text, place.start(), found));
                if has {
                    own.push(found.clone());
                }
                !has
            });
            if open.is_empty() {
                break;
            }
        }
        found.retain(|(found, _)| !own.contains(found));
    }

    /// Those of the workspace, then those of crates.
    fn files(&self) -> impl Iterator<Item = PathBuf> {
        let local = self.compile.sources.iter().cloned();
        let artifacts = self.compile.artifacts.iter();
        let crates = artifacts.map(directory);
        let mut crates: Vec<_> = crates
            .filter(|directory| !directory.starts_with(self.compile.root))
            .collect();
        crates.sort_unstable();
        crates.dedup();
        local.chain(crates.into_iter().flat_map(|directory| {
            let mut files = Vec::new();
            // One that is gone has nothing to say.
            let _ = walk(directory, &mut files);
            files
        }))
    }

    /// The first line of a local package's code that holds one of `words`, as a file
    /// relative to the workspace and a number, with the place of the word among them.
    pub(super) fn line(&self, origin: &Origin, words: &[&str]) -> Option<(String, usize, usize)> {
        let is_code = |file: &&PathBuf| {
            file.starts_with(&origin.directory) && file.extension().is_some_and(|end| end == "rs")
        };
        let mut files: Vec<_> = self.compile.sources.iter().filter(is_code).collect();
        files.sort_by_key(|file| Some(*file) != origin.script.as_ref());
        files.into_iter().find_map(|file| {
            let text = fs::read_to_string(file).ok()?;
            let name = self.name(file)?;
            let mut lines = text.lines().zip(1..);
            lines.find_map(|(line, number)| {
                let word = words.iter().position(|word| line.contains(word))?;
                let comment = line.trim_start().starts_with("//");
                (!comment).then(|| (name.clone(), number, word))
            })
        })
    }

    fn name(&self, file: &Path) -> Option<String> {
        let name = file.strip_prefix(self.compile.root).ok()?;
        Some(name.to_str()?.to_owned())
    }
}

/// Whether what was found in the program stands in a source at `place`. Literals lie
/// side by side in a program, so that of a path only its beginning is the source's.
fn has(source: &[u8], place: usize, found: &Found) -> bool {
    if found.kind != ImprintKind::Path {
        return true;
    }
    let length = source[place..]
        .iter()
        .take_while(|byte| is_of_path(**byte))
        .count();
    let path = &source[place..place + length];
    let ends = source
        .get(place + length)
        .is_some_and(|byte| b"\"'{\\".contains(byte));
    let text = found.text.as_bytes();
    text == path || (ends && text.starts_with(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_the_program_is_a_literal_of_the_source_or_of_the_machine() {
        let found = |text: &str| Found {
            kind: ImprintKind::Path,
            text: text.to_owned(),
            section: String::new(),
            around: String::new(),
            ordinary: Some("/root/".len()),
        };
        let literal = b"x(\"/root/.docker\")";
        assert!(has(literal, 3, &found("/root/.docker")));
        assert!(has(literal, 3, &found("/root/.dockernext-literal")));
        assert!(!has(literal, 3, &found("/root/.cargo/registry/src")));
        let sentence = b"x(\"/root/.docker and {}\")";
        assert!(has(sentence, 3, &found("/root/.docker")));
        let comment = b"// in /root/.cargo there is";
        assert!(!has(comment, 6, &found("/root/.cargo/registry/src")));
    }
}
