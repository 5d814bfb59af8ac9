//! The secret that opens the controls to other machines: made once, kept in the
//! data directory, readable by its owner only.

use std::path::Path;

use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::{private_file, random};

/// The file of the secret, in the data directory.
pub(crate) const FILE: &str = "controls.secret";
/// The fewest characters that a given secret may have.
const SHORTEST: usize = 16;

/// Opens the controls to who shows it. It never prints.
#[derive(Clone, PartialEq, Eq)]
pub struct ControlsSecret(String);

impl std::fmt::Debug for ControlsSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("***")
    }
}

/// Why a text cannot be the secret of the controls. The text is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the secret of the controls needs {SHORTEST} characters or more, all of them visible ASCII or inner spaces"
)]
pub struct BadControlsSecret;

impl ControlsSecret {
    /// Takes a secret that was given, if a header can carry it.
    pub fn parse(text: &str) -> Result<Self, BadControlsSecret> {
        let is_text = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if is_text && text.trim() == text && text.len() >= SHORTEST {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadControlsSecret)
        }
    }

    /// Reads the secret of the data directory, or makes one.
    pub(crate) fn open(data: &Path) -> std::io::Result<Self> {
        let path = data.join(FILE);
        match fs_err::read_to_string(&path) {
            Ok(text) => Self::parse(text.trim_end())
                .map_err(|error| std::io::Error::other(format!("{}: {error}", path.display()))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let secret = random::secret();
                private_file::write(&path, format!("{secret}\n").as_bytes())?;
                Ok(Self(secret))
            }
            Err(error) => Err(error),
        }
    }

    /// Whether `shown` is the secret, in a time that does not tell how much of
    /// it was right.
    pub(super) fn is(&self, shown: &str) -> bool {
        verify_slices_are_equal(shown.as_bytes(), self.0.as_bytes()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_secret_is_made_once_owner_only_and_never_printed() {
        let directory = tempfile::tempdir().unwrap();
        let first = ControlsSecret::open(directory.path()).unwrap();
        let path = directory.path().join(FILE);
        let mode = fs_err::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let kept = fs_err::read_to_string(path).unwrap();
        assert!(first.is(kept.trim_end()));
        assert_eq!(ControlsSecret::open(directory.path()).unwrap(), first);
        assert_eq!(format!("{first:?} {:?}", Some(&first)), "*** Some(***)");
    }

    #[test]
    fn short_secrets_and_those_no_header_carries_are_refused_unrepeated() {
        for text in [
            "",
            "short",
            "0123456789abcde",
            " 0123456789abcdef",
            "0123456789abcdéf",
            "0123456789\nabcdef",
        ] {
            let refused = ControlsSecret::parse(text).unwrap_err().to_string();
            assert!(text.is_empty() || !refused.contains(text), "{refused}");
        }
        assert!(ControlsSecret::parse("0123456789abcdef").is_ok());
    }
}
