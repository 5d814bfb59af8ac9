//! The list of its packages that a program of Rust may have in it.

use std::ops::Range;

use attest::{Dependencies, LONGEST_LIST, audit_list};
use object::elf::{FileHeader32, FileHeader64};
use object::read::elf::{FileHeader, SectionHeader as _};
use object::{Endianness, FileKind, ReadCache, ReadRef};

use super::window::Window;

/// What every ELF file begins with.
pub(super) const MAGIC: [u8; 4] = *b"\x7fELF";
/// The section that `cargo auditable` makes.
const SECTION: &[u8] = b".dep-v0";
/// The longest name of a section that is looked at.
const LONGEST_NAME: u64 = 256;

/// An ELF file that may say anything of itself: of no part of it more is held in memory than
/// the longest list has.
#[derive(Clone, Copy)]
struct Bounded<'a>(&'a ReadCache<Window<'a>>);

impl<'a> ReadRef<'a> for Bounded<'a> {
    fn len(self) -> Result<u64, ()> {
        self.0.len()
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'a [u8], ()> {
        if size > LONGEST_LIST {
            return Err(());
        }
        self.0.read_bytes_at(offset, size)
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'a [u8], ()> {
        let end = range.start.saturating_add(LONGEST_NAME).min(range.end);
        self.0.read_bytes_at_until(range.start..end, delimiter)
    }
}

/// The list of the ELF file that `window` shows; none where it has none, as almost all.
pub(super) fn list(window: Window<'_>) -> Option<Result<Dependencies, String>> {
    let cache = ReadCache::new(window);
    let data = Bounded(&cache);
    let section = match FileKind::parse(data).ok()? {
        FileKind::Elf32 => section::<FileHeader32<Endianness>>(data),
        FileKind::Elf64 => section::<FileHeader64<Endianness>>(data),
        _ => None,
    }?;
    Some(section.and_then(audit_list))
}

/// The bytes of the section, if there is one and they can be read.
fn section<Elf: FileHeader<Endian = Endianness>>(
    data: Bounded<'_>,
) -> Option<Result<&[u8], String>> {
    let header = Elf::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.sections(endian, data).ok()?;
    let (_, section) = sections.section_by_name(endian, SECTION)?;
    let reason = || format!("its list ends nowhere, or is longer than {LONGEST_LIST} bytes");
    Some(section.data(endian, data).map_err(|_| reason()))
}
