//! What must not be in an image.

use std::fmt;

use crate::error::ImageError;

/// Shorter values are in any large file by chance.
const SHORTEST: usize = 8;

/// A secret that a build was given. It never prints.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Secret({})", self.name)
    }
}

/// Looks for secrets in a file that is read in pieces.
pub(super) struct Search<'a> {
    secrets: Vec<&'a Secret>,
    /// The end of what was read before: a secret may lie across two pieces.
    before: Vec<u8>,
    overlap: usize,
}

impl<'a> Search<'a> {
    pub(super) fn new(secrets: &'a [Secret]) -> Self {
        let long = |secret: &&Secret| secret.value.len() >= SHORTEST;
        let secrets: Vec<_> = secrets.iter().filter(long).collect();
        let longest = secrets.iter().map(|secret| secret.value.len()).max();
        Self {
            secrets,
            before: Vec::new(),
            overlap: longest.unwrap_or(1) - 1,
        }
    }

    /// Looks at the next piece of the file at `path`.
    pub(super) fn piece(&mut self, path: &str, piece: &[u8]) -> Result<(), ImageError> {
        if self.secrets.is_empty() {
            return Ok(());
        }
        self.before.extend_from_slice(piece);
        for secret in &self.secrets {
            if memchr::memmem::find(&self.before, secret.value.as_bytes()).is_some() {
                return Err(ImageError::SecretInImage {
                    secret: secret.name.clone(),
                    path: path.to_owned(),
                });
            }
        }
        let old = self.before.len().saturating_sub(self.overlap);
        self.before.drain(..old);
        Ok(())
    }
}
