//! Images from processes of their own: whoever runs them, with whatever umask and
//! memory, and killed.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests stop at the first surprise, and drive the machine they run on"
)]

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use image::{
    Assembly, Assets, Compression, Exclude, LayerKind, LayerRecipe, LayerStore, Layout, Recipe,
    SystemFiles, assemble,
};
use oci::Platform;
use tempfile::TempDir;

/// Where the child finds `assets`, and puts `layers` and `layout`.
const DIRECTORY: &str = "IMAGE_TEST_DIRECTORY";

/// Packs the assets of a directory and prints the digest and the peak of its
/// memory.
#[test]
#[ignore = "the other tests run it, as a process of its own"]
fn child() {
    let Some(directory) = std::env::var_os(DIRECTORY).map(PathBuf::from) else {
        return;
    };
    let assets = Assets {
        from: directory.join("assets"),
        to: "/srv".to_owned(),
        owner: 65532,
        mode: 0o644,
        exclude: Exclude::default(),
        apart: Vec::new(),
    };
    let recipe = Recipe {
        base: None,
        layers: vec![
            LayerRecipe::new(LayerKind::System, SystemFiles::default().entries()),
            LayerRecipe::new(
                LayerKind::Assets("/srv".to_owned()),
                assets.entries().unwrap(),
            ),
        ],
        compression: Compression::ZSTD,
        platform: Platform::linux("amd64"),
        entrypoint: vec!["/srv/a".to_owned()],
        user: None,
        working_directory: None,
        ports: Vec::new(),
        environment: BTreeMap::new(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        created: "2026-01-01T00:00:00Z".to_owned(),
        inputs: None,
    };
    let store = LayerStore::open(&directory.join("layers")).unwrap();
    let assembly = Assembly {
        threads: NonZeroUsize::new(2).unwrap(),
        ..Assembly::new(&store)
    };
    let layout = assemble(&recipe, &directory.join("layout"), assembly).unwrap();
    println!("digest={}", layout.image().unwrap().descriptor.digest);
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    println!("kilobytes={}", peak.unwrap().trim().trim_end_matches(" kB"));
}

/// A directory with assets, and a copy of this program that everybody may run.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let open = |mode| fs::Permissions::from_mode(mode);
        fs::set_permissions(directory.path(), open(0o777)).unwrap();
        let program = directory.path().join("program");
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        fs::set_permissions(&program, open(0o755)).unwrap();
        let assets = directory.path().join("assets");
        fs::create_dir(&assets).unwrap();
        for (name, mode) in [("a", 0o755), ("B", 0o644), ("b", 0o644)] {
            fs::write(assets.join(name), name.repeat(100_000)).unwrap();
            fs::set_permissions(assets.join(name), open(mode)).unwrap();
        }
        Self { directory }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The child, started by `shell`, which ends in `"$@"`.
    fn child(&self, shell: &str) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", shell, "sh"])
            .arg(self.path().join("program"));
        command.args(["--ignored", "--exact", "child", "--nocapture"]);
        command
            .env(DIRECTORY, self.path())
            .env("TMPDIR", self.path());
        command
    }

    /// What the child printed after `key=`.
    fn run(&self, shell: &str, key: &str) -> String {
        let output = self.child(shell).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{shell}: {text}{said}");
        let found = text.lines().find_map(|line| line.split_once(key));
        found.unwrap().1.trim_start_matches('=').to_owned()
    }

    fn digest(&self, shell: &str) -> String {
        self.run(shell, "digest")
    }
}

#[test]
fn umask_user_locale_and_time_zone_do_not_enter() {
    let expected = Place::new().digest("exec \"$@\"");
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let mut ways = vec![
        "umask 077; exec \"$@\"",
        "umask 000; exec \"$@\"",
        "export LC_ALL=tr_TR.UTF-8 TZ=Asia/Kathmandu SOURCE_DATE_EPOCH=7; exec \"$@\"",
        "cd /; exec \"$@\"",
    ];
    if root {
        ways.push("exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"");
        ways.push("umask 077; exec setpriv --reuid=12345 --regid=12345 --clear-groups \"$@\"");
    } else {
        println!("skipped: only root can become somebody else");
    }
    for way in ways {
        assert_eq!(Place::new().digest(way), expected, "{way}");
    }
}

#[test]
fn extended_attributes_do_not_enter() {
    let expected = Place::new().digest("exec \"$@\"");
    let place = Place::new();
    let mut set = Command::new("setfattr");
    set.args(["-n", "user.origin", "-v", "somewhere"])
        .arg(place.path().join("assets/a"));
    match set.output() {
        Ok(output) if output.status.success() => {}
        _ => println!("skipped: no setfattr, or no attributes on this file system"),
    }
    assert_eq!(place.digest("exec \"$@\""), expected);
}

/// The bound of `workers.rs` for two threads, with what the process has anyway.
const KILOBYTES: u64 = 64 << 10;

#[test]
fn memory_does_not_grow_with_the_layer() {
    let place = Place::new();
    let file = fs::File::create(place.path().join("assets/sparse")).unwrap();
    file.set_len(1 << 29).unwrap();
    let peak: u64 = place.run("exec \"$@\"", "kilobytes").parse().unwrap();
    assert!(peak < KILOBYTES, "{peak} kB");
}

#[test]
fn a_kill_leaves_no_layout_and_nothing_in_the_way() {
    let place = Place::new();
    let file = fs::File::create(place.path().join("assets/sparse")).unwrap();
    file.set_len(4 << 30).unwrap();
    let mut child = place
        .child("exec \"$@\"")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let blobs = place.path().join("layers/blobs");
    let unfinished = || {
        let names = fs::read_dir(&blobs).into_iter().flatten();
        names
            .flatten()
            .any(|name| name.metadata().is_ok_and(|file| file.len() > 0))
    };
    while !unfinished() {
        assert!(
            child.try_wait().unwrap().is_none(),
            "finished before it was killed"
        );
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!place.path().join("layout").exists());

    fs::remove_file(place.path().join("assets/sparse")).unwrap();
    let digest = place.digest("exec \"$@\"");
    assert_eq!(digest, Place::new().digest("exec \"$@\""));
    let layout = Layout::open(&place.path().join("layout")).unwrap();
    layout.check(NonZeroUsize::MIN).unwrap();
}
