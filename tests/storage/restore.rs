//! Killed at any moment of a restore: what is there is the state before or the
//! snapshot, records and trail alike, and never something between.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::{Client, manifest};
use super::{command, project, setting};
use crate::harness::Emulator;

/// Kills come up to so long after the restore has begun to write.
const LONGEST: u64 = 60;

async fn post(url: String, body: Value) -> Result<u16, reqwest::Error> {
    let answer = reqwest::Client::new().post(url).json(&body).send().await?;
    Ok(answer.status().as_u16())
}

/// The tags of images in the trail, and whether a line is torn.
fn in_trail(data: &Path) -> Vec<String> {
    let mut tags = Vec::new();
    for account in std::fs::read_dir(data.join("trail")).unwrap() {
        let account = account.unwrap().path();
        let files = std::fs::read_dir(&account).into_iter().flatten();
        for file in files {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for line in text.lines() {
                let record: Value = serde_json::from_str(line).unwrap();
                if record["eventName"] == "PutImage" {
                    let tag = &record["requestParameters"]["imageTag"];
                    tags.push(tag.as_str().unwrap().to_owned());
                }
            }
        }
    }
    tags.sort();
    tags
}

/// Begins a restore, and kills the emulator so long after it was seen to write,
/// or when it has answered. Whether it had.
async fn restore_until(emulator: &mut Emulator, data: &Path, moment: Duration) -> bool {
    let url = format!("{}/_longshore/restore", emulator.url);
    let restoring = tokio::spawn(post(url, json!({ "name": "base" })));
    let next = data.join("trail.next");
    while !next.exists() && !restoring.is_finished() {
        tokio::task::yield_now().await;
    }
    let begun = Instant::now();
    while begun.elapsed() < moment && !restoring.is_finished() {
        tokio::task::yield_now().await;
    }
    emulator.kill();
    matches!(restoring.await.unwrap(), Ok(200))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_at_any_moment_of_a_restore_leave_the_old_state_or_the_new_one() {
    let kills = setting("LONGSHORE_RESTORE_KILLS", 20);
    let project = project();
    let mut emulator = Emulator::launch(&mut command(project.path()));
    let data = emulator.data.path().join("emulator");
    let client = |emulator: &Emulator, password: &str| Client {
        url: emulator.url.clone(),
        password: password.to_owned(),
        http: reqwest::Client::new(),
    };
    let password = emulator.registry_reader().await.password;
    let first = client(&emulator, &password);
    let mut blobs = Vec::new();
    for bytes in [b"{}".to_vec(), b"a layer".to_vec()] {
        let length = bytes.len();
        blobs.push((first.upload(bytes, false).await.unwrap(), length));
    }
    first
        .put_manifest("base", &manifest(&blobs, "base"))
        .await
        .unwrap();
    let url = format!("{}/_longshore/snapshots", emulator.url);
    assert_eq!(post(url, json!({ "name": "base" })).await.unwrap(), 200);

    let (mut old, mut new) = (0, 0);
    for round in 0..kills {
        let before = client(&emulator, &password);
        let tag = format!("later-{round}");
        before
            .put_manifest(&tag, &manifest(&blobs, &tag))
            .await
            .unwrap();
        // What a kill may take of the trail is in its file first.
        let flushed = format!("{}/_longshore/trail?request_id=none", emulator.url);
        reqwest::get(flushed)
            .await
            .unwrap()
            .error_for_status()
            .unwrap();
        let tags = before.tags().await;
        let moment = Duration::from_millis(LONGEST * round / kills);
        let is_answered = restore_until(&mut emulator, &data, moment).await;

        emulator.kill_and_launch(&mut command(project.path()));
        let found = client(&emulator, &password).tags().await;
        if found == ["base"] {
            new += 1;
        } else {
            assert!(!is_answered, "what was answered is kept");
            assert_eq!(found, tags, "round {round}");
            old += 1;
        }
        assert_eq!(in_trail(&data), found, "round {round}");
        assert!(!data.join("trail.next").exists());
    }
    println!("{kills} kills: {old} left the old state, {new} the new one");
}
