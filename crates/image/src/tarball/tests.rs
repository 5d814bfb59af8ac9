//! Tars that other readers unpack to what was packed.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use fs_err as fs;
use proptest::prelude::*;

use crate::blocks::Blocks;
use crate::entry::{Content, Directories, Entry, in_order};
use crate::fixture::noise;

fn tar_of(entries: &[Entry]) -> Vec<u8> {
    let mut tar = Vec::new();
    let mut take = |block: Vec<u8>| {
        tar.extend_from_slice(&block);
        Ok(block)
    };
    let mut blocks = Blocks::new(&mut take);
    let entries = in_order(entries, &Directories::new()).unwrap();
    super::write(&entries, &mut blocks).unwrap();
    blocks.finish().unwrap();
    tar
}

/// What a reader finds at a path: mode, owner, and content or link.
type Found = BTreeMap<String, (u32, u64, String)>;

fn expected(entries: &[Entry]) -> Found {
    let content = |entry: &Entry| match &entry.content {
        Content::Directory => "directory".to_owned(),
        Content::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Content::File(path) => String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned(),
        Content::Symlink(target) => format!("-> {target}"),
    };
    let all = in_order(entries, &Directories::new()).unwrap();
    all.iter()
        .map(|entry| {
            (
                entry.path.clone(),
                (entry.mode, entry.owner, content(entry)),
            )
        })
        .collect()
}

fn read_by_the_tar_crate(tar: &[u8]) -> Found {
    let mut archive = tar::Archive::new(tar);
    let mut found = Found::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let header = entry.header().clone();
        assert_eq!(header.mtime().unwrap(), 0);
        assert_eq!(header.username().unwrap().unwrap_or_default(), "");
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        let link = entry.link_name().unwrap().map(std::borrow::Cow::into_owned);
        let mut text = Vec::new();
        entry.read_to_end(&mut text).unwrap();
        let content = match link {
            Some(target) => format!("-> {}", target.display()),
            None if header.entry_type().is_dir() => "directory".to_owned(),
            None => String::from_utf8_lossy(&text).into_owned(),
        };
        found.insert(
            path.trim_end_matches('/').to_owned(),
            (header.mode().unwrap(), header.uid().unwrap(), content),
        );
    }
    found
}

/// Unpacks with GNU tar, which every machine has, and looks at the files. Owners
/// are only set for root.
fn unpacked_by_gnu_tar(tar: &[u8]) -> Found {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("layer.tar");
    fs::write(&file, tar).unwrap();
    let root = directory.path().join("root");
    fs::create_dir(&root).unwrap();
    let unpack = Command::new("tar")
        .args([
            "--extract",
            "--preserve-permissions",
            "--numeric-owner",
            "--file",
        ])
        .arg(&file)
        .arg("--directory")
        .arg(&root)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&unpack.stderr);
    assert!(unpack.status.success() && said.is_empty(), "{said}");
    let mut found = Found::new();
    look(&root, &root, &mut found);
    found
}

fn look(root: &Path, directory: &Path, found: &mut Found) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let content = if metadata.is_symlink() {
            format!("-> {}", fs::read_link(&path).unwrap().display())
        } else if metadata.is_dir() {
            "directory".to_owned()
        } else {
            String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned()
        };
        let name = path.strip_prefix(root).unwrap().to_str().unwrap();
        let mode = metadata.permissions().mode() & 0o7777;
        found.insert(name.to_owned(), (mode, metadata.uid().into(), content));
        if metadata.is_dir() {
            look(root, &path, found);
        }
    }
}

/// Paths of all lengths, some beyond ASCII, in a few directories.
fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let name = prop_oneof![
        "[a-zA-Z0-9._-]{1,20}x",
        "[a-z]{90,110}",
        "[äöü漢字é ]{1,30}x",
        "[a-z]{200}"
    ];
    let path = prop::collection::vec(name, 1..4).prop_map(|parts| parts.join("/"));
    let content = prop_oneof![
        Just(Content::Directory),
        "[a-z\n]{0,2000}".prop_map(|text| Content::Bytes(text.into_bytes())),
        "[a-z./]{1,150}".prop_map(Content::Symlink),
        "[äöü]{1,80}".prop_map(Content::Symlink),
    ];
    let mode = prop_oneof![
        Just(0o644),
        Just(0o755),
        Just(0o4755),
        Just(0o1777),
        Just(0o600)
    ];
    let owner = prop_oneof![Just(0u64), Just(65532), Just(2_097_151), Just(2_097_152)];
    let entry = (path, mode, owner, content).prop_map(|(path, mode, owner, content)| Entry {
        mode: match content {
            Content::Symlink(_) => 0o777,
            Content::Directory => mode | 0o700,
            _ => mode,
        },
        path,
        owner,
        content,
    });
    prop::collection::btree_map(0..100u8, entry, 0..8)
        .prop_map(|entries| entries.into_values().collect::<Vec<Entry>>())
        .prop_filter("paths that fit together", |entries| {
            in_order(entries, &Directories::new()).is_ok()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_tree_packs_and_unpacks_to_itself(entries in entries()) {
        let tar = tar_of(&entries);
        prop_assert_eq!(tar.len() % 512, 0);
        let expected = expected(&entries);
        // The reader of the crate does not apply a pax record of an owner.
        let small = |found: &Found| -> Found {
            found.iter().map(|(path, (mode, owner, content))| {
                let owner = if *owner > 2_097_151 { 0 } else { *owner };
                (path.clone(), (*mode, owner, content.clone()))
            }).collect()
        };
        prop_assert_eq!(small(&read_by_the_tar_crate(&tar)), small(&expected));

        let mut unpacked = unpacked_by_gnu_tar(&tar);
        let mut expected = expected;
        if unpacked.values().any(|(_, owner, _)| *owner != 0) || expected.is_empty() {
            // Root: owners are as packed.
        } else {
            for (_, owner, _) in unpacked.values_mut().chain(expected.values_mut()) {
                *owner = 0;
            }
        }
        prop_assert_eq!(unpacked, expected);
    }

    #[test]
    fn the_order_of_entries_does_not_matter(
        mut names in prop::collection::btree_set("[a-zA-Z]{1,8}", 1..6)
            .prop_map(|set| set.into_iter().collect::<Vec<_>>()),
    ) {
        let entries = |names: &[String]| -> Vec<Entry> {
            names.iter().map(|name| Entry::text(&format!("x/{name}"), name.as_str())).collect()
        };
        let one = tar_of(&entries(&names));
        names.reverse();
        prop_assert_eq!(one, tar_of(&entries(&names)));
    }
}

#[test]
fn files_of_any_length_around_a_record_and_a_block_keep_their_bytes() {
    let directory = tempfile::tempdir().unwrap();
    for length in [0, 1, 511, 512, 513, (2 << 20) - 512, 2 << 20, (4 << 20) + 7] {
        let path = directory.path().join("file");
        let bytes = noise(length, 7);
        fs::write(&path, &bytes).unwrap();
        let tar = tar_of(&[Entry::program("a", path)]);
        let mut archive = tar::Archive::new(tar.as_slice());
        let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
        assert_eq!(entry.header().mode().unwrap(), 0o755);
        let mut found = Vec::new();
        entry.read_to_end(&mut found).unwrap();
        assert!(found == bytes, "{length}");
    }
}

#[test]
fn eight_gibibytes_need_a_record_and_one_byte_less_does_not() {
    let largest = 8 * (1 << 30) - 1;
    assert_eq!(super::file_header("big", largest).len(), 512);
    let header = super::file_header("big", largest + 1);
    assert_eq!(header.len(), 3 * 512);
    let mut archive = tar::Archive::new(header.as_slice());
    let entry = archive.entries().unwrap().next().unwrap().unwrap();
    assert_eq!(entry.size(), largest + 1);
}

#[test]
fn a_sparse_file_is_packed_as_the_zeros_it_stands_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sparse");
    let file = fs::File::create(&path).unwrap();
    file.set_len(3 << 20).unwrap();
    drop(file);
    let tar = tar_of(&[Entry::program("a", path)]);
    assert_eq!(tar.len(), 512 + (3 << 20) + 1024);
    assert!(tar[512..].iter().all(|byte| *byte == 0));
}
