//! Publishing to the emulator's registry.

use serde_json::Value;

use crate::harness::{Emulator, Project, REPOSITORY, both, json_of, longshore, succeed};

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
    succeed(&mut project.publish(&digest, &emulator.publisher().await));

    // The same commit, but a configuration that is not part of it.
    project.edit("longshore.toml", "health = \"/\"", "health = \"/other\"");
    let build = longshore(project.path())
        .args(["build", "--allow-dirty", "--format", "json"])
        .output()
        .unwrap();
    let other = json_of(&build)["digest"].as_str().unwrap().to_owned();
    project.edit(
        "longshore.toml",
        "[aws]",
        "[publish]\nimmutable-tag = \"{short-commit}\"\n\n[aws]",
    );
    let job = emulator.publisher().await;
    succeed(&mut project.publish(&other, &job));
    project.edit(
        "longshore.toml",
        "health = \"/other\"",
        "health = \"/third\"",
    );
    let build = longshore(project.path())
        .args(["build", "--allow-dirty", "--format", "json"])
        .output()
        .unwrap();
    let third = json_of(&build)["digest"].as_str().unwrap().to_owned();

    let output = project
        .publish(&third, &job)
        .args(["--format", "json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(6), "{}", both(&output));
    assert_eq!(json_of(&output)["code"], "E032");
    let registry = emulator.registry_reader().await;
    let (status, _) = registry
        .get(&format!("{REPOSITORY}/manifests/{third}"))
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
