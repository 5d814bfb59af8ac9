//! Directories that git does not see, whatever `.gitignore` a repository has.

use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::{BuildError, Environment};

/// What Longshore itself writes below a checkout.
pub(crate) const OURS: &str = "target/longshore";
/// Where cargo puts what it makes, if nothing says otherwise.
const TARGET: &str = "target";
/// What is in cargo's directory before the first compile: ours, and what cargo notes when
/// it is asked.
const BEFORE: [&str; 2] = ["longshore", ".rustc_info.json"];
/// Everything in the directory, this file too.
const ALL: &str = "*\n";

/// Where Longshore writes below `checkout`; with everything that cargo makes there, where
/// it compiles a program for the image.
pub fn made(checkout: &Path, environment: &Environment, by_cargo: bool) -> Vec<PathBuf> {
    if !by_cargo {
        return vec![checkout.join(OURS)];
    }
    let places = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"];
    let named = places.iter().filter_map(|name| environment.get(name));
    let named = named.chain([TARGET]).map(|place| checkout.join(place));
    named.collect()
}

/// Makes the directory for what Longshore writes below `checkout`: no change of the source.
pub fn hide_ours(checkout: &Path) -> Result<(), BuildError> {
    hide(&checkout.join(OURS))
}

/// The same for cargo's `directory`, where no compile has put anything there yet. One
/// that has something else in it is left as it is: somebody may keep files there.
pub(crate) fn hide_new(directory: &Path) -> Result<(), BuildError> {
    let mut found = fs::read_dir(directory).into_iter().flatten().flatten();
    if found.any(|entry| !BEFORE.contains(&&*entry.file_name().to_string_lossy())) {
        return Ok(());
    }
    hide(directory)
}

/// Whether `directory` is a layout that Longshore has written.
pub(crate) fn is_layout(directory: &Path) -> bool {
    directory.join("oci-layout").is_file()
        && fs::read_to_string(directory.join(".gitignore")).is_ok_and(|text| text == ALL)
}

fn hide(directory: &Path) -> Result<(), BuildError> {
    fs::create_dir_all(directory)?;
    let file = directory.join(".gitignore");
    if !file.is_file() {
        fs::write(file, ALL)?;
    }
    Ok(())
}
