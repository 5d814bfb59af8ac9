use std::io::Write as _;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::fixture::{tar_names, unpacked};

mod hostile;
mod installed;

/// One entry of a layer: path, type, link or content.
type Line<'a> = (&'a str, u8, &'a str);

fn tar_of(lines: &[Line<'_>]) -> Vec<u8> {
    let lines = lines.iter();
    let lines: Vec<_> = lines
        .map(|(path, kind, text)| (*path, *kind, text.as_bytes()))
        .collect();
    tar_of_bytes(&lines)
}

fn tar_of_bytes(lines: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, kind, text) in lines {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::new(*kind));
        header.set_mode(if *kind == b'5' { 0o755 } else { 0o644 });
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(path.len() as u64);
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        if matches!(kind, b'1' | b'2') {
            header.as_mut_bytes()[157..157 + text.len()].copy_from_slice(text);
        }
        let content = if *kind == b'0' { *text } else { b"" };
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// What `docker save` would write, in a directory of its own.
struct Saved {
    directory: TempDir,
    layers: Vec<Vec<u8>>,
    settings: serde_json::Value,
}

impl Saved {
    fn new(layers: &[&[Line<'_>]]) -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            layers: layers.iter().map(|lines| tar_of(lines)).collect(),
            settings: serde_json::json!({"Cmd": ["/a"], "Hostname": "f00"}),
        }
    }

    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let diff_ids: Vec<_> = self.layers.iter().map(|tar| Digest::of(tar)).collect();
        let config = serde_json::json!({
            "architecture": "amd64", "os": "linux", "created": "2026-01-01T00:00:00Z",
            "container": "f00", "config": self.settings,
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        let config = serde_json::to_vec(&config).unwrap();
        let name = format!("{}.json", Digest::of(&config).hex());
        let names: Vec<_> = (0..self.layers.len())
            .map(|n| format!("{n}/layer.tar"))
            .collect();
        let listed = serde_json::json!([{"Config": name, "RepoTags": ["x:y"], "Layers": names}]);
        let mut files = vec![
            (name, config),
            (
                "manifest.json".to_owned(),
                serde_json::to_vec(&listed).unwrap(),
            ),
        ];
        files.extend(names.into_iter().zip(self.layers.clone()));
        files
    }

    fn archive(&self, files: &[(String, Vec<u8>)]) -> PathBuf {
        let path = self.directory.path().join("image.tar");
        let mut builder = tar::Builder::new(fs::File::create(&path).unwrap());
        for (name, bytes) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            builder
                .append_data(&mut header, name, bytes.as_slice())
                .unwrap();
        }
        builder.into_inner().unwrap().flush().unwrap();
        path
    }

    fn import(&self) -> Result<Layout, ImageError> {
        self.import_of(&self.files(), &[])
    }

    fn import_of(
        &self,
        files: &[(String, Vec<u8>)],
        secrets: &[Secret],
    ) -> Result<Layout, ImageError> {
        Ok(self.whole(files, secrets)?.0)
    }

    fn whole(
        &self,
        files: &[(String, Vec<u8>)],
        secrets: &[Secret],
    ) -> Result<(Layout, Installed), ImageError> {
        let archive = self.archive(files);
        let wishes = Import {
            compression: Compression::ZSTD,
            inputs: Digest::of(b"inputs"),
            secrets,
            threads: NonZeroUsize::MIN,
        };
        let layout = self.directory.path().join("layout");
        import(&archive, &layout, &wishes)
    }

    fn digest(&self) -> Digest {
        self.import().unwrap().image().unwrap().descriptor.digest
    }

    /// The names in each layer, `NAME -> TARGET` for links.
    fn names(&self) -> Vec<Vec<String>> {
        let layout = self.import().unwrap();
        let image = layout.image().unwrap();
        let layers = image.manifest.layers.iter();
        layers
            .map(|layer| tar_names(&unpacked(&layout, layer)))
            .collect()
    }
}

const BINARY: &[Line<'_>] = &[("bin/", b'5', ""), ("bin/sh", b'0', "shell")];

#[test]
fn what_builders_do_differently_makes_no_difference() {
    // Docker's own builder: WORKDIR is a layer, nothing is left behind by RUN.
    let one = Saved::new(&[
        BINARY,
        &[("bin/", b'5', ""), ("bin/ls", b'2', "sh")],
        &[("app/", b'5', "")],
        &[("app/", b'5', ""), ("app/a", b'0', "1")],
    ]);
    // buildah: other order, stubs, no parent that did not change, an empty last layer.
    let other = Saved::new(&[
        &[("./bin/sh", b'0', "shell")],
        &[
            ("dev/", b'5', ""),
            ("etc/", b'5', ""),
            ("etc/hosts", b'0', ""),
            ("run/", b'5', ""),
            ("bin/ls", b'2', "sh"),
            ("bin/.wh.none", b'0', ""),
        ],
        &[("app/a", b'0', "1"), ("app/", b'5', "")],
        &[("run/", b'5', "")],
    ]);
    assert_eq!(one.names(), other.names());
    assert_eq!(one.digest(), other.digest());
}

#[test]
fn an_emptied_directory_names_what_it_lost() {
    let lower: &[Line<'_>] = &[
        ("d/", b'5', ""),
        ("d/a", b'0', "1"),
        ("d/b/", b'5', ""),
        ("d/b/c", b'0', "1"),
        ("d/e/", b'5', ""),
        ("d/e/f", b'0', "1"),
    ];
    let emptied = Saved::new(&[
        lower,
        &[
            ("d/", b'5', ""),
            ("d/.wh..wh..opq", b'0', ""),
            ("d/e/", b'5', ""),
            ("d/new", b'0', "1"),
        ],
    ]);
    let named = Saved::new(&[
        lower,
        &[
            ("d/.wh.a", b'0', ""),
            ("d/.wh.b", b'0', ""),
            ("d/e/.wh.f", b'0', ""),
            ("d/new", b'0', "1"),
        ],
    ]);
    assert_eq!(
        emptied.names()[1],
        ["d/", "d/.wh.a", "d/.wh.b", "d/e/", "d/e/.wh.f", "d/new"]
    );
    assert_eq!(emptied.digest(), named.digest());
}

#[test]
fn the_first_name_of_a_file_has_its_bytes() {
    let one = Saved::new(&[&[("b", b'0', "1"), ("a", b'1', "b"), ("c", b'1', "a")]]);
    assert_eq!(one.names()[0], ["a", "b -> a", "c -> a"]);
    let other = Saved::new(&[&[("a", b'0', "1"), ("b", b'1', "a"), ("c", b'1', "/a")]]);
    assert_eq!(one.digest(), other.digest());
}

#[test]
fn settings_stay_and_what_a_builder_says_of_itself_goes() {
    let mut saved = Saved::new(&[BINARY]);
    saved.settings = serde_json::json!({
        "Hostname": "f00", "Image": "sha256:0", "Env": null, "Cmd": ["/a"], "User": "",
        "WorkingDir": "/work", "Healthcheck": {"Test": ["CMD", "/a"], "Interval": 0},
        "Labels": {"io.buildah.version": "1", "mine": "2"}, "StopSignal": "SIGQUIT",
    });
    let layout = saved.import().unwrap();
    let config = layout.image().unwrap().manifest.config;
    let text = String::from_utf8(layout.document(&config).unwrap()).unwrap();
    for gone in ["f00", "buildah", "Image", "created\"", "2026"] {
        assert!(!text.contains(gone), "{gone}: {text}");
    }
    for stays in [
        PATH,
        "SIGQUIT",
        "\"mine\"",
        r#""Healthcheck":{"Test":["CMD","/a"]}"#,
    ] {
        assert!(text.contains(stays), "{stays}: {text}");
    }
    // Made by some builders, by others not.
    assert_eq!(saved.names(), [vec!["bin/", "bin/sh"], vec!["work/"]]);
}

#[test]
fn a_layer_may_be_compressed_and_is_hashed_without_that() {
    let saved = Saved::new(&[BINARY]);
    let digest = saved.digest();
    let mut files = saved.files();
    for compression in [Compression::GZIP, Compression::ZSTD] {
        files[2].1 = compression.compress(&saved.layers[0]).unwrap();
        let layout = saved.import_of(&files, &[]).unwrap();
        assert_eq!(layout.image().unwrap().descriptor.digest, digest);
    }
}

#[test]
fn a_digest_that_lies_is_refused() {
    let saved = Saved::new(&[BINARY, &[("a", b'0', "1")]]);
    let refused = |files: Vec<(String, Vec<u8>)>, word: &str| {
        let error = saved.import_of(&files, &[]).unwrap_err().to_string();
        assert!(error.contains(word), "{word}: {error}");
    };
    let mut layer = saved.files();
    layer[3].1 = tar_of(&[("a", b'0', "2")]);
    refused(layer, "layer 2 hashes to");
    let mut config = saved.files();
    config[0].1.push(b' ');
    refused(config, "configuration hashes to");
    let mut fewer = saved.files();
    fewer[1].1 = String::from_utf8(fewer[1].1.clone())
        .unwrap()
        .replace(",\"1/layer.tar\"", "")
        .into_bytes();
    refused(fewer, "lists 1 layers");
    let mut gone = saved.files();
    gone.pop();
    refused(gone, "has no `1/layer.tar`");
    let mut name = saved.files();
    name[1].1 = String::from_utf8(name[1].1.clone())
        .unwrap()
        .replace("0/layer.tar", "../../etc/passwd")
        .into_bytes();
    refused(name, "has no `../../etc/passwd`");
}

#[test]
fn paths_that_leave_the_image_are_refused() {
    let hostile: [&[Line<'_>]; 8] = [
        &[("../x", b'0', "1")],
        &[("a/../../x", b'0', "1")],
        &[("a", b'2', "/etc"), ("a/passwd", b'0', "1")],
        &[("a", b'1', "../../etc/passwd")],
        &[("a", b'1', "nowhere")],
        &[("a", b'1', "b"), ("b", b'1', "a")],
        &[("d/", b'5', ""), ("a", b'1', "d")],
        &[("s", b'S', "")],
    ];
    for lines in hostile {
        let error = Saved::new(&[lines]).import().unwrap_err();
        let refused = matches!(
            error,
            ImageError::Foreign(_) | ImageError::NotADirectory { .. }
        );
        assert!(refused, "{lines:?}: {error}");
    }
    // The same in two layers: the lower one makes the link.
    let two = Saved::new(&[&[("a", b'2', "/etc")], &[("a/passwd", b'0', "1")]]);
    let error = two.import().unwrap_err();
    assert!(matches!(error, ImageError::NotADirectory { .. }), "{error}");
}

/// A tar of one file with extensions of type `kind` before it.
fn extended(kind: u8, records: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (kind, path, content) in [(kind, "extensions", records), (b'0', "a", &b"1"[..])] {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_path(path).unwrap();
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, content).unwrap();
    }
    builder.into_inner().unwrap()
}

#[test]
fn extensions_are_limited_before_they_are_read() {
    let record = |length: usize| {
        let mut record = format!("{length} comment=").into_bytes();
        record.resize(length - 1, b'x');
        record.push(b'\n');
        record
    };
    let mut saved = Saved::new(&[]);
    for kind in [b'x', b'L'] {
        saved.layers = vec![extended(kind, &record(2 << 20))];
        let error = saved.import().unwrap_err().to_string();
        assert!(error.contains("bytes of headers"), "{error}");
    }
    saved.layers = vec![extended(b'x', &record(1 << 19))];
    assert_eq!(saved.names(), [["a"]]);
    // What is said of the whole tar is skipped, however long it is.
    saved.layers = vec![extended(b'g', &record(2 << 20))];
    assert_eq!(saved.names(), [["a"]]);
}

#[test]
fn a_layer_that_ends_within_a_file_is_refused() {
    let mut saved = Saved::new(&[&[("a", b'0', "1")]]);
    saved.layers[0].truncate(512);
    let error = saved.import().unwrap_err().to_string();
    assert!(error.contains("ends within"), "{error}");
}

#[test]
fn a_link_into_a_directory_that_the_layer_removes_is_refused() {
    let lower: &[Line<'_>] = &[("d/", b'5', ""), ("d/e/", b'5', ""), ("d/e/a", b'0', "1")];
    for gone in [(".wh.d", b'0', ""), ("d/.wh.e", b'0', ""), ("d", b'0', "1")] {
        let saved = Saved::new(&[lower, &[gone, ("x", b'1', "d/e/a")]]);
        let error = saved.import().unwrap_err().to_string();
        assert!(error.contains("which is not there"), "{gone:?}: {error}");
    }
}

#[test]
fn a_whiteout_is_no_part_of_a_name() {
    let name = |length: usize, prefix: &str| {
        let name = format!("{prefix}{}", "n".repeat(length)).into_bytes();
        parse::path(&name)
    };
    assert!(name(255, "").is_ok());
    assert!(name(255, "d/.wh.").is_ok());
    assert!(matches!(name(256, "d/.wh."), Err(ImageError::LongPath(_))));
    assert!(matches!(name(256, ""), Err(ImageError::LongPath(_))));
}

#[test]
fn a_secret_in_a_setting_is_found_as_it_is_and_not_as_it_is_encoded() {
    let value = "first\"line\nsecond\\line";
    let secrets = [Secret {
        name: "key".to_owned(),
        value: value.to_owned(),
    }];
    for settings in [
        serde_json::json!({"Env": [format!("KEY={value}")]}),
        serde_json::json!({"Labels": {value: "1"}}),
    ] {
        let mut saved = Saved::new(&[BINARY]);
        saved.settings = settings;
        let error = saved.import_of(&saved.files(), &secrets).unwrap_err();
        assert!(matches!(error, ImageError::SecretInImage { .. }), "{error}");
    }
}

#[test]
fn a_secret_in_a_file_a_name_or_a_setting_is_found_and_not_told() {
    let value = "correct-horse-battery";
    let secrets = [Secret {
        name: "token".to_owned(),
        value: value.to_owned(),
    }];
    let padding = "x".repeat((1 << 18) - 7);
    let across = format!("{padding}{value}");
    let mut settings = Saved::new(&[BINARY]);
    settings.settings = serde_json::json!({"Env": [format!("TOKEN={value}")]});
    let found = [
        Saved::new(&[&[("a", b'0', &*across)]]),
        Saved::new(&[&[("a", b'2', value)]]),
        Saved::new(&[&[(value, b'0', "")]]),
        settings,
    ];
    for saved in found {
        let error = saved.import_of(&saved.files(), &secrets).unwrap_err();
        assert!(matches!(&error, ImageError::SecretInImage { secret, .. } if secret == "token"));
    }
    assert!(!format!("{secrets:?}").contains(value));
    let clean = Saved::new(&[BINARY]);
    clean.import_of(&clean.files(), &secrets).unwrap();
}

fn any_line() -> impl Strategy<Value = (String, u8, String)> {
    let part = prop_oneof![
        Just("a"),
        Just("b"),
        Just("etc"),
        Just(".."),
        Just("."),
        Just(""),
        Just(".wh.a"),
        Just(".wh..wh..opq"),
        Just(".wh."),
        Just("hosts")
    ];
    let path = proptest::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"));
    let kind = prop_oneof![
        Just(b'0'),
        Just(b'1'),
        Just(b'2'),
        Just(b'5'),
        Just(b'6'),
        Just(b'3')
    ];
    (path.clone(), kind, path)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is accepted is a fixed point: our own form is normal already.
    #[test]
    fn a_layer_is_refused_or_normal_afterwards(
        layers in proptest::collection::vec(proptest::collection::vec(any_line(), 0..8), 1..4)
    ) {
        let lines: Vec<Vec<Line<'_>>> = layers
            .iter()
            .map(|layer| layer.iter().map(|(a, b, c)| (a.as_str(), *b, c.as_str())).collect())
            .collect();
        let lines: Vec<&[Line<'_>]> = lines.iter().map(Vec::as_slice).collect();
        let saved = Saved::new(&lines);
        if let Ok(layout) = saved.import() {
            let image = layout.image().unwrap();
            let mut again = Saved::new(&[]);
            again.layers = image
                .manifest
                .layers
                .iter()
                .map(|layer| unpacked(&layout, layer))
                .collect();
            prop_assert_eq!(again.digest(), image.descriptor.digest);
        }
    }

    #[test]
    fn any_bytes_are_refused_without_panic(bytes: Vec<u8>, layer: Vec<u8>) {
        let saved = Saved::new(&[]);
        let path = saved.directory.path().join("image.tar");
        fs::write(&path, &bytes).unwrap();
        prop_assert!(Archive::open(&path).is_err());
        let mut saved = Saved::new(&[]);
        saved.layers = vec![layer];
        let _ = saved.import();
    }
}
