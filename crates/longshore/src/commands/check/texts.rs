//! The text of files: what may be long, binary or unreadable without harm.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use audit::parallel;
use fs_err as fs;

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
    pub(super) by_path: BTreeMap<String, String>,
    /// Paths that were not looked at, and why.
    pub(super) lost: Vec<(String, String)>,
    /// What else was not looked at.
    pub(super) skipped: Vec<String>,
}

enum Outcome {
    Text(String),
    /// Nothing that could be looked at: binary, a directory, a link, gone.
    Nothing,
    /// Why it was not looked at.
    Lost(String),
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
                texts.by_path.insert(path.clone(), text);
            }
            Outcome::Lost(why) => texts.lost.push((path.clone(), why)),
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
        Err(error) => Outcome::Lost(error.kind().to_string()),
    }
}

fn read_text(root: &Path, path: &str, size: u64) -> std::io::Result<Outcome> {
    let file = fs::File::open(root.join(path))?;
    let is_binary = |bytes: &[u8]| bytes.iter().take(SAMPLE).any(|byte| *byte == 0);
    let mut bytes = Vec::new();
    if size > LONGEST_FILE {
        file.take(SAMPLE as u64).read_to_end(&mut bytes)?;
        return Ok(if is_binary(&bytes) && !matters(path) {
            Outcome::Nothing
        } else {
            Outcome::Lost(format!("longer than {} MiB", LONGEST_FILE >> 20))
        });
    }
    // Bounded also where the file grows meanwhile.
    file.take(LONGEST_FILE).read_to_end(&mut bytes)?;
    let binary = is_binary(&bytes);
    Ok(match String::from_utf8(bytes) {
        Ok(text) if !binary => Outcome::Text(text),
        Ok(_) if matters(path) => Outcome::Lost("is not text".to_owned()),
        Err(_) if matters(path) => Outcome::Lost("is not UTF-8".to_owned()),
        _ => Outcome::Nothing,
    })
}

/// Whether a file is one that the rest reads, so that its loss must be told.
fn matters(path: &str) -> bool {
    [".yml", ".yaml", ".tf", ".tfvars", ".json", ".toml"]
        .iter()
        .any(|ending| path.ends_with(ending))
}
