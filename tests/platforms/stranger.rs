//! `--why` and `--verify` about an index that somebody else published, on a machine that
//! never saw it.

use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::{Platforms, names};
use crate::harness::{Emulator, both, copy, json_of, longshore, succeed};
use crate::source::Cargo;

/// Somebody else's machine, with the same commit.
struct Stranger {
    checkout: TempDir,
    emulator: Emulator,
}

impl Stranger {
    fn build(&self, arguments: &[&str]) -> Command {
        let mut command = longshore(self.checkout.path());
        command.args(["build", "--format", "json"]).args(arguments);
        command.envs(self.emulator.variables.iter().cloned());
        command
    }

    /// Changes what is compiled.
    fn change(&self) {
        let main = self.checkout.path().join("src/main.rs");
        let text = std::fs::read_to_string(&main).unwrap();
        std::fs::write(main, text.replace("200 OK", "202 Accepted")).unwrap();
    }

    fn why(&self, arguments: &[&str]) -> Value {
        json_of(&succeed(self.build(arguments).arg("--why")))
    }
}

async fn published(platforms: &Platforms) -> (Stranger, Value) {
    let emulator = Emulator::start(platforms.path());
    let job = emulator.publisher().await;
    let receipt = json_of(&succeed(&mut platforms.publish(&Cargo::new(), &job)));
    let checkout = tempfile::tempdir().unwrap();
    copy(platforms.path(), checkout.path());
    std::fs::remove_dir_all(checkout.path().join("target")).unwrap();
    (Stranger { checkout, emulator }, receipt)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_an_index_is_told_for_all_of_it_and_for_one_platform() {
    let platforms = Platforms::new();
    let (stranger, _) = published(&platforms).await;
    let given = platforms.given();
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    assert_eq!(stranger.why(&given)["same"], true);
    let alone = ["--platform", "linux/amd64"];
    assert_eq!(stranger.why(&alone)["same"], true);

    // Of a program that is not there, it is told that it was given, and no more.
    let why = stranger.why(&[]);
    assert_eq!(why["same"], false);
    assert_eq!(names(&why["changes"], "name"), ["linux/arm64 program"]);

    stranger.change();
    let changed = |why: &Value| -> Vec<String> {
        let names = names(&why["changes"], "name").into_iter();
        let files = names.filter(|name| name.contains("file:"));
        files.map(str::to_owned).collect()
    };
    assert_eq!(changed(&stranger.why(&alone)), ["file:src/main.rs"]);
    let whole = changed(&stranger.why(&given));
    assert_eq!(whole, ["linux/amd64 file:src/main.rs"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_is_verified_whole_or_by_the_platform_that_this_machine_compiles() {
    let platforms = Platforms::new();
    let (stranger, receipt) = published(&platforms).await;
    let index = receipt["digest"].as_str().unwrap();
    let images = names(&receipt["platforms"], "digest");
    let given = platforms.given();
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    succeed(&mut stranger.build(&[&given[..], &["--verify", index]].concat()));
    for digest in [index, images[0]] {
        let alone = ["--platform", "linux/amd64", "--verify", digest];
        let built = json_of(&succeed(&mut stranger.build(&alone)));
        assert_eq!(built["digest"], images[0]);
    }
    let refused = |arguments: &[&str], words: &[&str]| {
        let output = stranger.build(arguments).output().unwrap();
        let text = both(&output);
        assert_eq!(output.status.code(), Some(4), "{text}");
        for word in words {
            assert!(text.contains(word), "{word}: {text}");
        }
    };
    let ways = ["E064", "--binary linux/arm64=FILE", "--platform PLATFORM"];
    refused(&["--verify", index], &ways);

    stranger.change();
    let alone = [
        "--platform",
        "linux/amd64",
        "--allow-dirty",
        "--verify",
        index,
    ];
    refused(&alone, &["E014", "layer binary:/usr/bin/hello"]);
}
