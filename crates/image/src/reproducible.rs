//! Whatever the machine is like, the digest is the same.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use fs_err as fs;
use oci::Digest;
use proptest::prelude::*;

use crate::fixture::{Built, noise, recipe, write_at};
use crate::{COMPATIBILITY, Compression, Content, Entry, LayerKind, LayerRecipe, SystemFiles};

/// A program of a few blocks, as a compiler would make it: partly random.
fn program() -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in 0..40 {
        bytes.extend(noise(60_000, part));
        bytes.extend(
            format!("function {part} of the program\n")
                .repeat(3000)
                .into_bytes(),
        );
    }
    bytes
}

/// The digests of a fixed recipe for each number of compatibility, with zstd and
/// with gzip. Where this fails, the same source gives other images than before:
/// raise `COMPATIBILITY` and add a line, or undo what changed the bytes.
const GOLDEN: [(u32, &str, &str); 1] = [(
    1,
    "sha256:e2715dbc7b55ba5b24880f27b4a49824888d300c9c130cbe78ab83a399bd731e",
    "sha256:3ca1596c0e91695f690b4e4bc8423d011a7fe2166da9d47be5e46c6d9b24f675",
)];

#[test]
fn the_digest_of_a_fixed_recipe_is_the_one_of_its_compatibility() {
    let entries = vec![
        Entry {
            path: "usr/bin/program".to_owned(),
            mode: 0o755,
            owner: 0,
            content: Content::Bytes(program()),
        },
        Entry::symlink("usr/bin/link", "program"),
        Entry::text(&format!("srv/{}/ä.txt", "long".repeat(40)), "text"),
    ];
    let mut recipe = recipe(entries);
    let system = SystemFiles {
        writable: &["/data".to_owned()],
        time_zones: true,
        on_base: false,
    };
    recipe.layers[0] = LayerRecipe::new(LayerKind::System, system.entries());
    let zstd = Built::new(&recipe, 2).image.descriptor.digest.to_string();
    recipe.compression = Compression::GZIP;
    let gzip = Built::new(&recipe, 2).image.descriptor.digest.to_string();
    let golden = GOLDEN.iter().find(|(number, ..)| *number == COMPATIBILITY);
    assert_eq!(golden, Some(&(COMPATIBILITY, zstd.as_str(), gzip.as_str())));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]
    #[test]
    fn no_digest_depends_on_the_number_of_threads(
        sizes in prop::collection::vec(0..5_000_000usize, 1..4),
        gzip: bool,
    ) {
        let mut recipe = recipe(vec![]);
        recipe.layers = (0..).zip(&sizes).map(|(number, size)| {
            let mut bytes = noise(size / 2, number);
            bytes.resize(*size, b'x');
            let path = format!("file{number}");
            let entry = Entry { path: path.clone(), mode: 0o644, owner: 0, content: Content::Bytes(bytes) };
            LayerRecipe::new(LayerKind::Assets(path), vec![entry])
        }).collect();
        recipe.compression = if gzip { Compression::Gzip { level: 1 } } else { Compression::ZSTD };
        let digests: Vec<Digest> = [1, 2, 16]
            .into_iter()
            .map(|threads| Built::new(&recipe, threads).image.descriptor.digest)
            .collect();
        prop_assert_eq!(digests[0], digests[1]);
        prop_assert_eq!(digests[0], digests[2]);
    }
}

/// The same tree, made in one way or another.
fn tree(root: &Path, names: &[&str], seconds: u64) {
    fs::create_dir_all(root).unwrap();
    for name in names {
        write_at(&root.join(name), name.as_bytes(), seconds);
    }
}

fn digest_of_tree(root: &Path, names: &[&str]) -> Digest {
    let entries = names.iter().map(|name| Entry {
        path: format!("srv/{name}"),
        mode: 0o644,
        owner: 0,
        content: Content::File(root.join(name)),
    });
    Built::new(&recipe(entries.collect()), 2)
        .image
        .descriptor
        .digest
}

#[test]
fn directory_time_order_on_disk_mode_and_hard_links_do_not_enter() {
    let directory = tempfile::tempdir().unwrap();
    let names = ["a", "A", "b", "c"];
    let (one, other) = (
        directory.path().join("one"),
        directory.path().join("deep/er/other"),
    );
    tree(&one, &names, 1_000_000_000);
    tree(&other, &["c", "b", "A", "a"], 1_700_000_000);
    fs::set_permissions(other.join("a"), std::fs::Permissions::from_mode(0o600)).unwrap();
    fs::hard_link(other.join("b"), directory.path().join("linked")).unwrap();
    symlink("nothing", directory.path().join("neighbour")).unwrap();
    assert_eq!(digest_of_tree(&one, &names), digest_of_tree(&other, &names));
}
