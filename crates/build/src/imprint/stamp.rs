//! Times of a compile, as build scripts and macros write them.
//!
//! When a compile was is what its files say: a stamp that was written by a script or
//! a compiler is at most a few minutes older than what that left behind.

use std::collections::BTreeSet;
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use super::origin::Compile;

/// How long a script or a compiler may have run before it wrote, seconds.
const LONGEST_RUN: i64 = 600;
/// Zones are at most so far from UTC, seconds.
const WESTERNMOST: i64 = 12 * 3600;
const EASTERNMOST: i64 = 14 * 3600;
/// All zones differ from UTC by a multiple of so many seconds.
const ZONE_STEP: i64 = 900;
/// Digits of seconds since 1970 that a search begins with.
const DIGITS: usize = 7;
/// Days beyond these are not looked for: old directories of cargo have many.
const MOST_DAYS: usize = 32;

/// The names of months in every form of dates with names.
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// When something was compiled, and what is not the time of that.
#[derive(Debug, Default)]
pub(super) struct Moments {
    /// Seconds since 1970, from and to.
    runs: Vec<(i64, i64)>,
    /// `SOURCE_DATE_EPOCH`, which every machine has.
    committed_at: i64,
}

impl Moments {
    /// Of the files that a compile left behind.
    pub(super) fn of(compile: &Compile<'_>) -> Self {
        let written = compile.files().filter_map(|file| {
            let metadata = fs_err::metadata(file).ok()?;
            Some(metadata.mtime())
        });
        Self::new(written, compile.source_date_epoch)
    }

    /// Of things that were written at these times.
    pub(super) fn new(written: impl Iterator<Item = i64>, committed_at: i64) -> Self {
        let mut written: Vec<_> = written.collect();
        written.sort_unstable();
        let mut runs: Vec<(i64, i64)> = Vec::new();
        for end in written {
            match runs.last_mut() {
                Some(last) if end - LONGEST_RUN <= last.1 => last.1 = end,
                _ => runs.push((end - LONGEST_RUN, end)),
            }
        }
        Self { runs, committed_at }
    }

    /// The days of the compile, in all zones; the latest where there are many.
    pub(super) fn days(&self) -> Vec<Date> {
        let ends = self.runs.iter().flat_map(|(from, to)| {
            let first = day(from - WESTERNMOST);
            let last = day(to + EASTERNMOST);
            let days = first
                .into_iter()
                .flat_map(|first| first.series(jiff::Span::new().days(1)));
            days.take_while(move |day| last.is_some_and(|last| *day <= last))
        });
        let days: BTreeSet<_> = ends.collect();
        days.into_iter().rev().take(MOST_DAYS).collect()
    }

    /// What times of the compile begin with, in seconds since 1970.
    pub(super) fn epochs(&self) -> BTreeSet<String> {
        let step = 10_i64.pow(10 - u32::try_from(DIGITS).unwrap_or(0));
        let runs = self.runs.iter();
        let prefixes = runs.flat_map(|(from, to)| from / step..=to / step);
        prefixes.map(|prefix| prefix.to_string()).collect()
    }

    /// Where the seconds, or smaller parts, end that begin at `start`, if they are a
    /// time of the compile.
    pub(super) fn epoch_at(&self, bytes: &[u8], start: usize) -> Option<Range<usize>> {
        if start > 0 && bytes[start - 1].is_ascii_digit() {
            return None;
        }
        let digits = bytes[start..].iter().take(19);
        let length = digits.take_while(|byte| byte.is_ascii_digit()).count();
        let seconds = number(bytes.get(start..start + 10)?)?;
        let compiled = self
            .runs
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&seconds));
        (compiled && seconds != self.committed_at).then_some(start..start + length)
    }

    /// Where the date ends that stands at `date`, with the time that goes with it, if
    /// it is not that of the commit.
    pub(super) fn date_at(
        &self,
        bytes: &[u8],
        date: Range<usize>,
        day: Date,
    ) -> Option<Range<usize>> {
        let around = [date.start.checked_sub(1), Some(date.end)];
        let digit = |place: &Option<usize>| {
            place.is_some_and(|place| bytes.get(place).is_some_and(u8::is_ascii_digit))
        };
        let form = &bytes[date.clone()];
        let compact = form.iter().all(u8::is_ascii_digit);
        if digit(&around[0]) || (digit(&around[1]) && !compact) {
            return None;
        }
        let rest = &bytes[date.end..bytes.len().min(date.end + 24)];
        let time = time(rest, compact);
        // `Nov 26 22:10:27 UTC 2026`: the year comes last.
        let year = day.year().to_string();
        let has_year = form.windows(4).any(|part| part == year.as_bytes());
        let year = rest.windows(4).position(|part| part == year.as_bytes());
        if !has_year && year.is_none() {
            return None;
        }
        let year = year.filter(|_| !has_year).map_or(0, |place| place + 4);
        let end = date.end + year.max(time.map_or(0, |time| time.end));
        let of_the_commit = match time {
            Some(time) => {
                let commit = self.committed_at.rem_euclid(ZONE_STEP);
                let commit = if time.whole_minutes {
                    commit - commit % 60
                } else {
                    commit
                };
                time.seconds.rem_euclid(ZONE_STEP) == commit
            }
            None => compact || self.committed_about(day),
        };
        (!of_the_commit).then_some(date.start..end)
    }

    /// Whether the commit is of this day, somewhere on Earth.
    fn committed_about(&self, date: Date) -> bool {
        let days = [-WESTERNMOST, EASTERNMOST].map(|zone| day(self.committed_at + zone));
        days.contains(&Some(date)) || day(self.committed_at) == Some(date)
    }
}

/// The forms of a date that are looked for.
pub(super) fn forms(date: Date) -> BTreeSet<String> {
    let (year, month, day) = (date.year(), date.month(), date.day());
    let name = usize::try_from(month)
        .ok()
        .and_then(|month| MONTHS.get(month - 1));
    let name = name.copied().unwrap_or_default();
    BTreeSet::from([
        format!("{year}-{month:02}-{day:02}"),
        format!("{year}/{month:02}/{day:02}"),
        format!("{year}{month:02}{day:02}"),
        format!("{day:02}.{month:02}.{year}"),
        format!("{month:02}/{day:02}/{year}"),
        format!("{day:02} {name} {year}"),
        format!("{name} {day:2}"),
        format!("{name} {day:02}"),
    ])
}

/// A time of a day.
#[derive(Clone, Copy)]
struct Time {
    /// Since midnight.
    seconds: i64,
    whole_minutes: bool,
    /// Where it ends, with its zone.
    end: usize,
}

/// The time that `rest` begins with, behind a few separators; `compact` ones may
/// have no colons.
fn time(rest: &[u8], compact: bool) -> Option<Time> {
    let start = rest
        .iter()
        .position(u8::is_ascii_digit)
        .filter(|start| *start <= 2)?;
    let two = |place: usize| number(rest.get(place..place + 2)?);
    let colon = |place: usize| rest.get(place) == Some(&b':');
    let hours = two(start)?;
    let step = if colon(start + 2) {
        3
    } else if compact {
        2
    } else {
        return None;
    };
    let minutes = two(start + step)?;
    let seconds = match step {
        3 if !colon(start + 5) => None,
        _ => two(start + 2 * step),
    };
    if hours > 23 || minutes > 59 || seconds.is_some_and(|seconds| seconds > 60) {
        return None;
    }
    let written = if seconds.is_some() {
        2 * step + 2
    } else {
        step + 2
    };
    let zone = rest.get(start + written..).unwrap_or_default();
    let of_zone = |byte: &u8| byte.is_ascii_digit() || b".:+-".contains(byte);
    let length = zone.iter().take_while(|byte| of_zone(byte)).count();
    let length = if zone.get(length) == Some(&b'Z') {
        length + 1
    } else {
        length
    };
    Some(Time {
        seconds: hours * 3600 + minutes * 60 + seconds.unwrap_or(0),
        whole_minutes: seconds.is_none(),
        end: start + written + length,
    })
}

fn number(digits: &[u8]) -> Option<i64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn day(seconds: i64) -> Option<Date> {
    let time = Timestamp::from_second(seconds).ok()?;
    Some(Offset::UTC.to_datetime(time).date())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-26 22:10:27 UTC.
    const COMPILED: i64 = 1_795_731_027;
    /// Two hours before, at another minute.
    const COMMITTED: i64 = COMPILED - 7_290;

    /// What is found in `text`.
    fn found(text: &str, committed_at: i64) -> Option<String> {
        let moments = Moments::new([COMPILED + 5].into_iter(), committed_at);
        let bytes = text.as_bytes();
        let dates = moments
            .days()
            .into_iter()
            .flat_map(|day| forms(day).into_iter().map(move |form| (day, form)));
        let dates = dates.filter_map(|(day, form)| {
            let start = text.find(&form)?;
            moments.date_at(bytes, start..start + form.len(), day)
        });
        let epochs = moments.epochs().into_iter();
        let epochs = epochs.filter_map(|prefix| moments.epoch_at(bytes, text.find(&prefix)?));
        let longest = dates.chain(epochs).max_by_key(Range::len)?;
        Some(text[longest].to_owned())
    }

    #[test]
    fn the_usual_forms_of_the_time_of_a_compile_are_known() {
        for (text, stamp) in [
            ("at 2026-11-26T22:10:27Z.", "2026-11-26T22:10:27Z"),
            ("2026-11-27T00:10:27+02:00", "2026-11-27T00:10:27+02:00"),
            ("2026-11-26 22:10:27.123 UTC", "2026-11-26 22:10:27.123"),
            ("on 2026-11-26 22:10", "2026-11-26 22:10"),
            ("Thu Nov 26 22:10:27 UTC 2026\n", "Nov 26 22:10:27 UTC 2026"),
            ("Thu, 26 Nov 2026 22:10:27 +0000", "26 Nov 2026 22:10:27"),
            ("20261126T221027Z", "20261126T221027Z"),
            ("20261126-2210", "20261126-2210"),
            ("26.11.2026 22:10:27", "26.11.2026 22:10:27"),
            ("t=1795731027;", "1795731027"),
            ("1795731027123", "1795731027123"),
        ] {
            assert_eq!(found(text, COMMITTED).as_deref(), Some(stamp), "{text}");
        }
        // With a day of its own the date alone is enough.
        for date in ["2026-11-26", "Nov 26 2026"] {
            let day = found(&format!("of {date}"), COMMITTED - 7 * 86_400);
            assert_eq!(day.as_deref(), Some(date));
        }
    }

    #[test]
    fn the_time_of_the_commit_and_numbers_like_it_are_no_time_of_a_compile() {
        let commit = Timestamp::from_second(COMMITTED).unwrap();
        for text in [
            commit.to_string(),
            commit.to_string().replace(":57Z", ""),
            COMMITTED.to_string(),
            "2026-11-26".to_owned(),
            "2026-11-19T22:10:27Z".to_owned(),
            "Nov 26 in any year".to_owned(),
            "120261126".to_owned(),
            "20261126".to_owned(),
            "91795731027".to_owned(),
            "1795730000".to_owned(),
            "Nov 261".to_owned(),
        ] {
            assert_eq!(found(&text, COMMITTED), None, "{text}");
        }
    }
}
