//! Every rule has its page in `docs/checks/`, and every page its rule.
//!
//! `LONGSHORE_BLESS=1 cargo test -p audit` writes the index anew.
#![expect(
    clippy::disallowed_methods,
    reason = "a test reads and writes the documents of the repository"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use audit::Rule;
use receipts::Severity;

fn pages() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/checks")
}

fn severity(rule: Rule) -> &'static str {
    match rule.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

#[test]
fn every_rule_has_a_page_that_begins_with_it() {
    for rule in Rule::ALL {
        let id = rule.id();
        let page = fs_err::read_to_string(pages().join(format!("{id}.md"))).unwrap();
        let (title, severity) = (rule.title(), severity(*rule));
        let head = format!("# {id}\n\n{title}\n\nSeverity: {severity}.\n\n");
        assert!(
            page.starts_with(&head),
            "docs/checks/{id}.md must begin\n{head}"
        );
        for part in [
            "**Why it matters.** ",
            "**Fix.** ",
            "\n```diff\n",
            "\nSource: ",
        ] {
            let found = page.contains(part) || part.contains("diff") && page.contains("\n```hcl\n");
            assert!(found, "docs/checks/{id}.md lacks {part}");
        }
    }
}

#[test]
fn every_page_has_a_rule() {
    let ids: BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.id().to_owned()).collect();
    let files = fs_err::read_dir(pages()).unwrap();
    let names = files.map(|file| file.unwrap().path());
    let names = names.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    let strangers: Vec<_> = names
        .filter(|name| name != "README" && !ids.contains(name))
        .collect();
    assert!(strangers.is_empty(), "no rule for {strangers:?}");
}

#[test]
fn the_index_lists_every_rule() {
    let mut text = "# The rules of `longshore check`\n\nA rule keeps its id. How to suppress a finding: [check.md](../check.md).\n\n| rule | severity | what it says |\n|---|---|---|\n".to_owned();
    for rule in Rule::ALL {
        let (id, title, severity) = (rule.id(), rule.title(), severity(*rule));
        writeln!(text, "| [{id}]({id}.md) | {severity} | {title} |").unwrap();
    }
    let path = pages().join("README.md");
    if std::env::var_os("LONGSHORE_BLESS").is_some() {
        fs_err::write(&path, &text).unwrap();
    }
    let found = fs_err::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        found,
        text,
        "LONGSHORE_BLESS=1 writes {} anew",
        path.display()
    );
}
