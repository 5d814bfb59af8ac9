use fs_err as fs;
use tempfile::TempDir;

use super::*;
use crate::Environment;

/// A checkout with a program that reads a file and a variable besides its own
/// sources, a library that it uses, and a package that it does not.
struct Checkout(TempDir);

const FILES: [(&str, &str); 8] = [
    (
        "Cargo.toml",
        "[workspace]\nmembers = [\"program\", \"library\", \"other\"]\nresolver = \"3\"\n",
    ),
    ("outside.txt", "1"),
    (
        "program/Cargo.toml",
        "[package]\nname = \"program\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         [dependencies]\nlibrary = { path = \"../library\" }\n",
    ),
    (
        "program/src/main.rs",
        "fn main() { println!(\"{} {:?}\", include_str!(\"../../outside.txt\"), \
         option_env!(\"GREETING\")); library::f(); }\n",
    ),
    ("program/www/index.html", "hello"),
    (
        "library/Cargo.toml",
        "[package]\nname = \"library\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    ),
    ("library/src/lib.rs", "pub fn f() {}\n"),
    (
        "library/build.rs",
        "fn main() { println!(\"cargo::rerun-if-env-changed=SCRIPTED\"); }\n",
    ),
];

impl Checkout {
    fn new() -> Self {
        let checkout = Self(TempDir::new().unwrap());
        for (name, text) in FILES {
            checkout.write(name, text);
        }
        let other = FILES[5].1.replace("library", "other");
        checkout.write("other/Cargo.toml", &other);
        checkout.write("other/src/lib.rs", "");
        checkout.write(".gitignore", "target\n");
        checkout.write(
            "Cargo.lock",
            "version = 4\n\n[[package]]\nname = \"library\"\nversion = \"0.1.0\"\n\n\
             [[package]]\nname = \"other\"\nversion = \"0.1.0\"\n\n\
             [[package]]\nname = \"program\"\nversion = \"0.1.0\"\ndependencies = [\n \"library\",\n]\n",
        );
        let git = std::process::Command::new("git")
            .args(["init", "--quiet"])
            .arg(checkout.0.path())
            .status();
        assert!(git.unwrap().success());
        checkout
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.0.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn build(&self, variables: &[(&str, &str)]) -> CargoBuild {
        let pairs = variables.iter();
        let pairs = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        CargoBuild {
            linking: Linking::Static,
            workspace: self.0.path().canonicalize().unwrap(),
            package: "program".to_owned(),
            binary: None,
            features: Vec::new(),
            default_features: true,
            target: "x86_64-unknown-linux-gnu".to_owned(),
            profile: "dev".to_owned(),
            source_date_epoch: 0,
            environment: pairs.collect::<Environment>(),
            set_aside: vec!["program/www".into()],
            target_directory: None,
        }
    }

    async fn read(&self) -> Workspace {
        Workspace::read(&self.build(&[])).await.unwrap()
    }

    async fn inputs(&self) -> Inputs {
        self.read().await.inputs(&Declared::default()).unwrap()
    }
}

fn names(changes: &[crate::Change]) -> Vec<&str> {
    changes.iter().map(|change| &*change.name).collect()
}

#[tokio::test]
async fn the_same_files_in_two_directories_have_the_same_inputs() {
    let (one, other) = (Checkout::new(), Checkout::new());
    other.write("notes.txt", "a neighbour of the packages");
    assert_eq!(one.inputs().await, other.inputs().await);
    let document = String::from_utf8(one.inputs().await.document()).unwrap();
    let place = one.0.path().display().to_string();
    assert!(!document.contains(&place), "{document}");
    assert!(document.contains("file:library/src/lib.rs"), "{document}");
}

#[tokio::test]
async fn what_a_package_is_made_of_counts_and_its_neighbours_do_not() {
    let checkout = Checkout::new();
    let before = checkout.inputs().await;
    checkout.write("other/src/lib.rs", "pub fn changed() {}\n");
    checkout.write("program/www/index.html", "an asset");
    assert_eq!(checkout.inputs().await, before);

    checkout.write("library/src/lib.rs", "pub fn f() { }\n");
    checkout.write("library/src/new.rs", "");
    checkout.write("program/.cargo/config.toml", "");
    let after = checkout.inputs().await;
    assert_eq!(
        names(&after.changes_since(&before)),
        [
            "file:library/src/lib.rs",
            "file:library/src/new.rs",
            "file:program/.cargo/config.toml"
        ]
    );
    fs::remove_file(checkout.0.path().join("library/build.rs")).unwrap();
    let gone = checkout.inputs().await.changes_since(&after);
    assert_eq!(names(&gone), ["file:library/build.rs"]);
    assert_eq!(gone[0].after, None);
}

#[tokio::test]
async fn a_package_that_becomes_a_dependency_counts_from_then_on() {
    let checkout = Checkout::new();
    checkout.inputs().await;
    checkout.write(
        "library/Cargo.toml",
        &format!(
            "{}[dependencies]\nother = {{ path = \"../other\" }}\n",
            FILES[5].1
        ),
    );
    let lock = fs::read_to_string(checkout.0.path().join("Cargo.lock")).unwrap();
    let library = "name = \"library\"\nversion = \"0.1.0\"\n";
    let with = format!("{library}dependencies = [\n \"other\",\n]\n");
    checkout.write("Cargo.lock", &lock.replacen(library, &with, 1));
    let before = checkout.inputs().await;
    checkout.write("other/src/lib.rs", "pub fn changed() {}\n");
    let changes = checkout.inputs().await.changes_since(&before);
    assert_eq!(names(&changes), ["file:other/src/lib.rs"]);
}

#[tokio::test]
async fn features_are_inputs_and_bring_in_what_they_need() {
    let checkout = Checkout::new();
    let extra = "other = { path = \"../other\", optional = true }\n\
                 [features]\ndefault = [\"plain\"]\nplain = []\nextra = [\"dep:other\"]\n";
    checkout.write("program/Cargo.toml", &format!("{}{extra}", FILES[2].1));
    let lock = fs::read_to_string(checkout.0.path().join("Cargo.lock")).unwrap();
    checkout.write(
        "Cargo.lock",
        &lock.replace(" \"library\",\n", " \"library\",\n \"other\",\n"),
    );
    let without = checkout.read().await;
    let mut build = checkout.build(&[]);
    build.features = vec!["extra".to_owned()];
    build.default_features = false;
    let with = Workspace::read(&build).await.unwrap();
    let inputs = |workspace: &Workspace| workspace.inputs(&Declared::default()).unwrap();
    let changes = inputs(&with).changes_since(&inputs(&without));
    assert_eq!(
        names(&changes),
        ["features", "file:other/Cargo.toml", "file:other/src/lib.rs"]
    );
    let packages = async |workspace: &Workspace| {
        let packages = workspace.dependencies().await.unwrap().packages;
        let names = packages.into_iter().map(|package| package.name);
        names.collect::<Vec<_>>()
    };
    assert_eq!(packages(&without).await, ["library", "program"]);
    assert_eq!(packages(&with).await, ["library", "other", "program"]);
    let checks =
        "#[cfg(any(feature = \"plain\", not(feature = \"extra\")))] compile_error!(\"no\");\n";
    checkout.write("program/src/main.rs", &format!("{checks}fn main() {{}}\n"));
    let workspace = Workspace::read(&build).await.unwrap();
    CargoBuild::run(&[&workspace], &|_| {}).await.unwrap();
}

#[tokio::test]
async fn a_compile_is_known_again_until_anything_that_it_looked_at_changes() {
    let checkout = Checkout::new();
    assert!(checkout.read().await.compiled().unwrap().is_none());
    let compiled = CargoBuild::run(&[&checkout.read().await], &|_| {}).await;
    let compiled = compiled.unwrap().remove(0);
    let expected = Declared {
        libraries: BTreeMap::new(),
        files: BTreeSet::from(["outside.txt".to_owned()]),
        environment: ["GREETING", "SCRIPTED"].map(str::to_owned).into(),
    };
    assert_eq!(compiled.declared, expected);

    let again = checkout.read().await.compiled().unwrap().unwrap();
    assert_eq!(again.inputs, compiled.inputs);
    assert_eq!(again.binary, compiled.binary);
    for name in ["GREETING", "SCRIPTED", "CARGO_PROFILE_DEV_DEBUG"] {
        let workspace = Workspace::read(&checkout.build(&[(name, "x")]))
            .await
            .unwrap();
        assert!(workspace.compiled().unwrap().is_none(), "{name}");
        let inputs = workspace.inputs(&compiled.declared).unwrap();
        let name = format!("environment:{name}");
        assert_eq!(names(&inputs.changes_since(&compiled.inputs)), [&*name]);
    }

    checkout.write("outside.txt", "2");
    let changed = checkout.read().await;
    assert!(changed.compiled().unwrap().is_none());
    let changes = changed.inputs(&compiled.declared).unwrap();
    let changes = changes.changes_since(&compiled.inputs);
    assert_eq!(names(&changes), ["file:outside.txt"]);

    checkout.write("outside.txt", "1");
    assert!(checkout.read().await.compiled().unwrap().is_some());
    fs::write(&compiled.binary.path, "another").unwrap();
    assert!(checkout.read().await.compiled().unwrap().is_none());
}

#[tokio::test]
async fn what_is_set_aside_counts_once_a_compile_has_looked_into_it() {
    let checkout = Checkout::new();
    let workspace = checkout.read().await;
    let declared = Declared {
        files: BTreeSet::from(["program/www/index.html".to_owned()]),
        ..Declared::default()
    };
    let before = workspace.inputs(&declared).unwrap();
    checkout.write("program/www/second.html", "");
    let after = checkout.read().await.inputs(&declared).unwrap();
    assert_eq!(
        names(&after.changes_since(&before)),
        ["file:program/www/second.html"]
    );
}

#[tokio::test]
async fn a_file_that_changes_during_the_compile_leaves_inputs_that_nothing_equals() {
    let checkout = Checkout::new();
    let workspace = checkout.read().await;
    checkout.write("library/src/lib.rs", "pub fn f() { let _ = 1; }\n");
    let compiled = CargoBuild::run(&[&workspace], &|_| {}).await;
    let compiled = compiled.unwrap().remove(0);
    assert!(checkout.read().await.compiled().unwrap().is_none());
    let inputs = checkout.read().await.inputs(&compiled.declared).unwrap();
    let changes = inputs.changes_since(&compiled.inputs);
    assert_eq!(names(&changes), [UNSETTLED]);
}

/// A target of another processor than this machine's, whose library is not installed.
const FOREIGN: &str = if cfg!(target_arch = "aarch64") {
    "x86_64-unknown-linux-gnu"
} else {
    "aarch64-unknown-linux-gnu"
};

/// A linker that says its version, and where its C library is.
fn linker(checkout: &Checkout, version: &str, library: &str) {
    checkout.write("tools/libc.a", library);
    let tools = checkout.0.path().join("tools");
    let text = format!(
        "#!/bin/sh\ncase $1 in --version) echo '{version}';; *) echo '{}/libc.a';; esac\n",
        tools.display()
    );
    checkout.write("tools/text", &text);
    // A file that this process wrote may be open in one that is being started, and cannot
    // be started itself then.
    let mut install = std::process::Command::new("install");
    install
        .args(["-m", "755", "text", "ld"])
        .current_dir(&tools);
    assert!(install.status().unwrap().success());
}

#[tokio::test]
async fn a_configured_linker_its_version_and_its_c_library_are_inputs() {
    let checkout = Checkout::new();
    let architecture = FOREIGN.split('-').next().unwrap();
    let by_cfg = format!("[target.'cfg(target_arch = \"{architecture}\")']\n");
    checkout.write(
        ".cargo/config.toml",
        &format!("{by_cfg}linker = \"tools/ld\"\n"),
    );
    let mut build = checkout.build(&[]);
    build.target = FOREIGN.to_owned();
    let inputs = async || {
        let workspace = Workspace::read(&build).await.unwrap();
        workspace.inputs(&Declared::default()).unwrap()
    };
    linker(&checkout, "cross 1", "first");
    let first = inputs().await;
    let document = String::from_utf8(first.document()).unwrap();
    assert!(
        document.contains(r#""linker":"cross 1""#) && document.contains("c-library"),
        "{document}"
    );
    linker(&checkout, "cross 2", "first");
    let second = inputs().await;
    assert_eq!(names(&second.changes_since(&first)), ["linker"]);
    linker(&checkout, "cross 2", "another");
    let third = inputs().await;
    assert_eq!(names(&third.changes_since(&second)), ["c-library"]);
    // What tells no version is known by its bytes.
    linker(&checkout, "", "another");
    let unknown = inputs().await;
    let digest = hash(&checkout.0.path().join("tools/ld")).unwrap();
    assert_eq!(
        unknown.changes_since(&third)[0].after,
        Some(digest.to_string())
    );
}

#[tokio::test]
async fn a_configured_linker_and_library_are_left_to_cargo() {
    let checkout = Checkout::new();
    let mut build = checkout.build(&[("PATH", "/nowhere")]);
    build.target = FOREIGN.to_owned();
    let missing = async |config: &str| {
        checkout.write(".cargo/config.toml", config);
        let workspace = Workspace::read(&build).await.unwrap();
        match workspace.linker() {
            Err(BuildError::NoTarget {
                installed, linked, ..
            }) => (!installed, !linked),
            other => {
                other.unwrap();
                (false, false)
            }
        }
    };
    let library = "[unstable]\nbuild-std = [\"std\"]\n";
    let linker = "[target.'cfg(unix)']\nlinker = \"tools/ld\"\n";
    assert_eq!(missing("").await, (true, true));
    assert_eq!(missing(library).await, (false, true));
    assert_eq!(missing(linker).await, (true, false));
    assert_eq!(missing(&format!("{linker}{library}")).await, (false, false));
    checkout.write(".cargo/more.toml", &format!("{linker}{library}"));
    assert_eq!(missing("include = [\"more.toml\"]\n").await, (false, false));
    // Cargo is given our flags in the place of these.
    let flags = format!("[target.{FOREIGN}]\nrustflags = [\"-Clinker=tools/ld\"]\n");
    assert_eq!(missing(&format!("{flags}{library}")).await, (false, true));
}
