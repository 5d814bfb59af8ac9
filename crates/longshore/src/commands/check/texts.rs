//! The text of files: what may be long, binary or unreadable without harm.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use fs_err as fs;

use super::files::unreadable;
use super::parallel;

/// The longest file that is read. GitHub's own limit for a workflow is below it.
const LONGEST_FILE: u64 = 1024 * 1024;

/// The most text that is held at once.
const MOST_TEXT: u64 = 256 * 1024 * 1024;

/// How much of a long file tells whether it is text.
const SAMPLE: usize = 8 * 1024;

/// The texts of a repository.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// By path.
    pub(super) texts: BTreeMap<String, String>,
    /// What was not looked at, and why.
    pub(super) skipped: Vec<String>,
}

enum Outcome {
    Text(String),
    /// Nothing that could be looked at: binary, a directory, a link, gone.
    Nothing,
    Skipped(String),
}

/// Reads `paths` below `root`.
pub(super) fn read(root: &Path, paths: &[String]) -> Texts {
    let sizes = parallel::map(paths, |path| size(root, path));
    let mut total = 0;
    let mut wanted = Vec::new();
    let mut beyond = 0_usize;
    for (path, size) in paths.iter().zip(sizes) {
        let Some(size) = size else { continue };
        total += size.min(LONGEST_FILE);
        if total <= MOST_TEXT {
            wanted.push((path, size));
        } else {
            beyond += 1;
        }
    }
    let outcomes = parallel::map(&wanted, |(path, size)| text(root, path, *size));
    let mut texts = Texts::default();
    for ((path, _), outcome) in wanted.into_iter().zip(outcomes) {
        match outcome {
            Outcome::Text(text) => {
                texts.texts.insert(path.clone(), text);
            }
            Outcome::Skipped(line) => texts.skipped.push(line),
            Outcome::Nothing => {}
        }
    }
    if beyond > 0 {
        let mebibytes = MOST_TEXT / 1024 / 1024;
        let line = format!("{beyond} files: beyond the first {mebibytes} MiB of the repository");
        texts.skipped.push(line);
    }
    texts
}

/// The size of a file that is neither a link nor a directory. What a link leads
/// to stands in the list itself, or is not of the repository.
fn size(root: &Path, path: &str) -> Option<u64> {
    let metadata = fs::symlink_metadata(root.join(path)).ok()?;
    metadata.is_file().then_some(metadata.len())
}

fn text(root: &Path, path: &str, size: u64) -> Outcome {
    match read_text(root, path, size) {
        Ok(outcome) => outcome,
        Err(error) => Outcome::Skipped(unreadable(path, &error)),
    }
}

fn read_text(root: &Path, path: &str, size: u64) -> std::io::Result<Outcome> {
    let file = fs::File::open(root.join(path))?;
    let is_binary = |bytes: &[u8]| bytes.iter().take(SAMPLE).any(|byte| *byte == 0);
    let mut bytes = Vec::new();
    if size > LONGEST_FILE {
        file.take(SAMPLE as u64).read_to_end(&mut bytes)?;
        return Ok(if is_binary(&bytes) {
            Outcome::Nothing
        } else {
            Outcome::Skipped(format!("{path}: longer than {} MiB", LONGEST_FILE >> 20))
        });
    }
    // Bounded also where the file grows meanwhile.
    file.take(LONGEST_FILE).read_to_end(&mut bytes)?;
    if is_binary(&bytes) {
        return Ok(Outcome::Nothing);
    }
    Ok(match String::from_utf8(bytes) {
        Ok(text) => Outcome::Text(text),
        Err(_) if matters(path) => Outcome::Skipped(format!("{path}: is not UTF-8")),
        Err(_) => Outcome::Nothing,
    })
}

/// Whether a file is one that the rest reads, so that its loss must be told.
fn matters(path: &str) -> bool {
    [".yml", ".yaml", ".tf", ".tfvars", ".json", ".toml"]
        .iter()
        .any(|ending| path.ends_with(ending))
}
