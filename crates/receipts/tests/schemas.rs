//! The schemas and tables in `docs/` are those of the code.
//!
//! `LONGSHORE_BLESS=1 cargo test -p receipts` writes them anew.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads and writes the documents of the repository"
)]

use std::fmt::Write as _;
use std::path::Path;

use receipts::{ExitCode, ProblemCode};

fn assert_document(name: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(name);
    if std::env::var_os("LONGSHORE_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        found,
        expected,
        "{} is stale: LONGSHORE_BLESS=1 writes it anew",
        path.display()
    );
}

#[test]
fn every_document_has_its_schema_in_docs() {
    for (name, schema) in receipts::schemas() {
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        assert_document(&format!("schemas/{name}"), &text);
    }
}

#[test]
fn every_exit_code_is_in_docs() {
    let mut text = "# Exit codes of `longshore`\n\n| code | meaning |\n|---|---|\n".to_owned();
    for code in ExitCode::ALL {
        writeln!(text, "| {} | {} |", code as u8, code.meaning()).unwrap();
    }
    text += "\nEach failure also prints a code of its own: [errors.md](errors.md). Only a command line that\nis not understood has none.\n";
    assert_document("exit-codes.md", &text);
}

#[test]
fn every_problem_code_is_in_docs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
    let page = std::fs::read_to_string(path).unwrap();
    for code in ProblemCode::ALL {
        let row = format!(
            "| {code} | {} | {} |",
            code.exit_code() as u8,
            code.meaning()
        );
        assert!(page.contains(&row), "docs/errors.md lacks: {row}");
    }
}
