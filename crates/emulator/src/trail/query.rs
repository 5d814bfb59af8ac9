//! Records looked up in the files, newest first.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use super::files::{Trail, day, files};
use super::index::Position;
use super::terms::{Attribute, Findable, Term};

/// Which records are wanted, newest first.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    /// Of which account; `None` for all.
    pub(crate) account: Option<String>,
    /// From this second on, and up to that one.
    pub(crate) seconds: RangeInclusive<i64>,
    /// Only those before this place.
    pub(crate) before: Option<Position>,
    /// Only those with all of these.
    pub(crate) terms: Vec<Term>,
    /// At most so many.
    pub(crate) limit: usize,
}

/// A record that was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// Its place among those of its account.
    pub(crate) position: Position,
    /// The line.
    pub(crate) line: Vec<u8>,
    /// The parts of it that it was found by.
    pub(crate) parts: Findable,
}

impl Trail {
    /// The records of `request_id`, or all of them, oldest first, at most the
    /// last `limit`.
    pub(crate) fn find(
        &self,
        request_id: Option<&str>,
        limit: usize,
    ) -> std::io::Result<Vec<Value>> {
        let request_id = request_id.map(|id| Term::new(Attribute::RequestId, id));
        let mut found = self.query(&Query {
            account: None,
            seconds: i64::MIN..=i64::MAX,
            before: None,
            terms: request_id.into_iter().collect(),
            limit,
        })?;
        found.reverse();
        let records = found
            .iter()
            .map(|found| serde_json::from_slice(&found.line));
        Ok(records.collect::<Result<_, _>>()?)
    }

    /// The records that `query` wants, newest first. Reads no more than these
    /// once a day is indexed.
    pub(crate) fn query(&self, query: &Query) -> std::io::Result<Vec<Found>> {
        self.flush()?;
        let mut found = Vec::new();
        for paths in self.days(query)? {
            let mut of_day = Vec::new();
            for path in &paths {
                let left = query.limit - found.len();
                of_day.extend(self.query_file(path, query, left)?);
            }
            of_day.sort_by_key(|found: &Found| std::cmp::Reverse(found.position));
            of_day.truncate(query.limit - found.len());
            found.append(&mut of_day);
            if found.len() == query.limit {
                break;
            }
        }
        Ok(found)
    }

    /// The files that `query` may be about, newest day first.
    fn days(&self, query: &Query) -> std::io::Result<Vec<Vec<PathBuf>>> {
        let second = |bound: i64| Timestamp::from_second(bound).ok().map(day);
        let first = second(*query.seconds.start());
        let last_second = query.before.map_or(*query.seconds.end(), |(second, _)| {
            second.min(*query.seconds.end())
        });
        let last = second(last_second);
        let mut days: BTreeMap<Date, Vec<PathBuf>> = BTreeMap::new();
        for path in files(&self.directory)? {
            let Some(date) = path
                .file_stem()
                .and_then(|stem| stem.to_str()?.parse().ok())
            else {
                continue;
            };
            let account = path.parent().and_then(Path::file_name);
            let is_of = |wanted: &String| account.is_some_and(|account| account == wanted.as_str());
            let is_wanted = query.account.as_ref().is_none_or(is_of)
                && first.is_none_or(|first| first <= date)
                && last.is_none_or(|last| date <= last);
            if is_wanted {
                days.entry(date).or_default().push(path);
            }
        }
        Ok(days.into_values().rev().collect())
    }

    fn query_file(&self, path: &Path, query: &Query, limit: usize) -> std::io::Result<Vec<Found>> {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = index.matching(path, &query.terms)?.rev().filter(|entry| {
            query.seconds.contains(&entry.position.0)
                && query.before.is_none_or(|before| entry.position < before)
        });
        let file = fs_err::File::open(path)?;
        let mut found = Vec::new();
        for entry in wanted {
            if found.len() == limit {
                break;
            }
            let mut line = vec![0; entry.length];
            file.file().read_exact_at(&mut line, entry.position.1)?;
            let Ok(parts) = serde_json::from_slice::<Findable>(&line) else {
                continue;
            };
            let terms = parts.terms();
            if query.terms.iter().all(|term| terms.contains(term)) {
                found.push(Found {
                    position: entry.position,
                    line,
                    parts,
                });
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trail::{Note, Origin};

    fn put_image() -> Note {
        let note = Note::new(Origin::default());
        note.event("ecr.amazonaws.com", "PutImage");
        note
    }

    fn open(directory: &Path) -> Trail {
        Trail::new(directory.to_owned(), "123456789012", "eu-west-1").unwrap()
    }

    #[test]
    fn a_page_is_read_without_the_rest_of_an_indexed_day() {
        let directory = tempfile::tempdir().unwrap();
        let trail = open(directory.path());
        let path = directory.path().join("123456789012/1970-01-01.jsonl");
        for second in 0..100 {
            let now = Timestamp::from_second(second).unwrap();
            trail.append(&put_image(), now).unwrap();
        }
        assert_eq!(trail.find(None, 100).unwrap().len(), 100);
        // What is not read cannot matter: all but the last line is overwritten.
        let bytes = fs_err::read(&path).unwrap();
        let last = bytes.len()
            - bytes
                .split_inclusive(|&byte| byte == b'\n')
                .next_back()
                .unwrap()
                .len();
        let file = fs_err::OpenOptions::new().write(true).open(&path).unwrap();
        file.file().write_all_at(&vec![b'x'; last], 0).unwrap();
        trail
            .append(&put_image(), Timestamp::from_second(100).unwrap())
            .unwrap();
        assert_eq!(trail.find(None, 2).unwrap().len(), 2);
    }

    #[test]
    fn a_trail_that_was_put_in_place_of_another_is_read_anew() {
        let directory = tempfile::tempdir().unwrap();
        let trail = open(directory.path());
        let path = directory.path().join("123456789012/1970-01-01.jsonl");
        let (old, new) = (put_image(), put_image());
        trail.append(&old, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(trail.find(Some(&old.request_id()), 1).unwrap().len(), 1);
        fs_err::remove_file(&path).unwrap();
        trail.append(&new, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(trail.find(Some(&old.request_id()), 1).unwrap().len(), 0);
        assert_eq!(trail.find(Some(&new.request_id()), 1).unwrap().len(), 1);
    }

    #[test]
    fn a_clock_that_was_moved_back_does_not_disturb_the_order() {
        let directory = tempfile::tempdir().unwrap();
        let trail = open(directory.path());
        for second in [50, 10, 30, 90_000, 20] {
            trail
                .append(&put_image(), Timestamp::from_second(second).unwrap())
                .unwrap();
        }
        let times: Vec<Value> = trail
            .find(None, 10)
            .unwrap()
            .into_iter()
            .map(|record| record["eventTime"].clone())
            .collect();
        assert_eq!(
            times,
            [
                "1970-01-01T00:00:10Z",
                "1970-01-01T00:00:20Z",
                "1970-01-01T00:00:30Z",
                "1970-01-01T00:00:50Z",
                "1970-01-02T01:00:00Z"
            ]
        );
    }
}
