//! From configuration, source and binary to a recipe: pure, so that the same
//! three always give the same image.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use build::Source;
use image::{
    Base, Compression, Entry, LayerKind, LayerRecipe, NONROOT, Recipe, SystemFiles, Wishes,
};
use oci::{Digest, Platform, annotation};

use crate::base::platform;
use crate::build::BuildFailure;
use crate::configuration::{AssetTable, ConfigurationError, ImageTable};
use crate::placeholder::{DIRTY, Placeholders};

/// The label that says where the running program tells its health.
const HEALTH_LABEL: &str = "dev.longshore.health";

/// What the placeholders of a source stand for.
pub(crate) fn placeholders(source: &Source) -> Placeholders {
    let suffix = if source.dirty() { DIRTY } else { "" };
    Placeholders {
        commit: format!("{}{suffix}", source.commit),
        committed_at: rfc3339(source.committed_at),
    }
}

/// Seconds since 1970 as RFC 3339. A commit outside of the years that can be
/// written counts as made in 1970.
pub(crate) fn rfc3339(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_string()
}

/// The program of an image. All but its bytes is known before it is compiled.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// Its name.
    pub(crate) name: String,
    /// Its processor, in the image specification's words.
    pub(crate) architecture: String,
    /// Where it is, or will be. Where its layer is taken over, nothing is there.
    pub(crate) file: PathBuf,
    /// The digest of what it is compiled from.
    pub(crate) inputs: Digest,
    /// What it loads, where that is packed with it.
    pub(crate) libraries: Option<Libraries>,
}

/// Shared objects that a program loads.
#[derive(Debug, Clone)]
pub(crate) struct Libraries {
    /// Where each is, by its path in the image.
    pub(crate) files: BTreeMap<String, PathBuf>,
    /// The digest of the paths and contents of all.
    pub(crate) inputs: Digest,
}

/// The recipe of the image; `assets` are its layers between the system's and
/// the binary's, `base` what they all lie on.
pub(crate) fn recipe(
    table: &ImageTable,
    source: &Source,
    program: Option<&Program>,
    assets: Vec<LayerRecipe>,
    base: Option<&Base>,
) -> Result<Recipe, ConfigurationError> {
    let placeholders = placeholders(source);
    let system = SystemFiles {
        writable: &table.writable,
        time_zones: table.time_zones,
        on_base: base.is_some(),
    };
    let system = LayerRecipe::new(LayerKind::System, system.entries());
    // On a base there may be nothing of ours to add.
    let mut layers = Vec::from_iter((!system.entries.is_empty()).then_some(system));
    layers.extend(
        program
            .and_then(|program| program.libraries.as_ref())
            .map(shared),
    );
    layers.extend(assets);
    let mut entrypoint = Vec::new();
    if let Some(program) = program {
        let path = format!("usr/bin/{}", program.name);
        let entry = Entry::program(&path, program.file.clone());
        let path = format!("/{path}");
        let mut layer = LayerRecipe::new(LayerKind::Binary(path.clone()), vec![entry]);
        layer.inputs = Some(program.inputs);
        layers.push(layer);
        entrypoint.push(path);
    }
    let platform = program.map_or_else(
        || platform(table),
        |program| Platform::linux(&program.architecture),
    );
    Ok(Recipe {
        base: base.cloned(),
        layers,
        compression: compression(table, base),
        platform,
        user: program.and_then(|_| user(base)),
        entrypoint,
        working_directory: None,
        ports: table.ports.clone(),
        environment: environment(table, base, &placeholders)?,
        labels: labels(table),
        annotations: annotations(table, source, &placeholders),
        created: placeholders.committed_at.clone(),
        inputs: None,
    })
}

/// The layer of shared objects. They run nothing by themselves but the loader, and all of
/// them may: distributions give some the mode of programs and some not.
fn shared(libraries: &Libraries) -> LayerRecipe {
    let files = libraries.files.iter();
    let entries =
        files.map(|(place, file)| Entry::program(place.trim_start_matches('/'), file.clone()));
    let mut layer = LayerRecipe::new(LayerKind::Libraries, entries.collect());
    layer.inputs = Some(libraries.inputs);
    layer
}

/// A layer for each table of assets, read from the checkout without what is made `apart`.
pub(crate) fn assets(
    table: &ImageTable,
    checkout: &Path,
    apart: &[PathBuf],
) -> Result<Vec<LayerRecipe>, BuildFailure> {
    let layer = |table: &AssetTable| {
        let assets = table.assets(checkout, apart.to_vec());
        let assets = assets.map_err(BuildFailure::Configuration)?;
        let entries = assets.entries().map_err(BuildFailure::Image)?;
        Ok(LayerRecipe::new(
            LayerKind::Assets(table.to.clone()),
            entries,
        ))
    };
    table.assets.iter().map(layer).collect()
}

/// Puts a recipe on another base than it was written for.
pub(crate) fn put_on(
    recipe: &mut Recipe,
    table: &ImageTable,
    source: &Source,
    base: Base,
) -> Result<(), ConfigurationError> {
    recipe.environment = environment(table, Some(&base), &placeholders(source))?;
    if !recipe.entrypoint.is_empty() {
        recipe.user = user(Some(&base));
    }
    recipe.base = Some(base);
    Ok(())
}

/// Nobody of rank, unless the base says who.
fn user(base: Option<&Base>) -> Option<String> {
    let theirs = base.and_then(|base| base.config.config.user.as_deref());
    match theirs {
        Some(user) if !user.is_empty() => None,
        _ => Some(format!("{NONROOT}:{NONROOT}")),
    }
}

/// What was asked for, or what the runtimes can read and the base is written in.
fn compression(table: &ImageTable, base: Option<&Base>) -> Compression {
    let wishes = Wishes {
        requested: table.compression,
        runtimes: &table.runtimes,
        base: base.map(|base| base.media_type.as_str()),
        ..Wishes::default()
    };
    wishes.choose().compression
}

fn environment(
    table: &ImageTable,
    base: Option<&Base>,
    placeholders: &Placeholders,
) -> Result<BTreeMap<String, String>, ConfigurationError> {
    let mut environment = BTreeMap::new();
    let mut theirs = base.iter().flat_map(|base| &base.config.config.env);
    if !theirs.any(|pair| pair.starts_with("PATH=")) {
        environment.insert("PATH".to_owned(), "/usr/bin".to_owned());
    }
    for (name, template) in &table.environment {
        let value =
            placeholders
                .fill(template)
                .map_err(|placeholder| ConfigurationError::Value {
                    key: "image.environment",
                    reason: format!("gives `{name}` the unknown placeholder `{placeholder}`"),
                })?;
        environment.insert(name.clone(), value);
    }
    Ok(environment)
}

fn labels(table: &ImageTable) -> BTreeMap<String, String> {
    table
        .health
        .iter()
        .zip(table.ports.first())
        .map(|(path, port)| (HEALTH_LABEL.to_owned(), format!("http://:{port}{path}")))
        .collect()
}

/// What the image holds: its package, or what it goes by where it has none.
fn title(table: &ImageTable) -> &str {
    table.package.as_deref().unwrap_or(table.name())
}

fn annotations(
    table: &ImageTable,
    source: &Source,
    placeholders: &Placeholders,
) -> BTreeMap<String, String> {
    let mut annotations = BTreeMap::from([
        (
            annotation::CREATED.to_owned(),
            placeholders.committed_at.clone(),
        ),
        (annotation::REVISION.to_owned(), placeholders.commit.clone()),
        (annotation::TITLE.to_owned(), title(table).to_owned()),
    ]);
    if let Some(repository) = &source.repository {
        annotations.insert(annotation::SOURCE.to_owned(), repository.clone());
    }
    annotations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::Configuration;

    fn table(text: &str) -> ImageTable {
        Configuration::parse(&format!("[image]\npackage = \"api\"\n{text}"))
            .unwrap()
            .images
            .remove(0)
    }

    fn source(dirty: bool) -> Source {
        Source {
            commit: "a".repeat(40),
            committed_at: 0,
            changes: Vec::from_iter(dirty.then(|| "src/main.rs".to_owned())),
            repository: None,
        }
    }

    fn program() -> Program {
        Program {
            name: "api".to_owned(),
            architecture: "amd64".to_owned(),
            file: "/somewhere/target/api".into(),
            inputs: Digest::of(b"sources"),
            libraries: None,
        }
    }

    #[test]
    fn the_image_says_its_commit_health_and_user_and_no_path_of_the_host() {
        let table = table(
            "ports = [8080]\nhealth = \"/healthz\"\nenvironment = { REVISION = \"{commit}\" }\n",
        );
        let recipe = recipe(&table, &source(false), Some(&program()), Vec::new(), None).unwrap();
        assert_eq!(recipe.user.as_deref(), Some("65532:65532"));
        assert_eq!(recipe.entrypoint, ["/usr/bin/api"]);
        assert_eq!(recipe.environment["REVISION"], "a".repeat(40));
        assert_eq!(recipe.labels[HEALTH_LABEL], "http://:8080/healthz");
        assert_eq!(recipe.created, "1970-01-01T00:00:00Z");
        assert!(!recipe.entrypoint.concat().contains("somewhere"));
    }

    #[test]
    fn layers_are_zstd_unless_a_runtime_needs_gzip_or_the_file_says_so() {
        let of = |text| {
            recipe(
                &table(text),
                &source(false),
                Some(&program()),
                Vec::new(),
                None,
            )
            .unwrap()
            .compression
        };
        assert_eq!(of(""), Compression::ZSTD);
        assert_eq!(of("runtimes = [\"docker-20.10\"]\n"), Compression::GZIP);
        let both = "runtimes = [\"docker-20.10\"]\ncompression = \"zstd:19\"\n";
        assert_eq!(of(both), Compression::Zstd { level: 19 });
    }

    #[test]
    fn a_dirty_source_never_claims_the_commit() {
        let recipe = recipe(
            &table(""),
            &source(true),
            Some(&program()),
            Vec::new(),
            None,
        )
        .unwrap();
        assert!(recipe.annotations[annotation::REVISION].ends_with("-dirty"));
    }

    #[test]
    fn an_unknown_placeholder_is_named_with_its_variable() {
        let table = table("environment = { A = \"{branch}\" }\n");
        let error = recipe(&table, &source(false), Some(&program()), Vec::new(), None)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("{branch}") && error.contains("`A`"),
            "{error}"
        );
    }
}
