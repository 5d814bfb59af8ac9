//! `longshore check --report`: the page, as whoever opens it gets it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{both, json_of, longshore, repository};

/// How large the page of a thousand roles may be, in bytes.
const LARGEST_PAGE: usize = 3_000_000;

const CALLERS: [&str; 9] = [
    "push to main",
    "pull request",
    "pull request of a fork",
    "other branch",
    "tag",
    "other environment",
    "other repository of the owner",
    "stranger's repository",
    "same name, other owner",
];

/// The page for `directory`, with the document that the same check prints.
fn report(directory: &Path) -> (String, Value) {
    let output = tempfile::tempdir().unwrap();
    let file = output.path().join("report.html");
    let output = check(directory, &file).output().unwrap();
    let page = std::fs::read_to_string(&file).unwrap_or_else(|_| panic!("{}", both(&output)));
    (page, json_of(&output))
}

fn check(directory: &Path, file: &Path) -> Command {
    let mut command = longshore(directory);
    command
        .args(["check", "--no-zizmor", "--format", "json", "--directory"])
        .arg(directory)
        .arg("--report")
        .arg(file);
    command
}

fn flawed(name: &str) -> PathBuf {
    repository().join("fixtures/setups/flawed").join(name)
}

/// The page as a tree: it is XML, without entities of its own.
fn parse(page: &str) -> Document<'_> {
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(page, options).unwrap()
}

fn text(node: Node<'_, '_>) -> String {
    node.descendants()
        .filter(Node::is_text)
        .filter_map(|node| node.text())
        .collect()
}

fn with_class<'a>(document: &'a Document<'_>, class: &str) -> Vec<Node<'a, 'a>> {
    document
        .descendants()
        .filter(|node| {
            let classes = node.attribute("class").unwrap_or_default();
            classes.split(' ').any(|one| one == class)
        })
        .collect()
}

#[test]
fn this_repository_admits_its_publisher_and_shows_who_was_refused() {
    let (page, _) = report(&repository());
    let document = parse(&page);
    let line = text(with_class(&document, "line")[0]);
    assert!(
        line.starts_with("Only pushes to main of acme/portfolio can publish. "),
        "{line}"
    );
    let callers: Vec<_> = with_class(&document, "caller")
        .into_iter()
        .map(text)
        .collect();
    assert_eq!(callers, CALLERS);
    // Four answers for each of them, in words.
    let cells = with_class(&document, "cell");
    assert_eq!(cells.len(), 4 * CALLERS.len());
    let admitted = cells
        .iter()
        .filter(|cell| text(**cell).trim_end().ends_with(" may"));
    // Assume and push; the role does not pull by itself, and deletes nothing.
    assert_eq!(admitted.count(), 2, "{page}");
}

#[test]
fn who_gets_in_and_everything_that_was_found_is_on_the_page() {
    let (page, report) = report(&flawed("tutorial-of-2022"));
    let document = parse(&page);
    let findings = report["findings"].as_array().unwrap();
    assert!(!findings.is_empty());
    let cards = with_class(&document, "card");
    assert_eq!(cards.len(), findings.len());
    for (card, finding) in cards.iter().zip(findings) {
        let card = text(*card);
        for part in [&finding["message"], &finding["rule"], &finding["subject"]] {
            let part = part.as_str().unwrap().replace('`', "");
            assert!(card.contains(&part), "{part}\n{card}");
        }
    }
    let wrong = with_class(&document, "wrong").into_iter().map(text);
    let wrong: Vec<_> = wrong.filter(|row| row.contains("gets in")).collect();
    assert!(
        wrong.iter().any(|row| row.starts_with("pull request ")),
        "{wrong:#?}"
    );
    let line = text(with_class(&document, "line")[0]);
    assert!(line.contains("get in, and should not"), "{line}");
}

#[test]
fn nothing_is_loaded_and_nothing_can_run() {
    for directory in [repository(), flawed("tutorial-of-2022")] {
        let (page, _) = report(&directory);
        let document = parse(&page);
        let names = ["script", "link", "img", "iframe", "object", "embed", "base"];
        for node in document.descendants().filter(Node::is_element) {
            assert!(!names.contains(&node.tag_name().name()), "{node:?}");
            for attribute in node.attributes() {
                let name = attribute.name();
                assert!(!name.starts_with("on") && name != "src" && name != "style");
                if name == "href" {
                    assert_leads_nowhere_unasked(&document, attribute.value());
                }
            }
        }
        let style = text(with_name(&document, "style").unwrap());
        assert!(!style.contains("url(") && !style.contains("@import"));
        assert!(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""));
    }
}

fn with_name<'a>(document: &'a Document<'_>, name: &str) -> Option<Node<'a, 'a>> {
    document
        .descendants()
        .find(|node| node.tag_name().name() == name)
}

/// A link goes to a place of the page, to a page of the rules, or to zizmor's.
fn assert_leads_nowhere_unasked(document: &Document<'_>, target: &str) {
    if let Some(id) = target.strip_prefix('#') {
        let mut ids = document
            .descendants()
            .filter_map(|node| node.attribute("id"));
        assert!(ids.any(|own| own == id), "{target} leads nowhere");
        return;
    }
    let pages = format!("{}/blob/HEAD/docs/checks/", env!("CARGO_PKG_REPOSITORY"));
    let known = [pages.as_str(), "https://docs.zizmor.sh/"];
    assert!(
        known.iter().any(|start| target.starts_with(start)),
        "{target}"
    );
}

#[test]
fn the_table_can_be_read_aloud() {
    let (page, _) = report(&flawed("tutorial-of-2022"));
    let document = parse(&page);
    let table = with_class(&document, "matrix")[0];
    let headers = |scope: &str| {
        table
            .descendants()
            .filter(|node| node.attribute("scope") == Some(scope))
            .count()
    };
    assert_eq!(headers("col"), 6);
    let callers = with_class(&document, "caller").len();
    assert_eq!(headers("row"), callers);
    assert!(with_name(&document, "caption").is_some());
    // What is drawn is also said.
    for glyph in with_class(&document, "glyph") {
        assert_eq!(glyph.attribute("aria-hidden"), Some("true"));
        let said = text(glyph.parent().unwrap());
        assert!(said.split_whitespace().count() > 1, "{said}");
    }
}

#[test]
fn the_same_input_gives_the_same_page() {
    let without_day = |page: &str| {
        let (before, rest) = page.split_once("<time>").unwrap();
        before.to_owned() + rest.split_once("</time>").unwrap().1
    };
    let directory = flawed("tutorial-of-2022");
    let (first, second) = (report(&directory).0, report(&directory).0);
    assert_eq!(without_day(&first), without_day(&second));
}

/// A repository with `roles` roles, of which every hundredth is open to all
/// repositories of the owner.
fn organisation(roles: usize, name: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = directory.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "longshore.toml",
        "[image]\npackage = \"x\"\n\n[aws]\nterraform = \"infra\"\naccount = \"123456789012\"\n\n[github]\nrepository = \"acme/portfolio\"\nowner-id = 1234567\nrepository-id = 7654321\n",
    );
    let mut terraform = "provider \"aws\" {\n  region = \"eu-central-1\"\n}\n".to_owned();
    for number in 0..roles {
        let subject = if number % 100 == 0 {
            "repo:acme*"
        } else {
            "repo:acme@1234567/portfolio@7654321:ref:refs/heads/main"
        };
        write!(
            terraform,
            r#"
resource "aws_iam_role" "publisher_{number}" {{
  name = "{name}-{number:04}"
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = {{ Federated = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }}
      Condition = {{
        StringLike = {{ "token.actions.githubusercontent.com:sub" = "{subject}" }}
      }}
    }}]
  }})
}}
"#
        )
        .unwrap();
    }
    write("infra/main.tf", &terraform);
    directory
}

#[test]
fn a_thousand_roles_still_fit_on_a_page() {
    let directory = organisation(1_000, "publisher");
    let (page, _) = report(directory.path());
    assert!(page.len() < LARGEST_PAGE, "{} bytes", page.len());
    let document = parse(&page);
    for number in [0, 500, 999] {
        assert!(page.contains(&format!("publisher-{number:04}")), "{number}");
    }
    let line = text(with_class(&document, "line")[0]);
    assert!(line.starts_with("10 of 1000 roles let in "), "{line}");
}

#[test]
fn hostile_names_stay_text() {
    let hostile = "<script>alert(1)</script>'&amp;]]>";
    let directory = organisation(2, hostile);
    let (page, _) = report(directory.path());
    let document = parse(&page);
    assert!(!page.contains("<script"));
    let headings: Vec<_> = document
        .descendants()
        .filter(|node| node.tag_name().name() == "h3")
        .map(text)
        .collect();
    // The name ends where the last part of the ARN begins: it holds a slash.
    assert!(
        headings
            .iter()
            .any(|heading| heading == "script>'&amp;]]>-0000"),
        "{headings:?}"
    );
}

#[test]
fn a_page_that_cannot_be_written_is_told_after_the_check() {
    let directory = organisation(1, "publisher");
    let file = directory.path().join("missing/report.html");
    let output = check(directory.path(), &file).output().unwrap();
    let said = both(&output);
    assert!(said.contains("no report was written"), "{said}");
    assert_ne!(output.status.code(), Some(0));
    assert!(!file.exists());
}

#[test]
fn a_browser_draws_it_light_and_dark() {
    let Some(chromium) = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|program| starts(program))
    else {
        println!("SKIPPED: no Chromium is installed, so the page was not drawn");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let page = directory.path().join("report.html");
    check(&flawed("tutorial-of-2022"), &page).output().unwrap();
    let shoot = |name: &str, options: &[&str]| {
        let picture = directory.path().join(format!("{name}.png"));
        let status = Command::new(chromium)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
            ])
            .args([
                "--disable-sync",
                "--hide-scrollbars",
                "--window-size=1600,1200",
            ])
            .args(options)
            .arg(format!(
                "--user-data-dir={}",
                directory.path().join(name).display()
            ))
            .arg(format!("--screenshot={}", picture.display()))
            .arg(format!("file://{}", page.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
        std::fs::read(picture).unwrap()
    };
    let light = shoot("light", &[]);
    let dark = shoot(
        "dark",
        &[
            "--force-dark-mode",
            "--blink-settings=preferredColorScheme=0",
        ],
    );
    // An empty page of this size compresses to almost nothing.
    assert!(light.len() > 50_000 && dark.len() > 50_000);
    assert_ne!(light, dark);
}

fn starts(program: &str) -> bool {
    let started = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    started.is_ok_and(|status| status.success())
}
