//! The list of packages inside of the program, as `cargo auditable` embeds it:
//! compressed JSON in a section named `.dep-v0`, which scanners read.
//!
//! The section is appended to the finished program, and is not loaded when it runs: one
//! run of cargo may make several programs, each with a list of its own.
//!
//! Source: [cargo-auditable], `PARSING.md`.
//!
//! [cargo-auditable]: https://github.com/rust-secure-code/cargo-auditable

use std::io::{Read as _, Write as _};
use std::path::Path;

use attest::{Dependencies, PackageSource};
use auditable_serde::{DependencyKind, Package, Source, VersionInfo};
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use object::elf::{FileHeader64, SHT_PROGBITS, SectionHeader64};
use object::pod::{bytes_of, from_bytes, slice_from_bytes};
use object::read::ReadCache;
use object::{LittleEndian, Object as _, ObjectSection as _, U32, U64};

use crate::BuildError;

/// The section's name.
const NAME: &[u8] = b".dep-v0\0";
/// The longest list that is read, in bytes: a hundred times that of a large program.
const LONGEST: u64 = 8 << 20;

/// Writes the program in `file` with the list of `dependencies` to `place`.
pub(crate) fn add(
    file: &Path,
    dependencies: &Dependencies,
    place: &Path,
) -> Result<(), BuildError> {
    let program = fs_err::read(file)?;
    let list = compressed(dependencies)?;
    // The list is of use, and no reason to refuse a program of an unknown form.
    let written = with_section(&program, &list).unwrap_or(program);
    // Another run may be packing the one that is there.
    if fs_err::read(place).is_ok_and(|there| there == written) {
        return Ok(());
    }
    let directory = place.parent().unwrap_or(Path::new("."));
    fs_err::create_dir_all(directory)?;
    let mut output = tempfile::NamedTempFile::new_in(directory)?;
    output.write_all(&written)?;
    output.persist(place).map_err(|error| error.error)?;
    Ok(())
}

/// Whether the program in `file` has the list of `dependencies` in it; a list that is
/// longer than any that this writes is none.
pub(crate) fn is_of(file: &Path, dependencies: &Dependencies) -> Result<bool, BuildError> {
    let program = ReadCache::new(fs_err::File::open(file)?.into_parts().0);
    let list = object::File::parse(&program).ok();
    let list =
        list.and_then(|program| Some(program.section_by_name(".dep-v0")?.data().ok()?.to_vec()));
    let Some(list) = list else {
        return Ok(false);
    };
    let mut json = Vec::new();
    let read = ZlibDecoder::new(&*list)
        .take(LONGEST)
        .read_to_end(&mut json);
    let found = read
        .ok()
        .and_then(|_| serde_json::from_slice::<VersionInfo>(&json).ok());
    let own = version_info(dependencies).map_err(unreadable)?;
    Ok(found == Some(own))
}

/// The program with one more section, for which the table of sections and the names in
/// it are written anew at the end; `None` for what is no 64-bit program of little-endian
/// words with such a table (System V ABI, "Object Files").
fn with_section(program: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    type Header = FileHeader64<LittleEndian>;
    type Section = SectionHeader64<LittleEndian>;
    let endian = LittleEndian;
    let (header, _) = from_bytes::<Header>(program).ok()?;
    let known = header.e_ident.magic == object::elf::ELFMAG
        && header.e_ident.class == object::elf::ELFCLASS64
        && header.e_ident.data == object::elf::ELFDATA2LSB;
    let start = usize::try_from(header.e_shoff.get(endian)).ok()?;
    let count = usize::from(header.e_shnum.get(endian));
    let names = usize::from(header.e_shstrndx.get(endian).0);
    if !known || usize::from(header.e_shentsize.get(endian)) != size_of::<Section>() {
        return None;
    }
    let (table, _) = slice_from_bytes::<Section>(program.get(start..)?, count).ok()?;
    let mut table = table.to_vec();
    let place = usize::try_from(table.get(names)?.sh_offset.get(endian)).ok()?;
    let length = usize::try_from(table.get(names)?.sh_size.get(endian)).ok()?;
    let mut texts = program.get(place..place.checked_add(length)?)?.to_vec();

    let mut written = program.to_vec();
    let mut section = *table.first()?;
    section.sh_name = U32::new(endian, u32::try_from(texts.len()).ok()?);
    section.sh_type = U32::new(endian, SHT_PROGBITS);
    section.sh_addralign = U64::new(endian, 1);
    section.sh_offset = U64::new(endian, written.len() as u64);
    section.sh_size = U64::new(endian, data.len() as u64);
    written.extend_from_slice(data);
    texts.extend_from_slice(NAME);
    table[names].sh_offset = U64::new(endian, written.len() as u64);
    table[names].sh_size = U64::new(endian, texts.len() as u64);
    written.extend_from_slice(&texts);
    table.push(section);
    written.resize(written.len().next_multiple_of(8), 0);
    let mut header = *header;
    header.e_shoff = U64::new(endian, written.len() as u64);
    header.e_shnum.set(endian, u16::try_from(table.len()).ok()?);
    for section in &table {
        written.extend_from_slice(bytes_of(section));
    }
    written[..size_of::<Header>()].copy_from_slice(bytes_of(&header));
    Some(written)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what becomes of an error"
)]
fn unreadable(error: semver::Error) -> BuildError {
    BuildError::Dependencies(error.to_string())
}

fn compressed(dependencies: &Dependencies) -> Result<Vec<u8>, BuildError> {
    let list = version_info(dependencies).map_err(unreadable)?;
    let json = serde_json::to_vec(&list).map_err(std::io::Error::from)?;
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&json)?;
    Ok(encoder.finish()?)
}

fn version_info(dependencies: &Dependencies) -> Result<VersionInfo, semver::Error> {
    let package = |(place, package): (usize, &attest::Package)| {
        Ok(Package {
            name: package.name.clone(),
            version: package.version.parse()?,
            source: source(&package.source),
            kind: if package.build_only {
                DependencyKind::Build
            } else {
                DependencyKind::Runtime
            },
            dependencies: package.dependencies.clone(),
            root: place == dependencies.root,
        })
    };
    let packages = dependencies.packages.iter().enumerate();
    Ok(VersionInfo {
        packages: packages.map(package).collect::<Result<_, _>>()?,
        // 1: macros and what they need count as building, not as shipped.
        format: 1,
    })
}

fn source(source: &PackageSource) -> Source {
    match source {
        PackageSource::Local => Source::Local,
        PackageSource::CratesIo => Source::CratesIo,
        PackageSource::Registry(_) => Source::Registry,
        PackageSource::Git(_) => Source::Git,
        PackageSource::Unnamed(place) => Source::from(place.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    fn dependencies(name: &str) -> Dependencies {
        let package = attest::Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            source: PackageSource::Local,
            build_only: false,
            license: None,
            checksum: None,
            dependencies: Vec::new(),
        };
        Dependencies {
            packages: vec![package],
            root: 0,
        }
    }

    #[test]
    fn a_program_with_its_list_still_runs_and_another_list_is_another_program() {
        let folder = tempfile::tempdir().unwrap();
        let add = |name: &str| {
            let place = folder.path().join(name);
            add(Path::new("/bin/true"), &dependencies(name), &place).unwrap();
            fs_err::read(place).unwrap()
        };
        let written = || {
            let metadata = fs_err::metadata(folder.path().join("a")).unwrap();
            (metadata.ino(), metadata.modified().unwrap())
        };
        let (one, other) = (add("a"), add("b"));
        let before = written();
        assert_eq!(add("a"), one);
        assert_eq!(written(), before, "whoever reads it sees no change");
        assert_ne!(one, other);
        let lists =
            |file: &str, name| is_of(&folder.path().join(file), &dependencies(name)).unwrap();
        assert!(lists("a", "a") && !lists("a", "b"));
        assert!(!is_of(Path::new("/bin/true"), &dependencies("a")).unwrap());
        let file = object::File::parse(&*one).unwrap();
        let section = file.section_by_name(".dep-v0").unwrap();
        let list = compressed(&dependencies("a")).unwrap();
        assert_eq!(section.data().unwrap(), list);
        assert!(file.section_by_name(".text").is_some());

        let program = folder.path().join("a");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs_err::set_permissions(&program, mode).unwrap();
        assert!(
            std::process::Command::new(program)
                .status()
                .unwrap()
                .success()
        );
    }

    #[test]
    fn what_is_no_program_is_left_as_it_is() {
        assert_eq!(with_section(b"#!/bin/sh\n", b"list"), None);
        let program = fs_err::read("/bin/true").unwrap();
        assert_eq!(with_section(&program[..100], b"list"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(mut bytes: Vec<u8>) {
            let _ = with_section(&bytes, b"list");
            bytes.splice(0..0, *b"\x7fELF\x02\x01");
            let _ = with_section(&bytes, b"list");
        }
    }
}
