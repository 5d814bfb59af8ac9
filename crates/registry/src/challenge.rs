//! The `WWW-Authenticate` header (RFC 9110, section 11.6.1), as far as registries
//! use it.

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// Where to get a bearer token, and for what.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BearerChallenge {
    pub(crate) realm: String,
    pub(crate) service: Option<String>,
}

/// The first bearer challenge of an answer. The scope that it names is ignored:
/// the caller knows better what it is going to do.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<BearerChallenge> {
    headers
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .find_map(parse)
}

fn parse(header: &str) -> Option<BearerChallenge> {
    let (scheme, parameters) = header.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let (mut realm, mut service) = (None, None);
    let mut rest = parameters;
    while let Some((name, after)) = rest.split_once('=') {
        let (value, after) = value(after);
        match name.trim_matches([' ', ',']).to_ascii_lowercase().as_str() {
            "realm" => realm = Some(value),
            "service" => service = Some(value),
            _ => {}
        }
        rest = after;
    }
    Some(BearerChallenge {
        realm: realm?,
        service,
    })
}

/// A value at the start of `text`, quoted or not, and what follows it.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(',').unwrap_or(text.len());
        return (text[..end].trim().to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => value.push(character),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn realm_and_service_are_found_in_any_order_and_scopes_may_hold_commas() {
        let expected = Some(BearerChallenge {
            realm: "https://auth.example/token?a=b".to_owned(),
            service: Some("r.example".to_owned()),
        });
        for header in [
            r#"Bearer realm="https://auth.example/token?a=b",service="r.example",scope="repository:a:pull,push""#,
            r#"bearer scope="repository:a:pull,push", service=r.example, realm="https://auth.example/\token?a=b""#,
        ] {
            assert_eq!(parse(header), expected, "{header}");
        }
    }

    #[test]
    fn other_schemes_and_broken_headers_are_no_bearer_challenge() {
        for header in [
            r#"Basic realm="https://r.example/",service="ecr.amazonaws.com""#,
            "Bearer",
            "Bearer ",
            "Bearer realm",
            "Bearer service=\"r",
            "",
        ] {
            assert_eq!(parse(header), None, "{header}");
        }
        assert!(parse("Bearer realm=\"unclosed\\").is_some());
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_panic(parameters: String) {
            let _ = parse(&format!("Bearer {parameters}"));
            let _ = parse(&format!("Bearer realm=\"{parameters}"));
        }
    }
}
