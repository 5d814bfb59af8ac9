//! The program that an engine made, looked at before it is packed.

use std::path::{Path, PathBuf};

use object::Architecture;
use object::read::ReadCache;
use object::read::elf::{ElfFile64, ProgramHeader};
use object::{Endianness, Object, elf};

use crate::BuildError;

/// A program that runs in an image with nothing else in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// Where it lies.
    pub path: PathBuf,
    /// Its bytes.
    pub size: u64,
    /// Its processor, in the image specification's words: `amd64`, `arm64`.
    pub architecture: &'static str,
}

impl Binary {
    /// Looks at the file: it must be an ELF program that asks for no dynamic
    /// loader.
    pub(crate) fn inspect(path: &Path) -> Result<Self, BuildError> {
        let file = fs_err::File::open(path)?;
        let size = file.metadata()?.len();
        // Headers alone are read of it.
        let bytes = &ReadCache::new(file.into_parts().0);
        let not_elf = |reason: String| BuildError::NotElf {
            path: path.to_owned(),
            reason,
        };
        let file =
            ElfFile64::<Endianness, _>::parse(bytes).map_err(|error| not_elf(error.to_string()))?;
        let architecture = match file.architecture() {
            Architecture::X86_64 => "amd64",
            Architecture::Aarch64 => "arm64",
            other => return Err(not_elf(format!("its processor {other:?} is not known"))),
        };
        let endian = file.endian();
        for header in file.elf_program_headers() {
            if header.p_type(endian) != elf::PT_INTERP {
                continue;
            }
            let name = header.data(endian, bytes).unwrap_or_default();
            let interpreter = String::from_utf8_lossy(name)
                .trim_end_matches('\0')
                .to_owned();
            return Err(BuildError::Dynamic {
                path: path.to_owned(),
                interpreter,
            });
        }
        Ok(Self {
            path: path.to_owned(),
            size,
            architecture,
        })
    }
}

/// The processor of a Rust target in the image specification's words; none for
/// those that no image is built for.
pub fn architecture_of(target: &str) -> Option<&'static str> {
    match target.split('-').next() {
        Some("x86_64") => Some("amd64"),
        Some("aarch64") => Some("arm64"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dynamically_linked_program_is_refused_by_the_loader_it_names() {
        // The test itself is one.
        let own = std::env::current_exe().unwrap();
        let error = Binary::inspect(&own).unwrap_err();
        assert!(matches!(error, BuildError::Dynamic { .. }), "{error}");
        assert!(error.to_string().contains("ld-linux"), "{error}");
    }

    #[test]
    fn a_text_is_not_a_program() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("script");
        fs_err::write(&path, "#!/bin/sh\n").unwrap();
        let error = Binary::inspect(&path).unwrap_err();
        assert!(matches!(error, BuildError::NotElf { .. }), "{error}");
    }
}
