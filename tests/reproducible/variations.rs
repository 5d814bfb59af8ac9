//! One commit on machines that differ in one thing each. The build script of the
//! project writes down what it sees, outside of the program, so that each test also
//! shows that the difference was there.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Project, copy, has, in_ci, json_of, longshore, repository, succeed};

/// What can be seen of a machine while a program is compiled on it.
const SCRIPT: &str = r#"
use std::time::{SystemTime, UNIX_EPOCH};

fn main() {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let status = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    let order = std::fs::read_dir("static").unwrap();
    let order: Vec<_> = order.map(|entry| entry.unwrap().file_name()).collect();
    let days = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 86_400;
    let threads = std::thread::available_parallelism().unwrap();
    let time = std::fs::metadata("src/main.rs").unwrap().modified().unwrap();
    let package = std::env::current_dir().unwrap();
    let seen = [
        ("user", status("Uid:")),
        ("umask", status("Umask:")),
        ("zone", variable("TZ")),
        ("language", variable("LC_ALL")),
        ("days", days.to_string()),
        ("threads", format!("{threads} {}", variable("NUM_JOBS"))),
        ("order", format!("{order:?}")),
        ("times", format!("{time:?}")),
        ("directory", package.display().to_string()),
        ("cargo", variable("CARGO_HOME")),
        ("beside", std::fs::read_to_string("../.env").unwrap_or_default()),
        ("neighbour", std::fs::read_to_string("../other/src/lib.rs").unwrap()),
    ];
    let text: String = seen.iter().map(|(name, value)| format!("{name}={value:?}\n")).collect();
    std::fs::write(format!("{}/seen", variable("OUT_DIR")), text).unwrap();
    println!("cargo::rerun-if-changed=build.rs");
}
"#;

/// A program with a crate of a registry and one of the workspace in it, each with the
/// paths of its panics.
const PROGRAM: &str = r#"
fn main() {
    let text = bytes::Bytes::from(own::text(std::env::args().count()).into_bytes());
    println!("{:?} {}", text.slice(1..), file!());
}
"#;
const OWN: &str = r#"
pub fn text(count: usize) -> String {
    let all = ["none", "one", "two"];
    assert!(count < all.len(), "too many");
    all[count].repeat(7)
}
"#;

/// The commit, in a directory of its own, and what building it gave.
struct Machine {
    directory: TempDir,
    command: Vec<String>,
    variables: Vec<(String, String)>,
}

struct Outcome {
    receipt: Value,
    seen: BTreeMap<String, String>,
}

/// The project as git has it; each machine clones it.
fn origin() -> &'static Project {
    static ORIGIN: OnceLock<Project> = OnceLock::new();
    ORIGIN.get_or_init(|| {
        let project = Project::hello();
        let root = project.path();
        let write = |file: &str, text: &str| {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let version = locked("bytes");
        write(
            "Cargo.toml",
            "[workspace]\nmembers = [\"hello\", \"own\", \"other\"]\nresolver = \"3\"\n",
        );
        write(
            "hello/Cargo.toml",
            &format!(
                "[package]\nname = \"hello\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
                 [dependencies]\nbytes = \"={version}\"\nown = {{ path = \"../own\" }}\n"
            ),
        );
        for name in ["own", "other"] {
            let manifest =
                format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
            write(&format!("{name}/Cargo.toml"), &manifest);
        }
        write("hello/build.rs", SCRIPT);
        write("hello/src/main.rs", PROGRAM);
        write("own/src/lib.rs", OWN);
        write("other/src/lib.rs", "pub fn other() {}\n");
        for number in 0..12 {
            write(
                &format!("hello/static/file{number}.txt"),
                &number.to_string(),
            );
        }
        write(".gitignore", "target\n.env\n");
        fs::remove_dir_all(root.join("src")).unwrap();
        let assets = "[image]\nassets = [{ from = \"hello/static\", to = \"/srv\" }]";
        project.edit("longshore.toml", "[image]", assets);
        let mut lock = Command::new("cargo");
        lock.args(["generate-lockfile", "--offline", "--quiet"]);
        succeed(lock.current_dir(root));
        project.commit();
        project
    })
}

/// The version of a crate that this repository uses, which is on the machine.
fn locked(name: &str) -> String {
    let lock = fs::read_to_string(repository().join("Cargo.lock")).unwrap();
    let entry = lock
        .split_once(&format!("name = \"{name}\"\nversion = \""))
        .unwrap();
    entry.1.split('"').next().unwrap().to_owned()
}

impl Machine {
    fn new() -> Self {
        Self::in_directory(tempfile::tempdir().unwrap())
    }

    fn in_directory(directory: TempDir) -> Self {
        copy(origin().path(), directory.path());
        Self {
            directory,
            command: Vec::new(),
            variables: vec![("CARGO_NET_OFFLINE".to_owned(), "true".to_owned())],
        }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// `longshore` is started by this.
    fn by(mut self, command: &[&str]) -> Self {
        self.command = command.iter().map(ToString::to_string).collect();
        self
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn build(&self) -> Outcome {
        let itself = longshore(self.path());
        let mut command = match self.command.split_first() {
            None => Command::new(itself.get_program()),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(itself.get_program());
                command
            }
        };
        command.env_clear().current_dir(self.path());
        let kept = itself
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?)));
        command.envs(kept).envs(self.variables.iter().cloned());
        command.args(["build", "--format", "json"]);
        let receipt = json_of(&succeed(&mut command));
        assert_eq!(receipt["imprints"], serde_json::json!([]), "{receipt:#}");
        let target = self
            .variables
            .iter()
            .find(|(name, _)| name == "CARGO_TARGET_DIR");
        let target = target.map_or(self.path().join("target"), |(_, place)| place.into());
        let lines = fs::read_to_string(seen_in(&target).unwrap()).unwrap();
        let pairs = lines.lines().map(|line| line.split_once('=').unwrap());
        let seen = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Outcome {
            receipt,
            seen: seen.collect(),
        }
    }

    /// The image is the one of an ordinary machine, although the script saw a
    /// difference in `what`.
    fn differs_only_in(&self, what: &str) {
        let (usual, here) = (usual(), self.build());
        assert_ne!(usual.seen[what], here.seen[what]);
        assert_eq!(usual.receipt["digest"], here.receipt["digest"], "{what}");
    }
}

/// What the build script wrote.
fn seen_in(directory: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(directory).ok()?.flatten();
    let mut paths = entries.map(|entry| entry.path());
    paths.find_map(|path| match path.file_name()?.to_str()? {
        "seen" if path.parent()?.ends_with("out") => Some(path),
        _ if path.is_dir() => seen_in(&path),
        _ => None,
    })
}

fn usual() -> &'static Outcome {
    static USUAL: OnceLock<Outcome> = OnceLock::new();
    USUAL.get_or_init(|| Machine::new().build())
}

#[test]
fn another_directory_gives_the_same_digest() {
    let directory = tempfile::Builder::new()
        .prefix("a much longer name, with blanks ")
        .tempdir();
    Machine::in_directory(directory.unwrap()).differs_only_in("directory");
}

#[test]
fn another_cargo_home_gives_the_same_digest() {
    let home = tempfile::tempdir().unwrap();
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let here = variable("CARGO_HOME").map_or_else(
        || Path::new(&variable("HOME").unwrap()).join(".cargo"),
        PathBuf::from,
    );
    // What cargo needs of the one crate: its place in the index, and its archive.
    let archive = format!("bytes-{}.crate", locked("bytes"));
    for registry in fs::read_dir(here.join("registry/index")).unwrap() {
        let name = registry.unwrap().file_name();
        for file in ["config.json", ".cache/by/te/bytes"].map(PathBuf::from) {
            take_over(
                &here,
                home.path(),
                &Path::new("registry/index").join(&name).join(file),
            );
        }
        take_over(
            &here,
            home.path(),
            &Path::new("registry/cache").join(&name).join(&archive),
        );
    }
    let machine = Machine::new().with("CARGO_HOME", home.path().to_str().unwrap());
    machine.differs_only_in("cargo");
}

fn take_over(from: &Path, to: &Path, file: &Path) {
    if from.join(file).is_file() {
        fs::create_dir_all(to.join(file).parent().unwrap()).unwrap();
        fs::copy(from.join(file), to.join(file)).unwrap();
    }
}

#[test]
fn one_thread_and_one_job_give_the_same_digest() {
    if !has("taskset") {
        return;
    }
    let machine = Machine::new().by(&["taskset", "--cpu-list", "0"]);
    machine
        .with("CARGO_BUILD_JOBS", "1")
        .differs_only_in("threads");
    Machine::new()
        .with("CARGO_BUILD_JOBS", "16")
        .differs_only_in("threads");
}

#[test]
fn another_day_gives_the_same_digest() {
    if !has("faketime") {
        return;
    }
    // Cargo and build scripts live on another day; rustc does not start with another
    // allocator's clock, and asks for no time.
    let sysroot = succeed(Command::new("rustc").args(["--print", "sysroot"])).stdout;
    let sysroot = String::from_utf8(sysroot).unwrap();
    let programs = Path::new(sysroot.trim()).join("bin");
    let shims = tempfile::tempdir().unwrap();
    for (name, line) in [
        ("cargo", "exec faketime -f +1500d"),
        ("rustc", "unset LD_PRELOAD; exec"),
    ] {
        let shim = shims.path().join(name);
        let program = programs.join(name);
        let text = format!("#!/bin/sh\n{line} {} \"$@\"\n", program.display());
        fs::write(&shim, text).unwrap();
        fs::set_permissions(&shim, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!(
        "{}:{}",
        shims.path().display(),
        std::env::var("PATH").unwrap()
    );
    Machine::new().with("PATH", &path).differs_only_in("days");
}

#[test]
fn another_user_gives_the_same_digest() {
    // Root becomes somebody, and somebody root: in a namespace, with the same files.
    let user = succeed(Command::new("id").arg("-u")).stdout;
    let root = user == b"0\n";
    let become_another: &[&str] = if root {
        &["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    } else {
        &["unshare", "--user", "--map-root-user"]
    };
    let possible = Command::new(become_another[0])
        .args(&become_another[1..])
        .arg("true")
        .status();
    if !possible.is_ok_and(|status| status.success()) {
        assert!(!in_ci(), "this machine must allow user namespaces");
        println!("skipped: no user namespaces here");
        return;
    }
    let machine = Machine::new().by(become_another);
    let names = ["USER", "LOGNAME"].map(|name| (name, "ada-of-another-machine"));
    let machine = names
        .into_iter()
        .fold(machine, |machine, (name, value)| machine.with(name, value));
    machine.differs_only_in("user");
}

#[test]
fn another_umask_gives_the_same_digest() {
    for umask in ["077", "000"] {
        let script = format!("umask {umask} && exec \"$0\" \"$@\"");
        let machine = Machine::new();
        // The checkout was made with it too.
        let mode = format!("u=rwX,go={}", if umask == "077" { "" } else { "rwX" });
        let mut change = Command::new("chmod");
        succeed(
            change
                .args(["--recursive", &mode])
                .arg(machine.path().join("hello")),
        );
        machine.by(&["sh", "-c", &script]).differs_only_in("umask");
    }
}

#[test]
fn another_language_and_time_zone_give_the_same_digest() {
    let machine = || {
        Machine::new()
            .with("LC_ALL", "tr_TR.UTF-8")
            .with("LANG", "tr_TR.UTF-8")
    };
    machine()
        .with("TZ", "Pacific/Kiritimati")
        .differs_only_in("zone");
    machine().with("TZ", "UTC").differs_only_in("language");
}

#[test]
fn what_git_ignores_beside_the_sources_gives_the_same_digest() {
    let machine = Machine::new();
    fs::write(machine.path().join(".env"), "TOKEN=secret").unwrap();
    fs::create_dir_all(machine.path().join("target/release")).unwrap();
    fs::write(machine.path().join("target/release/hello"), "no program").unwrap();
    machine.differs_only_in("beside");
}

#[test]
fn another_package_of_the_workspace_changes_no_layer() {
    let machine = Machine::new();
    let file = machine.path().join("other/src/lib.rs");
    fs::write(file, "pub fn other() { println!(\"changed\") }\n").unwrap();
    let project = Project {
        directory: machine.directory,
    };
    project.commit();
    let machine = Machine {
        directory: project.directory,
        ..Machine::new()
    };
    let (usual, here) = (usual(), machine.build());
    assert_ne!(usual.seen["neighbour"], here.seen["neighbour"]);
    assert_eq!(usual.receipt["layers"], here.receipt["layers"]);
}

#[test]
fn another_file_system_with_other_times_and_orders_gives_the_same_digest() {
    let memory = Path::new("/dev/shm");
    let Ok(directory) = tempfile::tempdir_in(memory) else {
        assert!(!in_ci(), "{} must be there", memory.display());
        println!("skipped: there is no {}", memory.display());
        return;
    };
    let machine = Machine::in_directory(directory);
    let files = machine.path().join("hello/static");
    let mut names: Vec<_> = fs::read_dir(&files)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    // A file system in memory lists what was made last first.
    for (name, age) in names.iter().zip(1..) {
        let text = fs::read(name).unwrap();
        fs::remove_file(name).unwrap();
        fs::write(name, text).unwrap();
        let then = std::time::UNIX_EPOCH + std::time::Duration::from_secs(age * 1_000_000);
        let file = fs::File::options().write(true).open(name).unwrap();
        file.set_modified(then).unwrap();
    }
    let source = fs::File::options()
        .write(true)
        .open(machine.path().join("hello/src/main.rs"));
    source.unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    // Programs may not be started from there everywhere.
    let target = tempfile::tempdir().unwrap();
    let machine = machine.with("CARGO_TARGET_DIR", target.path().to_str().unwrap());
    let (usual, here) = (usual(), machine.build());
    assert_ne!(usual.seen["order"], here.seen["order"]);
    assert_ne!(usual.seen["times"], here.seen["times"]);
    assert_eq!(usual.receipt["digest"], here.receipt["digest"]);
}
