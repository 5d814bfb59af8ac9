//! The results as the tables of docs/benchmarks.md.

use std::fmt::Write as _;

use crate::Report;
use crate::probe::Limits;
use crate::work::{CLIENTS, Cost, ROWS, Sizes};

/// The tables, the best of all rounds.
pub fn tables(report: &Report) -> String {
    let [ours, theirs] = report.registries.as_slice() else {
        panic!("two registries");
    };
    let mut page = format!(
        "| | {} | {} | ratio | processor | processor | ratio |\n|---|---|---|---|---|---|---|\n",
        ours.kind.name(),
        theirs.kind.name()
    );
    let rows = labels(&report.sizes).into_iter().zip(ours.best());
    for ((label, ours), theirs) in rows.zip(theirs.best()) {
        page.push_str(&format!(
            "| {label} | {} | {} | {} | {} | {} | {} |\n",
            time(ours.seconds),
            time(theirs.seconds),
            ratio(ours.seconds, theirs.seconds),
            time(ours.processor),
            time(theirs.processor),
            ratio(ours.processor, theirs.processor),
        ));
    }
    let megabytes = |bytes: f64| format!("{:.1} MB", bytes / 1e6);
    let mut plain = |label: &str, [ours, theirs]: [f64; 2], shown: &dyn Fn(f64) -> String| {
        let ratio = ratio(ours, theirs);
        let (ours, theirs) = (shown(ours), shown(theirs));
        let _ = writeln!(page, "| {label} | {ours} | {theirs} | {ratio} | | | |");
    };
    let starts = [ours, theirs].map(|results| results.first_start.as_secs_f64());
    plain("start, empty directory", starts, &time);
    let starts = [ours, theirs].map(|results| results.start.as_secs_f64());
    plain("start, on that data", starts, &time);
    let starts = [ours, theirs].map(|results| results.start_after_kill.as_secs_f64());
    plain("start after a push and a kill", starts, &time);
    let memories = [ours, theirs].map(|results| results.idle_memory as f64);
    plain("memory at rest", memories, &megabytes);
    let memories = [ours, theirs].map(|results| results.peak_memory as f64);
    plain("memory at the peak", memories, &megabytes);
    page + &nearness(&report.limits, &ours.best(), &report.sizes)
}

fn labels(sizes: &Sizes) -> [String; ROWS.len()] {
    let mib = |bytes: usize| bytes >> 20;
    let small = sizes.small >> 10;
    [
        format!("push one layer of {} MiB", mib(sizes.large)),
        "pull it".to_owned(),
        format!("push 100 layers of {small} KiB, 5 connections"),
        "pull them".to_owned(),
        "push the same image again".to_owned(),
        "pull the same image again: its manifest".to_owned(),
        format!(
            "{CLIENTS} clients push four layers of {} MiB each",
            mib(sizes.shared)
        ),
        "they pull them".to_owned(),
        format!("a manifest, of {CLIENTS} clients"),
    ]
}

/// What the machine allows, and what share of it was reached.
fn nearness(limits: &Limits, best: &[Cost], sizes: &Sizes) -> String {
    let all = (CLIENTS * 4 * sizes.shared) as f64;
    let bytes = [sizes.large as f64, sizes.large as f64, all, all];
    let rates: Vec<f64> = [0, 1, 6, 7]
        .iter()
        .zip(bytes)
        .map(|(row, bytes)| bytes / best[*row].seconds)
        .collect();
    let mb = |rate: f64| format!("{:.0} MB/s", rate / 1e6);
    format!(
        "\nThe limits, in the same run: SHA-256 {} on one processor, writing and syncing a \
         file {}, reading one from memory {}, one connection over loopback {}, {:.0} synced \
         appends a second. Longshore: one layer up {}, down {}; of {CLIENTS} clients up {}, \
         down {}; {:.0} manifests a second.\n",
        mb(limits.hash),
        mb(limits.disk),
        mb(limits.cache),
        mb(limits.loopback),
        limits.syncs,
        mb(rates[0]),
        mb(rates[1]),
        mb(rates[2]),
        mb(rates[3]),
        1.0 / best[8].seconds,
    )
}

fn time(seconds: f64) -> String {
    match seconds * 1e3 {
        milliseconds if milliseconds >= 100.0 => format!("{milliseconds:.0} ms"),
        milliseconds if milliseconds >= 10.0 => format!("{milliseconds:.1} ms"),
        milliseconds => format!("{milliseconds:.2} ms"),
    }
}

/// How many times as much the other one takes.
fn ratio(ours: f64, theirs: f64) -> String {
    if ours > 0.0 {
        format!("{:.2}", theirs / ours)
    } else {
        String::new()
    }
}
