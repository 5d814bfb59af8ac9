//! zizmor is run where it is there, and missed where it is not.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use super::Flawed;
use crate::harness::{json_of, longshore, succeed};

/// Runs a check with a `PATH` on which there is git, and a zizmor of this text.
fn skipped(flawed: &Flawed, zizmor: Option<&str>) -> String {
    let programs = tempfile::tempdir().unwrap();
    let git = succeed(Command::new("sh").args(["-c", "command -v git"])).stdout;
    let git = PathBuf::from(String::from_utf8(git).unwrap().trim());
    std::os::unix::fs::symlink(git, programs.path().join("git")).unwrap();
    if let Some(script) = zizmor {
        let file = programs.path().join("zizmor");
        std::fs::write(&file, script).unwrap();
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&file, executable).unwrap();
    }
    let mut command = longshore(flawed.path());
    command
        .args(["check", "--format", "json"])
        .env("PATH", programs.path());
    json_of(&command.output().unwrap())["skipped"].to_string()
}

#[test]
fn without_zizmor_a_line_says_how_to_install_it() {
    let line = skipped(&Flawed::new(), None);
    assert!(line.contains("pip install zizmor"), "{line}");
}

#[test]
fn zizmor_is_run_offline_on_the_workflows() {
    let script = "#!/bin/sh\ncase \"$*\" in *--offline*--format=json*.github/workflows) echo '[]';; *) exit 1;; esac\n";
    assert_eq!(skipped(&Flawed::new(), Some(script)), "[]");
}

#[test]
fn a_zizmor_that_fails_or_babbles_is_told() {
    let failing = skipped(
        &Flawed::new(),
        Some("#!/bin/sh\necho 'fatal: no' >&2\nexit 3\n"),
    );
    assert!(failing.contains("zizmor failed: fatal: no"), "{failing}");
    let babbling = skipped(&Flawed::new(), Some("#!/bin/sh\necho hello\n"));
    assert!(babbling.contains("zizmor"), "{babbling}");
}

#[test]
fn without_workflows_nobody_misses_zizmor() {
    let flawed = Flawed::new();
    std::fs::remove_dir_all(flawed.path().join(".github")).unwrap();
    assert_eq!(skipped(&flawed, None), "[]");
}
