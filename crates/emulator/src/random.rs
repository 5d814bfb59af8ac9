//! Unpredictable identifiers and secrets, in the shapes that AWS gives them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Random bytes of the system's cryptographic generator: that of aws-lc gathers
/// entropy of its own first, which would double the time of a start.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut buffer = [0; N];
    getrandom::fill(&mut buffer).expect("the system has a generator");
    buffer
}

/// A version 4 UUID, as AWS gives for request ids (RFC 9562, section 5.4).
pub(crate) fn uuid() -> String {
    let mut raw = bytes::<16>();
    raw[6] = (raw[6] & 0x0f) | 0x40;
    raw[8] = (raw[8] & 0x3f) | 0x80;
    let text = hex::encode(raw);
    format!(
        "{}-{}-{}-{}-{}",
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..]
    )
}

/// An IAM identifier: a prefix of four letters that says its kind and sixteen
/// characters of base 32 (IAM User Guide, "IAM identifiers").
pub(crate) fn identifier(prefix: &str) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let tail = bytes::<16>()
        .into_iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    prefix.chars().chain(tail).collect()
}

/// 256 bits as 64 hexadecimal digits: for secrets that travel in headers.
pub(crate) fn secret() -> String {
    hex::encode(bytes::<32>())
}

/// A secret access key: 40 characters of base 64.
pub(crate) fn access_secret() -> String {
    STANDARD.encode(bytes::<30>())
}

/// A session token. AWS's are longer and sealed; clients must not look inside.
pub(crate) fn session_token() -> String {
    STANDARD.encode(bytes::<96>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_have_the_shapes_of_aws() {
        let id = identifier("ASIA");
        assert_eq!((id.len(), &id[..4]), (20, "ASIA"));
        let uuid = uuid();
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
        assert_ne!(secret(), secret());
    }
}
