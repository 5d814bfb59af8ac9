//! The same commit gives the same digest.

mod variations;

use crate::harness::{Project, json_of, longshore, succeed};

#[test]
fn the_same_commit_in_two_directories_gives_the_same_digest() {
    let (one, other) = (Project::hello(), Project::hello());
    assert_ne!(one.path(), other.path());
    let build = |project: &Project| {
        json_of(&succeed(
            longshore(project.path()).args(["build", "--format", "json"]),
        ))
    };
    let (one, other) = (build(&one), build(&other));
    assert_eq!(one["digest"], other["digest"], "{one:#}\n{other:#}");
    assert_eq!(one["source"]["commit"], other["source"]["commit"]);
}

#[test]
fn the_image_holds_no_path_of_the_machine() {
    let (project, _) = Project::built();
    let home = std::env::var("HOME").unwrap() + "/";
    let checkout = project.path().display().to_string();
    let mut found: Vec<String> = Vec::new();
    for blob in std::fs::read_dir(project.layout().join("blobs/sha256")).unwrap() {
        let bytes = std::fs::read(blob.unwrap().path()).unwrap();
        let text = zstd::decode_all(bytes.as_slice()).unwrap_or(bytes);
        let text = String::from_utf8_lossy(&text).into_owned();
        for place in [&home, &checkout, "/target/release"] {
            if text.contains(place) {
                found.push(place.to_owned());
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_changed_source_gives_another_digest_and_keeps_the_lowest_layer() {
    let project = Project::hello();
    let build = || {
        json_of(&succeed(
            longshore(project.path()).args(["build", "--format", "json"]),
        ))
    };
    let before = build();
    project.edit("src/main.rs", "\\r\\n\\r\\nok", "\\r\\n\\r\\nOK");
    project.commit();
    let after = build();
    assert_ne!(before["digest"], after["digest"]);
    assert_eq!(before["layers"][0], after["layers"][0]);
    assert_ne!(before["layers"][1], after["layers"][1]);
}
