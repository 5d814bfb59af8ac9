//! The files of the trail: `<account>/YYYY-MM-DD.jsonl`, one for each day of the
//! emulator's clock, one record a line.
//!
//! One thread writes (`queue`). What a kill or a full disk left of a line is taken
//! away again before anything follows it.

use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::history::{self, Lengths};
use super::index::Index;
use super::note::Note;
use super::queue::Queue;
use super::record::{Delivery, deliveries};

/// The trail of every account.
#[derive(Debug)]
pub(crate) struct Trail {
    pub(super) directory: PathBuf,
    queue: Queue,
    pub(super) index: Mutex<Index>,
    keeping: Mutex<()>,
}

impl Trail {
    /// A trail in `directory`, which exists.
    pub(crate) fn new(directory: PathBuf, account: &str, region: &str) -> std::io::Result<Self> {
        for file in files(&directory)? {
            mend(&file)?;
        }
        let appender = Appender {
            directory: directory.clone(),
            account: account.to_owned(),
            region: region.to_owned(),
        };
        Ok(Self {
            directory,
            queue: Queue::start(appender)?,
            index: Mutex::default(),
            keeping: Mutex::default(),
        })
    }

    /// Runs `work`, which keeps something beside the lines, in the directory, one
    /// at a time.
    pub(crate) fn keep<R>(&self, work: impl FnOnce(&Path) -> R) -> R {
        let _one_at_a_time = self.keeping.lock().unwrap_or_else(PoisonError::into_inner);
        work(&self.directory)
    }

    /// Appends what was noted, for every account that it concerns. It may still
    /// be on its way to the files when this returns.
    pub(crate) fn append(&self, note: &Note, now: Timestamp) -> std::io::Result<()> {
        self.queue.push(note.clone(), now)
    }

    /// Waits until everything that was appended is in the files.
    pub(crate) fn flush(&self) -> std::io::Result<()> {
        self.queue.run(|| ())
    }

    /// Keeps the trail, as it is now, in the directory `to`.
    pub(crate) fn keep_in(&self, to: PathBuf) -> std::io::Result<Lengths> {
        let directory = self.directory.clone();
        self.queue.run(move || history::keep(&directory, &to))?
    }

    /// Runs `work`, which puts another directory in place of the trail's, while
    /// nobody writes to it or reads from it.
    pub(crate) fn replace(
        &self,
        work: impl FnOnce() -> std::io::Result<()> + Send + 'static,
    ) -> std::io::Result<()> {
        let _nobody_keeps = self.keeping.lock().unwrap_or_else(PoisonError::into_inner);
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        *index = Index::default();
        self.queue.run(work)?
    }
}

/// Writes to the files.
#[derive(Debug)]
pub(super) struct Appender {
    directory: PathBuf,
    /// Where requests belong that no account is known for.
    account: String,
    region: String,
}

impl Appender {
    /// Appends what was noted, in this order.
    pub(super) fn append(&self, notes: &[(Note, Timestamp)]) -> std::io::Result<()> {
        let mut lines: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
        for (note, now) in notes {
            let name = format!("{}.jsonl", day(*now));
            for Delivery { account, record } in
                deliveries(&note.entry(), &self.account, &self.region, *now)
            {
                let path = self.directory.join(account).join(&name);
                let lines = lines.entry(path).or_default();
                serde_json::to_writer(&mut *lines, &record)?;
                lines.push(b'\n');
            }
        }
        for (path, lines) in lines {
            append(&path, &lines)?;
        }
        Ok(())
    }
}

/// The day of a moment, by which files are named.
pub(crate) fn day(time: Timestamp) -> Date {
    time.to_zoned_datetime(TimeZone::UTC).date()
}

/// The files of all accounts, by day, then by account.
pub(crate) fn files(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for account in fs_err::read_dir(directory)? {
        let account = account?.path();
        if !account.is_dir() {
            continue;
        }
        for file in fs_err::read_dir(account)? {
            let path = file?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "jsonl")
            {
                found.push(path);
            }
        }
    }
    found.sort_by(|a, b| (a.file_name(), a).cmp(&(b.file_name(), b)));
    Ok(found)
}

/// Appends whole bytes or none.
fn append(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(directory) = path.parent() {
        fs_err::create_dir_all(directory)?;
    }
    let mut file = fs_err::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?;
    let before = file.metadata()?.len();
    file.write_all(bytes).inspect_err(|_| {
        // The disk may be full: what fitted is half a line.
        let _ = file.set_len(before);
    })
}

/// Takes away what follows the last line break: half a line, of a process that
/// was killed as it wrote.
fn mend(path: &Path) -> std::io::Result<()> {
    let mut file = fs_err::OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)?;
    let mut end = file.metadata()?.len();
    let mut piece = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(1 << 16);
        file.seek(SeekFrom::Start(start))?;
        piece.clear();
        std::io::Read::by_ref(&mut file)
            .take(end - start)
            .read_to_end(&mut piece)?;
        if let Some(position) = piece.iter().rposition(|&byte| byte == b'\n') {
            end = start + position as u64 + 1;
            break;
        }
        end = start;
    }
    if end < file.metadata()?.len() {
        file.set_len(end)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::Value;

    use super::*;
    use crate::trail::Origin;

    const ACCOUNT: &str = "123456789012";

    fn open(directory: &Path) -> Trail {
        Trail::new(directory.to_owned(), ACCOUNT, "eu-west-1").unwrap()
    }

    fn put_image() -> Note {
        let note = Note::new(Origin::default());
        note.event("ecr.amazonaws.com", "PutImage");
        note.because("no statement matches");
        note.error("AccessDeniedException", "User is not authorized");
        note
    }

    #[test]
    fn a_noted_request_is_found_by_its_id() {
        let directory = tempfile::tempdir().unwrap();
        let trail = open(directory.path());
        let note = put_image();
        let now = Timestamp::UNIX_EPOCH;
        trail.append(&Note::new(Origin::default()), now).unwrap();
        trail.append(&note, now).unwrap();

        let found = trail.find(Some(&note.request_id()), 10).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["eventName"], "PutImage");
        assert_eq!(found[0]["errorCode"], "AccessDeniedException");
        assert_eq!(found[0]["longshore"]["reason"], "no statement matches");
        assert_eq!(trail.find(None, 1).unwrap(), found);
    }

    #[test]
    fn half_a_line_is_gone_when_the_trail_is_opened_again() {
        let directory = tempfile::tempdir().unwrap();
        let now = Timestamp::UNIX_EPOCH;
        open(directory.path()).append(&put_image(), now).unwrap();
        let path = directory.path().join(ACCOUNT).join("1970-01-01.jsonl");
        let whole = fs_err::read_to_string(&path).unwrap();
        fs_err::write(&path, format!("{whole}{{\"torn{}", "x".repeat(100_000))).unwrap();

        let trail = open(directory.path());
        assert_eq!(fs_err::read_to_string(&path).unwrap(), whole);
        trail.append(&put_image(), now).unwrap();
        assert_eq!(trail.find(None, 10).unwrap().len(), 2);
    }

    #[test]
    fn lines_written_at_once_are_all_there_and_whole() {
        let directory = tempfile::tempdir().unwrap();
        let trail = Arc::new(open(directory.path()));
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let trail = Arc::clone(&trail);
                std::thread::spawn(move || {
                    for _ in 0..50 {
                        trail.append(&put_image(), Timestamp::UNIX_EPOCH).unwrap();
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        trail.flush().unwrap();
        let path = directory.path().join(ACCOUNT).join("1970-01-01.jsonl");
        let text = fs_err::read_to_string(path).unwrap();
        let whole = text.lines().map(serde_json::from_str::<Value>);
        assert_eq!(whole.flatten().count(), 400);
    }
}
