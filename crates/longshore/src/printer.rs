//! The only place that prints. stdout carries what one may pipe; everything
//! for people goes to stderr. `anstream` takes colours away where nobody sees
//! them: `NO_COLOR`, no terminal, `TERM=dumb`.

use std::io::Write as _;

use serde::Serialize;

/// One line, or several, on stdout.
pub(crate) fn data(text: &str) {
    // A closed pipe is the reader's decision, not a failure.
    let _ = writeln!(anstream::stdout(), "{text}");
}

/// One JSON document on stdout. GitHub's runner takes `##[` for the start of a
/// command wherever it stands; that can be in a string only, where the escape is
/// the same character.
pub(crate) fn json(document: &impl Serialize) {
    if let Ok(text) = serde_json::to_string_pretty(document) {
        data(&text.replace("##[", "#\\u0023["));
    }
}

/// Something for people, on stderr.
pub(crate) fn message(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}
