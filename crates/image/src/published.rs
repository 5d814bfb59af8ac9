//! Layers of an image that was published before, taken over into a recipe.

use oci::{Descriptor, Digest, Manifest, annotation};

use crate::error::ImageError;
use crate::pack::ordered;
use crate::recipe::{PublishedLayer, Recipe, layer_inputs};
use crate::store::LayerStore;

/// The inputs of each layer of `recipe`, as its annotation will have them, without
/// packing anything. Files are read where nothing is remembered of them; those of
/// a layer that names its inputs itself are not.
pub fn inputs(recipe: &Recipe, store: &LayerStore) -> Result<Vec<Digest>, ImageError> {
    let mut inputs = Vec::new();
    for (layer, entries) in recipe.layers.iter().zip(ordered(recipe)?) {
        let of = match (layer.inputs, &layer.published) {
            (Some(of), _) => of,
            (None, Some(published)) => published.diff_id,
            (None, None) => store.diff_id(&entries)?,
        };
        inputs.push(layer_inputs(&layer.kind, recipe.compression, &of));
    }
    Ok(inputs)
}

/// Takes over every layer of a published image that was made from the same inputs
/// as one of `recipe`; how many those are. What has none stays as it is.
pub fn take_over(recipe: &mut Recipe, inputs: &[Digest], manifest: &Manifest) -> usize {
    let published: Vec<_> = manifest.layers.iter().filter_map(published).collect();
    let mut taken = 0;
    for (layer, inputs) in recipe.layers.iter_mut().zip(inputs) {
        if let Some((_, same)) = published.iter().find(|(recorded, _)| recorded == inputs) {
            layer.published = Some(same.clone());
            taken += 1;
        }
    }
    taken
}

/// A layer that says what it was made from, with that.
fn published(layer: &Descriptor) -> Option<(Digest, PublishedLayer)> {
    let recorded = |name| layer.annotations.get(name)?.parse().ok();
    let published = PublishedLayer {
        descriptor: layer.clone(),
        diff_id: recorded(annotation::DIFF_ID)?,
    };
    Some((recorded(annotation::INPUTS)?, published))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Built, recipe};
    use crate::{Compression, Entry, LayerKind, LayerRecipe};

    /// An asset below a directory that the system layer owns, and a program that
    /// is known by what it is compiled from.
    fn project(program: &str, sources: &[u8]) -> Recipe {
        let mut recipe = recipe(vec![Entry::text("data/www/a", "asset")]);
        let program = vec![Entry::text("usr/bin/program", program)];
        let mut layer = LayerRecipe::new(LayerKind::Binary("/usr/bin/program".to_owned()), program);
        layer.inputs = Some(Digest::of(sources));
        recipe.layers.push(layer);
        recipe
    }

    fn store(directory: &tempfile::TempDir) -> LayerStore {
        LayerStore::open(directory.path()).unwrap()
    }

    #[test]
    fn layers_with_equal_inputs_are_taken_over_and_the_digest_stays() {
        let before = Built::new(&project("compiled", b"sources"), 2);
        let manifest = &before.image.manifest;
        let directory = tempfile::tempdir().unwrap();
        let take = |recipe: &mut Recipe| {
            let inputs = inputs(recipe, &store(&directory)).unwrap();
            take_over(recipe, &inputs, manifest)
        };

        // Nothing changed, and the program has not been compiled here.
        let mut same = project("", b"sources");
        let missing = std::path::PathBuf::from("/nowhere/program");
        same.layers[2].entries = vec![Entry::program("usr/bin/program", missing)];
        assert_eq!(take(&mut same), 3);
        let again = Built::new(&same, 2);
        assert_eq!(again.image.descriptor, before.image.descriptor);

        // Other sources: that layer is made, on the same directories as before.
        let mut changed = project("compiled anew", b"other sources");
        assert_eq!(take(&mut changed), 2);
        let whole = Built::new(&project("compiled anew", b"other sources"), 2);
        assert_eq!(
            Built::new(&changed, 2).image.descriptor,
            whole.image.descriptor
        );

        // The asset alone: its directory is as the system layer, taken over, has it.
        let mut asset = project("compiled", b"sources");
        asset.layers[1].entries = vec![Entry::text("data/www/a", "another")];
        let whole = Built::new(&asset, 2);
        assert_eq!(take(&mut asset), 2);
        assert_eq!(
            Built::new(&asset, 2).image.descriptor,
            whole.image.descriptor
        );

        // Another compression is another layer.
        let mut gzip = project("compiled", b"sources");
        gzip.compression = Compression::GZIP;
        assert_eq!(take(&mut gzip), 0);
    }
}
