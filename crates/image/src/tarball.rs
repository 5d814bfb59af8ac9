//! The form of a layer's tar: POSIX pax, with nothing in it that differs between
//! machines.
//!
//! A pax record is written only where the plain header cannot hold a value (a
//! path or link of more than 100 bytes or beyond ASCII, a file of 8 GiB, an owner
//! above two million), so that almost all headers are plain. docs/images.md tells
//! the form to people. Headers are written here and not by a library: their bytes
//! are what layers hash to, and a library may change its mind.

use crate::blocks::Blocks;
use crate::entry::{Content, Entry};
use crate::error::ImageError;
use crate::source_file::SourceFile;

const RECORD: usize = 512;
/// What eleven octal digits hold: one byte less than 8 GiB.
const LARGEST_SIZE: u64 = 0o77_777_777_777;
/// What seven octal digits hold.
const LARGEST_OWNER: u64 = 0o7_777_777;
const NAME_BYTES: usize = 100;
/// What the pax record of an extended attribute begins with.
pub(crate) const ATTRIBUTE: &str = "SCHILY.xattr.";

/// Writes `entries`, in the order in which they come, as a whole tar.
pub(crate) fn write(entries: &[Entry], blocks: &mut Blocks<'_>) -> Result<(), ImageError> {
    for entry in entries {
        let slash = if entry.content == Content::Directory {
            "/"
        } else {
            ""
        };
        let name = format!("{}{slash}", entry.path);
        let mut header = Header {
            name: &name,
            mode: entry.mode,
            owner: entry.owner,
            group: entry.owner,
            ..Header::file()
        };
        match &entry.content {
            Content::Directory => {
                header.kind = b'5';
                blocks.put(&header.bytes())?;
            }
            Content::Symlink(target) => {
                (header.link, header.kind) = (target, b'2');
                blocks.put(&header.bytes())?;
            }
            Content::Bytes(bytes) => {
                header.size = bytes.len() as u64;
                blocks.put(&header.bytes())?;
                blocks.put(bytes)?;
            }
            Content::File(path) => {
                let mut file = SourceFile::open(path)?;
                header.size = file.size();
                blocks.put(&header.bytes())?;
                blocks.put_file(&mut file)?;
            }
        }
        blocks.put(padding(header.size))?;
    }
    blocks.put(&END)
}

/// The end of a tar: two records of zeros, and no padding to ten kilobytes.
pub(crate) const END: [u8; 2 * RECORD] = [0; 2 * RECORD];

/// The header of one plain file, for a tar that is no layer.
pub(crate) fn file_header(name: &str, size: u64) -> Vec<u8> {
    let header = Header {
        name,
        size,
        ..Header::file()
    };
    header.bytes()
}

/// Zeros that follow a file of `size` bytes.
pub(crate) fn padding(size: u64) -> &'static [u8] {
    let rest = size.next_multiple_of(RECORD as u64) - size;
    &END[..usize::try_from(rest).unwrap_or(0)]
}

/// What a header says.
#[derive(Clone, Copy)]
pub(crate) struct Header<'a> {
    pub(crate) name: &'a str,
    pub(crate) mode: u32,
    pub(crate) owner: u64,
    pub(crate) group: u64,
    /// `0` a file, `1` a hard link, `2` a link, `3` and `4` devices, `5` a directory,
    /// `6` a pipe, `x` pax records.
    pub(crate) kind: u8,
    pub(crate) size: u64,
    pub(crate) link: &'a str,
    /// Major and minor number of a device.
    pub(crate) device: (u32, u32),
    /// Extended attributes by name, sorted.
    pub(crate) attributes: &'a [(String, Vec<u8>)],
}

impl Header<'_> {
    /// An empty file of root's without a name.
    pub(crate) fn file() -> Self {
        Self {
            name: "",
            mode: 0o644,
            owner: 0,
            group: 0,
            kind: b'0',
            size: 0,
            link: "",
            device: (0, 0),
            attributes: &[],
        }
    }

    /// The plain header, behind pax records where it cannot hold everything.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let records = self.pax_records();
        let mut bytes = Vec::with_capacity(RECORD);
        if !records.is_empty() {
            let extended = Self {
                name: "PaxHeader",
                kind: b'x',
                size: records.len() as u64,
                link: "",
                device: (0, 0),
                ..*self
            };
            bytes.extend(extended.plain());
            bytes.extend(records);
            bytes.resize(bytes.len().next_multiple_of(RECORD), 0);
        }
        bytes.extend(self.plain());
        bytes
    }

    /// The records that the plain header cannot hold; none for almost every entry.
    fn pax_records(&self) -> Vec<u8> {
        let mut records = Vec::new();
        let is_plain = |text: &str| text.is_ascii() && text.len() <= NAME_BYTES;
        if !is_plain(self.name) {
            pax_record("path", self.name.as_bytes(), &mut records);
        }
        if !is_plain(self.link) {
            pax_record("linkpath", self.link.as_bytes(), &mut records);
        }
        if self.size > LARGEST_SIZE {
            pax_record("size", self.size.to_string().as_bytes(), &mut records);
        }
        for (key, number) in [("uid", self.owner), ("gid", self.group)] {
            if number > LARGEST_OWNER {
                pax_record(key, number.to_string().as_bytes(), &mut records);
            }
        }
        for (name, value) in self.attributes {
            pax_record(&format!("{ATTRIBUTE}{name}"), value, &mut records);
        }
        records
    }

    /// A ustar header. What does not fit is zero or cut: a record says it.
    fn plain(&self) -> [u8; RECORD] {
        let mut header = [0; RECORD];
        text(&mut header[0..100], self.name);
        octal(&mut header[100..108], u64::from(self.mode & 0o7777));
        octal(&mut header[108..116], fitting(self.owner, LARGEST_OWNER));
        octal(&mut header[116..124], fitting(self.group, LARGEST_OWNER));
        octal(&mut header[124..136], fitting(self.size, LARGEST_SIZE));
        // A time in a layer would make every commit's layers new.
        octal(&mut header[136..148], 0);
        header[148..156].fill(b' ');
        header[156] = self.kind;
        text(&mut header[157..257], self.link);
        header[257..265].copy_from_slice(b"ustar\x0000");
        octal(&mut header[329..337], u64::from(self.device.0));
        octal(&mut header[337..345], u64::from(self.device.1));
        let sum: u64 = header.iter().copied().map(u64::from).sum();
        octal(&mut header[148..155], sum);
        header
    }
}

/// `LENGTH KEY=VALUE\n`, where the length counts its own digits.
fn pax_record(key: &str, value: &[u8], records: &mut Vec<u8>) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    records.extend(format!("{length} {key}=").into_bytes());
    records.extend(value);
    records.push(b'\n');
}

fn fitting(value: u64, largest: u64) -> u64 {
    if value > largest { 0 } else { value }
}

fn text(field: &mut [u8], text: &str) {
    let length = text.len().min(field.len());
    field[..length].copy_from_slice(&text.as_bytes()[..length]);
}

/// Octal digits that leave the last byte of the field a NUL.
fn octal(field: &mut [u8], value: u64) {
    let digits = field.len() - 1;
    let written = format!("{value:0digits$o}");
    field[..digits].copy_from_slice(written.as_bytes());
}

#[cfg(test)]
mod tests;
