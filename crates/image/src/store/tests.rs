//! What is packed again and what is not, and what damage and kills do.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::fixture::{noise, recipe, with_threads, write_at};
use crate::{Content, Recipe, StoredImage, assemble};

/// A store, an asset that has rested for years, and its recipe.
struct Project {
    directory: tempfile::TempDir,
    recipe: Recipe,
}

impl Project {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let asset = directory.path().join("asset");
        write_at(&asset, &noise(10_000, 1), 1_000_000_000);
        let recipe = recipe(vec![Entry {
            path: "srv/asset".to_owned(),
            mode: 0o644,
            owner: 0,
            content: Content::File(asset),
        }]);
        Self { directory, recipe }
    }

    fn asset(&self) -> PathBuf {
        self.directory.path().join("asset")
    }

    fn store(&self) -> LayerStore {
        LayerStore::open(&self.directory.path().join("layers")).unwrap()
    }

    /// Builds with a store that is opened anew, as the next process does; which
    /// layers were reused, by their digest.
    fn build(&self) -> (StoredImage, Vec<bool>) {
        self.build_with(&self.store())
    }

    fn build_with(&self, store: &LayerStore) -> (StoredImage, Vec<bool>) {
        let seen = Mutex::new(Vec::new());
        let observe = |layer: &StoredLayer| {
            let seen = seen.lock();
            seen.unwrap().push((layer.descriptor.digest, layer.reused));
        };
        let assembly = crate::Assembly {
            observe: &observe,
            ..with_threads(store, 2)
        };
        let place = self.directory.path().join("layout");
        let image = assemble(&self.recipe, &place, assembly)
            .unwrap()
            .image()
            .unwrap();
        let seen = seen.into_inner().unwrap();
        let reused = image.manifest.layers.iter().map(|layer| {
            let of = seen.iter().find(|(digest, _)| *digest == layer.digest);
            of.unwrap().1
        });
        let reused = reused.collect();
        (image, reused)
    }

    /// The store's file of the asset's layer.
    fn blob(&self, image: &StoredImage) -> PathBuf {
        self.store().blob(&image.manifest.layers[1].digest)
    }
}

#[test]
fn what_has_not_changed_is_not_packed_again() {
    let project = Project::new();
    let (first, reused) = project.build();
    assert_eq!(reused, [false, false]);
    let (second, reused) = project.build();
    assert_eq!(reused, [true, true]);
    assert_eq!(first.descriptor, second.descriptor);

    // A new checkout: another time, the same bytes.
    write_at(&project.asset(), &noise(10_000, 1), 1_100_000_000);
    let (third, reused) = project.build();
    assert_eq!(
        (reused, &third.descriptor),
        (vec![true, true], &first.descriptor)
    );

    // Another content of the same length.
    write_at(&project.asset(), &noise(10_000, 2), 1_100_000_000);
    let (fourth, reused) = project.build();
    assert_eq!(reused, [true, false]);
    assert_ne!(fourth.descriptor, first.descriptor);
}

#[test]
fn a_file_that_has_just_been_written_is_read_again_though_it_looks_the_same() {
    let project = Project::new();
    fs::write(project.asset(), "new").unwrap();
    project.build();
    let seen = |store: &LayerStore| {
        store
            .records()
            .iter()
            .map(|record| record.seen.len())
            .sum::<usize>()
    };
    // Only the system layer, which has no files, is known by its fingerprint.
    assert_eq!(seen(&project.store()), 1);
}

#[test]
fn damaged_and_missing_blobs_and_records_are_packed_again() {
    let project = Project::new();
    let (first, _) = project.build();
    let blob = project.blob(&first);
    let damage: [&dyn Fn(); 4] = [
        &|| fs::remove_file(&blob).unwrap(),
        &|| {
            fs::remove_file(&blob).unwrap();
            fs::write(&blob, "other bytes").unwrap();
        },
        &|| {
            let mut bytes = fs::read(&blob).unwrap();
            bytes[100] ^= 1;
            fs::remove_file(&blob).unwrap();
            fs::write(&blob, bytes).unwrap();
        },
        &|| {
            for record in fs::read_dir(project.directory.path().join("layers/records")).unwrap() {
                let path = record.unwrap().path();
                fs::remove_file(&path).unwrap();
                fs::write(&path, "{").unwrap();
            }
        },
    ];
    for damage in damage {
        damage();
        let (again, reused) = project.build();
        assert!(!reused[1]);
        assert_eq!(again.descriptor, first.descriptor);
        let layout = crate::Layout::open(&project.directory.path().join("layout")).unwrap();
        layout.verify(&again.manifest.layers[1]).unwrap();
    }
}

#[test]
fn a_seal_of_an_earlier_boot_is_not_believed() {
    let project = Project::new();
    let (first, _) = project.build();
    let blob = project.blob(&first);
    // The same file with other bytes and the same time, as a crash may leave it.
    let modified = fs::metadata(&blob).unwrap().modified().unwrap();
    fs::set_permissions(&blob, std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut bytes = fs::read(&blob).unwrap();
    bytes[100] ^= 1;
    fs::write(&blob, bytes).unwrap();
    fs::File::options()
        .write(true)
        .open(&blob)
        .unwrap()
        .set_modified(modified)
        .unwrap();
    let mut store = project.store();
    store.boot = Some("another".to_owned());
    let (again, reused) = project.build_with(&store);
    assert!(!reused[1]);
    assert_eq!(again.descriptor, first.descriptor);
}

#[test]
fn a_store_keeps_its_bound_and_what_was_used_last() {
    let mut project = Project::new();
    project.recipe.layers.remove(0);
    let sizes = |store: &LayerStore| -> u64 {
        let blobs = fs::read_dir(store.directory.join("blobs")).unwrap();
        blobs
            .map(|blob| blob.unwrap().metadata().unwrap().len())
            .sum()
    };
    let store = project.store().with_limit(35_000);
    for seed in 0..8 {
        write_at(&project.asset(), &noise(10_000, seed), 1_000_000_000 + seed);
        project.build_with(&store);
        assert!(sizes(&store) <= 35_000);
    }
    let (_, reused) = project.build_with(&project.store());
    assert_eq!(reused, [true], "the newest is still there");
    fs::write(store.directory.join("blobs/.unfinished-x"), "x").unwrap();
    write_at(
        &store.directory.join("blobs/.unfinished-y"),
        b"y",
        1_000_000_000,
    );
    store.prune().unwrap();
    assert!(store.directory.join("blobs/.unfinished-x").exists());
    assert!(!store.directory.join("blobs/.unfinished-y").exists());
}

#[test]
fn builds_at_the_same_time_share_a_store() {
    let project = Project::new();
    let expected = project.build().0.descriptor;
    fs::remove_dir_all(project.directory.path().join("layers")).unwrap();
    std::thread::scope(|scope| {
        let build = |number: usize| {
            let place = project.directory.path().join(format!("layout{number}"));
            let store = project.store().with_limit(5_000);
            let layout = assemble(&project.recipe, &place, with_threads(&store, 2)).unwrap();
            let checked = layout.check(std::num::NonZeroUsize::MIN).unwrap();
            checked.stored.descriptor().clone()
        };
        let builds: Vec<_> = (0..6)
            .map(|number| scope.spawn(move || build(number)))
            .collect();
        for build in builds {
            assert_eq!(build.join().unwrap(), expected);
        }
    });
}
