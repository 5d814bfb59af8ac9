//! The program that an engine made, looked at before it is packed.

use std::path::{Path, PathBuf};

use object::LittleEndian;
use object::elf::{self, FileHeader64, ProgramHeader64};
use object::read::elf::{Dyn as _, FileHeader as _, ProgramHeader as _};
use object::read::{ReadCache, ReadRef as _};

use crate::linker::processor;
use crate::{BuildError, Linking};

/// A processor that images are built for, by each of its names.
struct Processor {
    elf: elf::Machine,
    rust: &'static str,
    oci: &'static str,
}

const PROCESSORS: [Processor; 2] = [
    Processor {
        elf: elf::EM_X86_64,
        rust: "x86_64",
        oci: "amd64",
    },
    Processor {
        elf: elf::EM_AARCH64,
        rust: "aarch64",
        oci: "arm64",
    },
];

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
    /// Looks at the file: it must be an ELF program that Linux can start, which asks for
    /// no dynamic loader where it is linked statically.
    pub(crate) fn inspect(path: &Path, linking: Linking) -> Result<Self, BuildError> {
        let not_elf = |reason: String| BuildError::NotElf {
            path: path.to_owned(),
            reason,
        };
        // To open a pipe would be to wait for whoever writes to it.
        let metadata = fs_err::metadata(path)?;
        if !metadata.is_file() {
            return Err(not_elf("it is no file".to_owned()));
        }
        let size = metadata.len();
        let file = fs_err::File::open(path)?;
        // Headers alone are read of it.
        let bytes = ReadCache::new(file.into_parts().0);
        let program = Headers::read(&bytes).map_err(|reason| not_elf(reason.to_owned()))?;
        let architecture = program.architecture().map_err(not_elf)?;
        match program.interpreter().map_err(not_elf)? {
            Some(interpreter) if linking == Linking::Static => {
                return Err(BuildError::Dynamic {
                    path: path.to_owned(),
                    interpreter,
                });
            }
            None if program.needs_libraries() => {
                return Err(not_elf("it is a shared library".to_owned()));
            }
            _ => {}
        }
        program.starts(size).map_err(not_elf)?;
        Ok(Self {
            path: path.to_owned(),
            size,
            architecture,
        })
    }
}

/// The headers of a finished 64-bit program.
struct Headers<'a> {
    file: &'a FileHeader64<LittleEndian>,
    segments: &'a [ProgramHeader64<LittleEndian>],
    bytes: &'a ReadCache<std::fs::File>,
}

impl<'a> Headers<'a> {
    /// Those of a file for Linux; otherwise why it has none.
    fn read(bytes: &'a ReadCache<std::fs::File>) -> Result<Self, &'static str> {
        let file = bytes.read_at::<FileHeader64<LittleEndian>>(0);
        let file = file.ok().filter(|file| file.e_ident.magic == elf::ELFMAG);
        let file = file.ok_or("it does not begin as one")?;
        let ident = file.e_ident;
        if ident.class != elf::ELFCLASS64 {
            return Err("it is not for 64-bit processors");
        }
        if ident.data != elf::ELFDATA2LSB {
            return Err("it is big-endian");
        }
        if ![elf::ELFOSABI_NONE, elf::ELFOSABI_GNU].contains(&ident.os_abi) {
            return Err("it is for another system than Linux (EI_OSABI)");
        }
        if ![elf::ET_EXEC, elf::ET_DYN].contains(&file.e_type(LittleEndian)) {
            return Err("it is no finished program");
        }
        let segments = file.program_headers(LittleEndian, bytes);
        Ok(Self {
            file,
            segments: segments.map_err(|_| "its headers are damaged or cut off")?,
            bytes,
        })
    }

    fn architecture(&self) -> Result<&'static str, String> {
        let machine = self.file.e_machine(LittleEndian);
        let known = PROCESSORS.iter().find(|known| known.elf == machine);
        let known = known.map(|known| known.oci);
        known.ok_or_else(|| format!("its processor {} (e_machine) is not known", machine.0))
    }

    /// The dynamic loader that it asks for.
    fn interpreter(&self) -> Result<Option<String>, String> {
        for segment in self.segments {
            let name = segment.interpreter(LittleEndian, self.bytes);
            let name = name.map_err(|_| "the name of its dynamic loader is cut off")?;
            if let Some(name) = name {
                return Ok(Some(String::from_utf8_lossy(name).into_owned()));
            }
        }
        Ok(None)
    }

    /// Whether it names libraries that must be loaded.
    fn needs_libraries(&self) -> bool {
        let entries = self.segments.iter().filter_map(|segment| {
            let entries = segment.dynamic(LittleEndian, self.bytes);
            entries.ok().flatten()
        });
        let mut entries = entries.flatten();
        entries.any(|entry| entry.d_tag(LittleEndian) == elf::DT_NEEDED)
    }

    /// Why a kernel could not load it from a file of `size` bytes, or would find nothing
    /// where it is to begin (System V ABI, "Program Loading"; elf(5)).
    fn starts(&self, size: u64) -> Result<(), String> {
        let segments = self.segments.iter();
        let mut loaded = segments
            .filter(|segment| segment.p_type(LittleEndian) == elf::PT_LOAD)
            .peekable();
        if loaded.peek().is_none() {
            return Err("it has no segment to load (PT_LOAD)".to_owned());
        }
        let entry = self.file.e_entry(LittleEndian);
        let mut begins = false;
        for segment in loaded {
            let (offset, length) = segment.file_range(LittleEndian);
            if offset.checked_add(length).is_none_or(|end| end > size) {
                return Err(format!(
                    "it is cut off: a segment has {length} bytes from {offset} on, the file {size} in all"
                ));
            }
            let executable = segment.p_flags(LittleEndian).contains(elf::PF_X);
            let within = entry.checked_sub(segment.p_vaddr(LittleEndian));
            begins |= executable && within.is_some_and(|place| place < length);
        }
        match (begins, entry) {
            (true, _) => Ok(()),
            (false, 0) => Err("it has no entry point, as a shared library".to_owned()),
            (false, _) => Err(format!("its entry point {entry:#x} is not in its code")),
        }
    }
}

/// The processor of a Rust target in the image specification's words; none for
/// those that no image is built for.
pub fn architecture_of(target: &str) -> Option<&'static str> {
    let processor = processor(target);
    let mut known = PROCESSORS.iter();
    known
        .find(|known| known.rust == processor)
        .map(|known| known.oci)
}

/// The processor in a Rust target, of one in the image specification's words; none for
/// those that no image is built for.
pub fn processor_of(architecture: &str) -> Option<&'static str> {
    let mut known = PROCESSORS.iter();
    known
        .find(|known| known.oci == architecture)
        .map(|known| known.rust)
}

/// The processor of this machine, in the image specification's words.
pub fn host_architecture() -> &'static str {
    architecture_of(std::env::consts::ARCH).unwrap_or(std::env::consts::ARCH)
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

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        for path in [&pipe, directory.path()] {
            let error = Binary::inspect(path, Linking::Static).unwrap_err();
            assert!(error.to_string().ends_with("it is no file"), "{error}");
        }
    }

    /// What a program has in its headers.
    struct Made {
        class: u8,
        data: u8,
        system: u8,
        kind: u16,
        machine: u16,
        entry: u64,
        segments: u16,
        flags: u32,
        offset: u64,
        length: u64,
    }

    /// A program for 64-bit ARM: one segment, which is the whole file.
    const SOUND: Made = Made {
        class: 2,
        data: 1,
        system: 0,
        kind: 2,
        machine: 183,
        entry: 0x40_0078,
        segments: 1,
        flags: 5,
        offset: 0,
        length: 124,
    };

    impl Made {
        fn file(&self) -> Vec<u8> {
            let mut file = b"\x7fELF".to_vec();
            file.extend([self.class, self.data, 1, self.system]);
            file.resize(16, 0);
            file.extend(
                [self.kind, self.machine, 1, 0]
                    .map(u16::to_le_bytes)
                    .concat(),
            );
            file.extend([self.entry, 64, 0].map(u64::to_le_bytes).concat());
            let sizes = [0, 0, 64, 56, self.segments, 64, 0, 0];
            file.extend(sizes.map(u16::to_le_bytes).concat());
            file.extend([1, self.flags].map(u32::to_le_bytes).concat());
            let place = [
                self.offset,
                0x40_0000,
                0x40_0000,
                self.length,
                self.length,
                4096,
            ];
            file.extend(place.map(u64::to_le_bytes).concat());
            file.extend(0xd65f_03c0u32.to_le_bytes());
            file
        }
    }

    type Change = fn(&mut Made);

    /// What makes a program unfit, and the reason that is told.
    const UNFIT: [(Change, &str); 13] = [
        (|made| made.class = 1, "64-bit"),
        (|made| made.data = 2, "big-endian"),
        (|made| made.system = 9, "EI_OSABI"),
        (|made| made.kind = 1, "no finished program"),
        (|made| made.machine = 243, "243"),
        (|made| made.segments = 0, "PT_LOAD"),
        (|made| made.segments = 2, "damaged or cut off"),
        (|made| made.length = 125, "cut off: a segment"),
        (|made| made.offset = u64::MAX - 100, "cut off: a segment"),
        (
            |made| (made.kind, made.entry) = (3, 0),
            "as a shared library",
        ),
        (|made| made.flags = 4, "not in its code"),
        (|made| made.entry = 0x40_007c, "not in its code"),
        (|made| made.entry = 0x3f_ffff, "not in its code"),
    ];

    #[test]
    fn a_program_that_linux_could_not_start_is_refused_with_the_reason() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("program");
        let inspect = |change: Change| {
            let mut made = SOUND;
            change(&mut made);
            fs_err::write(&path, made.file()).unwrap();
            Binary::inspect(&path, Linking::Static)
        };
        let sound: [Change; 3] = [|_| (), |made| made.system = 3, |made| made.kind = 3];
        for change in sound {
            assert_eq!(inspect(change).unwrap().architecture, "arm64");
        }
        for (change, reason) in UNFIT {
            let error = inspect(change).unwrap_err().to_string();
            assert!(error.contains(reason), "{reason}: {error}");
        }
        let whole = SOUND.file();
        for length in 0..whole.len() {
            fs_err::write(&path, &whole[..length]).unwrap();
            assert!(Binary::inspect(&path, Linking::Base).is_err(), "{length}");
        }
    }
}
