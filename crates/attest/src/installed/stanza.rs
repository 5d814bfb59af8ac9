//! Paragraphs of `Name: value`, of which a few fields are wanted. Databases of packages
//! are such.

use std::io::{BufRead, Read as _};

use super::{MOST_PACKAGES, Reading, SystemPackage};

/// The longest line that is looked at, in bytes; of a longer one no field may be wanted.
const LONGEST_LINE: usize = 8 << 10;

/// The wanted fields of a paragraph, in the order in which they are wanted.
pub(super) struct Stanza<const N: usize> {
    /// The number of its first line.
    line: usize,
    pub(super) fields: [Option<String>; N],
    /// Whether it has any line, wanted or not.
    any: bool,
}

impl<const N: usize> Stanza<N> {
    fn new(line: usize) -> Self {
        Self {
            line,
            fields: [const { None }; N],
            any: false,
        }
    }
}

/// Lines of a file that may be anything. Memory does not grow with their length.
pub(super) struct Lines<R> {
    reader: R,
    pub(super) number: usize,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            number: 0,
            line: Vec::new(),
        }
    }

    /// The next line, and whether it is whole; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<(&[u8], bool)>, String> {
        self.line.clear();
        let limit = LONGEST_LINE as u64;
        let mut begin = (&mut self.reader).take(limit);
        let broken = |error: std::io::Error| error.to_string();
        begin.read_until(b'\n', &mut self.line).map_err(broken)?;
        if self.line.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        let ended = self.line.pop_if(|last| *last == b'\n').is_some();
        let whole = ended || self.line.len() < LONGEST_LINE;
        if !whole {
            self.reader.skip_until(b'\n').map_err(broken)?;
        }
        self.line.pop_if(|last| *last == b'\r');
        Ok(Some((&self.line, whole)))
    }
}

/// Reads the package that `package` makes of each paragraph of a database, or none; a
/// paragraph that is wrong, or the rest that cannot be read, is told.
pub(super) fn packages<const N: usize>(
    reader: impl BufRead,
    wanted: [&str; N],
    package: impl Fn(Stanza<N>) -> Result<Option<SystemPackage>, String>,
) -> Reading {
    let mut reading = Reading::default();
    let result = each(reader, wanted, |stanza| {
        let line = stanza.line;
        let found = package(stanza).and_then(|found| {
            found.iter().try_for_each(SystemPackage::check)?;
            Ok(found)
        });
        match found {
            Ok(found) => reading.packages.extend(found),
            Err(reason) => reading.wrong(format!("the paragraph at line {line} {reason}")),
        }
        if reading.packages.len() > MOST_PACKAGES {
            reading.packages.truncate(MOST_PACKAGES);
            return Err(format!("it lists more than {MOST_PACKAGES} packages"));
        }
        Ok(())
    });
    if let Err(fault) = result {
        reading.wrong(fault);
    }
    reading
}

/// Gives `each` paragraph of `reader` that has a line, with the `wanted` fields; of a
/// field that is there twice the first counts. An error for what cannot be read on.
fn each<const N: usize>(
    reader: impl BufRead,
    wanted: [&str; N],
    mut each: impl FnMut(Stanza<N>) -> Result<(), String>,
) -> Result<(), String> {
    let mut lines = Lines::new(reader);
    let mut stanza = Stanza::new(1);
    loop {
        let number = lines.number + 1;
        let Some((line, whole)) = lines.next()? else {
            break;
        };
        if line.trim_ascii().is_empty() && whole {
            let done = std::mem::replace(&mut stanza, Stanza::new(number + 1));
            if done.any {
                each(done)?;
            }
            continue;
        }
        stanza.any = true;
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        let Some(place) = wanted.iter().position(|field| field.as_bytes() == name) else {
            continue;
        };
        if !whole {
            return Err(format!("line {number} is longer than {LONGEST_LINE} bytes"));
        }
        let value = std::str::from_utf8(value.trim_ascii());
        let value = value.map_err(|_| format!("line {number} is not UTF-8"))?;
        stanza.fields[place].get_or_insert_with(|| value.to_owned());
    }
    if stanza.any {
        each(stanza)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> (Vec<[Option<String>; 2]>, Result<(), String>) {
        let mut all = Vec::new();
        let result = each(bytes, ["P", "V"], |stanza| {
            all.push(stanza.fields);
            Ok(())
        });
        (all, result)
    }

    #[test]
    fn paragraphs_end_at_empty_lines_and_other_fields_are_passed_over() {
        let text = b"\n\nP:one\nX: \xff\n Continued: P\nV: 1\r\nV:2\n \nR:file\n\np:other\nP:two";
        let of = |name: Option<&str>, version: Option<&str>| {
            [name.map(str::to_owned), version.map(str::to_owned)]
        };
        assert_eq!(
            read(text),
            (
                vec![
                    of(Some("one"), Some("1")),
                    of(None, None),
                    of(Some("two"), None)
                ],
                Ok(())
            )
        );
    }

    #[test]
    fn long_lines_are_skipped_and_refused_only_where_they_are_wanted() {
        let long = "x".repeat(3 * LONGEST_LINE);
        let (all, result) = read(format!("{long}\nD:{long}\nP:one\n").as_bytes());
        assert_eq!((all.len(), result), (1, Ok(())));
        let (all, result) = read(format!("P:one\n\nX:y\nP:{long}\n").as_bytes());
        assert_eq!(all.len(), 1);
        assert_eq!(result.unwrap_err(), "line 4 is longer than 8192 bytes");
        assert_eq!(read(b"P:\xff").1.unwrap_err(), "line 1 is not UTF-8");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(names in prop::collection::vec("[a-z][a-z0-9+.-]{0,20}", 1..20)) {
            let text = format!("P:{}\nV:1\n", names.join("\nV:1\n\nP:"));
            let (all, result) = read(text.as_bytes());
            prop_assert_eq!(result, Ok(()));
            let found: Vec<_> = all.into_iter().map(|[name, _]| name.unwrap()).collect();
            prop_assert_eq!(found, names);
        }
    }
}
