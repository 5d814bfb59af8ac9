//! Packs directories into an image, as `longshore build` does, and measures what
//! the machine can do. `compare.py` drives it.
//!
//! ```text
//! image-bench pack SOURCE PLACE COMPRESSION THREADS   each entry of SOURCE a layer
//! image-bench probe FILE                              hash and zstd -3, MB/s of a processor
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::hint::black_box;
use std::path::Path;

use image::{
    Assembly, Assets, Compression, Exclude, LayerKind, LayerRecipe, LayerStore, Recipe, assemble,
};
use oci::{Hasher, Platform};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["pack", source, place, compression, threads] => {
            let assets = layers(Path::new(source))?;
            pack(assets, Path::new(place), compression.parse()?, threads.parse()?)
        }
        ["probe", file] => probe(Path::new(file)),
        _ => Err("pack SOURCE PLACE COMPRESSION THREADS | probe FILE".into()),
    }
}

fn layers(source: &Path) -> Result<Vec<LayerRecipe>, Failure> {
    let mut names: Vec<_> = fs::read_dir(source)?.collect::<Result<_, _>>()?;
    names.sort_by_key(fs::DirEntry::file_name);
    let layer = |entry: &fs::DirEntry| {
        let to = format!("/{}", entry.file_name().display());
        let assets = Assets {
            from: entry.path(),
            to: to.clone(),
            owner: 0,
            mode: 0o644,
            exclude: Exclude::default(),
        };
        Ok(LayerRecipe::new(LayerKind::Assets(to), assets.entries()?))
    };
    names.iter().map(layer).collect()
}

fn pack(
    layers: Vec<LayerRecipe>,
    place: &Path,
    compression: Compression,
    threads: std::num::NonZeroUsize,
) -> Result<(), Failure> {
    let recipe = Recipe {
        base: None,
        layers,
        compression,
        platform: Platform::linux("amd64"),
        entrypoint: vec!["/bin".to_owned()],
        user: None,
        working_directory: None,
        ports: Vec::new(),
        environment: BTreeMap::new(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        created: "2026-01-01T00:00:00Z".to_owned(),
    };
    let store = LayerStore::open(&place.join("layers"))?;
    let assembly = Assembly {
        threads,
        ..Assembly::new(&store)
    };
    let image = assemble(&recipe, &place.join("layout"), assembly)?.image()?;
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.unwrap_or("0").trim().trim_end_matches(" kB");
    println!("{} {} {peak}", image.descriptor.digest, image.size());
    Ok(())
}

/// What one thread does: the parts that packing cannot do without. By the time on
/// a processor, so that what else runs on the machine does not count.
fn probe(file: &Path) -> Result<(), Failure> {
    let bytes = fs::read(file)?;
    let megabytes = bytes.len() as f64 / 1e6;
    let best = |work: &dyn Fn()| {
        // The kernel counts in ticks of some milliseconds.
        let turns = (400.0 / megabytes).ceil();
        let times = (0..3).map(|_| {
            let started = on_processor();
            (0..turns as usize).for_each(|_| work());
            on_processor() - started
        });
        megabytes * turns / times.fold(f64::MAX, f64::min)
    };
    let hash = best(&|| {
        let mut hasher = Hasher::default();
        hasher.update(&bytes);
        black_box(hasher.finish());
    });
    let compress = |level| {
        best(&|| {
            for block in bytes.chunks(2 << 20) {
                black_box(zstd::bulk::compress(block, level).map(|frame| frame.len())).ok();
            }
        })
    };
    println!("{hash:.0} {:.0}", compress(3));
    Ok(())
}

/// Seconds that this thread has run (Linux, proc_pid_schedstat).
fn on_processor() -> f64 {
    let nanoseconds = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = nanoseconds.split(' ').next().unwrap_or_default();
    first.parse::<f64>().unwrap_or_default() / 1e9
}
