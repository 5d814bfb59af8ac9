//! The page of operations in the documentation.

use std::fmt::Write as _;
use std::path::Path;

use emulator::{Fidelity, ecr_operations};

/// Written before the table.
const HEAD: &str = "\
# ECR's operations

All operations of ECR's service model `ecr-2015-09-21`. The emulator checks every
request against the model: unknown members are passed over, wrong types are a
`SerializationException`, broken constraints an `InvalidParameterException` with AWS's
sentence. Quotas of size and number hold; rates are not limited. This page is written
by the test that checks it.

| operation | how it answers | source, or what was chosen |
|---|---|---|
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for (name, fidelity) in ecr_operations() {
        let (how, text) = match fidelity {
            Fidelity::Documented(text) => ("documented", text),
            Fidelity::Inferred(text) => ("partly inferred", text),
            Fidelity::Refused(text) => ("not emulated", text),
        };
        let text = match fidelity {
            Fidelity::Refused(_) => format!("answered with AWS's error for {text}"),
            _ => text.to_owned(),
        };
        writeln!(page, "| `{name}` | {how} | {text} |").unwrap();
    }
    page
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test reads and writes the documents of the repository"
)]
#[test]
fn the_page_of_operations_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ecr-operations.md");
    if std::env::var_os("LONGSHORE_BLESS").is_some() {
        std::fs::write(&path, page()).unwrap();
        return;
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == page(),
        "docs/ecr-operations.md is stale: LONGSHORE_BLESS=1 writes it anew"
    );
}
