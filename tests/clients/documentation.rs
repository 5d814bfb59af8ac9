//! What `docs/emulator.md` shows is run, block by block, as a reader would paste
//! it: every block marked `sh`, the first one before those of each section.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::containers::has_docker_engine;
use super::terraform::provider;
use crate::harness::{Project, both, has, repository, succeed};

/// The blocks of one section, in their order.
struct Section {
    title: String,
    /// Programs of other people, from `<!-- needs: docker aws -->`.
    needs: Vec<String>,
    script: String,
}

/// What starts the emulator, and the sections after it that have blocks.
fn sections(page: &str) -> (String, Vec<Section>) {
    let mut found = vec![section("")];
    let mut in_block = false;
    for line in page.lines() {
        let last = found.last_mut().unwrap();
        if in_block {
            in_block = line != "```";
            if in_block {
                last.script.push_str(line);
            }
            last.script.push('\n');
        } else if line == "```sh" {
            in_block = true;
        } else if let Some(needs) = line
            .strip_prefix("<!-- needs: ")
            .and_then(|rest| rest.strip_suffix(" -->"))
        {
            last.needs.extend(needs.split(' ').map(str::to_owned));
        } else if let Some(title) = line.strip_prefix("## ") {
            found.push(section(title));
        }
    }
    let start = found.remove(0).script;
    found.retain(|section| !section.script.is_empty());
    (start, found)
}

fn section(title: &str) -> Section {
    Section {
        title: title.to_owned(),
        needs: Vec::new(),
        script: String::new(),
    }
}

/// `cargo longshore` as it is in a checkout, but of the binary under test, on a
/// port of its own.
fn cargo_in(directory: &Path, port: u16) {
    let script = format!(
        "#!/bin/sh\n\
         [ \"$1\" = longshore ] || exec '{cargo}' \"$@\"\n\
         shift\n\
         case \"$1 $2\" in\n\
         'emulator --' | 'emulator usage') ;;\n\
         'emulator snapshot'* | 'emulator restore' | 'emulator reset') ;;\n\
         emulator*) shift; set -- emulator --listen 127.0.0.1:{port} \"$@\" ;;\n\
         esac\n\
         exec '{longshore}' \"$@\"\n",
        cargo = std::env::var("CARGO").unwrap(),
        longshore = env!("CARGO_BIN_EXE_longshore"),
    );
    let path = directory.join("cargo");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// `terraform init` takes the provider from the directory that was given.
fn plugins() -> String {
    let directory = std::env::var("TERRAFORM_PLUGIN_DIR");
    directory.map_or_else(
        |_| String::new(),
        |directory| format!("-plugin-dir={directory}"),
    )
}

/// The project, with an `infra/` that the provider of the tests can apply.
fn project() -> Project {
    let (project, _) = Project::built();
    let infra = project.path().join("infra");
    std::fs::remove_dir_all(&infra).unwrap();
    succeed(Command::new(repository().join("infra/copy-for-old-provider.sh")).arg(&infra));
    project.commit();
    project
}

/// Runs one section in a project of its own. Everything that it starts in the
/// background ends with it.
fn run(start: &str, section: &Section) {
    let project = project();
    let port = free_port();
    let programs = tempfile::tempdir().unwrap();
    cargo_in(programs.path(), port);
    // A section that starts an emulator of its own has no need of the first.
    let starts_its_own = section.script.contains("cargo longshore emulator --");
    let start = if starts_its_own { "" } else { start };
    let script = format!(
        "set -eu\ntrap 'for job in $(jobs -p); do kill \"$job\"; done' EXIT\n{start}{}",
        section.script
    )
    .replace("4566", &port.to_string());
    let path = format!(
        "{}:{}",
        programs.path().display(),
        std::env::var("PATH").unwrap()
    );
    let home = tempfile::tempdir().unwrap();
    // What a control refuses is a failure here too.
    std::fs::write(home.path().join(".curlrc"), "fail-with-body\n").unwrap();
    let mut command = Command::new("bash");
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("AWS_") || name.starts_with("GITHUB_") {
            command.env_remove(name);
        }
    }
    let output = command
        .args(["-c", &script])
        .current_dir(project.path())
        .env("PATH", path)
        .env("HOME", home.path())
        .env("AWS_PAGER", "")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .env("TF_CLI_ARGS_init", plugins())
        .env("TF_CLI_ARGS_apply", "-auto-approve")
        .env("STORAGE_DRIVER", "vfs")
        .env("REGISTRY_AUTH_FILE", home.path().join("auth.json"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "the section {:?} of docs/emulator.md fails:\n{script}\n{}",
        section.title,
        both(&output)
    );
}

#[test]
fn every_block_of_the_emulators_page_runs_as_it_is_shown() {
    let page = std::fs::read_to_string(repository().join("docs/emulator.md")).unwrap();
    let (start, sections) = sections(&page);
    assert!(start.contains("cargo longshore emulator"), "{start}");
    assert!(sections.len() > 3, "few sections have blocks marked sh");
    std::thread::scope(|scope| {
        for section in &sections {
            let is_there = |program: &String| match program.as_str() {
                "docker" => has_docker_engine(),
                "terraform" => has(program) && provider().is_some(),
                program => has(program),
            };
            if section.needs.iter().all(is_there) {
                scope.spawn(|| run(&start, section));
            }
        }
    });
}

#[test]
fn only_blocks_marked_sh_are_taken_in_their_order() {
    let page = "```sh\nstart\n```\n## A\n<!-- needs: aws -->\n```\nshown\n```\n\
                ```sh\none\n```\ntext\n```sh\ntwo\n```\n## B\nnothing\n";
    let (start, sections) = sections(page);
    assert_eq!(start, "start\n\n");
    assert_eq!(sections.len(), 1);
    assert_eq!(sections[0].script, "one\n\ntwo\n\n");
    assert_eq!(sections[0].needs, ["aws"]);
}
