//! Licences as manifests state them, made into what the bills may hold.

use spdx::{Expression, ParseMode};

/// A valid SPDX expression, or `None` where the text is none. The slash that old
/// manifests write means `OR` ([cargo's manual], `license`).
///
/// [cargo's manual]: https://doc.rust-lang.org/cargo/reference/manifest.html#the-license-and-license-file-fields
pub(crate) fn expression(stated: &str) -> Option<String> {
    let parsed = Expression::parse_mode(stated, ParseMode::LAX).ok()?;
    let canonical = Expression::canonicalize(stated).ok()?;
    Some(canonical.unwrap_or_else(|| parsed.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_become_or_and_nonsense_is_no_expression() {
        assert_eq!(expression("MIT/Apache-2.0").unwrap(), "MIT OR Apache-2.0");
        assert_eq!(
            expression("MIT OR Apache-2.0").unwrap(),
            "MIT OR Apache-2.0"
        );
        assert_eq!(expression("house rules"), None);
    }
}
