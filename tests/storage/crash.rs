//! Killed, or without power, at any moment of concurrent pushes: nothing that was
//! acknowledged is lost, nothing half done is visible, nothing is left that is not
//! collected.
//!
//! `LONGSHORE_KILLS=200` and `LONGSHORE_POWER_CUTS=200` make it the long run;
//! `LONGSHORE_SEED` repeats the choices of a run (what is pushed, and after how
//! many answers the end comes).

use std::path::Path;
use std::time::Instant;

use serde_json::json;

use super::client::Client;
use super::disk::Disk;
use super::ledger::{Ledger, files};
use super::pusher::{Random, push_until};
use super::{collect, command, project, setting};
use crate::harness::Emulator;

fn client(emulator: &Emulator, password: &str) -> Client {
    Client {
        url: emulator.url.clone(),
        password: password.to_owned(),
        http: reqwest::Client::new(),
    }
}

/// Holds an emulator that has just started again on `data` to the ledger.
async fn check(ledger: &mut Ledger, emulator: &Emulator, password: &str, data: &Path) {
    collect(emulator).await;
    let client = client(emulator, password);
    ledger.check(&client).await;
    ledger.check_garbage(&client, data).await;
}

/// All of it once more; and after the time of grace, what is there is what the
/// images have.
async fn check_all(ledger: &mut Ledger, emulator: &Emulator, password: &str, data: &Path) {
    println!("{ledger}");
    let client = client(emulator, password);
    ledger.check_again(&client).await;
    let needed = ledger.needed(&client).await;
    let clock = format!("{}/_longshore/clock", emulator.url);
    let leap = json!({ "advance_seconds": 2 * 86_400 });
    let moved = reqwest::Client::new().post(clock).json(&leap).send().await;
    moved.unwrap().error_for_status().unwrap();
    collect(emulator).await;
    assert_eq!(files(data), needed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_at_random_points_of_concurrent_pushes_lose_nothing_acknowledged() {
    let kills = setting("LONGSHORE_KILLS", 20);
    let mut random = Random::new();
    let project = project();
    let mut emulator = Emulator::launch(&mut command(project.path()));
    let data = emulator.data.path().join("emulator");
    // A login survives kills, as everything that was acknowledged does.
    let password = emulator.registry_reader().await.password;
    let mut ledger = Ledger::default();
    let mut starts = Vec::new();
    for round in 0..kills {
        let before = client(&emulator, &password);
        let kill = || emulator.kill();
        ledger = push_until((round, &mut random), &before, ledger, kill).await;
        let begun = Instant::now();
        emulator.kill_and_launch(&mut command(project.path()));
        starts.push(begun.elapsed());
        check(&mut ledger, &emulator, &password, &data).await;
    }
    starts.sort();
    let (median, longest) = (starts[starts.len() / 2], starts[starts.len() - 1]);
    println!("{kills} kills; starts after them: median {median:?}, longest {longest:?}");
    check_all(&mut ledger, &emulator, &password, &data).await;
}

/// The file system forgets what it was not told to keep: `fsync` of every file, of
/// every directory and of the records has to be where it belongs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_cuts_at_random_points_of_concurrent_pushes_lose_nothing_acknowledged() {
    let cuts = setting("LONGSHORE_POWER_CUTS", 8);
    let Some(disk) = Disk::with_power() else {
        return;
    };
    let mut random = Random::new();
    let project = project();
    let data = disk.path().join("emulator");
    let mut emulator = Emulator::launch_at(&mut command(project.path()), disk.path());
    let password = emulator.registry_reader().await.password;
    let mut ledger = Ledger::default();
    for round in 0..cuts {
        let before = client(&emulator, &password);
        let cut = || {
            emulator.kill();
            disk.cut_power();
            disk.restore_power();
        };
        ledger = push_until((round, &mut random), &before, ledger, cut).await;
        emulator = Emulator::launch_at(&mut command(project.path()), disk.path());
        check(&mut ledger, &emulator, &password, &data).await;
    }
    println!("{cuts} power cuts");
    check_all(&mut ledger, &emulator, &password, &data).await;
}
