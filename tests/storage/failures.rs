//! Disks that are full, read-only, damaged or not ours: each ends in an error
//! that says what did not happen, and the emulator goes on when the cause is gone.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output};

use oci::Digest;
use reqwest::{Method, Response};
use serde_json::Value;

use super::client::{Client, manifest};
use super::disk::Disk;
use super::{collect, command, project};
use crate::harness::{Emulator, both, in_ci, json_of};

/// The emulator on `data`, which does not start.
fn refused(command: &mut Command, data: &Path) -> Value {
    let output = refusal(command, data);
    assert_eq!(output.status.code(), Some(8), "{}", both(&output));
    json_of(&output)
}

fn refusal(command: &mut Command, data: &Path) -> Output {
    let command = command.args(["--format", "json", "--data"]).arg(data);
    command.output().unwrap()
}

fn text(problem: &Value, member: &str) -> String {
    let parts = problem[member].as_array().unwrap().iter();
    let parts: Vec<&str> = parts.map(|part| part.as_str().unwrap()).collect();
    parts.join("; ")
}

async fn client(emulator: &Emulator) -> Client {
    Client {
        url: emulator.url.clone(),
        password: emulator.registry_reader().await.password,
        http: reqwest::Client::new(),
    }
}

/// Pushes an image of one layer; the refusal, if one came.
async fn push(client: &Client, tag: &str, layer: &[u8]) -> Result<(), (u16, String)> {
    let mut blobs = Vec::new();
    for bytes in [b"{}".as_slice(), layer] {
        let begin = client.request(Method::POST, "blobs/uploads/");
        let begun = accepted(begin.send().await.unwrap()).await?;
        let place = begun.headers()["location"].to_str().unwrap().to_owned();
        let digest = Digest::of(bytes);
        let put = client.request(Method::PUT, &format!("{place}?digest={digest}"));
        accepted(put.body(bytes.to_vec()).send().await.unwrap()).await?;
        blobs.push((digest, bytes.len()));
    }
    let body = manifest(&blobs, tag);
    let put = client.request(Method::PUT, &format!("manifests/{tag}"));
    let put = put
        .header("content-type", oci::media_type::MANIFEST)
        .body(body);
    accepted(put.send().await.unwrap()).await.map(drop)
}

async fn accepted(answer: Response) -> Result<Response, (u16, String)> {
    if answer.status().is_success() {
        return Ok(answer);
    }
    Err((answer.status().as_u16(), answer.text().await.unwrap()))
}

#[test]
fn a_second_emulator_on_the_same_data_says_whose_turn_it_is() {
    let project = project();
    let emulator = Emulator::launch(&mut command(project.path()));
    let data = emulator.data.path().join("emulator");
    let mut second = command(project.path());
    second.stderr(std::process::Stdio::piped());
    let output = second.arg("--data").arg(&data).output().unwrap();
    assert_eq!(output.status.code(), Some(8));
    let seen = String::from_utf8(output.stderr).unwrap();
    let seen = seen.replace(&*data.to_string_lossy(), "DATA");
    insta::assert_snapshot!(seen.trim(), @"
    error[E053]: the emulator did not start: its data cannot be opened
      caused by: DATA/state.redb is in use by another process
      data  DATA
    hint: stop the emulator that runs there, or choose another directory with `--data DIR`
    see docs/errors.md#e053
    ");
}

#[tokio::test]
async fn a_full_disk_refuses_pushes_lets_delete_and_recovers_without_a_restart() {
    let Some(disk) = Disk::mount("96m") else {
        return;
    };
    let project = project();
    let emulator = Emulator::launch_at(&mut command(project.path()), disk.path());
    let client = client(&emulator).await;
    push(&client, "first", b"first").await.unwrap();
    // What is left is what blobs leave to records.
    disk.fill(8 << 20);
    let (status, message) = push(&client, "second", &vec![1; 1 << 20])
        .await
        .unwrap_err();
    assert_eq!(status, 507, "{message}");
    assert!(
        message.contains("nothing was stored: the disk of the emulator is full"),
        "{message}"
    );
    let digest = digest_of(&client, "first").await;
    client.delete_manifest(&digest).await.unwrap();
    collect(&emulator).await;
    // Nothing at all is left.
    disk.make_room();
    disk.fill(0);
    let (status, message) = push(&client, "third", b"third").await.unwrap_err();
    assert_eq!(status, 507, "{message}");
    let begin = client.get("manifests/first").await;
    assert_eq!(begin.0, 404);
    disk.make_room();
    push(&client, "fourth", b"fourth").await.unwrap();
    assert_eq!(client.get("manifests/fourth").await.0, 200);
    assert_eq!(client.tags().await, ["fourth"]);
}

async fn digest_of(client: &Client, tag: &str) -> Digest {
    let (status, bytes) = client.get(&format!("manifests/{tag}")).await;
    assert_eq!(status, 200);
    Digest::of(&bytes)
}

/// Records may still be written when blobs may not; when even these do not fit,
/// the change is refused as a whole.
#[tokio::test]
async fn records_that_do_not_fit_are_refused_and_the_next_ones_are_kept() {
    let Some(disk) = Disk::mount("64m") else {
        return;
    };
    let project = project();
    let emulator = Emulator::launch_at(&mut command(project.path()), disk.path());
    let client = client(&emulator).await;
    push(&client, "kept", b"kept").await.unwrap();
    let (_, kept) = client.get("manifests/kept").await;
    disk.fill(0);
    let mut refused = 0;
    for number in 0..40 {
        // The same image under other names: records and nothing else. Large ones,
        // so that they need pages that the file does not have.
        let document = String::from_utf8(kept.clone()).unwrap();
        let padded = document.replace("kept", &format!("{number:0>60000}"));
        let put = client.request(Method::PUT, &format!("manifests/tag-{number}"));
        let put = put
            .header("content-type", oci::media_type::MANIFEST)
            .body(padded);
        if let Err((status, message)) = accepted(put.send().await.unwrap()).await {
            assert_eq!(status, 507, "{message}");
            assert!(
                message.contains("no change was made: the disk of"),
                "{message}"
            );
            refused += 1;
        }
    }
    assert!(refused > 0, "the disk was never full");
    assert_eq!(client.get("manifests/kept").await.1, kept);
    disk.make_room();
    push(&client, "later", b"later").await.unwrap();
    assert_eq!(client.tags().await.len(), 40 - refused + 2);
}

#[tokio::test]
async fn a_disk_that_becomes_read_only_is_named_and_a_writable_one_is_used_again() {
    let Some(disk) = Disk::mount("64m") else {
        return;
    };
    let project = project();
    let emulator = Emulator::launch_at(&mut command(project.path()), disk.path());
    let client = client(&emulator).await;
    push(&client, "before", b"before").await.unwrap();
    // With a file open for writing, the system does not let it become read-only.
    drop(emulator);
    disk.remount("ro");
    let problem = refused(&mut command(project.path()), &disk.path().join("emulator"));
    assert!(
        text(&problem, "causes").contains("Read-only file system"),
        "{problem}"
    );
    assert!(
        text(&problem, "hints").contains("let this user write"),
        "{problem}"
    );
    disk.remount("rw");
    let emulator = Emulator::launch_at(&mut command(project.path()), disk.path());
    let client = Client {
        url: emulator.url.clone(),
        ..client
    };
    assert_eq!(client.get("manifests/before").await.0, 200);
    push(&client, "after", b"after").await.unwrap();
}

#[tokio::test]
async fn a_disk_that_fails_is_named_and_has_what_was_acknowledged_when_it_is_mended() {
    let Some(disk) = Disk::with_power() else {
        return;
    };
    let project = project();
    let emulator = Emulator::launch_at(&mut command(project.path()), disk.path());
    let client = client(&emulator).await;
    push(&client, "before", b"before").await.unwrap();
    disk.cut_power();
    let (status, message) = push(&client, "lost", b"lost").await.unwrap_err();
    assert_eq!(status, 500, "{message}");
    assert!(
        message.contains("nothing was done: the emulator's disk failed"),
        "{message}"
    );
    drop(emulator);
    disk.restore_power();
    let emulator = Emulator::launch_at(&mut command(project.path()), disk.path());
    let client = Client {
        url: emulator.url.clone(),
        ..client
    };
    assert_eq!(client.get("manifests/before").await.0, 200);
    assert_eq!(client.tags().await, ["before"]);
}

#[test]
fn a_disk_that_is_full_from_the_start_is_named_and_nothing_is_lost() {
    let Some(disk) = Disk::mount("16m") else {
        return;
    };
    let project = project();
    drop(Emulator::launch_at(
        &mut command(project.path()),
        disk.path(),
    ));
    disk.fill(0);
    let data = disk.path().join("emulator");
    std::fs::remove_file(data.join("credentials")).unwrap();
    disk.fill(0);
    let problem = refused(&mut command(project.path()), &data);
    assert!(
        text(&problem, "hints").contains("make room on the disk"),
        "{problem}"
    );
    disk.make_room();
    drop(Emulator::launch_at(
        &mut command(project.path()),
        disk.path(),
    ));
}

#[test]
fn a_damaged_database_is_named_and_a_restored_one_opens() {
    let project = project();
    let emulator = Emulator::launch(&mut command(project.path()));
    let data = tempfile::tempdir().unwrap();
    let copied = Command::new("cp")
        .arg("-r")
        .arg(emulator.data.path())
        .arg(data.path())
        .status();
    assert!(copied.unwrap().success());
    drop(emulator);
    let directory = std::fs::read_dir(data.path()).unwrap().next().unwrap();
    let data = directory.unwrap().path().join("emulator");
    let file = data.join("state.redb");
    let whole = std::fs::read(&file).unwrap();
    let flipped = |from: usize| {
        let mut bytes = whole.clone();
        bytes[from..].iter_mut().for_each(|byte| *byte ^= 0x55);
        bytes
    };
    let damages = [
        whole[..3_000].to_vec(),
        whole[..whole.len() / 2].to_vec(),
        flipped(0),
        flipped(4_096),
    ];
    for (number, damaged) in damages.into_iter().enumerate() {
        std::fs::write(&file, damaged).unwrap();
        let output = refusal(&mut command(project.path()), &data);
        assert_eq!(output.status.code(), Some(8), "{number}: {}", both(&output));
        let problem = json_of(&output);
        assert!(
            text(&problem, "causes").contains("state.redb is damaged"),
            "{number}: {problem}"
        );
        assert!(
            text(&problem, "hints").contains("restore the directory"),
            "{problem}"
        );
    }
    std::fs::write(&file, &whole).unwrap();
    drop(Emulator::launch_at(
        &mut command(project.path()),
        data.parent().unwrap(),
    ));
}

#[tokio::test]
async fn a_blob_without_its_file_is_named_and_pushed_again() {
    let project = project();
    let emulator = Emulator::launch(&mut command(project.path()));
    let client = client(&emulator).await;
    let digest = Digest::of(b"layer");
    let hex = digest.hex();
    let file = emulator
        .data
        .path()
        .join("emulator/blobs/sha256")
        .join(&hex[..2])
        .join(&hex);
    push(&client, "v1", b"layer").await.unwrap();
    for damage in ["gone", "cut off"] {
        std::fs::remove_file(&file).unwrap();
        if damage == "cut off" {
            std::fs::write(&file, "lay").unwrap();
        }
        let (status, bytes) = client.get(&format!("blobs/{digest}")).await;
        let message = String::from_utf8(bytes).unwrap();
        assert_eq!(status, 500, "{message}");
        assert!(
            message.contains("the data directory is damaged: the file of"),
            "{message}"
        );
        assert!(
            !client.holds(&digest).await.unwrap(),
            "so that it is pushed again"
        );
        push(&client, "v1", b"layer").await.unwrap();
        assert_eq!(client.get(&format!("blobs/{digest}")).await.1, b"layer");
    }
}

#[test]
fn a_directory_of_another_user_is_named() {
    let project = project();
    std::fs::set_permissions(project.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let data = tempfile::tempdir().unwrap();
    let mut nobody = command(project.path());
    nobody.uid(65_534).gid(65_534);
    if Command::new("true").uid(65_534).status().is_err() {
        assert!(
            !in_ci(),
            "the gate runs as root, who may become somebody else"
        );
        println!("skipped: this user may not become another one");
        return;
    }
    let problem = refused(&mut nobody, &data.path().join("emulator"));
    assert!(
        text(&problem, "causes").contains("Permission denied"),
        "{problem}"
    );
    assert!(
        text(&problem, "hints").contains("let this user write"),
        "{problem}"
    );
}
