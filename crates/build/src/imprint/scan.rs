//! One pass over a program.

use std::collections::BTreeMap;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use jiff::civil::Date;
use object::read::elf::ElfFile64;
use object::{Endianness, Object, ObjectSection, ObjectSymbol, SectionKind, SymbolKind};

use super::ImprintKind;
use super::machine::{KnownPath, Machine};
use super::stamp::forms;

/// The list of packages that the engine puts in; it is compressed.
const OWN_SECTION: &str = ".dep-v0";
/// How much is shown of what stands before and after a text.
const SHOWN: usize = 32;
/// Longer paths are cut.
const LONGEST_PATH: usize = 200;
/// Texts beyond these are counted only.
const MOST_TEXTS: usize = 256;
/// Shorter names of one word are taken for such only where they stand alone.
const UNMISTAKABLE: usize = 8;
/// The length of the names that rustc gives to the parts of an incremental compile:
/// hashes of 128 bits in base 36. The shim of the allocator has one in any compile.
const UNIT_NAME: std::ops::RangeInclusive<usize> = 22..=25;

/// A text that was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub(super) kind: ImprintKind,
    pub(super) text: String,
    pub(super) section: String,
    pub(super) around: String,
    /// Whether it counts only if no source has it, and how much of it is what was
    /// looked for.
    pub(super) ordinary: Option<usize>,
}

/// What a pattern stands for.
enum Sought<'m> {
    Path(&'m KnownPath),
    Name(ImprintKind),
    Date(Date),
    Epoch,
}

/// What `program` holds, each text once and with the times that it is there.
pub(super) fn scan(program: &[u8], machine: &Machine) -> Vec<(Found, usize)> {
    let Ok(file) = ElfFile64::<Endianness>::parse(program) else {
        return Vec::new();
    };
    let (patterns, sought) = patterns(machine);
    let search = AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .kind(Some(AhoCorasickKind::DFA))
        .build(&patterns);
    let mut found: BTreeMap<(ImprintKind, String), (Found, usize)> = BTreeMap::new();
    for section in file.sections() {
        let name = section.name().unwrap_or_default();
        let Ok(bytes) = section.data() else { continue };
        if section.kind() == SectionKind::Text || name == OWN_SECTION {
            continue;
        }
        for hit in search.iter().flat_map(|search| search.find_iter(bytes)) {
            let sought = &sought[hit.pattern().as_usize()];
            let Some(found_here) = judge(bytes, hit.range(), sought, machine) else {
                continue;
            };
            let key = (found_here.kind, found_here.text.clone());
            let room = found.len() < MOST_TEXTS;
            match found.get_mut(&key) {
                Some((_, count)) => *count += 1,
                None if room => {
                    let section = name.to_owned();
                    found.insert(
                        key,
                        (
                            Found {
                                section,
                                ..found_here
                            },
                            1,
                        ),
                    );
                }
                None => {}
            }
        }
    }
    found.into_values().chain(incremental(&file)).collect()
}

fn patterns(machine: &Machine) -> (Vec<String>, Vec<Sought<'_>>) {
    let paths = machine.paths.iter();
    let paths = paths.map(|path| (path.prefix.clone(), Sought::Path(path)));
    let named = |names: &[String], kind| -> Vec<_> {
        let names = names.iter().cloned();
        names.map(|name| (name, Sought::Name(kind))).collect()
    };
    let days = machine.moments.days().into_iter();
    let days = days.flat_map(|day| {
        forms(day)
            .into_iter()
            .map(move |form| (form, Sought::Date(day)))
    });
    let epochs = machine.moments.epochs().into_iter();
    paths
        .chain(named(&machine.hosts, ImprintKind::HostName))
        .chain(named(&machine.users, ImprintKind::UserName))
        .chain(days)
        .chain(epochs.map(|epoch| (epoch, Sought::Epoch)))
        .unzip()
}

/// Whether the machine or the moment is what stands at `place`.
fn judge(
    bytes: &[u8],
    place: Range<usize>,
    sought: &Sought<'_>,
    machine: &Machine,
) -> Option<Found> {
    let sought_length = place.len();
    let (kind, place, ordinary) = match sought {
        Sought::Path(path) => {
            let rest = bytes[place.end..].iter().take(LONGEST_PATH);
            let rest = rest.take_while(|byte| is_of_path(**byte)).count();
            (
                ImprintKind::Path,
                place.start..place.end + rest,
                path.ordinary,
            )
        }
        Sought::Name(kind) => (stands_alone(bytes, &place).then_some(*kind)?, place, true),
        Sought::Date(day) => {
            let place = machine.moments.date_at(bytes, place, *day)?;
            (ImprintKind::Time, place, true)
        }
        Sought::Epoch => {
            let place = machine.moments.epoch_at(bytes, place.start)?;
            (ImprintKind::Time, place, true)
        }
    };
    let text = String::from_utf8_lossy(&bytes[place.clone()]).into_owned();
    Some(Found {
        kind,
        text,
        section: String::new(),
        around: around(bytes, place),
        ordinary: ordinary.then_some(sought_length),
    })
}

pub(super) fn is_of_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/._-+@~".contains(&byte) || !byte.is_ascii()
}

/// A name may be a part of another word, unless that is unlikely.
fn stands_alone(bytes: &[u8], place: &Range<usize>) -> bool {
    let name = &bytes[place.clone()];
    let is_word = name.iter().all(u8::is_ascii_alphabetic);
    if name.len() >= UNMISTAKABLE || !is_word {
        return true;
    }
    let before = place
        .start
        .checked_sub(1)
        .and_then(|place| bytes.get(place));
    let beside = [before, bytes.get(place.end)];
    let mut beside = beside.into_iter().flatten();
    !beside.any(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// The text at `place` with what can be read on both sides.
fn around(bytes: &[u8], place: Range<usize>) -> String {
    let readable = |byte: &&u8| **byte == b' ' || byte.is_ascii_graphic() || !byte.is_ascii();
    let before = bytes[..place.start].iter().rev().take(SHOWN);
    let start = place.start - before.take_while(readable).count();
    let after = bytes[place.end..].iter().take(SHOWN);
    let end = place.end + after.take_while(readable).count();
    let text = String::from_utf8_lossy(&bytes[start..end]);
    text.trim_matches('\u{fffd}').to_owned()
}

/// The parts of an incremental compile, by the names that are left of them.
fn incremental(file: &ElfFile64<'_, Endianness>) -> Option<(Found, usize)> {
    let files = file
        .symbols()
        .filter(|symbol| symbol.kind() == SymbolKind::File);
    let names: Vec<_> = files.filter_map(|symbol| symbol.name().ok()).collect();
    let is_unit = |name: &&&str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        UNIT_NAME.contains(&name.len())
            && name.bytes().all(plain)
            && name.bytes().any(|byte| byte.is_ascii_digit())
    };
    let units: Vec<_> = names.iter().filter(is_unit).collect();
    let [_, second, ..] = units.as_slice() else {
        return None;
    };
    let found = Found {
        kind: ImprintKind::Incremental,
        text: (**second).to_owned(),
        section: ".symtab".to_owned(),
        around: (**second).to_owned(),
        ordinary: None,
    };
    Some((found, units.len() - 1))
}
