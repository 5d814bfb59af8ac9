//! Whether the issuer signed the token.

use super::checks::Step;
use super::key_set::{NotSigned, Signed};
use super::kind::MissKind;
use super::miss::{Miss, list};
use super::question::{Evidence, Question};

/// The check of the signature.
pub(super) fn check(question: &Question) -> Step {
    const NAME: &str = "signature";
    match question.evidence {
        Evidence::Described | Evidence::NoToken => {
            Step::passed(NAME, "GitHub signs every token that it mints")
        }
        Evidence::Claims(_) => {
            Step::unknown(NAME, "not checked here: claims alone carry no signature")
        }
        Evidence::Token(_) => match &question.signature {
            None => Step::unknown(NAME, not_verified(question)),
            Some(Ok(Signed { key, algorithm })) => Step::passed(
                NAME,
                format!("{algorithm}, by the key `{key}` of the key set that was given"),
            ),
            Some(Err(error)) => Step::failed(NAME, not_signed(error)),
        },
    }
}

fn not_verified(question: &Question) -> String {
    let issuer = question.claim("iss").unwrap_or_default();
    // What is to be copied into a shell must not come from a stranger's token.
    let plain = |char: char| char.is_ascii_alphanumeric() || "/.-_".contains(char);
    let is_url = issuer
        .strip_prefix("https://")
        .is_some_and(|rest| rest.len() < 200 && rest.chars().all(plain));
    let keys = if is_url {
        format!("`curl -s {issuer}/.well-known/jwks` prints it")
    } else {
        "the `jwks_uri` of its discovery document names it".to_owned()
    };
    format!("not checked: pass the issuer's key set as `--jwks FILE`; {keys}")
}

/// Why the signature is none.
fn not_signed(error: &NotSigned) -> Miss {
    const MINTED: &str = "use the token as GitHub minted it, from the first character to the last";
    let (sentence, advice) = match error {
        NotSigned::Header => (
            "the token's header cannot be read, or asks for extensions of the signature".to_owned(),
            MINTED.to_owned(),
        ),
        NotSigned::ByNobody => (
            "the token says of itself that nobody signed it (`alg` is `none`)".to_owned(),
            MINTED.to_owned(),
        ),
        NotSigned::Stripped => (
            "the token's signature was cut off: its third part is empty".to_owned(),
            MINTED.to_owned(),
        ),
        NotSigned::Algorithm(algorithm) => (
            format!("the token is signed with `{algorithm}`, and STS takes RS256, RS384, RS512, ES256, ES384 and ES512"),
            MINTED.to_owned(),
        ),
        NotSigned::NoKeyId => (
            "the token's header does not say which key signed it (`kid`)".to_owned(),
            MINTED.to_owned(),
        ),
        NotSigned::UnknownKey { id, known } => (
            format!("the token is signed with the key `{id}`, and the key set has {}", list(known)),
            "get the key set again, GitHub changes its keys; if it still lacks the key, another issuer made the token".to_owned(),
        ),
        NotSigned::OtherKind(id) => (
            format!("the key `{id}` of the key set is not one for the token's algorithm"),
            MINTED.to_owned(),
        ),
        NotSigned::OtherKey(id) => (
            format!("the key `{id}` did not sign this token: its claims were changed, or somebody else signed it"),
            MINTED.to_owned(),
        ),
    };
    Miss::new(MissKind::Signature, sentence, advice)
}
