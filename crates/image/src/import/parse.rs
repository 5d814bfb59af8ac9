//! The tar of a layer as values.

use std::cell::Cell;
use std::io::Read;

use super::archive::{Headers, LayerData, foreign};
use super::window::Window;
use crate::error::ImageError;
use crate::tarball::ATTRIBUTE;

/// What the name of a file that was removed begins with (image-spec layer.md).
const WHITEOUT: &str = ".wh.";
/// In a directory of which nothing of the lower layers shows any more.
const OPAQUE: &str = ".wh..wh..opq";
/// Other names of aufs, which mean nothing here.
const AUFS: &str = ".wh..wh.";
const PATH_BYTES: usize = 4094;
const NAME_BYTES: usize = 255;
/// Entries of a layer; a distribution has some tens of thousands.
const MOST_ENTRIES: usize = 4_000_000;

/// What a layer's tar says, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Item(String, Item),
    /// This path is gone.
    Whiteout(String),
    /// What lower layers have in this directory is gone.
    Opaque(String),
}

/// A file, directory, link, pipe or device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) mode: u32,
    pub(super) owner: u64,
    pub(super) group: u64,
    pub(super) attributes: Vec<(String, Vec<u8>)>,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    /// Bytes of the layer's own file: of which layer, from where on, and how many.
    File {
        layer: usize,
        start: u64,
        size: u64,
    },
    Symlink(String),
    /// Another name of the file at this path.
    HardLink(String),
    /// A pipe, or a device with its type and numbers.
    Special(u8, (u32, u32)),
}

/// Reads all entries. Contents stay where they are.
pub(super) fn read(data: &LayerData) -> Result<Vec<Found>, ImageError> {
    let (start, length) = (data.start, data.length);
    let left = Cell::new(0);
    let mut archive = tar::Archive::new(Headers::new(
        Window::new(&data.file, (start, length)),
        &left,
    ));
    let mut all = Vec::new();
    let broken = |error: std::io::Error| foreign(format!("a layer is damaged: {error}"));
    Headers::refill(&left);
    for entry in archive.entries_with_seek().map_err(broken)? {
        Headers::refill(&left);
        let mut entry = entry.map_err(broken)?;
        // What `git archive` notes for a whole tar, such as its commit.
        if entry.header().entry_type() == tar::EntryType::XGlobalHeader {
            continue;
        }
        let end = entry.raw_file_position().checked_add(entry.size());
        if end.is_none_or(|end| end > length) {
            return Err(foreign("a layer ends within a file".to_owned()));
        }
        let raw = entry.path_bytes().into_owned();
        let Some(path) = path(&raw)? else { continue };
        let item = item(&mut entry, start, &path)?;
        all.push(found(path, item));
        if all.len() > MOST_ENTRIES {
            return Err(foreign(format!(
                "a layer has more than {MOST_ENTRIES} entries"
            )));
        }
    }
    all.retain(|found| !matches!(found, Found::Whiteout(path) if path.is_empty()));
    Ok(all)
}

/// A path as we write it, or none for the root itself.
pub(super) fn path(raw: &[u8]) -> Result<Option<String>, ImageError> {
    let text = std::str::from_utf8(raw)
        .map_err(|_| foreign(format!("`{}` is not UTF-8", String::from_utf8_lossy(raw))))?;
    let text = text.trim_end_matches('/');
    let mut parts = text.split('/').filter(|part| !matches!(*part, "" | "."));
    if parts.clone().any(|part| part == "..") || text.contains('\0') {
        return Err(foreign(format!("the path `{text}` leads out of the image")));
    }
    // What a whiteout adds to the name is no part of a file's.
    let named = |part: &str| part.strip_prefix(WHITEOUT).unwrap_or(part).len();
    if text.len() > PATH_BYTES || parts.any(|part| named(part) > NAME_BYTES) {
        return Err(ImageError::LongPath(text.to_owned()));
    }
    let parts: Vec<_> = text
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    let above = parts.len().saturating_sub(1);
    if parts[..above].iter().any(|part| part.starts_with(WHITEOUT)) {
        return Err(foreign(format!("`{text}` lies below a whiteout")));
    }
    Ok((!parts.is_empty()).then(|| parts.join("/")))
}

fn found(path: String, item: Item) -> Found {
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
    if name == OPAQUE {
        return Found::Opaque(parent.to_owned());
    }
    if name.starts_with(AUFS) {
        // To be left out: nothing is called so.
        return Found::Whiteout(String::new());
    }
    match name.strip_prefix(WHITEOUT) {
        Some(name) if parent.is_empty() => Found::Whiteout(name.to_owned()),
        Some(name) => Found::Whiteout(format!("{parent}/{name}")),
        None => Found::Item(path, item),
    }
}

fn item<R: Read>(
    entry: &mut tar::Entry<'_, R>,
    start: u64,
    path: &str,
) -> Result<Item, ImageError> {
    let wrong = |error: std::io::Error| foreign(format!("`/{path}`: {error}"));
    let attributes = attributes(entry).map_err(wrong)?;
    let kind = kind(entry, start, path)?;
    let header = entry.header();
    Ok(Item {
        // A link has no mode of its own.
        mode: match kind {
            Kind::Symlink(_) => 0o777,
            _ => header.mode().map_err(wrong)? & 0o7777,
        },
        owner: header.uid().map_err(wrong)?,
        group: header.gid().map_err(wrong)?,
        attributes,
        kind,
    })
}

fn kind<R: Read>(entry: &tar::Entry<'_, R>, start: u64, path: &str) -> Result<Kind, ImageError> {
    let header = entry.header();
    let target = || -> Result<String, ImageError> {
        let target = entry.link_name_bytes().unwrap_or_default();
        let target = String::from_utf8(target.into_owned());
        let target = target.map_err(|_| foreign(format!("the link `/{path}` is not UTF-8")))?;
        if target.is_empty() || target.contains('\0') || target.len() > PATH_BYTES {
            return Err(foreign(format!("the link `/{path}` leads nowhere")));
        }
        Ok(target)
    };
    let numbers = || {
        let major = header.device_major().ok().flatten().unwrap_or(0);
        (major, header.device_minor().ok().flatten().unwrap_or(0))
    };
    match header.entry_type() {
        tar::EntryType::Regular | tar::EntryType::Continuous => Ok(Kind::File {
            layer: 0,
            start: start + entry.raw_file_position(),
            size: entry.size(),
        }),
        tar::EntryType::Directory => Ok(Kind::Directory),
        tar::EntryType::Symlink => Ok(Kind::Symlink(target()?)),
        tar::EntryType::Link => {
            let target = self::path(target()?.as_bytes())?;
            let target = target.ok_or_else(|| foreign(format!("`/{path}` links to the root")))?;
            Ok(Kind::HardLink(target))
        }
        tar::EntryType::Fifo => Ok(Kind::Special(b'6', (0, 0))),
        tar::EntryType::Char => Ok(Kind::Special(b'3', numbers())),
        tar::EntryType::Block => Ok(Kind::Special(b'4', numbers())),
        other => Err(foreign(format!(
            "`/{path}` is of the unknown type {other:?}"
        ))),
    }
}

/// Those extended attributes that programs look at. What security modules and file
/// systems note for themselves belongs to the machine.
fn attributes<R: Read>(
    entry: &mut tar::Entry<'_, R>,
) -> Result<Vec<(String, Vec<u8>)>, std::io::Error> {
    let mut attributes = Vec::new();
    let Some(records) = entry.pax_extensions()? else {
        return Ok(attributes);
    };
    for record in records {
        let record = record?;
        let name = record
            .key()
            .ok()
            .and_then(|key| key.strip_prefix(ATTRIBUTE));
        if let Some(name) = name
            && (name == "security.capability" || name.starts_with("user."))
        {
            attributes.push((name.to_owned(), record.value_bytes().to_owned()));
        }
    }
    attributes.sort();
    attributes.dedup_by(|one, other| one.0 == other.0);
    Ok(attributes)
}
