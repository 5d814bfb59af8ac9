//! The table of rules in `docs/policy-rules.md`, made from the cases.

use std::fmt::Write as _;
use std::path::Path;

use crate::format::{About, folder, paths, read};

const RULES: &str = "<!-- rules: made from fixtures/policies -->\n";
const UNDOCUMENTED: &str = "<!-- undocumented: made from fixtures/policies -->\n";
const END: &str = "<!-- end -->";

/// One rule, with the cases of a folder that share it and its source.
struct Row {
    folder: String,
    about: About,
    cases: Vec<String>,
}

/// Rules in the order of the folders.
fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for path in paths() {
        let about: About = read(&path);
        let case = name(&path);
        let (folder, _) = case.split_once('/').expect("cases are in folders");
        let known = rows.iter_mut().find(|row| {
            row.folder == folder
                && row.about.description == about.description
                && row.about.source == about.source
        });
        match known {
            Some(row) => row.cases.push(case),
            None => rows.push(Row {
                folder: folder.to_owned(),
                about,
                cases: vec![case],
            }),
        }
    }
    rows
}

fn rules(rows: &[Row]) -> String {
    let mut text = String::new();
    let mut current = "";
    for row in rows {
        if row.folder != current {
            current = &row.folder;
            let head = "| rule | cases | source | |\n|---|---|---|---|";
            write!(text, "\n### {current}\n\n{head}\n").expect("a string can be written to");
        }
        let (source, standing) = match row.about.source.strip_prefix("inferred: ") {
            Some(why) => (why, "inferred"),
            None => (row.about.source.as_str(), "documented"),
        };
        let (rule, cases) = (cell(&row.about.description), links(&row.cases));
        writeln!(text, "| {rule} | {cases} | {} | {standing} |", cell(source))
            .expect("a string can be written to");
    }
    text + "\n"
}

fn undocumented(rows: &[Row]) -> String {
    let mut text = "\n| what was chosen | what AWS says | cases |\n|---|---|---|\n".to_owned();
    for row in rows {
        if let Some(why) = row.about.source.strip_prefix("inferred: ") {
            let (chosen, cases) = (cell(&row.about.description), links(&row.cases));
            writeln!(text, "| {chosen} | {} | {cases} |", cell(why))
                .expect("a string can be written to");
        }
    }
    text + "\n"
}

/// `folder/case`, without extension.
fn name(path: &Path) -> String {
    let relative = path
        .strip_prefix(folder())
        .expect("cases are in the folder");
    let text = relative
        .with_extension("")
        .to_string_lossy()
        .replace('\\', "/");
    assert_eq!(text.matches('/').count(), 1, "{text}: one level of folders");
    text
}

fn links(cases: &[String]) -> String {
    let link = |case: &String| {
        let (_, short) = case.split_once('/').expect("cases are in folders");
        format!("[{short}](../fixtures/policies/{case}.json)")
    };
    cases.iter().map(link).collect::<Vec<_>>().join("<br>")
}

/// Text that neither ends a cell nor is taken for markup.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
        .replace('*', "\\*")
        .replace('<', "&lt;")
}

/// The page with what stands between a mark and the next end replaced.
fn replaced(page: &str, mark: &str, fresh: &str) -> String {
    let (before, rest) = page.split_once(mark).expect("the page has the mark");
    let (_, after) = rest.split_once(END).expect("the mark has an end");
    format!("{before}{mark}{fresh}{END}{after}")
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test reads and writes the documents of the repository"
)]
#[test]
fn the_page_of_rules_is_that_of_the_cases() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/policy-rules.md");
    let page = std::fs::read_to_string(&path).expect("docs/policy-rules.md is there");
    let rows = rows();
    let fresh = replaced(&page, RULES, &rules(&rows));
    let fresh = replaced(&fresh, UNDOCUMENTED, &undocumented(&rows));
    if std::env::var_os("LONGSHORE_BLESS").is_some() {
        std::fs::write(&path, &fresh).expect("docs/policy-rules.md can be written");
        return;
    }
    assert!(
        page == fresh,
        "docs/policy-rules.md is stale: LONGSHORE_BLESS=1 writes it anew"
    );
}
