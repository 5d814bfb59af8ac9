//! Addresses that give one blob to whoever holds them, until they expire.
//!
//! ECR hands out presigned S3 addresses; these take their place. The key lives
//! as long as the process, so an address does not survive a restart, and no
//! longer than the state that it was made of.

use std::sync::{PoisonError, RwLock};

use aws_lc_rs::hmac;
use jiff::{SignedDuration, Timestamp};
use oci::Digest;

use crate::random;

/// How long an address is good; ECR's are good for an hour (inferred from the
/// `X-Amz-Expires` of its presigned addresses).
const LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// Signs addresses and checks them.
#[derive(Debug)]
pub(crate) struct DownloadSigner {
    key: RwLock<hmac::Key>,
}

impl DownloadSigner {
    pub(super) fn random() -> Self {
        Self {
            key: RwLock::new(new_key()),
        }
    }

    /// Makes all addresses that were handed out useless.
    pub(super) fn renew(&self) {
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = new_key();
    }

    /// The path, with its query, from which `digest` can be had.
    pub(crate) fn path(&self, digest: &Digest, now: Timestamp) -> String {
        let expires = expiry(now).as_second();
        let key = self.key.read().unwrap_or_else(PoisonError::into_inner);
        let tag = hmac::sign(&key, signed_text(digest, expires).as_bytes());
        format!(
            "/layers/{digest}?Expires={expires}&Signature={}",
            hex::encode(tag.as_ref())
        )
    }

    /// Whether `signature` was made by `path` for these values, and is not expired.
    pub(crate) fn admits(
        &self,
        digest: &Digest,
        expires: i64,
        signature: &str,
        now: Timestamp,
    ) -> bool {
        let Ok(tag) = hex::decode(signature) else {
            return false;
        };
        let key = self.key.read().unwrap_or_else(PoisonError::into_inner);
        now.as_second() < expires
            && hmac::verify(&key, signed_text(digest, expires).as_bytes(), &tag).is_ok()
    }
}

fn new_key() -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &random::bytes::<32>())
}

/// The clock may have been moved to the end of time.
fn expiry(now: Timestamp) -> Timestamp {
    now.checked_add(LIFETIME).unwrap_or(Timestamp::MAX)
}

fn signed_text(digest: &Digest, expires: i64) -> String {
    format!("{digest}\n{expires}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(path: &str) -> (i64, String) {
        let (_, query) = path.split_once("?Expires=").unwrap();
        let (expires, signature) = query.split_once("&Signature=").unwrap();
        (expires.parse().unwrap(), signature.to_owned())
    }

    #[test]
    fn an_address_is_good_for_its_blob_until_it_expires() {
        let signer = DownloadSigner::random();
        let now = Timestamp::UNIX_EPOCH;
        let digest = Digest::of(b"layer");
        let (expires, signature) = parts(&signer.path(&digest, now));
        assert!(signer.admits(&digest, expires, &signature, now));
        assert!(!signer.admits(&Digest::of(b"other"), expires, &signature, now));
        assert!(!signer.admits(&digest, expires + 1, &signature, now));
        assert!(!signer.admits(&digest, expires, &signature, now + LIFETIME));
        assert!(!signer.admits(&digest, expires, "zz", now));
        let stranger = DownloadSigner::random();
        assert!(!stranger.admits(&digest, expires, &signature, now));
        signer.path(&digest, Timestamp::MAX);
        signer.renew();
        assert!(!signer.admits(&digest, expires, &signature, now));
    }
}
