//! The table of rules in `docs/policy-rules.md`, made from the cases.

use std::fmt::Write as _;
use std::path::Path;

use crate::format::{About, folder, paths, read};

const BEGIN: &str = "<!-- rules: made from fixtures/policies -->\n";
const END: &str = "<!-- end of rules -->";

/// Rules in the order of the folders; cases of one folder with the same rule
/// and source share a row.
fn table() -> String {
    let mut rows: Vec<(String, About, Vec<String>)> = Vec::new();
    for path in paths() {
        let about: About = read(&path);
        let name = name(&path);
        let (folder, _) = name.split_once('/').expect("cases are in folders");
        let known = rows.iter_mut().find(|(other, row, _)| {
            other == folder && row.description == about.description && row.source == about.source
        });
        match known {
            Some((_, _, cases)) => cases.push(name),
            None => rows.push((folder.to_owned(), about, vec![name])),
        }
    }
    let mut text = String::new();
    let mut current = "";
    for (folder, about, cases) in &rows {
        if folder != current {
            current = folder;
            write!(text, "\n### {folder}\n\n| rule | cases | source | |\n|---|---|---|---|\n")
                .expect("writing to a string cannot fail");
        }
        let (source, standing) = match about.source.strip_prefix("inferred: ") {
            Some(why) => (why, "inferred"),
            None => (about.source.as_str(), "documented"),
        };
        let links: Vec<String> = cases.iter().map(|case| link(case)).collect();
        let (rule, cases) = (cell(&about.description), links.join("<br>"));
        writeln!(text, "| {rule} | {cases} | {} | {standing} |", cell(source))
            .expect("writing to a string cannot fail");
    }
    text + "\n"
}

/// `folder/case`, without extension.
fn name(path: &Path) -> String {
    let relative = path.strip_prefix(folder()).expect("cases are in the folder");
    let text = relative.with_extension("").to_string_lossy().replace('\\', "/");
    assert_eq!(text.matches('/').count(), 1, "{text}: one level of folders");
    text
}

fn link(case: &str) -> String {
    let (_, short) = case.split_once('/').expect("cases are in folders");
    format!("[{short}](../fixtures/policies/{case}.json)")
}

/// Text that neither ends a cell nor is taken for markup.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*").replace('<', "&lt;")
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test reads and writes the documents of the repository"
)]
#[test]
fn the_table_of_rules_is_that_of_the_cases() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/policy-rules.md");
    let page = std::fs::read_to_string(&path).expect("docs/policy-rules.md is there");
    let (before, rest) = page.split_once(BEGIN).expect("the page has the first mark");
    let (_, after) = rest.split_once(END).expect("the page has the second mark");
    let fresh = format!("{before}{BEGIN}{}{END}{after}", table());
    if std::env::var_os("LONGSHORE_BLESS").is_some() {
        std::fs::write(&path, &fresh).expect("docs/policy-rules.md can be written");
        return;
    }
    assert!(
        page == fresh,
        "docs/policy-rules.md is stale: LONGSHORE_BLESS=1 writes it anew"
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test reads the documents of the repository"
)]
#[test]
fn every_inferred_case_is_told_among_what_aws_does_not_document() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/policy-rules.md");
    let page = std::fs::read_to_string(&path).expect("docs/policy-rules.md is there");
    let (_, section) = page
        .split_once("\n## Not documented by AWS\n")
        .expect("the page has the section");
    for path in paths() {
        let about: About = read(&path);
        let told = section.contains(&format!("`{}`", name(&path)));
        assert_eq!(told, about.source.starts_with("inferred: "), "{}", path.display());
    }
}
