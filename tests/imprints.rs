//! What a program holds of the machine that compiled it is seen in the program.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::{Project, assert_valid, both, json_of, longshore, seen, succeed};

/// A build script that takes in everything it should not.
const SCRIPT: &str = r#"
use std::time::SystemTime;

fn main() {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    println!("cargo::rustc-env=COMPILED={}", now.as_secs());
    let host = std::env::var("HOSTNAME").unwrap();
    println!("cargo::rustc-env=BUILDER={host}");
    println!("cargo::rustc-env=SOMEBODY={}", std::env::var("LOGNAME").unwrap());
    println!("cargo::rerun-if-changed=build.rs");
}
"#;

/// A program that holds it, and a path besides.
const PROGRAM: &str = r#"
fn main() {
    println!("{}", env!("COMPILED"));
    println!("built on {} by {}", env!("BUILDER"), env!("SOMEBODY"));
    println!("{}/templates", env!("CARGO_MANIFEST_DIR"));
}
"#;

/// One that holds what looks like it, and is the source's own; and what it may hold.
const SOUND: &str = r#"
fn main() {
    println!("{}", file!());
    println!("/tmp/hello.socket and {}/x", "/root/.hello");
    println!("2099-01-01T00:00:00Z by lovelace-builder-7");
    panic!("{}", include_str!(concat!(env!("OUT_DIR"), "/commit")));
}
"#;

/// A build script that takes the time of the commit.
const SOUND_SCRIPT: &str = r#"
fn main() {
    let out = std::env::var("OUT_DIR").unwrap();
    let epoch = std::env::var("SOURCE_DATE_EPOCH").unwrap();
    std::fs::write(format!("{out}/commit"), epoch).unwrap();
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
}
"#;

fn project(program: &str, script: &str) -> Project {
    let project = Project::hello();
    let at = |file: &str| project.path().join(file);
    fs::write(at("src/main.rs"), program).unwrap();
    fs::write(at("build.rs"), script).unwrap();
    project.commit();
    project
}

/// `longshore build` on a machine with names that nobody else has.
fn build(directory: &Path) -> std::process::Command {
    let mut command = longshore(directory);
    command.arg("build");
    command.env("HOSTNAME", "lovelace-builder-7");
    command.env("LOGNAME", "ada-lovelace");
    command
}

fn imprints(document: &Value) -> Vec<(String, String, String)> {
    let text = |imprint: &Value, name: &str| imprint[name].as_str().unwrap_or_default().to_owned();
    let of = |imprint: &Value| {
        let place = &imprint["location"];
        let file = place["file"].as_str().unwrap_or_default();
        let place = format!("{file}:{}", place["line"]);
        (text(imprint, "kind"), text(imprint, "package"), place)
    };
    document["imprints"]
        .as_array()
        .unwrap()
        .iter()
        .map(of)
        .collect()
}

#[test]
fn what_build_scripts_and_macros_take_from_the_machine_is_named_with_its_line() {
    let project = project(PROGRAM, SCRIPT);
    let built = json_of(&succeed(build(project.path()).args(["--format", "json"])));
    assert_valid("docs/schemas/build-receipt.json", &built);
    let expected = [
        ("path", "src/main.rs:5"),
        ("time", "build.rs:5"),
        ("host-name", "build.rs:7"),
        ("user-name", "build.rs:9"),
    ];
    let expected = expected.map(|(kind, place)| {
        let package = "hello 0.1.0".to_owned();
        (kind.to_owned(), package, place.to_owned())
    });
    assert_eq!(imprints(&built), expected, "{built:#}");
    let checkout = project.path().to_str().unwrap();
    let path = &built["imprints"][0];
    assert!(
        path["text"].as_str().unwrap().starts_with(checkout),
        "{path:#}"
    );
    assert_eq!(path["section"], ".rodata");

    // Nothing is compiled; what was found is still true.
    let again = json_of(&succeed(build(project.path()).args(["--format", "json"])));
    assert_eq!(again["compiled"], false);
    assert_eq!(again["imprints"], built["imprints"]);

    // For people, and for GitHub.
    let mut people = build(project.path());
    people.env("GITHUB_ACTIONS", "true");
    let text = seen(&succeed(&mut people));
    let message = "the program holds the name of this machine: `lovelace-builder-7` in .rodata";
    let annotation = "::warning file=build.rs,line=7,col=1,title=longshore reproducible::";
    assert!(
        text.contains(message) && text.contains(annotation),
        "{text}"
    );
    assert!(text.contains("SOURCE_DATE_EPOCH"), "{text}");

    // Where it is not to be, there is no image; where nobody wants to know, no word.
    let with = |level: &str| {
        let line = format!("[image]\nreproducible = \"{level}\"");
        project.edit("longshore.toml", "[image]", &line);
        project.commit();
    };
    with("deny");
    let refused = build(project.path())
        .args(["--format", "json"])
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(4), "{}", both(&refused));
    let problem = json_of(&refused);
    assert_eq!(problem["code"], "E063");
    assert!(
        problem["hints"].to_string().contains("build.rs:5"),
        "{problem:#}"
    );
    project.edit("longshore.toml", "\"deny\"", "\"off\"");
    project.commit();
    let built = json_of(&succeed(build(project.path()).args(["--format", "json"])));
    assert_eq!(imprints(&built), []);
}

#[test]
fn what_the_source_says_and_what_the_commit_says_is_no_imprint() {
    let project = project(SOUND, SOUND_SCRIPT);
    let built = json_of(&succeed(build(project.path()).args(["--format", "json"])));
    assert_eq!(imprints(&built), [], "{built:#}");
    // The commit is now: its time and that of the compile are of the same minutes.
    let now = json_of(&succeed(&mut build_of_a_commit_of_now(&project)));
    assert_eq!(imprints(&now), [], "{now:#}");
}

fn build_of_a_commit_of_now(project: &Project) -> std::process::Command {
    let mut git = std::process::Command::new("git");
    git.arg("-C").arg(project.path());
    git.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]);
    succeed(git.args(["commit", "--quiet", "--allow-empty", "--message=now"]));
    let mut command = build(project.path());
    command.args(["--format", "json"]);
    command
}
