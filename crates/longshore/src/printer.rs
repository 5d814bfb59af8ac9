//! The only place that prints. stdout carries what one may pipe; everything
//! for people goes to stderr. `anstream` takes colours away where nobody sees
//! them: `NO_COLOR`, no terminal, `TERM=dumb`.

use std::io::{self, Write as _};
use std::sync::OnceLock;

use serde::Serialize;

/// The first failure to write to stdout. The stream is the process's own, and so is this.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// One line, or several, on stdout. A failure is told when the command has ended
/// ([`lost`]): what it did is done by then.
pub(crate) fn data(text: &str) {
    let mut stdout = anstream::stdout();
    let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    if let Err(error) = written {
        let _ = LOST.set(error);
    }
}

/// Why something that should be on stdout is not: a full disk, a closed pipe.
pub(crate) fn lost() -> Option<&'static io::Error> {
    LOST.get()
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
