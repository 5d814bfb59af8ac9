//! What a build of a Dockerfile says when it ends badly, and what it never says.

use std::process::Command;

use super::{BUILDAH, BUILDKIT, CLASSIC, Noting, PODMAN, project, write};
use crate::harness::{Project, both, longshore, succeed};

const TOKEN: &str = "correct-horse-battery-staple";

#[test]
fn a_secret_is_used_and_shows_nowhere() {
    for builder in [BUILDKIT, BUILDAH, PODMAN] {
        if !builder.is_here() {
            return;
        }
        let text = "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\n\
            RUN --mount=type=secret,id=TOKEN echo \"it is $(cat /run/secrets/TOKEN)\" && wc -c < /run/secrets/TOKEN > /length\n";
        let project = project(text);
        // A step that a builder has kept says nothing, also to another with the same store.
        let run = format!("it is {} {}", std::process::id(), builder.name);
        project.edit("Dockerfile", "it is", &run);
        project.edit(
            "longshore.toml",
            "dockerfile = {}",
            "dockerfile = { secrets = [\"TOKEN\"] }",
        );
        project.commit();
        let missing = builder.build(project.path()).output().unwrap();
        assert!(both(&missing).contains("E061") && both(&missing).contains("TOKEN"));

        let mut build = builder.longshore(project.path());
        let output = succeed(build.arg("build").env("TOKEN", TOKEN).env("CI", "true"));
        let told = both(&output);
        assert!(told.contains(&format!("{run} [redacted]")), "{told}");
        assert!(!both(&output).contains(TOKEN));
        let found = Command::new("grep")
            .args(["--recursive", "--files-with-matches", TOKEN])
            .arg(project.path())
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(found.stdout).unwrap(), "");

        project.edit(
            "Dockerfile",
            "wc -c < /run/secrets/TOKEN > /length",
            "cp /run/secrets/TOKEN /kept",
        );
        project.commit();
        let leaked = builder
            .build(project.path())
            .env("TOKEN", TOKEN)
            .output()
            .unwrap();
        let told = both(&leaked);
        assert_eq!(leaked.status.code(), Some(4), "{told}");
        assert!(
            told.contains("E062") && told.contains("kept") && !told.contains(TOKEN),
            "{told}"
        );
    }
}

/// As with a Docker of today that was installed without Buildx.
#[test]
fn a_docker_that_cannot_use_secrets_is_passed_over_for_buildah() {
    if !BUILDAH.is_here() {
        return;
    }
    let noting = Noting(tempfile::tempdir().unwrap());
    let script =
        "#!/bin/sh\ncase $1 in version) exit 0;; esac\necho buildx is missing >&2\nexit 1\n";
    noting.install("docker", script);
    let project = project("FROM scratch\nCOPY busybox /bin/busybox\n");
    let secrets = "dockerfile = { secrets = [\"TOKEN\"] }";
    project.edit("longshore.toml", "dockerfile = {}", secrets);
    project.commit();
    let mut build = longshore(project.path());
    noting.before(&mut build).env("TOKEN", TOKEN);
    succeed(build.arg("build"));
}

#[test]
fn a_step_that_fails_is_named_with_its_line_and_the_last_words() {
    for builder in [CLASSIC, BUILDKIT, BUILDAH, PODMAN] {
        if !builder.is_here() {
            return;
        }
        let text = "FROM scratch\nCOPY busybox /bin/busybox\n\n# A comment.\n\
            RUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\n\
            RUN echo so far so good; \\\n    echo and then >&2; exit 3\n";
        let project = project(text);
        let mut build = builder.longshore(project.path());
        let output = build.args(["build"]).output().unwrap();
        let told = both(&output);
        assert_eq!(output.status.code(), Some(4), "{told}");
        for word in ["E060", "Dockerfile:6: ", "so far so good", "and then"] {
            assert!(told.contains(word), "{}: {word}: {told}", builder.name);
        }
        let left: Vec<_> = std::fs::read_dir(project.path().join("target/longshore/dockerfile"))
            .unwrap()
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn where_nothing_builds_dockerfiles_the_error_says_what_to_install() {
    let project = Project::hello();
    write(
        project.path(),
        "Dockerfile",
        "FROM scratch\nCOPY Cargo.toml /\n",
    );
    project.edit(
        "longshore.toml",
        "package = \"hello\"\n",
        "name = \"hello\"\ndockerfile = {}\n",
    );
    project.commit();
    let nothing = tempfile::tempdir().unwrap();
    let git = succeed(Command::new("sh").args(["-c", "command -v git"]));
    let git = String::from_utf8(git.stdout).unwrap();
    std::os::unix::fs::symlink(git.trim(), nothing.path().join("git")).unwrap();
    for (builder, word) in [
        ("", "none of buildctl"),
        ("podman", "`podman` cannot be started"),
    ] {
        let mut build = longshore(project.path());
        build
            .arg("build")
            .env("PATH", nothing.path())
            .env("LONGSHORE_BUILDER", builder);
        let output = build.output().unwrap();
        let told = both(&output);
        assert_eq!(output.status.code(), Some(4), "{told}");
        for word in ["E061", "apt-get install buildah", word] {
            assert!(told.contains(word), "{word}: {told}");
        }
    }
}

#[test]
fn an_image_that_is_not_pinned_is_not_built_on() {
    let project = Project::hello();
    write(project.path(), "Dockerfile", "FROM debian:12\n");
    project.edit(
        "longshore.toml",
        "package = \"hello\"\n",
        "name = \"hello\"\ndockerfile = {}\n",
    );
    project.commit();
    let output = longshore(project.path()).arg("build").output().unwrap();
    let told = both(&output);
    assert!(
        told.contains("E018") && told.contains("docker.io/library/debian:12"),
        "{told}"
    );
}
