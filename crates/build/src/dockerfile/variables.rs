//! Variables in `FROM` and in the defaults of what it may use, filled as builders do
//! (docs.docker.com/reference/dockerfile, "Environment replacement").

use std::collections::BTreeMap;

/// Arguments that builders set by themselves, to the platform that they build for and
/// the one that they run on.
const PLATFORM: [&str; 8] = [
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
];

/// Values by name. One that could not be told is an error where it is used.
pub(super) struct Values(BTreeMap<String, Result<String, String>>);

impl Values {
    /// Before any `ARG`.
    pub(super) fn given(arguments: &BTreeMap<String, String>) -> Self {
        let unknown = |name: &&str| {
            let value = arguments.get(*name).cloned();
            let reason = format!(
                "`{name}` is the builder's, of the machine that it runs on: give it in image.dockerfile.arguments"
            );
            ((*name).to_owned(), value.ok_or(reason))
        };
        Self(PLATFORM.iter().map(unknown).collect())
    }

    /// `ARG name`, with the value that the build gives it, or its default.
    pub(super) fn declare(&mut self, name: &str, given: Option<&str>, default: Option<&str>) {
        let value = match (given, default) {
            (Some(given), _) => Ok(given.to_owned()),
            _ if PLATFORM.contains(&name) => return,
            (None, Some(default)) => match default.strip_prefix('\'') {
                Some(plain) => Ok(plain.trim_end_matches('\'').to_owned()),
                None => filled(default.trim_matches('"'), self),
            },
            (None, None) => return,
        };
        self.0.insert(name.to_owned(), value);
    }

    fn get(&self, name: &str) -> Result<Option<&str>, String> {
        let value = self.0.get(name).map(Result::as_deref).transpose();
        value.map_err(Clone::clone)
    }
}

/// `word` with `$NAME`, `${NAME}` and `${NAME:-other}`, `-`, `:+`, `+` filled; an error
/// that names any other form.
pub(super) fn filled(word: &str, values: &Values) -> Result<String, String> {
    if word.contains('\\') {
        return Err(format!("`{word}` has an escape, which is not read here"));
    }
    let mut done = String::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('$') {
        done.push_str(before);
        let braced = after.strip_prefix('{');
        let (name, after) = name(braced.unwrap_or(after));
        if name.is_empty() {
            return Err(unread(rest));
        }
        let value = values.get(name)?;
        if braced.is_none() {
            done.push_str(value.unwrap_or_default());
            rest = after;
            continue;
        }
        let end = closing(after).ok_or_else(|| unread(rest))?;
        done.push_str(&replaced(value, &after[..end], values)?.ok_or_else(|| unread(rest))?);
        rest = &after[end + 1..];
    }
    done.push_str(rest);
    Ok(done)
}

/// What `${NAME` and `operation` and `}` become; none for an operation that is not read.
fn replaced(
    value: Option<&str>,
    operation: &str,
    values: &Values,
) -> Result<Option<String>, String> {
    let (value, operation) = match operation.strip_prefix(':') {
        Some("") => return Ok(None),
        Some(operation) => (value.filter(|value| !value.is_empty()), operation),
        None => (value, operation),
    };
    let value = value.map(str::to_owned);
    if operation.is_empty() {
        return Ok(Some(value.unwrap_or_default()));
    }
    if let Some(other) = operation.strip_prefix('-') {
        return value.map_or_else(|| filled(other, values), Ok).map(Some);
    }
    match operation.strip_prefix('+') {
        Some(other) if value.is_some() => filled(other, values).map(Some),
        Some(_) => Ok(Some(String::new())),
        None => Ok(None),
    }
}

/// A name at the beginning, and what follows it.
fn name(text: &str) -> (&str, &str) {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let end = text.find(|letter| !is_name(letter)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        ("", text)
    } else {
        (name, rest)
    }
}

/// Where the brace that was opened before `text` is closed.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn unread(rest: &str) -> String {
    let form = &rest[rest.find('$').unwrap_or(0)..];
    format!(
        "`{form}`: of variables, `$NAME`, `${{NAME}}` and those with `:-`, `-`, `:+` and `+` are read"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        let given = BTreeMap::from([("TARGETOS".to_owned(), "linux".to_owned())]);
        let mut values = Values::given(&given);
        values.declare("S", None, Some("12"));
        values.declare("EMPTY", None, Some(""));
        values.declare("UNSET", None, None);
        values.declare("GIVEN", Some("$S"), Some("x"));
        values.declare("LATER", None, Some("\"debian:${S}\""));
        values.declare("PLAIN", None, Some("'$S'"));
        values.declare("CUT", None, Some("${S%2}"));
        values
    }

    #[test]
    fn variables_become_what_builders_make_of_them() {
        for (word, wanted) in [
            ("a:$S-b", "a:12-b"),
            ("a${S:+-slim}", "a-slim"),
            ("a${EMPTY:+-slim}${UNSET:+x}${UNSET+x}", "a"),
            ("a${EMPTY+-slim}", "a-slim"),
            ("${EMPTY:-x}${EMPTY-y}${UNSET-z}", "xz"),
            ("${UNSET:-a${S:+b${S}}}c", "ab12c"),
            ("$GIVEN $LATER $PLAIN $TARGETOS", "$S debian:12 $S linux"),
            ("$UNSET.", "."),
        ] {
            assert_eq!(filled(word, &values()).as_deref(), Ok(wanted), "{word}");
        }
    }

    #[test]
    fn any_other_form_is_refused_by_name() {
        for word in [
            "${S#1}",
            "${S%2}",
            "${S/1/2}",
            "${S:?no}",
            "${S?no}",
            "${S:}",
            "${S",
            "${}",
            "$1",
            "$",
            "${UNSET:-${S%2}}",
        ] {
            let error = filled(word, &values()).unwrap_err();
            assert!(error.contains('$'), "{word}: {error}");
        }
        assert!(filled("a\\$S", &values()).is_err());
        assert!(filled("$CUT", &values()).unwrap_err().contains("${S%2}"));
        let error = filled("a-$BUILDARCH", &values()).unwrap_err();
        assert!(error.contains("BUILDARCH"), "{error}");
        let error = filled("a-${BUILDARCH:-arm64}", &values()).unwrap_err();
        assert!(error.contains("BUILDARCH"), "{error}");
    }

    proptest::proptest! {
        #[test]
        fn any_word_is_filled_without_panic(word in "[$S{}:+#ä-]{0,12}") {
            let _ = filled(&word, &values());
        }
    }
}
