//! Several images of one workspace, built and published together.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Emulator, Project, assert_valid, both, json_of, longshore, succeed};
use crate::source::Cargo;

/// An image of a package that has a repository of its own.
fn image(name: &str, package: &str) -> String {
    format!(
        "[[image]]\nname = \"{name}\"\npackage = \"{package}\"\nprofile = \"dev\"\n\
         repository = \"team/{name}\"\nenvironment = {{ NAME = \"{name}\" }}\n\n"
    )
}

/// That repository.
fn resource(name: &str) -> String {
    format!("resource \"aws_ecr_repository\" \"{name}\" {{\n  name = \"team/{name}\"\n}}\n\n")
}

fn package(name: &str, rest: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{rest}")
}

/// A workspace of services that share a library, and a repository for each.
fn services(names: &[&str]) -> Project {
    let project = Project::hello();
    let write = |name: &str, text: &str| {
        let file = project.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    };
    let mut configuration = String::new();
    let mut resources = String::new();
    let mut lock = "version = 4\n".to_owned();
    let members: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let mut packages: Vec<_> = names.iter().map(ToString::to_string).collect();
    packages.push("library".to_owned());
    packages.sort_unstable();
    for name in &packages {
        write!(
            lock,
            "\n[[package]]\nname = \"{name}\"\nversion = \"0.1.0\"\n"
        )
        .unwrap();
        if name != "library" {
            lock += "dependencies = [\n \"library\",\n]\n";
        }
    }
    for name in names {
        configuration += &image(name, name);
        resources += &resource(name);
        let needs = "[dependencies]\nlibrary = { path = \"../library\" }\n";
        write(&format!("{name}/Cargo.toml"), &package(name, needs));
        let program = format!("fn main() {{ println!(\"{name} {{}}\", library::answer()); }}\n");
        write(&format!("{name}/src/main.rs"), &program);
    }
    configuration += "[aws]\nterraform = \"infra/production\"\naccount = \"123456789012\"\n";
    write("longshore.toml", &configuration);
    write("infra/production/services.tf", &resources);
    write(
        "Cargo.toml",
        &format!(
            "[workspace]\nresolver = \"3\"\nmembers = [\"library\", {}]\n",
            members.join(", ")
        ),
    );
    write("Cargo.lock", &lock);
    write(
        "library/Cargo.toml",
        &package("library", "[features]\nloud = []\n"),
    );
    let library = "pub fn answer() -> u32 { if cfg!(feature = \"loud\") { 43 } else { 42 } }\n";
    write("library/src/lib.rs", library);
    std::fs::remove_dir_all(project.path().join("src")).unwrap();
    project.commit();
    project
}

fn publish(project: &Project, emulator: &Emulator, cargo: &Cargo) -> Command {
    cargo.publish(project.path(), &emulator.variables)
}

fn run(command: &mut Command) -> Value {
    json_of(&succeed(command))["images"].clone()
}

fn digests(images: &Value) -> Vec<String> {
    let images = images.as_object().unwrap().values();
    let digests = images.map(|image| image["digest"].as_str().unwrap().to_owned());
    digests.collect()
}

async fn holds(emulator: &Emulator, repository: &str, tag: &str) -> bool {
    let reader = emulator.registry_reader().await;
    let path = format!("{repository}/manifests/{tag}");
    reader.get(&path).await.0 == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn services_of_one_workspace_are_compiled_by_one_cargo_and_what_is_there_by_none() {
    let project = services(&["api", "jobs", "web"]);
    let emulator = Emulator::start(project.path());
    let cargo = Cargo::new();
    let output = succeed(&mut publish(&project, &emulator, &cargo));
    let document = json_of(&output);
    assert_valid("docs/schemas/publish-receipts.json", &document);
    let first = document["images"].clone();
    let asked = cargo.asked();
    let builds = asked.iter().filter(|what| *what == "build").count();
    let metadata = asked.iter().filter(|what| *what == "metadata").count();
    assert_eq!((builds, metadata), (1, 1), "{asked:?}");
    for (name, image) in first.as_object().unwrap() {
        assert_eq!(image["repository"], format!("team/{name}"));
        assert_eq!(image["attestations"].as_array().unwrap().len(), 4);
        assert!(holds(&emulator, &format!("team/{name}"), "latest").await);
    }

    let again = run(&mut publish(&project, &emulator, &cargo));
    assert_eq!(cargo.asked(), [""; 0]);
    let mut plan = publish(&project, &emulator, &cargo);
    let plan = json_of(&succeed(plan.arg("--dry-run")));
    assert_valid("docs/schemas/publish-plans.json", &plan);
    assert_eq!(digests(&plan["images"]), digests(&first));
    cargo.asked();
    assert_eq!(digests(&again), digests(&first));
    for image in again.as_object().unwrap().values() {
        assert_eq!(image["unchanged"], true, "{image:#}");
    }

    project.edit("jobs/src/main.rs", "jobs", "trials");
    let tried = run(publish(&project, &emulator, &cargo).arg("--allow-dirty"));
    for image in tried.as_object().unwrap().values() {
        let tags = image["tags"].as_array().unwrap();
        assert_eq!(tags.len(), 1, "{image:#}");
        assert!(tags[0]["tag"].as_str().unwrap().contains("-dirty-"));
    }
    let api = &tried["api"]["layers"][1];
    assert_eq!(api["origin"], "reused", "{api}");
    cargo.asked();

    project.edit("jobs/src/main.rs", "trials", "tasks");
    project.commit();
    let changed = run(&mut publish(&project, &emulator, &cargo));
    for (name, image) in changed.as_object().unwrap() {
        let layers = image["layers"].as_array().unwrap();
        let origins: Vec<_> = layers
            .iter()
            .map(|layer| layer["origin"].as_str().unwrap())
            .collect();
        let program = if name == "jobs" { "new" } else { "reused" };
        assert_eq!(origins, ["reused", program], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_built_beside_an_image_does_not_shape_it() {
    let project = services(&["api", "jobs"]);
    // Together, the library would be loud for both.
    project.edit(
        "jobs/Cargo.toml",
        "path = \"../library\"",
        "path = \"../library\", features = [\"loud\"]",
    );
    project.commit();
    let build = |arguments: &[&str]| {
        let mut command = longshore(project.path());
        command.args(["build", "--format", "json"]).args(arguments);
        run(&mut command)
    };
    let together = build(&[]);
    let program = project.path().join("target/longshore/programs");
    let said = |name: &str| {
        let mut programs = std::fs::read_dir(&program)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let own = programs.find(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with(name)
        });
        let copy = project.path().join(format!("run-{name}"));
        std::fs::copy(own.unwrap(), &copy).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&copy, mode).unwrap();
        let output = succeed(&mut Command::new(&copy));
        std::fs::remove_file(copy).unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(
        (said("api"), said("jobs")),
        ("api 42\n".to_owned(), "jobs 43\n".to_owned())
    );
    std::fs::remove_dir_all(project.path().join("target")).unwrap();
    for name in ["jobs", "api"] {
        let alone = build(&["--image", name]);
        assert_eq!(alone[name]["digest"], together[name]["digest"], "{name}");
    }
}

/// Has the registry refuse manifests of `jobs`; returns where that is taken back.
async fn refuse_manifests_of_jobs(emulator: &Emulator) -> String {
    let rule = serde_json::json!({
        "when": { "method": "PUT", "path": "/v2/team/jobs/manifests/*" },
        "fault": { "refuse": { "status": 503 } },
    });
    add_fault(emulator, &rule).await
}

async fn add_fault(emulator: &Emulator, rule: &Value) -> String {
    let faults = format!("{}/_longshore/faults", emulator.url);
    let client = reqwest::Client::new();
    let answer = client.post(&faults).json(rule).send().await.unwrap();
    assert!(answer.status().is_success());
    faults
}

#[tokio::test(flavor = "multi_thread")]
async fn no_tag_is_moved_where_one_of_the_images_fails() {
    let project = services(&["api", "jobs"]);
    let emulator = Emulator::start(project.path());
    let faults = refuse_manifests_of_jobs(&emulator).await;
    let cargo = Cargo::new();
    let output = publish(&project, &emulator, &cargo).output().unwrap();
    assert!(!output.status.success(), "{}", both(&output));
    let problem = json_of(&output);
    let summary = problem["summary"].as_str().unwrap();
    assert!(
        summary.starts_with("no tag of any image was moved: "),
        "{problem:#}"
    );
    let facts = problem["facts"].to_string();
    assert!(
        facts.contains("jobs: ") && facts.contains("not tagged"),
        "{problem:#}"
    );
    assert!(!holds(&emulator, "team/api", "latest").await);

    reqwest::Client::new().delete(&faults).send().await.unwrap();
    let images = run(&mut publish(&project, &emulator, &cargo));
    assert_eq!(images["api"]["layers"][1]["origin"], "reused", "{images:#}");
    assert!(holds(&emulator, "team/jobs", "latest").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_had_its_tags_before_is_told_from_one_that_lacks_them() {
    let project = services(&["api", "jobs"]);
    let emulator = Emulator::start(project.path());
    let cargo = Cargo::new();
    let mut first = publish(&project, &emulator, &cargo);
    succeed(first.args(["--image", "api"]));
    refuse_manifests_of_jobs(&emulator).await;
    let output = publish(&project, &emulator, &cargo).output().unwrap();
    let facts = json_of(&output)["facts"].to_string();
    assert!(facts.contains("[\"tagged before\",\"api\"]"), "{facts}");
}

#[test]
fn all_images_are_rehearsed_together_and_checked_with_their_repositories() {
    let project = services(&["api", "jobs"]);
    let file = project.path().join("longshore.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let github =
        "[github]\nrepository = \"acme/portfolio\"\nowner-id = 1234567\nrepository-id = 7654321\n";
    std::fs::write(&file, text + "\n" + github).unwrap();
    project.commit();
    let mut rehearse = longshore(project.path());
    let output = rehearse
        .args(["rehearse", "--format", "json"])
        .output()
        .unwrap();
    let receipt = json_of(&output);
    // The role of this Terraform may push to one repository, and to no other.
    assert_eq!(receipt["passed"], false, "{receipt:#}");
    assert_eq!(receipt["problem"]["code"], "E031", "{receipt:#}");
    assert_eq!(receipt["images"]["jobs"]["publish"], Value::Null);

    let mut check = longshore(project.path());
    let output = check
        .args(["check", "--no-zizmor", "--format", "json"])
        .output()
        .unwrap();
    let findings = json_of(&output)["findings"].clone();
    let missing = findings.as_array().unwrap().iter();
    let missing = missing.filter(|finding| finding["rule"] == "permission-missing");
    let messages: Vec<_> = missing
        .map(|finding| finding["message"].to_string())
        .collect();
    assert_eq!(messages.len(), 2, "{findings:#}");
    for (message, name) in messages.iter().zip(["team/api", "team/jobs"]) {
        assert!(message.contains(name), "{message}");
    }

    let policy = "infra/modules/github-oidc/main.tf";
    let role = std::fs::read_to_string(project.path().join(policy)).unwrap();
    let resource = "resources = [var.repository_arn]";
    assert!(role.contains(resource), "{role}");
    let all = "resources = [\"arn:aws:ecr:*:123456789012:repository/team/*\"]";
    project.edit(policy, resource, all);
    project.commit();
    let mut rehearse = longshore(project.path());
    let receipt = json_of(&succeed(rehearse.args(["rehearse", "--format", "json"])));
    assert_valid("docs/schemas/rehearsal-receipt.json", &receipt);
    for name in ["api", "jobs"] {
        let publish = &receipt["images"][name]["publish"];
        assert_eq!(publish["repository"], format!("team/{name}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn layouts_of_another_job_are_published_by_the_digests_that_it_printed() {
    let project = services(&["api", "jobs"]);
    let output = succeed(longshore(project.path()).arg("build"));
    let printed = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = printed.lines().collect();
    assert!(lines[0].starts_with("api@sha256:") && lines[1].starts_with("jobs@sha256:"));
    let emulator = Emulator::start(project.path());
    let publish = |digests: &str, extra: &[&str]| {
        let mut command = longshore(project.path());
        command
            .args([
                "publish",
                "--layout",
                "target/longshore/layout",
                "--digest",
                digests,
            ])
            .args(extra)
            .current_dir(project.path())
            .envs(emulator.variables.iter().cloned());
        command
    };
    let missing = publish(lines[0], &[]).output().unwrap();
    assert!(!missing.status.success());
    assert!(both(&missing).contains("jobs"), "{}", both(&missing));
    let swapped = format!("api@{},jobs@{}", &lines[1][5..], &lines[0][4..]);
    let swapped = publish(&swapped, &[]).output().unwrap();
    assert!(!swapped.status.success(), "{}", both(&swapped));

    let output = succeed(&mut publish(&lines.join(","), &[]));
    let references = String::from_utf8(output.stdout).unwrap();
    let digest = |line: &str| line.split_once('@').unwrap().1.to_owned();
    let found: Vec<_> = references.lines().map(digest).collect();
    assert_eq!(found, [digest(lines[0]), digest(lines[1])]);
    let one = succeed(&mut publish(
        lines[1],
        &["--image", "jobs", "--format", "json"],
    ));
    assert_eq!(json_of(&one)["images"]["jobs"]["unchanged"], true);
    assert!(
        Path::new(
            &project
                .path()
                .join("target/longshore/layout/api/oci-layout")
        )
        .is_file()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_images_get_through_a_registry_that_throttles() {
    let project = services(&["api"]);
    let (mut configuration, mut resources) = (String::new(), String::new());
    for number in 0..50 {
        let name = format!("api-{number}");
        configuration += &image(&name, "api");
        resources += &resource(&name);
    }
    configuration += "[aws]\nterraform = \"infra/production\"\naccount = \"123456789012\"\n";
    std::fs::write(project.path().join("longshore.toml"), configuration).unwrap();
    let file = project.path().join("infra/production/services.tf");
    std::fs::write(file, resources).unwrap();
    project.commit();
    let emulator = Emulator::start(project.path());
    let rule = serde_json::json!({
        "when": { "method": "PUT", "path": "/v2/*/manifests/*" },
        "schedule": { "probability": 0.5, "seed": 1 },
        "fault": { "refuse": { "status": 429, "retry_after_seconds": 0 } },
    });
    add_fault(&emulator, &rule).await;
    let cargo = Cargo::new();
    let images = run(&mut publish(&project, &emulator, &cargo));
    let builds = cargo.asked().into_iter().filter(|what| what == "build");
    assert_eq!(builds.count(), 1);
    assert_eq!(images.as_object().unwrap().len(), 50);
    for image in images.as_object().unwrap().values() {
        assert_eq!(image["tags"][1]["moved"], true, "{image:#}");
        assert_eq!(image["attestations"].as_array().unwrap().len(), 4);
    }
}
