//! Which files are looked at: what git does not ignore, or where there is no
//! git, everything but what tools leave behind.

use std::path::Path;
use std::process::{Command, Stdio};

use fs_err as fs;

/// Directories that hold what tools made or fetched, never what people wrote.
const MADE_BY_TOOLS: [&str; 4] = [".git", ".terraform", "node_modules", "target"];

/// More files than this are not looked at: a home directory by mistake.
const MOST_FILES: usize = 200_000;

/// The files below a directory.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Relative to it, with `/`, sorted.
    pub(super) paths: Vec<String>,
    /// What was not looked at, and why.
    pub(super) skipped: Vec<String>,
}

/// Lists the files below `root`, without those that `exclude` names.
pub(super) fn list(root: &Path, exclude: &[String]) -> Files {
    let mut files = match tracked(root) {
        Ok(paths) => Files {
            paths,
            skipped: Vec::new(),
        },
        Err(why) => walk(root, why),
    };
    files.paths.sort_unstable();
    files.paths.dedup();
    for excluded in exclude {
        let excluded = excluded.trim_end_matches('/');
        let before = files.paths.len();
        files.paths.retain(|path| !is_below(path, excluded));
        let left_out = before - files.paths.len();
        files.skipped.push(format!(
            "{excluded}: {left_out} {} excluded by `check.exclude` of longshore.toml",
            if left_out == 1 {
                "file is"
            } else {
                "files are"
            },
        ));
    }
    files
}

/// Whether `path` is `directory` or stands below it.
fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Why git has no list; `None` where there simply is no checkout.
type NoList = Option<String>;

fn tracked(root: &Path) -> Result<Vec<String>, NoList> {
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .stdin(Stdio::null())
        .output()
        .map_err(|_| None)?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        let first = words.lines().next().unwrap_or_default();
        return Err((!first.contains("not a git repository")).then(|| first.to_owned()));
    }
    let paths = output.stdout.split(|byte| *byte == 0);
    // A name that is not UTF-8 cannot be one of ours, nor stand in a report.
    let paths = paths.filter_map(|path| std::str::from_utf8(path).ok());
    let written =
        |path: &&str| !path.is_empty() && !path.split('/').any(|part| part == ".terraform");
    let paths: Vec<_> = paths.filter(written).map(str::to_owned).collect();
    // A directory that git ignores as a whole was named on purpose.
    if paths.is_empty() {
        Err(None)
    } else {
        Ok(paths)
    }
}

/// Everything below `root`. Links are not followed: they may lead in circles, or
/// out of the repository.
fn walk(root: &Path, why: NoList) -> Files {
    let mut files = Files::default();
    if let Some(why) = why {
        let line = format!(".gitignore: not honoured, because git lists no files: {why}");
        files.skipped.push(line);
    }
    let mut directories = vec![String::new()];
    while let Some(directory) = directories.pop() {
        let entries = match fs::read_dir(root.join(&directory)) {
            Ok(entries) => entries,
            Err(error) => {
                files.skipped.push(unreadable(&directory, &error));
                continue;
            }
        };
        for entry in entries.flatten() {
            let (Ok(kind), Ok(name)) = (entry.file_type(), entry.file_name().into_string()) else {
                continue;
            };
            let path = if directory.is_empty() {
                name.clone()
            } else {
                format!("{directory}/{name}")
            };
            if kind.is_dir() && !MADE_BY_TOOLS.contains(&name.as_str()) {
                directories.push(path);
            } else if kind.is_file() {
                files.paths.push(path);
            }
        }
        if files.paths.len() > MOST_FILES {
            let line = format!("the files after the first {MOST_FILES}: too many to look at");
            files.skipped.push(line);
            files.paths.truncate(MOST_FILES);
            break;
        }
    }
    files
}

/// One line that says why `path` was not looked at.
fn unreadable(path: &str, error: &std::io::Error) -> String {
    let path = if path.is_empty() { "." } else { path };
    // The kind, not the text: that of the system differs between machines.
    format!("{path}: cannot be read: {}", error.kind())
}

#[cfg(test)]
mod tests {
    use super::is_below;

    #[test]
    fn a_directory_covers_itself_and_what_is_below() {
        assert!(is_below("a/b", "a") && is_below("a", "a") && is_below("a/b/c", "a/b"));
        assert!(!is_below("ab", "a") && !is_below("b/a", "a"));
    }
}
