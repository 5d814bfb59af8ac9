//! What an image takes from its base, and what it does not.

use super::*;
use crate::fixture::{Built, recipe};
use crate::{Compression, Entry, Wishes};

/// A base as Docker writes one: a manifest in its words, with steps that made no
/// layer, and labels about itself.
fn docker_base() -> (Descriptor, Manifest, Vec<u8>) {
    let layer = b"the bytes of a layer";
    let diff_id = Digest::of(b"its tar");
    let config = format!(
        r#"{{"architecture": "amd64", "os": "linux",
            "config": {{"Env": ["PATH=/usr/local/bin:/usr/bin", "LANG=C.UTF-8"], "Cmd": ["sh"],
                "User": "1000", "WorkingDir": "/srv", "Volumes": {{"/cache": {{}}}},
                "Entrypoint": null, "ExposedPorts": {{"53/udp": {{}}}},
                "Labels": {{"org.opencontainers.image.title": "base", "maintainer": "them"}}}},
            "history": [{{"created_by": "ADD"}}, {{"created_by": "CMD", "empty_layer": true}}],
            "rootfs": {{"type": "layers", "diff_ids": ["{diff_id}"]}}}}"#
    );
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(media_type::DOCKER_MANIFEST.to_owned()),
        artifact_type: None,
        config: Descriptor::of(media_type::DOCKER_CONFIG, config.as_bytes()),
        layers: vec![Descriptor::of(media_type::DOCKER_LAYER_GZIP, layer)],
        subject: None,
        annotations: BTreeMap::new(),
    };
    let bytes = serde_json::to_vec(&manifest).unwrap();
    let descriptor = Descriptor::of(media_type::DOCKER_MANIFEST, &bytes);
    (descriptor, manifest, config.into_bytes())
}

fn on_docker_base() -> Recipe {
    let (descriptor, manifest, config) = docker_base();
    let mut base = Base::new(&descriptor, &manifest, &config).unwrap();
    base.name = Some("docker.io/library/base:1".to_owned());
    let mut recipe = recipe(vec![Entry::text("a", "a")]);
    recipe.user = None;
    recipe.environment = BTreeMap::from([("PATH".to_owned(), "/usr/bin".to_owned())]);
    recipe.base = Some(base);
    recipe
}

fn config_of(built: &Built) -> ImageConfig {
    let bytes = built.layout.document(&built.image.manifest.config).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn configuration_and_history_go_on_from_the_base() {
    let built = Built::new(&on_docker_base(), 2);
    let config = config_of(&built);
    let runtime = &config.config;
    assert_eq!(runtime.env, ["LANG=C.UTF-8", "PATH=/usr/bin"]);
    assert_eq!(runtime.user.as_deref(), Some("1000"));
    assert_eq!(runtime.working_dir.as_deref(), Some("/srv"));
    assert_eq!(runtime.entrypoint, ["/a"]);
    assert!(runtime.cmd.is_empty(), "arguments of another program");
    assert!(runtime.volumes.contains_key("/cache"));
    let ports: Vec<_> = runtime.exposed_ports.keys().collect();
    assert_eq!(ports, ["53/udp", "8080/tcp"]);
    let labels: Vec<_> = runtime.labels.keys().collect();
    assert_eq!(labels, ["k", "maintainer"]);
    let steps: Vec<_> = config
        .history
        .iter()
        .map(|step| step.created_by.as_deref().unwrap())
        .collect();
    assert_eq!(steps, ["ADD", "CMD", "longshore", "longshore"]);
    assert_eq!(config.rootfs.diff_ids.len(), 3);
}

#[test]
fn a_base_whose_bytes_are_elsewhere_is_left_out_and_named() {
    let recipe = on_docker_base();
    let built = Built::new(&recipe, 2);
    let manifest = &built.image.manifest;
    assert_eq!(manifest.layers[0].media_type, media_type::LAYER_GZIP);
    let absent = manifest.layers[0].digest;
    assert!(built.layout.is_absent(&absent));
    let digest = recipe.base.unwrap().digest.to_string();
    assert_eq!(manifest.annotations[annotation::BASE_DIGEST], digest);
    let name = &manifest.annotations[annotation::BASE_NAME];
    assert_eq!(name, "docker.io/library/base:1");
    let archive = crate::write_oci_archive(&built.layout, None, std::io::sink());
    assert!(matches!(archive, Err(ImageError::AbsentBlob(digest)) if digest == absent));
}

#[test]
fn an_image_of_a_layout_is_a_base_and_brings_its_blobs() {
    let below = Built::new(&recipe(vec![Entry::text("below", "x")]), 2);
    let base = Base::from_layout(&below.layout, &Platform::linux("amd64")).unwrap();
    let mut above = recipe(vec![Entry::text("above", "y")]);
    above.layers.remove(0);
    above.base = Some(base);
    let built = Built::new(&above, 2);
    let checked = built.layout.check(std::num::NonZeroUsize::MIN).unwrap();
    assert_eq!((checked.present.len(), checked.absent.len()), (4, 0));
    assert_eq!(
        built.image.manifest.layers[..2],
        below.image.manifest.layers
    );
    assert!(
        built
            .image
            .manifest
            .annotations
            .contains_key(annotation::BASE_DIGEST)
    );
}

#[test]
fn a_base_that_was_built_here_is_never_left_out() {
    let below = Built::new(&recipe(vec![Entry::text("below", "x")]), 2);
    let base = Base::from_layout(&below.layout, &Platform::linux("amd64")).unwrap();
    let lost = base.layers[0].0.digest;
    fs_err::remove_file(below.layout.blob(&lost)).unwrap();
    let mut above = recipe(vec![Entry::text("above", "y")]);
    above.layers.remove(0);
    above.base = Some(Base {
        built: true,
        ..base
    });
    let error = Built::try_new(&above, 2).err().unwrap();
    assert!(matches!(error, ImageError::MissingBlob(digest) if digest == lost));
}

#[test]
fn a_base_for_another_platform_or_with_a_wrong_configuration_is_refused() {
    let mut recipe = on_docker_base();
    recipe.platform = Platform::linux("arm64");
    let error = Built::try_new(&recipe, 2).err().unwrap().to_string();
    assert!(
        error.contains("linux/amd64") && error.contains("linux/arm64"),
        "{error}"
    );

    let (descriptor, mut manifest, config) = docker_base();
    let error = Base::new(&descriptor, &manifest, b"{}").unwrap_err();
    assert!(matches!(error, ImageError::TamperedBlob { .. }), "{error}");
    manifest.layers.clear();
    let error = Base::new(&descriptor, &manifest, &config).unwrap_err();
    assert!(error.to_string().contains("0 layers"), "{error}");
}

#[test]
fn a_layer_does_not_replace_the_links_of_its_base() {
    let mut recipe = on_docker_base();
    let library = Entry::text("lib64/libx.so", "");
    recipe.layers[1] = crate::LayerRecipe::new(crate::LayerKind::Libraries, vec![library]);
    let error = Built::try_new(&recipe, 2).err().unwrap().to_string();
    assert!(error.contains("/usr/lib64/libx.so"), "{error}");
    recipe.base = None;
    Built::new(&recipe, 2);
}

#[test]
fn a_history_that_does_not_fit_the_layers_is_replaced() {
    let mut recipe = on_docker_base();
    recipe.base.as_mut().unwrap().config.history.clear();
    let config = config_of(&Built::new(&recipe, 2));
    let first = &config.history[0];
    assert_eq!(first.created_by.as_deref(), Some("base"));
    assert_eq!(config.history.len(), 3);
}

#[test]
fn a_base_in_dockers_format_makes_layers_gzip() {
    let base = on_docker_base().base.unwrap();
    let wishes = Wishes {
        base: Some(&base.media_type),
        ..Wishes::default()
    };
    assert_eq!(wishes.choose().compression, Compression::GZIP);
}
