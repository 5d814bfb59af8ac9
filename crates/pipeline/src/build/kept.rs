//! Which of the kept images of Dockerfiles this process uses, and which may go.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, PoisonError};
use std::time::SystemTime;

use fs_err as fs;
use tokio::sync::Mutex;

/// A file in each whose time is that of the last use.
pub(super) const USED: &str = "used";
/// What the name of one begins with.
pub(super) const PREFIX: &str = "image-";
/// What the name of a directory begins with that a build works in, and removes.
pub(super) const BUILDING: &str = "build-";
/// How many stay at least.
const FEWEST_KEPT: usize = 4;

/// Who makes what is at a place.
type Turn = Arc<Mutex<()>>;

/// The places that this process uses: another image of the same run may still need
/// what was read from one.
static USED_HERE: LazyLock<std::sync::Mutex<BTreeMap<PathBuf, Turn>>> =
    LazyLock::new(Default::default);

/// Whose holder alone makes the image at `place`, which is spared from then on.
pub(super) fn turn(place: &Path) -> Turn {
    let mut used = USED_HERE.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(used.entry(place.to_owned()).or_default())
}

/// Says, while it is held, that somebody builds in `directory`. Who comes when nobody
/// does removes what interrupted builds have left; where there are no locks it stays.
pub(super) fn presence(directory: &Path) -> std::io::Result<fs::File> {
    fs::create_dir_all(directory)?;
    let lock = fs::File::open(directory)?;
    if lock.file().try_lock().is_ok() {
        for entry in fs::read_dir(directory)?.flatten() {
            let name = entry.file_name();
            if name.to_string_lossy().starts_with(BUILDING) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let _ = lock.file().unlock();
    }
    let _ = lock.file().lock_shared();
    Ok(lock)
}

/// Removes the images that were not used for longest, and none that this process uses.
/// What cannot be removed stays.
pub(super) fn prune(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    let used: Vec<PathBuf> = {
        let used = USED_HERE.lock().unwrap_or_else(PoisonError::into_inner);
        let here = used
            .keys()
            .filter(|place| place.parent() == Some(directory));
        here.cloned().collect()
    };
    let mut others: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
        .map(|entry| entry.path())
        .filter(|path| !used.contains(path))
        .map(|path| (last_used(&path), path))
        .collect();
    others.sort();
    // The images of this run and of the one before.
    let most = FEWEST_KEPT.max(2 * used.len());
    let old = (others.len() + used.len()).saturating_sub(most);
    for (_, path) in others.into_iter().take(old) {
        let _ = fs::remove_dir_all(path);
    }
}

fn last_used(image: &Path) -> Option<SystemTime> {
    let metadata = fs::metadata(image.join(USED)).or_else(|_| fs::metadata(image));
    metadata.ok()?.modified().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(directory: &Path, names: &[&str]) {
        for name in names {
            fs::create_dir(directory.join(format!("{PREFIX}{name}"))).unwrap();
        }
    }

    fn count(directory: &Path) -> usize {
        fs::read_dir(directory).unwrap().count()
    }

    #[test]
    fn what_this_run_uses_stays_however_many_images_it_has() {
        let directory = tempfile::tempdir().unwrap();
        let names = ["a", "b", "c", "d", "e", "f"];
        images(directory.path(), &names);
        for name in names {
            let _ = turn(&directory.path().join(format!("{PREFIX}{name}")));
        }
        prune(directory.path());
        assert_eq!(count(directory.path()), 6);
        // As many of earlier runs stay beside them.
        images(directory.path(), &["1", "2", "3", "4", "5", "6", "7", "8"]);
        prune(directory.path());
        assert_eq!(count(directory.path()), 12);
        for name in names {
            assert!(directory.path().join(format!("{PREFIX}{name}")).is_dir());
        }
    }

    #[test]
    fn of_other_runs_the_last_four_stay() {
        let directory = tempfile::tempdir().unwrap();
        images(directory.path(), &["a", "b", "c", "d", "e", "f"]);
        fs::create_dir(directory.path().join(format!("{BUILDING}x"))).unwrap();
        prune(directory.path());
        assert_eq!(count(directory.path()), 5);
    }

    #[test]
    fn what_interrupted_builds_left_goes_and_what_others_build_stays() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        let builds = ["x", "y"].map(|name| directory.join(format!("{BUILDING}{name}")));
        let make = || {
            for build in &builds {
                fs::create_dir(build).unwrap();
            }
        };
        images(directory, &["kept"]);
        make();
        let first = presence(directory).unwrap();
        assert!(builds.iter().all(|build| !build.exists()));
        make();
        let second = presence(directory).unwrap();
        assert!(builds.iter().all(|build| build.exists()));
        drop((first, second));
        let _third = presence(directory).unwrap();
        assert!(builds.iter().all(|build| !build.exists()));
        assert!(directory.join(format!("{PREFIX}kept")).is_dir());
    }

    #[test]
    fn one_at_a_time_makes_what_is_at_a_place() {
        let directory = tempfile::tempdir().unwrap();
        let (one, other) = (directory.path().join("one"), directory.path().join("other"));
        let first = turn(&one);
        let _held = first.try_lock().unwrap();
        assert!(turn(&one).try_lock().is_err());
        assert!(turn(&other).try_lock().is_ok());
    }
}
