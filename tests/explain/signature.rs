//! The signature of a token, verified with the key set of its issuer.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

/// A fresh token of the emulator's issuer, whose keys are in `jwks.json`.
async fn minted(project: &Project) -> (Emulator, String) {
    let emulator = Emulator::start(project.path());
    let job = emulator.job("acme/portfolio", "refs/heads/main").await;
    let token = token_of(&job).await;
    let keys = format!("{}/github/.well-known/jwks", emulator.url);
    let keys = reqwest::get(keys).await.unwrap().error_for_status();
    let keys = keys.unwrap().bytes().await.unwrap();
    std::fs::write(project.path().join("jwks.json"), keys).unwrap();
    (emulator, token)
}

fn verified(project: &Project, token: &str, arguments: &[&str]) -> Output {
    let given = ["--token-file", "-", "--jwks", "jwks.json"];
    with_input(
        explain(project.path(), &given).args(arguments),
        &format!("{token}\n"),
    )
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test]
async fn a_token_of_the_issuer_is_verified_and_one_that_is_not_is_refused() {
    let project = Project::hello();
    let (_emulator, token) = minted(&project).await;
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("no token");
    };
    let id = URL_SAFE_NO_PAD.decode(header).unwrap();
    let id = serde_json::from_slice::<Value>(&id).unwrap()["kid"].clone();
    let id = id.as_str().unwrap();

    let good = verified(&project, &token, &[]);
    assert_eq!(good.status.code(), Some(0), "{}", both(&good));
    assert_seen("explain_signed", &seen(&good).replace(id, "KEY"));
    let given = ["--token-file", "-"];
    let unverified = with_input(&mut explain(project.path(), &given), &token);
    assert_seen("explain_unverified", &seen(&unverified));

    let with_header = |header: Value| format!("{}.{payload}.{signature}", encoded(&header));
    let changed = payload.replace(|char: char| char.is_ascii_digit(), "0");
    let spoiled = [
        ("cut off", format!("{header}.{payload}.")),
        ("`none`", with_header(json!({ "alg": "none" }))),
        ("`HS256`", with_header(json!({ "alg": "HS256", "kid": id }))),
        (
            "the key `other`",
            with_header(json!({ "alg": "RS256", "kid": "other" })),
        ),
        (
            "did not sign",
            with_header(json!({ "alg": "RS256", "kid": id, "typ": "other" })),
        ),
        ("kid", with_header(json!({ "alg": "RS256" }))),
    ];
    let mut everything = both(&good) + &both(&unverified);
    for (sentence, token) in spoiled {
        let output = verified(&project, &token, &["--format", "json"]);
        assert_eq!(output.status.code(), Some(5), "{}", both(&output));
        assert_eq!(kind(&output), "signature", "{}", both(&output));
        let miss = &json_of(&output)["nearest_miss"]["sentence"];
        assert!(miss.as_str().unwrap().contains(sentence), "{miss}");
        everything += &both(&output);
    }
    // Claims that were changed are no longer what the key signed.
    if changed != payload {
        let forged = verified(&project, &format!("{header}.{changed}.{signature}"), &[]);
        everything += &both(&forged);
        assert_ne!(forged.status.code(), Some(0), "{}", both(&forged));
    }
    for part in token.split('.') {
        assert!(!everything.contains(part), "{everything}");
    }
}

#[tokio::test]
async fn a_key_set_of_somebody_else_refuses_the_token() {
    let (project, other) = (Project::hello(), Project::hello());
    let (_emulator, token) = minted(&project).await;
    let (_other_emulator, _) = minted(&other).await;
    let keys = other.path().join("jwks.json");
    std::fs::copy(keys, project.path().join("jwks.json")).unwrap();
    let output = verified(&project, &token, &[]);
    assert_eq!(output.status.code(), Some(5), "{}", both(&output));
    let text = both(&output);
    assert!(text.contains("and the key set has"), "{text}");
}

#[test]
fn a_key_set_that_is_none_or_that_nothing_needs_is_a_mistake_in_the_command() {
    let project = Project::hello();
    std::fs::write(project.path().join("jwks.json"), "<html>").unwrap();
    let token = format!("{}.{}.c2ln", encoded(&json!({})), encoded(&json!({})));
    let mut told = String::new();
    let huge = "x".repeat(3_000_000);
    for (name, keys) in [("no keys", "<html>"), ("huge", huge.as_str())] {
        std::fs::write(project.path().join("jwks.json"), keys).unwrap();
        let output = verified(&project, &token, &[]);
        assert_eq!(output.status.code(), Some(2), "{}", both(&output));
        told += &[name, "\n", &seen(&output), "\n"].concat();
    }
    let alone = explain(project.path(), &["--jwks", "jwks.json"]);
    std::fs::write(project.path().join("token"), &token).unwrap();
    let absent = explain(
        project.path(),
        &["--token-file", "token", "--jwks", "absent"],
    );
    for mut command in [alone, absent] {
        told += &seen(&command.output().unwrap());
    }
    assert_seen("explain_bad_key_set", &told);
}
