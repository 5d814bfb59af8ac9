//! `docs/emulator-fidelity.md` is that of the code, and the code does what the
//! page says of every call.

use std::fmt::Write as _;
use std::path::Path;

use emulator::{Chapter, Deviation, Fidelity, Row, UNSUPPORTED, fidelity};
use oci::Digest;
use reqwest::Method;
use serde_json::{Value, json};

use crate::denials::github_token;
use crate::served::{Docker, OTHER, REGION, Served, header};

/// Written before the chapters.
const HEAD: &str = "\
# How near the emulator is to AWS

Every call and behaviour is one of three:

- **documented**: as the named source says, mostly AWS's own documentation, or reports
  of users where it is silent;
- **inferred**: it is there, after the same source as its neighbours; what stands beside
  it is documented nowhere, and was chosen;
- **not emulated**: there is no such thing. A call is answered with AWS's error for one
  that it does not know or support, never as if it had worked.

This page is written from the tables beside the code
(`LONGSHORE_BLESS=1 cargo test -p emulator fidelity`); a test keeps them equal, and
another one asks a running emulator for every call. What is refused to attackers is in
[attacks.md](attacks.md), the rules of policies in [policy-rules.md](policy-rules.md).

";

fn page() -> String {
    let chapters = fidelity();
    let mut page = HEAD.to_owned();
    page += "| | documented | inferred | not emulated |\n|---|---|---|---|\n";
    for chapter in &chapters {
        let rows = chapter.calls.iter().chain(chapter.behaviours);
        let rows = rows.map(|(_, fidelity)| mark(*fidelity));
        let deviations = chapter.deviations.iter().map(|[.., source]| known(source));
        let marks: Vec<&str> = rows.chain(deviations).collect();
        let count = |wanted: &str| marks.iter().filter(|mark| **mark == wanted).count();
        let [documented, inferred, not_emulated] =
            ["documented", "inferred", "not emulated"].map(count);
        let title = chapter.title;
        writeln!(
            page,
            "| {title} | {documented} | {inferred} | {not_emulated} |"
        )
        .unwrap();
    }
    for chapter in &chapters {
        write!(page, "\n## {}\n\n{}\n", chapter.title, chapter.about).unwrap();
        let is_here = |row: &&Row| row.1 != UNSUPPORTED;
        page += &table("call", chapter.calls.iter().filter(is_here), true);
        page += &absent(chapter);
        page += &table("behaviour", chapter.behaviours.iter(), false);
        page += &deviations(chapter.deviations);
    }
    page
}

fn mark(fidelity: Fidelity) -> &'static str {
    match fidelity {
        Fidelity::Documented(_) => "documented",
        Fidelity::Inferred(_) => "inferred",
        Fidelity::Refused(_) | Fidelity::NotEmulated(_) => "not emulated",
    }
}

fn table<'a>(what: &str, rows: impl Iterator<Item = &'a Row>, is_code: bool) -> String {
    let mut table = format!("\n| {what} | | source, or what was chosen |\n|---|---|---|\n");
    let mut is_empty = true;
    for (name, fidelity) in rows {
        is_empty = false;
        let name = if is_code {
            format!("`{name}`")
        } else {
            (*name).to_owned()
        };
        let text = match fidelity {
            Fidelity::Documented(text) | Fidelity::Inferred(text) | Fidelity::NotEmulated(text) => {
                (*text).to_owned()
            }
            Fidelity::Refused(error) => format!("answered with AWS's error for {error}"),
        };
        writeln!(table, "| {name} | {} | {text} |", mark(*fidelity)).unwrap();
    }
    if is_empty { String::new() } else { table }
}

/// The calls that are not here at all.
fn absent(chapter: &Chapter) -> String {
    let rows = chapter
        .calls
        .iter()
        .filter(|(_, fidelity)| *fidelity == UNSUPPORTED);
    let names: Vec<String> = rows.map(|(name, _)| format!("`{name}`")).collect();
    if names.is_empty() {
        return String::new();
    }
    format!(
        "\nNot emulated, {} calls: {}.\n",
        names.len(),
        names.join(", ")
    )
}

fn deviations(deviations: &[Deviation]) -> String {
    if deviations.is_empty() {
        return String::new();
    }
    let head = "\n| the specification | ECR | | source |\n|---|---|---|---|\n";
    let row = |[specified, answered, source]: &Deviation| {
        let mark = known(source);
        let source = if mark == "inferred" {
            "chosen here"
        } else {
            source
        };
        format!("| {specified} | {answered} | {mark} | {source} |\n")
    };
    let rows: Vec<String> = deviations.iter().map(row).collect();
    head.to_owned() + &rows.concat()
}

/// What the source of a deviation makes of it.
fn known(source: &str) -> &'static str {
    match source {
        "inferred" => "inferred",
        _ => "documented",
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test reads and writes the documents of the repository"
)]
#[test]
fn the_page_of_fidelity_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/emulator-fidelity.md");
    if std::env::var_os("LONGSHORE_BLESS").is_some() {
        std::fs::write(&path, page()).unwrap();
        return;
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == page(),
        "docs/emulator-fidelity.md is stale: LONGSHORE_BLESS=1 writes it anew"
    );
}

/// The calls of a chapter.
pub(crate) fn calls(title: &str) -> Vec<Row> {
    let mut chapters = fidelity().into_iter();
    chapters
        .find(|chapter| chapter.title == title)
        .unwrap()
        .calls
}

#[tokio::test]
async fn calls_that_are_not_emulated_say_so_and_the_others_do_not() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    for (title, service, code) in [
        ("Amazon ECR", "ecr", "UnknownOperationException"),
        ("CloudTrail", "cloudtrail", "UnsupportedOperationException"),
    ] {
        for (call, fidelity) in calls(title) {
            let keys = &served.administrator;
            let (status, answer) = served
                .call_at((service, REGION), keys, call, json!({}))
                .await;
            assert_eq!(
                fidelity == UNSUPPORTED,
                answer["__type"] == code,
                "{call}: {answer}"
            );
            assert!(status == 200 || status == 400, "{call}: {status}");
        }
    }
    for (title, service, version) in [("IAM", "iam", "2010-05-08"), ("STS", "sts", "2011-06-15")] {
        for (call, fidelity) in calls(title) {
            let parameters = [("Action", call), ("Version", version)];
            let (status, answer) = served.ask(service, &parameters).await;
            let says_so = answer.contains("<Code>InvalidAction</Code>");
            assert_eq!(fidelity == UNSUPPORTED, says_so, "{call}: {answer}");
            assert!(status < 500, "{call}: {answer}");
        }
    }
}

#[tokio::test]
async fn every_call_of_the_registry_is_there_or_is_unsupported() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let manifest = docker.push(OTHER, "v1", "a layer").await;
    for (call, fidelity) in calls("The registry") {
        let says_so = says_unsupported(&docker, call, &manifest).await;
        let expected = matches!(fidelity, Fidelity::Inferred(text) if text.starts_with("405"));
        assert_eq!(says_so, expected, "{call}");
    }
}

async fn says_unsupported(docker: &Docker<'_>, call: &str, manifest: &str) -> bool {
    let (method, path) = call.split_once(' ').unwrap();
    let method: Method = method.parse().unwrap();
    let start = format!("/v2/{OTHER}/blobs/uploads/");
    let upload = docker.request(Method::POST, &start).send().await.unwrap();
    let id = header(&upload, "docker-upload-uuid");
    let path = path.replace("NAME", OTHER);
    let path = path.replace("DIGEST", &Digest::of(b"a layer").to_string());
    let path = path
        .replace("REFERENCE", "v1")
        .replace("/ID", &format!("/{id}"));
    let body = if path.contains("/manifests/") {
        manifest
    } else {
        "a layer"
    };
    let request = docker.request(method.clone(), &path);
    let request = match method {
        Method::GET | Method::HEAD | Method::DELETE => request,
        _ => request
            .header("content-type", oci::media_type::MANIFEST)
            .body(body.to_owned()),
    };
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    assert!(status < 500 && status != 404, "{call}: {status}");
    let body: Value = answer.json().await.unwrap_or_default();
    status == 405 && body["errors"][0]["code"] == "UNSUPPORTED"
}

#[tokio::test]
async fn every_call_of_the_issuer_is_there() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    assert!(!github_token(&served).await.is_empty());
    for (call, _) in calls("GitHub's issuer") {
        let (_, path) = call.split_once(' ').unwrap();
        if path.starts_with('/') {
            let url = format!("{}/github{path}", served.base);
            let answer = served.client.get(url).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), 200, "{call}");
        }
    }
}
