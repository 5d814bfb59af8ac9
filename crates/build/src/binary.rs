//! The program that an engine made, looked at before it is packed.

use std::path::{Path, PathBuf};

use object::Architecture;
use object::read::ReadCache;
use object::read::elf::{Dyn as _, ElfFile64, FileHeader as _, ProgramHeader};
use object::{Endianness, Object, elf};

use crate::{BuildError, Linking};

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
    /// Looks at the file: it must be an ELF program, which asks for no dynamic loader
    /// where it is linked statically.
    pub(crate) fn inspect(path: &Path, linking: Linking) -> Result<Self, BuildError> {
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
        let kind = file.elf_header().e_type(endian);
        if ![elf::ET_EXEC, elf::ET_DYN].contains(&kind) {
            return Err(not_elf("it is no finished program".to_owned()));
        }
        let mut libraries = false;
        for header in file.elf_program_headers() {
            if needs_libraries(header, endian, bytes) {
                libraries = true;
            }
            if header.p_type(endian) != elf::PT_INTERP {
                continue;
            }
            if linking != Linking::Static {
                libraries = false;
                break;
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
        if libraries {
            return Err(not_elf("it is a shared library".to_owned()));
        }
        Ok(Self {
            path: path.to_owned(),
            size,
            architecture,
        })
    }
}

/// Whether a segment names libraries that must be loaded.
fn needs_libraries(
    header: &elf::ProgramHeader64<Endianness>,
    endian: Endianness,
    bytes: &ReadCache<std::fs::File>,
) -> bool {
    let entries = header.dynamic(endian, bytes).ok().flatten();
    let mut entries = entries.into_iter().flatten();
    entries.any(|entry| entry.d_tag(endian) == elf::DT_NEEDED)
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

/// The processor in a Rust target, of one in the image specification's words; none for
/// those that no image is built for.
pub fn processor_of(architecture: &str) -> Option<&'static str> {
    match architecture {
        "amd64" => Some("x86_64"),
        "arm64" => Some("aarch64"),
        _ => None,
    }
}

/// The processor of this machine, in the image specification's words.
pub fn host_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dynamically_linked_program_is_refused_by_the_loader_it_names() {
        // The test itself is one.
        let own = std::env::current_exe().unwrap();
        let error = Binary::inspect(&own, Linking::Static).unwrap_err();
        assert!(matches!(error, BuildError::Dynamic { .. }), "{error}");
        assert!(error.to_string().contains("ld-linux"), "{error}");
        for linking in [Linking::Packed, Linking::Base] {
            assert!(Binary::inspect(&own, linking).is_ok());
        }
    }

    #[test]
    fn a_text_is_not_a_program() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("script");
        fs_err::write(&path, "#!/bin/sh\n").unwrap();
        let error = Binary::inspect(&path, Linking::Static).unwrap_err();
        assert!(matches!(error, BuildError::NotElf { .. }), "{error}");
    }
}
