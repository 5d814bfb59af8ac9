//! Layouts that are whole, damaged, in the way, and with something left out.

use super::*;
use crate::fixture::{self, Built, recipe};
use crate::{Assembly, Entry, IndexRecipe, LayerStore, PublishedLayer, assemble, assemble_index};
use oci::Platform;
use std::num::NonZeroUsize;

fn text(text: &str) -> crate::Recipe {
    recipe(vec![Entry::text("a", text)])
}

/// Other bytes for a blob, without touching the store's.
fn overwrite(file: &Path, bytes: &[u8]) {
    fs::remove_file(file).unwrap();
    fs::write(file, bytes).unwrap();
}

const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();

#[test]
fn the_same_recipe_in_two_directories_gives_the_same_digest() {
    let directory = tempfile::tempdir().unwrap();
    let store = LayerStore::open(&directory.path().join("layers")).unwrap();
    let build = |recipe: &crate::Recipe, place: &str| {
        let place = directory.path().join(place);
        assemble(recipe, &place, Assembly::new(&store))
            .unwrap()
            .image()
            .unwrap()
    };
    let one = build(&text("x"), "one");
    let other = build(&text("x"), "deep/er/other");
    assert_eq!(one.descriptor, other.descriptor);
    let changed = build(&text("y"), "one");
    assert_ne!(changed.descriptor, one.descriptor);
    assert_eq!(changed.manifest.layers[0], one.manifest.layers[0]);
}

#[test]
fn a_layout_that_was_written_verifies() {
    let built = Built::new(&text("x"), 2);
    let checked = built.layout.check(TWO).unwrap();
    assert_eq!((checked.present.len(), checked.absent.len()), (3, 0));
    assert_eq!(
        fs::read_dir(built.directory.path()).unwrap().count(),
        2,
        "nothing is left beside the layout and the store"
    );
}

#[test]
fn damage_is_named() {
    let Built {
        layout,
        image,
        directory: _directory,
    } = Built::new(&text("x"), 2);
    let layer = &image.manifest.layers[1];
    let file = layout.blob(&layer.digest);
    let mut bytes = fs::read(&file).unwrap();

    *bytes.last_mut().unwrap() ^= 1;
    overwrite(&file, &bytes);
    assert!(matches!(
        layout.verify(layer),
        Err(ImageError::TamperedBlob { .. })
    ));
    bytes.pop();
    overwrite(&file, &bytes);
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
    let Built {
        layout,
        image,
        directory: _directory,
    } = Built::new(&text("x"), 2);
    let text = String::from_utf8(image.bytes)
        .unwrap()
        .replace("\"v\"", "\"w\"");
    overwrite(&layout.blob(&image.descriptor.digest), text.as_bytes());
    assert!(matches!(
        layout.image(),
        Err(ImageError::TamperedBlob { .. })
    ));
}

#[test]
fn a_directory_that_is_no_layout_is_left_untouched() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("thesis.txt"), "years of work").unwrap();
    let store = tempfile::tempdir().unwrap();
    let store = LayerStore::open(store.path()).unwrap();
    let error = assemble(&text("x"), directory.path(), Assembly::new(&store)).unwrap_err();
    assert!(matches!(error, ImageError::NotALayout(_)), "{error}");
    assert!(directory.path().join("thesis.txt").exists());
    assert!(matches!(
        Layout::open(directory.path()),
        Err(ImageError::NoLayout(..))
    ));
}

#[test]
fn a_published_layer_is_taken_over_and_the_layout_says_that_it_leaves_it_out() {
    let whole = Built::new(&text("x"), 2);
    let config: oci::ImageConfig =
        serde_json::from_slice(&whole.layout.document(&whole.image.manifest.config).unwrap())
            .unwrap();
    let mut recipe = text("x");
    recipe.layers[1].published = Some(PublishedLayer {
        descriptor: whole.image.manifest.layers[1].clone(),
        diff_id: config.rootfs.diff_ids[1],
    });
    let sparse = Built::new(&recipe, 2);
    assert_eq!(sparse.image.descriptor, whole.image.descriptor);
    let layer = &whole.image.manifest.layers[1];
    assert!(matches!(
        sparse.layout.verify(layer),
        Err(ImageError::AbsentBlob(digest)) if digest == layer.digest
    ));
    let checked = sparse.layout.check(TWO).unwrap();
    assert_eq!(checked.absent, std::slice::from_ref(layer));
    assert_eq!(checked.present.len(), 2);
    // What is missing without being marked is damage.
    fs::remove_file(sparse.layout.blob(&whole.image.manifest.layers[0].digest)).unwrap();
    assert!(matches!(
        sparse.layout.check(TWO),
        Err(ImageError::MissingBlob(_))
    ));
}

#[test]
fn an_index_lists_one_image_per_platform_and_shares_their_layers() {
    let directory = tempfile::tempdir().unwrap();
    let store = LayerStore::open(&directory.path().join("layers")).unwrap();
    let (amd, mut arm) = (text("amd"), text("arm"));
    arm.platform = Platform {
        variant: Some("v8".to_owned()),
        ..Platform::linux("arm64")
    };
    let index = |recipes: &[crate::Recipe], place: &str| {
        let place = directory.path().join(place);
        assemble_index(
            recipes,
            &IndexRecipe::default(),
            &place,
            Assembly::new(&store),
        )
    };
    let layout = index(&[amd.clone(), arm.clone()], "one").unwrap();
    let turned = index(&[arm, amd.clone()], "other").unwrap();
    let stored = layout.stored().unwrap();
    assert_eq!(stored.descriptor(), turned.stored().unwrap().descriptor());
    assert_eq!(stored.descriptor().media_type, oci::media_type::INDEX);
    let images = stored.images();
    let platforms: Vec<_> = images
        .iter()
        .map(|image| image.descriptor.platform.as_ref().unwrap().to_string())
        .collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64/v8"]);
    assert_eq!(images[0].manifest.layers[0], images[1].manifest.layers[0]);
    assert_ne!(images[0].manifest.layers[1], images[1].manifest.layers[1]);
    assert_eq!(layout.check(TWO).unwrap().present.len(), 5);
    let image_for = |architecture: &str, variant: Option<&str>| {
        let platform = Platform {
            variant: variant.map(str::to_owned),
            ..Platform::linux(architecture)
        };
        stored
            .image_for(&platform)
            .map(|image| image.descriptor.digest)
    };
    assert_eq!(image_for("amd64", None), Some(images[0].descriptor.digest));
    assert_eq!(image_for("arm64", None), Some(images[1].descriptor.digest));
    assert_eq!(image_for("arm64", Some("v8")), image_for("arm64", None));
    assert_eq!(image_for("arm64", Some("v9")), None);
    assert_eq!(image_for("riscv64", None), None);
    assert!(layout.image().is_err());
    assert!(matches!(
        index(&[amd.clone(), amd], "same"),
        Err(ImageError::DuplicatePlatform(_))
    ));
}

#[test]
fn an_image_has_the_annotations_that_a_later_publish_looks_for() {
    let mut recipe = text("x");
    let before_it_is_compiled = Digest::of(b"sources");
    recipe.layers[1].inputs = Some(before_it_is_compiled);
    let built = Built::new(&recipe, 2);
    let manifest = &built.image.manifest;
    assert_eq!(manifest.annotations[annotation::COMPATIBILITY], "1");
    let [system, assets] = manifest.layers.as_slice() else {
        panic!("two layers");
    };
    assert_eq!(system.annotations[annotation::LAYER], "system");
    assert_eq!(assets.annotations[annotation::LAYER], "assets:/a");
    let kind = &recipe.layers[1].kind;
    let inputs = crate::layer_inputs(kind, recipe.compression, &before_it_is_compiled);
    assert_eq!(assets.annotations[annotation::INPUTS], inputs.to_string());
    let tar = fixture::unpacked(&built.layout, system);
    let kind = &recipe.layers[0].kind;
    let inputs = crate::layer_inputs(kind, recipe.compression, &Digest::of(&tar));
    assert_eq!(system.annotations[annotation::INPUTS], inputs.to_string());
}

#[test]
fn more_layers_than_an_engine_runs_are_refused() {
    let mut recipe = text("x");
    recipe.layers = vec![recipe.layers[1].clone(); 126];
    assert!(matches!(
        Built::try_new(&recipe, 2).err(),
        Some(ImageError::TooManyLayers(126))
    ));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn any_index_is_read_or_refused_without_panic(
        bytes: Vec<u8>,
        absent in "(sha256:[0-9a-f]{60,64} ?|[ a-z:]{0,10}){0,3}",
    ) {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(MARKER), MARKER_CONTENT).unwrap();
        let index = format!(
            r#"{{"schemaVersion":2,"manifests":[],"annotations":{{"dev.longshore.absent":"{absent}"}}}}"#
        );
        for bytes in [bytes, index.into_bytes()] {
            fs::write(directory.path().join(INDEX), bytes).unwrap();
            if let Ok(layout) = Layout::open(directory.path()) {
                proptest::prop_assert!(layout.stored().is_err());
            }
        }
    }
}
