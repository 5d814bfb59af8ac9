//! A normalised layer into a tar of our form.

use std::io::{Read as _, Seek as _, SeekFrom};

use super::archive::foreign;
use super::layer::Content;
use super::parse::{Item, Kind};
use super::secret::{Search, Secret};
use crate::blocks::Blocks;
use crate::error::ImageError;
use crate::tarball::{END, Header, padding};

const PIECE: usize = 1 << 18;

pub(super) fn layer(
    content: &Content,
    secrets: &[Secret],
    blocks: &mut Blocks<'_>,
) -> Result<(), ImageError> {
    for (path, item) in &content.items {
        entry(path, item, content, secrets, blocks)?;
    }
    blocks.put(&END)
}

fn entry(
    path: &str,
    item: &Item,
    content: &Content,
    secrets: &[Secret],
    blocks: &mut Blocks<'_>,
) -> Result<(), ImageError> {
    let slash = if item.kind == Kind::Directory {
        "/"
    } else {
        ""
    };
    let name = format!("{path}{slash}");
    let mut header = Header {
        name: &name,
        mode: item.mode,
        owner: item.owner,
        group: item.group,
        attributes: &item.attributes,
        ..Header::file()
    };
    match &item.kind {
        Kind::Directory => header.kind = b'5',
        Kind::Symlink(target) => (header.kind, header.link) = (b'2', target),
        Kind::HardLink(target) => (header.kind, header.link) = (b'1', target),
        Kind::Special(kind, device) => (header.kind, header.device) = (*kind, *device),
        Kind::File { size, .. } => header.size = *size,
    }
    // The text of a link and a name can hold a secret too.
    Search::new(secrets).piece(path, format!("{name}\n{}", header.link).as_bytes())?;
    for (_, value) in &item.attributes {
        Search::new(secrets).piece(path, value)?;
    }
    blocks.put(&header.bytes())?;
    if let Kind::File { layer, start, size } = item.kind
        && size > 0
    {
        let mut file = content.file(layer)?;
        file.seek(SeekFrom::Start(start))?;
        let mut search = Search::new(secrets);
        let mut left = size;
        let mut buffer = vec![0; PIECE.min(usize::try_from(size).unwrap_or(PIECE))];
        while left > 0 {
            let wanted = buffer.len().min(usize::try_from(left).unwrap_or(PIECE));
            let piece = &mut buffer[..wanted];
            file.read_exact(piece)
                .map_err(|error| foreign(format!("`/{path}`: {error}")))?;
            search.piece(path, piece)?;
            blocks.put(piece)?;
            left -= wanted as u64;
        }
        blocks.put(padding(size))?;
    }
    Ok(())
}
