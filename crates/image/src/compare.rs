//! Two images, compared down to the byte: what a rebuild that gave another digest
//! made differently.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use fs_err as fs;
use oci::{Digest, Hasher, media_type};
use serde_json::Value;

use crate::error::ImageError;

/// One way in which two images differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where: a pointer into a document, or a path in a layer.
    pub place: String,
    /// How, in words.
    pub what: String,
}

/// A layer as a blob on disk.
#[derive(Debug, Clone, Copy)]
pub struct LayerBlob<'a> {
    /// The file.
    pub path: &'a Path,
    /// How it is compressed.
    pub media_type: &'a str,
}

/// An entry of a layer, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Facts {
    kind: String,
    mode: u32,
    owner: (u64, u64),
    modified: u64,
    link: Option<String>,
    size: u64,
    content: Digest,
}

/// Where two documents differ, by pointers (RFC 6901): `/config/Env/0`.
pub fn compare_documents(one: &[u8], other: &[u8]) -> Result<Vec<Difference>, ImageError> {
    let parse = |bytes| serde_json::from_slice(bytes).map_err(std::io::Error::other);
    let mut differences = Vec::new();
    compare_values(
        "",
        Some(&parse(one)?),
        Some(&parse(other)?),
        &mut differences,
    );
    Ok(differences)
}

fn compare_values(
    place: &str,
    one: Option<&Value>,
    other: Option<&Value>,
    differences: &mut Vec<Difference>,
) {
    match (one, other) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let names: BTreeSet<_> = one.keys().chain(other.keys()).collect();
            for name in names {
                let escaped = name.replace('~', "~0").replace('/', "~1");
                let place = format!("{place}/{escaped}");
                compare_values(&place, one.get(name), other.get(name), differences);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            for number in 0..one.len().max(other.len()) {
                let place = format!("{place}/{number}");
                compare_values(&place, one.get(number), other.get(number), differences);
            }
        }
        (one, other) if one == other => {}
        (one, other) => {
            let text = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
            differences.push(Difference {
                place: place.to_owned(),
                what: format!("{} became {}", text(one), text(other)),
            });
        }
    }
}

/// Where two layers differ, by the paths in them. Each is read once, and once more
/// for each file whose bytes differ.
pub fn compare_layers(
    one: LayerBlob<'_>,
    other: LayerBlob<'_>,
) -> Result<Vec<Difference>, ImageError> {
    let (before, after) = (facts(one)?, facts(other)?);
    let paths: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let mut differences = Vec::new();
    for path in paths {
        let what = match (before.get(path), after.get(path)) {
            (Some(before), Some(after)) if before == after => continue,
            (Some(before), Some(after)) => {
                let mut what = differing_facts(before, after);
                if before.content != after.content {
                    what.push(first_difference(one, other, path)?);
                }
                what.join(", ")
            }
            (Some(_), None) => "is gone".to_owned(),
            (None, _) => "is new".to_owned(),
        };
        let place = format!("/{path}");
        differences.push(Difference { place, what });
    }
    if differences.is_empty() {
        differences.push(Difference {
            place: "/".to_owned(),
            what: "has the same entries in another form or order".to_owned(),
        });
    }
    Ok(differences)
}

fn differing_facts(before: &Facts, after: &Facts) -> Vec<String> {
    let mut what = Vec::new();
    let mut differ = |name: &str, before: String, after: String| {
        if before != after {
            what.push(format!("{name} {before} became {after}"));
        }
    };
    differ("kind", before.kind.clone(), after.kind.clone());
    let mode = |facts: &Facts| format!("{:04o}", facts.mode);
    differ("mode", mode(before), mode(after));
    let owner = |facts: &Facts| format!("{}:{}", facts.owner.0, facts.owner.1);
    differ("owner", owner(before), owner(after));
    differ(
        "time",
        before.modified.to_string(),
        after.modified.to_string(),
    );
    let link = |facts: &Facts| facts.link.clone().unwrap_or_default();
    differ("link", link(before), link(after));
    differ("size", before.size.to_string(), after.size.to_string());
    what
}

/// The first byte that differs, and how many do.
fn first_difference(
    one: LayerBlob<'_>,
    other: LayerBlob<'_>,
    path: &str,
) -> Result<String, ImageError> {
    let (mut one, mut other) = (open(one)?, open(other)?);
    let (mut one, mut other) = (entry(&mut one, path)?, entry(&mut other, path)?);
    let (mut first, mut count, mut place) = (None, 0u64, 0u64);
    let (mut left, mut right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let read = (fill(&mut one, &mut left)?, fill(&mut other, &mut right)?);
        let common = read.0.min(read.1);
        for (offset, (left, right)) in left[..common].iter().zip(&right[..common]).enumerate() {
            if left != right {
                first.get_or_insert((place + offset as u64, *left, *right));
                count += 1;
            }
        }
        place += common as u64;
        if read.0 != read.1 || common == 0 {
            break;
        }
    }
    Ok(match first {
        None => format!("bytes are the same up to {place}, where one ends"),
        Some((place, left, right)) => {
            format!("{count} bytes differ, the first at {place}: {left:#04x} became {right:#04x}")
        }
    })
}

fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize, ImageError> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

type Tar = tar::Archive<Box<dyn Read>>;

fn entry<'a>(tar: &'a mut Tar, path: &str) -> Result<tar::Entry<'a, Box<dyn Read>>, ImageError> {
    for entry in tar.entries()? {
        let entry = entry?;
        if name_of(&entry) == path {
            return Ok(entry);
        }
    }
    Err(std::io::Error::other(format!("`{path}` is gone from a layer")).into())
}

fn name_of(entry: &tar::Entry<'_, impl Read>) -> String {
    let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    name.trim_start_matches("./").trim_matches('/').to_owned()
}

fn facts(layer: LayerBlob<'_>) -> Result<BTreeMap<String, Facts>, ImageError> {
    let mut all = BTreeMap::new();
    let mut tar = open(layer)?;
    for entry in tar.entries()? {
        let entry = entry?;
        let header = entry.header();
        let facts = Facts {
            kind: format!("{:?}", header.entry_type()).to_lowercase(),
            mode: header.mode()?,
            owner: (header.uid()?, header.gid()?),
            modified: header.mtime()?,
            link: entry
                .link_name_bytes()
                .map(|link| String::from_utf8_lossy(&link).into_owned()),
            size: entry.size(),
            content: Digest::of(b""),
        };
        let name = name_of(&entry);
        let mut hasher = Hasher::default();
        io::copy(&mut BufReader::with_capacity(1 << 16, entry), &mut hasher)?;
        let content = hasher.finish();
        all.insert(name, Facts { content, ..facts });
    }
    Ok(all)
}

fn open(layer: LayerBlob<'_>) -> Result<Tar, ImageError> {
    let file = BufReader::with_capacity(1 << 18, fs::File::open(layer.path)?);
    let tar: Box<dyn Read> = match media_type::as_oci(layer.media_type) {
        media_type::LAYER_ZSTD => Box::new(zstd::Decoder::with_buffer(file)?),
        media_type::LAYER_GZIP => Box::new(MultiGzDecoder::new(file)),
        _ => Box::new(file),
    };
    Ok(tar::Archive::new(tar))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Built, recipe};
    use crate::{Compression, Entry};

    fn compared(one: Vec<Entry>, other: Vec<Entry>, gzip: bool) -> Vec<Difference> {
        let built = |entries| {
            let mut recipe = recipe(entries);
            if gzip {
                recipe.compression = Compression::GZIP;
            }
            Built::new(&recipe, 2)
        };
        let (one, other) = (built(one), built(other));
        let layer = |built: &Built| built.image.manifest.layers[1].clone();
        let paths = [&one, &other].map(|built| built.layout.blob(&layer(built).digest));
        let media_type = layer(&one).media_type;
        let blob = |path| LayerBlob {
            path,
            media_type: &media_type,
        };
        compare_layers(blob(&paths[0]), blob(&paths[1])).unwrap()
    }

    fn difference(place: &str, what: &str) -> Difference {
        Difference {
            place: place.to_owned(),
            what: what.to_owned(),
        }
    }

    #[test]
    fn a_file_a_mode_and_a_byte_are_named() {
        for gzip in [false, true] {
            let mut mode = Entry::text("a/mode", "");
            mode.mode = 0o600;
            let long = "x".repeat(100_000);
            let other = long.clone() + "y";
            assert_eq!(
                compared(
                    vec![
                        Entry::text("a/bytes", "12345"),
                        Entry::text("a/gone", ""),
                        Entry::text("a/longer", long),
                        Entry::text("a/mode", ""),
                    ],
                    vec![
                        Entry::text("a/bytes", "1x3y5"),
                        Entry::text("a/longer", other),
                        mode,
                        Entry::symlink("a/new", "mode"),
                    ],
                    gzip,
                ),
                [
                    difference(
                        "/a/bytes",
                        "2 bytes differ, the first at 1: 0x32 became 0x78"
                    ),
                    difference("/a/gone", "is gone"),
                    difference(
                        "/a/longer",
                        "size 100000 became 100001, bytes are the same up to 100000, where one ends"
                    ),
                    difference("/a/mode", "mode 0644 became 0600"),
                    difference("/a/new", "is new"),
                ]
            );
        }
    }

    #[test]
    fn documents_are_compared_by_place() {
        let differences = compare_documents(
            br#"{"a":{"b/c":[1,2]},"same":1}"#,
            br#"{"a":{"b/c":[1,3,4]},"same":1}"#,
        );
        assert_eq!(
            differences.unwrap(),
            [
                difference("/a/b~1c/1", "2 became 3"),
                difference("/a/b~1c/2", "nothing became 4"),
            ]
        );
    }
}
