//! Publishing to the emulator's registry.

use std::fs::File;

use serde_json::{Value, json};

use crate::harness::{
    Emulator, Project, REPOSITORY, assert_valid, both, json_of, longshore, succeed,
};

#[tokio::test]
async fn the_publisher_pushes_and_the_second_time_nothing_is_sent() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;

    let first = json_of(&succeed(
        project.publish(&digest, &job).args(["--format", "json"]),
    ));
    assert_eq!(first["digest"], digest);
    assert_eq!(first["unchanged"], false);
    assert_eq!(first["layers"][0]["origin"], "new");
    let arn = first["identity"]["principal"].as_str().unwrap();
    assert!(
        arn.contains("assumed-role/portfolio-publisher/") && arn.contains("42"),
        "{arn}"
    );

    let second = json_of(&succeed(
        project.publish(&digest, &job).args(["--format", "json"]),
    ));
    assert_eq!(second["unchanged"], true);
    assert_eq!(second["sent_bytes"], 0);

    let registry = emulator.registry_reader().await;
    let by_latest = registry.complete_image("latest").await.unwrap();
    let commit = first["tags"][0]["tag"].as_str().unwrap();
    assert_eq!(registry.complete_image(commit).await.unwrap(), by_latest);
    assert_eq!(commit.len(), 40);
}

#[tokio::test]
async fn stdout_is_the_reference_and_nothing_else() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    let output = succeed(&mut project.publish(&digest, &job));
    let expected = format!("{}/{REPOSITORY}@{digest}\n", emulator.registry());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

#[tokio::test]
async fn github_gets_outputs_and_a_summary() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let mut job = emulator.publisher().await;
    let (outputs, summary) = (
        project.path().join("outputs"),
        project.path().join("summary"),
    );
    job.push(("GITHUB_ACTIONS".to_owned(), "true".to_owned()));
    job.push(("GITHUB_OUTPUT".to_owned(), outputs.display().to_string()));
    job.push((
        "GITHUB_STEP_SUMMARY".to_owned(),
        summary.display().to_string(),
    ));
    succeed(&mut project.publish(&digest, &job));
    assert!(
        std::fs::read_to_string(outputs)
            .unwrap()
            .contains(&format!("digest={digest}\n"))
    );
    assert!(
        std::fs::read_to_string(summary)
            .unwrap()
            .contains("### Published")
    );
}

#[tokio::test]
async fn a_changed_image_sends_only_the_changed_layer_and_moves_latest() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    succeed(&mut project.publish(&digest, &emulator.publisher().await));

    project.edit("src/main.rs", "\\r\\n\\r\\nok", "\\r\\n\\r\\nOK");
    project.commit();
    let built = json_of(&succeed(
        longshore(project.path()).args(["build", "--format", "json"]),
    ));
    let changed = built["digest"].as_str().unwrap();
    let job = emulator.publisher().await;
    let receipt = json_of(&succeed(
        project.publish(changed, &job).args(["--format", "json"]),
    ));
    assert_eq!(receipt["layers"][0]["origin"], "reused");
    assert_eq!(receipt["layers"][1]["origin"], "new");
    assert_eq!(
        receipt["tags"][1]["previous"], digest,
        "latest moved from the first image"
    );
}

#[tokio::test]
async fn an_immutable_tag_on_another_image_ends_the_publish_before_a_byte_is_sent() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    succeed(&mut project.publish(&digest, &job));

    // The same commit, but a configuration that git is told not to look at.
    project.git(&["update-index", "--assume-unchanged", "longshore.toml"]);
    project.edit("longshore.toml", "health = \"/\"", "health = \"/other\"");
    let mut build = longshore(project.path());
    let build = json_of(&succeed(build.args(["build", "--format", "json"])));
    let other = build["digest"].as_str().unwrap();
    assert_ne!(other, digest);

    let output = project
        .publish(other, &job)
        .args(["--format", "json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(6), "{}", both(&output));
    assert_eq!(json_of(&output)["code"], "E032");
    let registry = emulator.registry_reader().await;
    let (status, _) = registry
        .get(&format!("{REPOSITORY}/manifests/{other}"))
        .await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_dry_run_shows_the_plan_and_asks_nobody() {
    let (project, digest) = Project::built();
    let output = succeed(project.publish(&digest, &[]).arg("--dry-run"));
    let plan = String::from_utf8(output.stdout).unwrap();
    assert!(
        plan.contains(&digest) && plan.contains(REPOSITORY) && plan.contains("latest"),
        "{plan}"
    );
}

#[tokio::test]
async fn machines_read_the_plan_of_a_dry_run() {
    let (project, digest) = Project::built();
    let mut publish = project.publish(&digest, &[]);
    let plan = json_of(&succeed(publish.args(["--dry-run", "--format", "json"])));
    assert_valid("docs/schemas/publish-plan.json", &plan);
    assert_eq!(plan["digest"], digest);
    assert_eq!(plan["repository"], REPOSITORY);
    assert_eq!(plan["account"], "123456789012");
    assert_eq!(plan["moving_tags"], json!(["latest"]));
}

#[tokio::test]
async fn uncommitted_changes_move_no_tag_and_each_try_has_a_tag_of_its_own() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    let first = json_of(&succeed(
        project.publish(&digest, &job).args(["--format", "json"]),
    ));
    let commit = first["tags"][0]["tag"].as_str().unwrap();
    let publish = |format: &str| {
        let mut publish = longshore(project.path());
        publish.args(["publish", "--allow-dirty", "--format", format]);
        succeed(publish.envs(job.iter().cloned()))
    };
    let mut tags = Vec::new();
    for body in ["one", "two"] {
        project.edit("src/main.rs", "smallest", &format!("{body} smallest"));
        project.edit("longshore.toml", "health = \"/", "health = \"/x");
        let tried = json_of(&publish("json"));
        let set = tried["tags"].as_array().unwrap();
        assert_eq!(set.len(), 1, "{tried:#}");
        let tag = set[0]["tag"].as_str().unwrap().to_owned();
        let hex = tried["digest"].as_str().unwrap();
        let hex = &hex["sha256:".len()..][..12];
        assert_eq!(tag, format!("{commit}-dirty-{hex}"));
        let said = both(&publish("text"));
        assert!(said.contains("unchanged"), "{said}");
        assert!(said.contains("no other tag moves"), "{said}");
        tags.push(tag);
    }
    assert_ne!(tags[0], tags[1]);
    let registry = emulator.registry_reader().await;
    let by_latest = registry.complete_image("latest").await.unwrap();
    assert_eq!(registry.complete_image(commit).await.unwrap(), by_latest);
}

#[tokio::test]
async fn a_result_that_cannot_be_printed_is_no_success() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    let full = || File::options().write(true).open("/dev/full").unwrap();
    for format in ["text", "json"] {
        let mut publish = project.publish(&digest, &job);
        publish.args(["--format", format]).stdout(full());
        let output = publish.output().unwrap();
        assert_eq!(output.status.code(), Some(8), "{}", both(&output));
        let said = both(&output);
        assert!(
            said.contains("E052") && said.contains("published"),
            "{said}"
        );
    }
    let registry = emulator.registry_reader().await;
    assert!(registry.complete_image("latest").await.is_some());

    // A reader that has gone.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut plan = project.publish(&digest, &[]);
    let output = plan.arg("--dry-run").stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(8), "{}", both(&output));
    assert!(both(&output).contains("Broken pipe"), "{}", both(&output));

    // What is only read may be read in part: `longshore check | head`.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut rules = longshore(project.path());
    let rules = rules
        .args(["check", "--explain", "trust-name-only"])
        .stdout(writer);
    let output = rules.output().unwrap();
    assert_eq!((both(&output).trim(), output.status.code()), ("", Some(0)));
}

#[tokio::test]
async fn a_receipt_that_cannot_be_written_is_found_out_before_anything_is_pushed() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    let mut publish = project.publish(&digest, &job);
    publish.args(["--format", "json", "--receipt", "/nonexistent/receipt.json"]);
    let output = publish.output().unwrap();
    assert_eq!(output.status.code(), Some(8), "{}", both(&output));
    assert_eq!(json_of(&output)["code"], "E052");
    let registry = emulator.registry_reader().await;
    assert!(registry.complete_image("latest").await.is_none());
}

#[test]
fn who_cannot_sign_here_is_refused_before_anything_is_looked_at() {
    let project = Project::hello();
    let key = "[publish]\nsigning-key = \"keyless\"\n\n[aws]";
    project.edit("longshore.toml", "[aws]", key);
    let to = ["--to", "localhost:1/team/app"];
    for (arguments, says) in [(&[][..], "from a workflow"), (&to[..], "`env://NAME`")] {
        let mut publish = longshore(project.path());
        publish.args(["publish", "--allow-dirty"]).args(arguments);
        let output = publish.output().unwrap();
        let said = both(&output);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains("E015") && said.contains(says), "{said}");
        assert!(said.contains("nothing was pushed"), "{said}");
        assert!(!said.contains("looking"), "{said}");
    }
}

#[tokio::test]
async fn no_output_or_trail_holds_a_token_or_a_password() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    let output = project
        .publish(&digest, &job)
        .args(["--format", "json"])
        .output()
        .unwrap();
    let refused = emulator.job("acme/portfolio", "refs/heads/other").await;
    let refusal = project.publish(&digest, &refused).output().unwrap();
    assert_eq!(refusal.status.code(), Some(5), "{}", both(&refusal));

    let mut seen = both(&output) + &both(&refusal);
    let trail = format!("{}/_longshore/trail", emulator.url);
    seen += &reqwest::get(trail).await.unwrap().text().await.unwrap();
    assert!(
        seen.contains("AssumeRoleWithWebIdentity"),
        "the trail is there"
    );
    let secrets = job
        .iter()
        .chain(&refused)
        .filter(|(name, _)| name.ends_with("_TOKEN"));
    for (_, secret) in secrets {
        assert!(!seen.contains(secret.as_str()));
    }
    // Every JSON web token begins so.
    assert!(!seen.contains("eyJ"), "{seen}");
    let trail_of_secret = emulator
        .variables
        .iter()
        .find(|(name, _)| name == "AWS_SECRET_ACCESS_KEY");
    assert!(!seen.contains(&trail_of_secret.unwrap().1));
    let _: Value = json_of(&output);
}
