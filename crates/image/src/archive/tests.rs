//! One file that holds what the layout holds.

use std::collections::BTreeMap;
use std::io::Read as _;

use super::*;
use crate::fixture::{Built, noise, recipe, unpacked};
use crate::{Compression, Content, Entry};

fn built(compression: Compression) -> Built {
    let mut recipe = recipe(vec![Entry {
        path: "a".to_owned(),
        mode: 0o755,
        owner: 0,
        content: Content::Bytes(noise(3 << 20, 1)),
    }]);
    recipe.compression = compression;
    Built::new(&recipe, 2)
}

fn files(tar: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(tar);
    let read = |entry: io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.path().unwrap().display().to_string(), bytes)
    };
    archive.entries().unwrap().map(read).collect()
}

#[test]
fn an_oci_archive_is_the_layout_with_a_name() {
    let built = built(Compression::ZSTD);
    let mut tar = Vec::new();
    write_oci_archive(&built.layout, Some("latest"), &mut tar).unwrap();
    let files = files(&tar);
    assert_eq!(files.len(), 2 + 4);
    for blob in built.image.blobs().chain([&built.image.descriptor]) {
        let bytes = &files[&format!("blobs/sha256/{}", blob.digest.hex())];
        assert_eq!(Digest::of(bytes), blob.digest);
    }
    let index = String::from_utf8(files["index.json"].clone()).unwrap();
    assert!(index.contains("\"org.opencontainers.image.ref.name\":\"latest\""));
    let mut again = Vec::new();
    write_oci_archive(&built.layout, Some("latest"), &mut again).unwrap();
    assert!(tar == again);
}

#[test]
fn a_docker_archive_has_gzip_layers_as_they_are_and_others_as_tars() {
    for compression in [Compression::ZSTD, Compression::GZIP] {
        let built = built(compression);
        let mut tar = Vec::new();
        let names = ["backend:latest".to_owned()];
        write_docker_archive(&built.layout, &built.image, &names, &mut tar).unwrap();
        let files = files(&tar);
        let list: serde_json::Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
        assert_eq!(list[0]["RepoTags"][0], "backend:latest");
        assert!(files.contains_key(list[0]["Config"].as_str().unwrap()));
        let layer = &built.image.manifest.layers[1];
        let found = &files[list[0]["Layers"][1].as_str().unwrap()];
        if compression == Compression::GZIP {
            assert_eq!(Digest::of(found), layer.digest);
        } else {
            assert!(*found == unpacked(&built.layout, layer));
        }
    }
}

#[test]
fn a_damaged_blob_stops_both() {
    let built = built(Compression::ZSTD);
    let file = built.layout.blob(&built.image.manifest.layers[1].digest);
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::remove_file(&file).unwrap();
    fs::write(&file, bytes).unwrap();
    let sink = || io::sink();
    assert!(write_oci_archive(&built.layout, None, sink()).is_err());
    assert!(write_docker_archive(&built.layout, &built.image, &[], sink()).is_err());
}
