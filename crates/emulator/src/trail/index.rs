//! Where in the files which record is, so that a page of a long trail is read
//! without the rest of it.
//!
//! A day is indexed when it is first asked for, and from then on by what was
//! added. An entry keeps time, place and the marks of what the record can be
//! found by, about a hundred bytes in all.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::terms::{Findable, Term};

/// The days that were asked for, by file.
#[derive(Debug, Default)]
pub(super) struct Index(BTreeMap<PathBuf, Day>);

/// The entries of one file.
#[derive(Debug, Default)]
struct Day {
    /// How far it was read, in bytes.
    read: u64,
    /// The last line of that: a restored trail has other files under the same
    /// names.
    last: Vec<u8>,
    /// In the order of their time.
    entries: Vec<Entry>,
}

/// One record.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Its time, in seconds since 1970, then its place in bytes.
    pub(super) position: Position,
    /// Length of the line.
    pub(super) length: usize,
    marks: Box<[u32]>,
}

/// Where a record is among those of its account: its second, then its place in
/// the file of its day.
pub(crate) type Position = (i64, u64);

impl Index {
    /// The entries of `path` that carry all of `terms`, in the order of time.
    pub(super) fn matching(
        &mut self,
        path: &Path,
        terms: &[Term],
    ) -> std::io::Result<impl DoubleEndedIterator<Item = &Entry>> {
        let day = self.0.entry(path.to_owned()).or_default();
        day.update(path)?;
        let marks: Vec<u32> = terms.iter().map(Term::mark).collect();
        let carries_all = move |entry: &&Entry| marks.iter().all(|mark| entry.marks.contains(mark));
        Ok(day.entries.iter().filter(carries_all))
    }
}

impl Day {
    /// Reads what was added since the last time.
    fn update(&mut self, path: &Path) -> std::io::Result<()> {
        let mut file = fs_err::File::open(path)?;
        if !self.is_of(file.file()) {
            *self = Self::default();
        }
        if file.metadata()?.len() == self.read {
            return Ok(());
        }
        file.seek(SeekFrom::Start(self.read))?;
        let mut lines = BufReader::with_capacity(1 << 18, file);
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = lines.read_until(b'\n', &mut line)?;
            // Half a line is being written.
            if line.last() != Some(&b'\n') {
                break;
            }
            if let Ok(record) = serde_json::from_slice::<Findable>(&line) {
                let terms = record.terms();
                self.entries.push(Entry {
                    position: (record.event_time.as_second(), self.read),
                    length,
                    marks: terms.iter().map(Term::mark).collect(),
                });
            }
            self.read += length as u64;
            self.last.clone_from(&line);
        }
        // The clock can be moved back.
        self.entries.sort_by_key(|entry| entry.position);
        Ok(())
    }

    /// Whether `file` is the one that was read, if any was.
    fn is_of(&self, file: &std::fs::File) -> bool {
        let mut there = vec![0; self.last.len()];
        let place = self.read - self.last.len() as u64;
        file.read_exact_at(&mut there, place).is_ok() && there == self.last
    }
}
