//! What a request expects to be there: `If-Match` and `If-None-Match` (RFC 9110,
//! section 13).

use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName};

use crate::documents::Expected;
use crate::problem::Problem;

/// Whether a header of entity tags names this one, or any by `*`. Weak tags count as
/// strong ones: ours are all strong.
pub(crate) fn names(request: &HeaderMap, header: &HeaderName, etag: &str) -> bool {
    request
        .get_all(header)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// What a write expects: exactly one of `If-None-Match: *`, to make something new, and
/// `If-Match` with the one version that the editor has seen.
///
/// # Errors
/// 428 without either, 412 with both, 400 if it is anything else.
pub(crate) fn expected(request: &HeaderMap) -> Result<Expected, Problem> {
    let value = |name| -> Result<Option<&str>, Problem> {
        let mut values = request.get_all(name).iter();
        let value = values.next();
        if values.next().is_some() {
            return Err(Problem::bad_request("a precondition is there twice"));
        }
        value
            .map(|value| value.to_str())
            .transpose()
            .map_err(|_| Problem::bad_request("a precondition is not plain text"))
    };
    match (value(IF_MATCH)?, value(IF_NONE_MATCH)?) {
        (None, None) => Err(Problem::precondition_required()),
        (None, Some(any)) if any.trim() == "*" => Ok(Expected::Nothing),
        // Both are well-formed, and nothing is at once there and not there.
        (Some(tag), Some(any)) if any.trim() == "*" && is_tag(tag.trim()) => {
            Err(Problem::precondition_failed())
        }
        (Some(tag), None) if is_tag(tag.trim()) => {
            Ok(Expected::Version(tag.trim().trim_matches('"').to_owned()))
        }
        (Some(_), None) => Err(Problem::bad_request(
            "if-match must be the one ETag that was read, in quotes",
        )),
        _ => Err(Problem::bad_request(
            "either if-none-match: * makes something new, or if-match replaces what was read",
        )),
    }
}

/// Whether it is one strong entity tag.
fn is_tag(text: &str) -> bool {
    text.strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .is_some_and(|tag| !tag.contains(['"', ',']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().expect("a value")))
            .collect()
    }

    #[test]
    fn a_write_says_what_it_has_seen_in_one_way() {
        let of = |pairs: &[_]| expected(&headers(pairs)).ok();
        assert_eq!(of(&[(IF_NONE_MATCH, "*")]), Some(Expected::Nothing));
        assert_eq!(
            of(&[(IF_MATCH, "\"a\"")]),
            Some(Expected::Version("a".to_owned()))
        );
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[(IF_MATCH, "*")]), None);
        assert_eq!(of(&[(IF_MATCH, "W/\"a\"")]), None);
        assert_eq!(of(&[(IF_MATCH, "\"a\", \"b\"")]), None);
        assert_eq!(of(&[(IF_NONE_MATCH, "\"a\"")]), None);
        let both = [(IF_MATCH, "\"a\""), (IF_NONE_MATCH, "*")];
        let problem = expected(&headers(&both)).expect_err("a problem");
        assert_eq!(problem.status(), 412);
    }

    #[test]
    fn a_tag_is_found_among_others() {
        for value in ["\"a\"", "W/\"a\"", "\"b\", \"a\"", "*"] {
            assert!(names(
                &headers(&[(IF_NONE_MATCH, value)]),
                &IF_NONE_MATCH,
                "\"a\""
            ));
        }
        assert!(!names(
            &headers(&[(IF_NONE_MATCH, "\"b\"")]),
            &IF_NONE_MATCH,
            "\"a\""
        ));
    }
}
