//! All layers of some recipes, packed side by side.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use oci::annotation;

use crate::assemble::{Assembly, FinishedLayer};
use crate::compression::Compression;
use crate::entry::{Directories, Entry, add_directories, in_order};
use crate::error::ImageError;
use crate::recipe::{LayerRecipe, Recipe, layer_inputs};
use crate::store::{Fingerprint, Packing, StoredLayer};
use crate::workers::Workers;

/// One layer that has to be made, however many recipes have it.
struct Task {
    entries: Vec<Entry>,
    fingerprint: Fingerprint,
    compression: Compression,
}

/// The layers of each recipe; their blobs are put to `place`.
pub(crate) fn pack(
    recipes: &[Recipe],
    place: &Path,
    assembly: Assembly<'_>,
) -> Result<Vec<Vec<FinishedLayer>>, ImageError> {
    let mut tasks = Vec::new();
    let mut numbers = Vec::new();
    for recipe in recipes {
        for (layer, entries) in recipe.layers.iter().zip(ordered(recipe)?) {
            numbers.push(match layer.published {
                Some(_) => None,
                None => Some(add_task(entries, recipe.compression, &mut tasks)?),
            });
        }
    }
    let packed = run(&tasks, place, assembly)?;
    let mut numbers = numbers.into_iter();
    let finish = |recipe: &Recipe| {
        let layers = recipe.layers.iter().zip(&mut numbers);
        let of = |(layer, number): (&LayerRecipe, Option<usize>)| {
            let packed = number.map(|number| &packed[number]);
            finished(layer, packed, recipe.compression)
        };
        layers.filter_map(of).collect()
    };
    Ok(recipes.iter().map(finish).collect())
}

/// The entries of each layer of a recipe as they are packed.
pub(crate) fn ordered(recipe: &Recipe) -> Result<Vec<Vec<Entry>>, ImageError> {
    let mut lower = Directories::new();
    let order = |layer: &LayerRecipe| {
        let entries = in_order(&layer.entries, &lower)?;
        add_directories(&entries, &mut lower);
        Ok(entries)
    };
    recipe.layers.iter().map(order).collect()
}

/// The number of the task for `entries`.
fn add_task(
    entries: Vec<Entry>,
    compression: Compression,
    tasks: &mut Vec<Task>,
) -> Result<usize, ImageError> {
    let fingerprint = Fingerprint::of(&entries)?;
    let same =
        |task: &Task| task.fingerprint.seen == fingerprint.seen && task.compression == compression;
    if let Some(known) = tasks.iter().position(same) {
        return Ok(known);
    }
    tasks.push(Task {
        entries,
        fingerprint,
        compression,
    });
    Ok(tasks.len() - 1)
}

/// The layer with its annotations: what a later publish looks for.
fn finished(
    layer: &LayerRecipe,
    packed: Option<&StoredLayer>,
    compression: Compression,
) -> Option<FinishedLayer> {
    let (mut descriptor, diff_id) = match (&layer.published, packed) {
        (Some(published), _) => (published.descriptor.clone(), published.diff_id),
        (None, Some(packed)) => (packed.descriptor.clone(), packed.diff_id),
        (None, None) => return None,
    };
    let of = layer.inputs.unwrap_or(diff_id);
    let inputs = layer_inputs(&layer.kind, compression, &of);
    let annotations = &mut descriptor.annotations;
    annotations.insert(annotation::LAYER.to_owned(), layer.kind.to_string());
    annotations.insert(annotation::INPUTS.to_owned(), inputs.to_string());
    annotations.insert(annotation::DIFF_ID.to_owned(), diff_id.to_string());
    Some(FinishedLayer {
        descriptor,
        diff_id,
    })
}

fn run(
    tasks: &[Task],
    place: &Path,
    assembly: Assembly<'_>,
) -> Result<Vec<StoredLayer>, ImageError> {
    let next = AtomicUsize::new(0);
    let mut results: Vec<(usize, Result<StoredLayer, ImageError>)> =
        Workers::run(assembly.threads, |workers| {
            let work = || {
                let mut results = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(task) = tasks.get(number) else {
                        return results;
                    };
                    let result = make(task, place, workers, assembly);
                    if result.is_err() {
                        // What comes next would be thrown away.
                        next.store(tasks.len(), Ordering::Relaxed);
                    }
                    results.push((number, result));
                }
            };
            thread::scope(|scope| {
                let threads: Vec<_> = (0..workers.layers.min(tasks.len()))
                    .map(|_| scope.spawn(work))
                    .collect();
                let results = threads.into_iter().map(thread::ScopedJoinHandle::join);
                results.flat_map(Result::unwrap_or_default).collect()
            })
        });
    results.sort_by_key(|(number, _)| *number);
    let layers: Vec<_> = results
        .into_iter()
        .map(|(_, result)| result)
        .collect::<Result<_, _>>()?;
    if layers.len() != tasks.len() {
        return Err(std::io::Error::other("a packing thread stopped").into());
    }
    Ok(layers)
}

fn make(
    task: &Task,
    place: &Path,
    workers: &Workers,
    assembly: Assembly<'_>,
) -> Result<StoredLayer, ImageError> {
    let packing = Packing {
        compression: task.compression,
        workers,
        place,
    };
    let layer = assembly
        .store
        .layer(&task.entries, &task.fingerprint, &packing)?;
    (assembly.observe)(&layer);
    Ok(layer)
}
