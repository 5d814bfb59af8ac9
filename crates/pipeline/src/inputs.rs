//! What an image would be made from, told before anything is made.

use std::collections::{BTreeMap, BTreeSet};

use build::{Declared, Inputs};
use image::{COMPATIBILITY, IndexRecipe, LayerKind, Recipe, RecordedInputs};
use oci::Digest;
use receipts::InputChange;

/// The image of one platform that would be made.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    pub(crate) recipe: Recipe,
    /// The inputs of each layer, as its annotation will have them.
    pub(crate) layers: Vec<Digest>,
    /// The inputs of the whole image.
    pub(crate) inputs: Inputs,
    /// What a compile of its program looks at.
    declared: Declared,
}

/// An image that would be made: of one platform, or an index of several.
#[derive(Debug, Clone)]
pub(crate) struct ExpectedImage {
    /// In the order of the index.
    pub(crate) platforms: Vec<Expected>,
    /// The inputs of all.
    pub(crate) inputs: Inputs,
}

impl Expected {
    /// The image of `recipe`, whose layers have the inputs `layers` and whose
    /// program is compiled from `compile`, which looks at `declared`. The recipe
    /// records it.
    pub(crate) fn new(
        mut recipe: Recipe,
        layers: Vec<Digest>,
        compile: Inputs,
        declared: Declared,
    ) -> Self {
        let program = compile.get("program").map(str::to_owned);
        let inputs = image_inputs(&recipe, &layers, compile);
        recipe.inputs = Some(RecordedInputs {
            document: inputs.document(),
            declared: serde_json::to_string(&declared).unwrap_or_default(),
            program,
        });
        Self {
            recipe,
            layers,
            inputs,
            declared,
        }
    }
}

impl ExpectedImage {
    pub(crate) fn new(platforms: Vec<Expected>) -> Self {
        let inputs = match platforms.as_slice() {
            [only] => only.inputs.clone(),
            several => {
                let named = several.iter();
                let named = named.map(|of| (of.recipe.platform.to_string(), &of.inputs));
                Inputs::united(&named.collect::<Vec<_>>())
            }
        };
        Self { platforms, inputs }
    }

    /// The inputs of each platform's image.
    pub(crate) fn of_each(&self) -> ByPlatform {
        let each = self.platforms.iter();
        each.map(|of| (of.recipe.platform.to_string(), of.inputs.clone()))
            .collect()
    }

    /// What each is made of.
    pub(crate) fn recipes(&self) -> impl Iterator<Item = Recipe> {
        self.platforms.iter().map(|of| of.recipe.clone())
    }

    /// What the index of all says: the same as each of its images, and the inputs of all.
    pub(crate) fn index(&self) -> IndexRecipe {
        let first = self.platforms.first();
        let annotations = first.map(|of| of.recipe.annotations.clone());
        let declared = self.platforms.iter();
        let declared = declared.map(|of| (of.recipe.platform.to_string(), &of.declared));
        let declared: BTreeMap<_, _> = declared.collect();
        IndexRecipe {
            annotations: annotations.unwrap_or_default(),
            inputs: Some(RecordedInputs {
                document: self.inputs.document(),
                declared: serde_json::to_string(&declared).unwrap_or_default(),
                program: None,
            }),
        }
    }
}

/// What differs between two documents, as it is reported.
pub(crate) fn changes(before: &Inputs, after: &Inputs) -> Vec<InputChange> {
    let changes = after.changes_since(before).into_iter();
    changes
        .map(|change| InputChange {
            name: change.name,
            before: change.before,
            after: change.after,
        })
        .collect()
}

/// The inputs of each platform.
pub(crate) type ByPlatform = BTreeMap<String, Inputs>;

/// What differs between the images of each platform: what differs alike in all of them
/// stands once, anything else behind the name of its platform.
pub(crate) fn changes_of_each(before: &ByPlatform, after: &ByPlatform) -> Vec<InputChange> {
    let nothing = Inputs::default();
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let each = names.into_iter().map(|name| {
        let of = |inputs: &ByPlatform| inputs.get(name).unwrap_or(&nothing).clone();
        (name, comparable(changes(&of(before), &of(after))))
    });
    let each: Vec<_> = each.collect();
    let mut told: Vec<InputChange> = Vec::new();
    for (name, found) in &each {
        for change in found {
            let alike = each.iter().all(|(_, others)| others.contains(change));
            let mut change = change.clone();
            if !alike {
                change.name = format!("{name} {}", change.name);
            }
            if !told.contains(&change) {
                told.push(change);
            }
        }
    }
    told.sort_by(|one, other| one.name.cmp(&other.name));
    told
}

/// Where a program was compiled in one of both cases and given in the other, that is what
/// changed: of a compile the other says nothing.
fn comparable(mut found: Vec<InputChange>) -> Vec<InputChange> {
    let of_program = |change: &InputChange| {
        change.name == "program" && (change.before.is_none() || change.after.is_none())
    };
    if found.iter().any(of_program) {
        let of_image = |name: &str| name.starts_with("image:") || name.starts_with("layer:");
        found.retain(|change| of_program(change) || of_image(&change.name));
    }
    found
}

/// What a compile looked at, as a published image has it in its annotation.
pub(crate) fn declared_of(annotation: &str) -> Option<Declared> {
    serde_json::from_str(annotation).ok()
}

/// The same of an index, by platform.
pub(crate) fn declared_of_each(annotation: &str) -> Option<BTreeMap<String, Declared>> {
    serde_json::from_str(annotation).ok()
}

/// Those of the compile, and everything else of the recipe. The layer of the
/// program is not among them: it is what is compiled.
fn image_inputs(recipe: &Recipe, layers: &[Digest], mut inputs: Inputs) -> Inputs {
    for (layer, digest) in recipe.layers.iter().zip(layers) {
        if !matches!(layer.kind, LayerKind::Binary(_)) {
            inputs.insert(format!("layer:{}", layer.kind), digest.to_string());
        }
    }
    let Recipe {
        base,
        compression,
        platform,
        entrypoint,
        user,
        working_directory,
        ports,
        environment,
        labels,
        annotations,
        created,
        layers: _,
        inputs: _,
    } = recipe;
    inputs.insert("image:compatibility", COMPATIBILITY.to_string());
    inputs.insert("image:compression", compression.to_string());
    inputs.insert("image:platform", platform.to_string());
    inputs.insert("image:entrypoint", entrypoint.join(" "));
    inputs.insert("image:created", &**created);
    let ports = ports.iter().map(u16::to_string);
    inputs.insert("image:ports", ports.collect::<Vec<_>>().join(" "));
    let name = base.as_ref().and_then(|base| base.name.clone());
    let base = base.as_ref().map(|base| base.digest.to_string());
    let optional = [
        ("base", &base),
        ("base-name", &name),
        ("user", user),
        ("directory", working_directory),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            inputs.insert(format!("image:{name}"), &**value);
        }
    }
    let maps = [
        ("variable", environment),
        ("label", labels),
        ("annotation", annotations),
    ];
    for (kind, pairs) in maps {
        for (name, value) in pairs {
            inputs.insert(format!("image:{kind}:{name}"), &**value);
        }
    }
    inputs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(pairs: &[(&str, &str)]) -> Inputs {
        pairs.iter().copied().collect()
    }

    fn told(before: &[(&str, Inputs)], after: &[(&str, Inputs)]) -> Vec<String> {
        let [before, after] = [before, after].map(|each| {
            let each = each.iter();
            each.map(|(name, inputs)| ((*name).to_owned(), inputs.clone()))
                .collect()
        });
        let changes = changes_of_each(&before, &after).into_iter();
        changes.map(|change| change.name).collect()
    }

    #[test]
    fn what_differs_alike_stands_once_and_a_given_program_hides_no_source() {
        let compiled = inputs(&[("file:a", "1"), ("image:user", "0")]);
        let changed = inputs(&[("file:a", "2"), ("image:user", "1")]);
        let given = inputs(&[("program", "p"), ("image:user", "0")]);
        let before = [("x", compiled.clone()), ("y", given)];
        assert_eq!(
            told(&before, &[("x", compiled.clone()), ("y", compiled.clone())]),
            ["y program"]
        );
        assert_eq!(
            told(&before, &[("x", changed.clone()), ("y", changed.clone())]),
            ["image:user", "x file:a", "y program"]
        );
        assert_eq!(
            told(&[("x", compiled)], &[("x", changed)]),
            ["file:a", "image:user"]
        );
    }
}
