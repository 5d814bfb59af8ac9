//! The trail as it was: its files, kept and brought back.
//!
//! Nothing is copied where it can be shared: a kept file is a link to the one
//! that goes on growing, with the length that it had. Files only ever grow, so
//! what was kept stays; one that has grown since is brought back as a copy of
//! its beginning.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::Path;

use super::files;
use crate::durable::sync_entries;

/// The length of each file in bytes, by `ACCOUNT/YYYY-MM-DD.jsonl`.
pub(crate) type Lengths = BTreeMap<String, u64>;

/// Links the files of the trail in `directory` into `to`, durably.
pub(super) fn keep(directory: &Path, to: &Path) -> io::Result<Lengths> {
    let mut lengths = Lengths::new();
    fs_err::create_dir_all(to)?;
    for path in files(directory)? {
        let Ok(name) = path.strip_prefix(directory) else {
            continue;
        };
        let file = fs_err::File::open(&path)?;
        file.sync_all()?;
        lengths.insert(name.display().to_string(), file.metadata()?.len());
        link(&path, &to.join(name))?;
    }
    sync(to)?;
    Ok(lengths)
}

/// Makes the trail that was kept in `kept` anew in `to`, durably.
pub(crate) fn bring_back(kept: &Path, lengths: &Lengths, to: &Path) -> io::Result<()> {
    fs_err::create_dir_all(to)?;
    for (name, length) in lengths {
        let (from, to) = (kept.join(name), to.join(name));
        let file = fs_err::File::open(&from)?;
        if file.metadata()?.len() <= *length {
            link(&from, &to)?;
            continue;
        }
        make_parent(&to)?;
        let mut beginning = file.take(*length);
        let mut copy = fs_err::File::create_new(&to)?;
        io::copy(&mut beginning, &mut copy)?;
        copy.sync_all()?;
    }
    sync(to)
}

/// Where the file system has no links, a copy does.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    make_parent(to)?;
    if fs_err::hard_link(from, to).is_err() {
        fs_err::copy(from, to)?;
        fs_err::File::open(to)?.sync_all()?;
    }
    Ok(())
}

fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs_err::create_dir_all)
}

/// Makes the entries of a directory and of those in it durable.
fn sync(directory: &Path) -> io::Result<()> {
    for entry in fs_err::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            sync_entries(&path)?;
        }
    }
    sync_entries(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_comes_back_whatever_was_written_since_and_brought_back_between() {
        let data = tempfile::tempdir().unwrap();
        let at = |name: &str| data.path().join(name);
        let (file, read) = ("1/2026-01-01.jsonl", |path: &Path| {
            fs_err::read_to_string(path).unwrap()
        });
        let append = |trail: &str, text: &str| {
            use std::io::Write as _;
            let mut options = fs_err::OpenOptions::new();
            let mut file = options
                .create(true)
                .append(true)
                .open(at(trail).join(file))
                .unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        fs_err::create_dir_all(at("trail/1")).unwrap();
        append("trail", "first\n");
        let first = keep(&at("trail"), &at("kept-1")).unwrap();
        append("trail", "second\n");
        fs_err::write(at("trail/1/2026-01-02.jsonl"), "later\n").unwrap();
        let second = keep(&at("trail"), &at("kept-2")).unwrap();

        bring_back(&at("kept-1"), &first, &at("back-1")).unwrap();
        assert_eq!(read(&at("back-1").join(file)), "first\n");
        assert!(!at("back-1/1/2026-01-02.jsonl").exists());
        append("back-1", "another second, longer than the other\n");
        bring_back(&at("kept-2"), &second, &at("back-2")).unwrap();
        assert_eq!(read(&at("back-2").join(file)), "first\nsecond\n");
        assert_eq!(read(&at("back-2/1/2026-01-02.jsonl")), "later\n");
        append("back-2", "third\n");
        bring_back(&at("kept-2"), &second, &at("back-3")).unwrap();
        assert_eq!(read(&at("back-3").join(file)), "first\nsecond\n");
    }
}
