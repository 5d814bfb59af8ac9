//! Layouts that are whole, damaged, and in the way.

use super::*;
use crate::assemble::{LayerRecipe, Recipe, assemble};
use crate::system::system_entries;

fn recipe(text: &str) -> Recipe {
    Recipe {
        layers: vec![
            LayerRecipe {
                comment: "system".to_owned(),
                entries: system_entries(&["/data".to_owned()]),
            },
            LayerRecipe {
                comment: "text".to_owned(),
                entries: vec![Entry::text("a", text)],
            },
        ],
        architecture: "amd64".to_owned(),
        entrypoint: vec!["/a".to_owned()],
        user: "65532:65532".to_owned(),
        ports: vec![8080],
        environment: BTreeMap::new(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::from([("k".to_owned(), "v".to_owned())]),
        created: "2026-01-01T00:00:00Z".to_owned(),
    }
}

#[test]
fn the_same_recipe_in_two_directories_gives_the_same_digest() {
    let directory = tempfile::tempdir().unwrap();
    let one = assemble(&recipe("x"), &directory.path().join("one")).unwrap();
    let other = assemble(&recipe("x"), &directory.path().join("deep/er/other")).unwrap();
    assert_eq!(one.descriptor, other.descriptor);
    let changed = assemble(&recipe("y"), &directory.path().join("one")).unwrap();
    assert_ne!(changed.descriptor, one.descriptor);
    assert_eq!(changed.manifest.layers[0], one.manifest.layers[0]);
}

#[test]
fn a_layout_that_was_written_verifies() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("layout");
    let image = assemble(&recipe("x"), &place).unwrap();
    let layout = Layout::open(&place).unwrap();
    for descriptor in image.manifest.layers.iter().chain([&image.manifest.config]) {
        layout.verify(descriptor).unwrap();
    }
    assert_eq!(
        fs::read_dir(directory.path()).unwrap().count(),
        1,
        "nothing is left beside it"
    );
}

#[test]
fn damage_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("layout");
    let image = assemble(&recipe("x"), &place).unwrap();
    let layout = Layout::open(&place).unwrap();
    let layer = &image.manifest.layers[1];
    let file = layout.blob(&layer.digest);
    let mut bytes = fs::read(&file).unwrap();

    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, &bytes).unwrap();
    assert!(matches!(
        layout.verify(layer),
        Err(ImageError::TamperedBlob { .. })
    ));
    bytes.pop();
    fs::write(&file, &bytes).unwrap();
    assert!(matches!(
        layout.verify(layer),
        Err(ImageError::WrongSize { .. })
    ));
    fs::remove_file(&file).unwrap();
    assert!(matches!(
        layout.verify(layer),
        Err(ImageError::MissingBlob(_))
    ));
}

#[test]
fn a_tampered_manifest_is_not_read() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("layout");
    let image = assemble(&recipe("x"), &place).unwrap();
    let layout = Layout::open(&place).unwrap();
    let text = String::from_utf8(image.bytes)
        .unwrap()
        .replace("\"v\"", "\"w\"");
    fs::write(layout.blob(&image.descriptor.digest), text).unwrap();
    assert!(matches!(
        layout.image(),
        Err(ImageError::TamperedBlob { .. })
    ));
}

#[test]
fn a_directory_that_is_no_layout_is_left_untouched() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("thesis.txt"), "years of work").unwrap();
    let error = assemble(&recipe("x"), directory.path()).unwrap_err();
    assert!(matches!(error, ImageError::NotALayout(_)), "{error}");
    assert!(directory.path().join("thesis.txt").exists());
    assert!(matches!(
        Layout::open(directory.path()),
        Err(ImageError::NoLayout(..))
    ));
}
