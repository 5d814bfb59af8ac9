//! The shared objects that a program loads when it starts: what its ELF names, what those
//! name, and the loader itself.
//!
//! Each is looked for as the linker did: where the file that names it says (`DT_RUNPATH`,
//! `DT_RPATH`), then where the compiler finds it. What a program opens by itself
//! (`dlopen`) no file names.
//!
//! Source: System V ABI, "Dynamic Linking"; ld.so(8).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use object::Endianness;
use object::elf::{self, FileHeader64};
use object::read::ReadCache;
use object::read::elf::{ElfFile64, FileHeader as _, ProgramHeader as _};

use crate::toolchain::file_of;
use crate::{BuildError, linker};

/// How the C library and others come to a program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Linking {
    /// They are in it.
    #[default]
    Static,
    /// It loads them, and they are packed with it.
    Packed,
    /// It loads them from the image that it is put on.
    Base,
}

/// What one ELF file loads.
struct Needs {
    machine: u16,
    interpreter: Option<String>,
    names: Vec<String>,
    /// Directories that the file itself names.
    places: Vec<PathBuf>,
}

/// Where shared objects are found on this machine.
pub(crate) struct Search<'a> {
    /// The compiler that knows them.
    pub(crate) compiler: &'a str,
    pub(crate) workspace: &'a Path,
    pub(crate) target: &'a str,
}

impl Search<'_> {
    /// The shared objects of `program`: where each is, by its path in the image. Those
    /// that are known by a name lie in the directory of the C library, where its own loader
    /// looks.
    pub(crate) async fn closure(
        &self,
        program: &Path,
    ) -> Result<BTreeMap<String, PathBuf>, BuildError> {
        let own = Needs::of(program)?;
        let Some(interpreter) = own.interpreter.clone() else {
            return Ok(BTreeMap::new());
        };
        let machine = own.machine;
        let name = interpreter.rsplit('/').next().unwrap_or_default();
        let loader = self.find(name, &[], machine).await;
        let loader = loader.ok_or_else(|| missing(program, name))?;
        let directory = self.directory().await;
        let mut all = BTreeMap::from([(interpreter.clone(), loader)]);
        let mut open = vec![(program.to_owned(), own)];
        while let Some((file, needs)) = open.pop() {
            for needed in &needs.names {
                // A path is not looked for: the loader opens it as it is.
                let place = if needed.starts_with('/') {
                    needed.clone()
                } else {
                    format!("{directory}/{needed}")
                };
                // The loader is there before anything asks for it.
                if all.contains_key(&place) || needed == name {
                    continue;
                }
                let found = self.find(needed, &needs.places, machine).await;
                let found = found.ok_or_else(|| missing(&file, needed))?;
                open.push((found.clone(), Needs::of(&found)?));
                all.insert(place, found);
            }
        }
        Ok(all)
    }

    /// The file of a shared object for `machine`, without links on the way.
    async fn find(&self, name: &str, places: &[PathBuf], machine: u16) -> Option<PathBuf> {
        let fits = |file: &PathBuf| {
            let file = fs_err::canonicalize(file).ok()?;
            let needs = Needs::of(&file).ok()?;
            (needs.machine == machine).then_some(file)
        };
        if !name.contains('/') {
            let own = places.iter().map(|place| place.join(name));
            if let Some(found) = own.clone().find_map(|file| fits(&file)) {
                return Some(found);
            }
        }
        fits(&file_of(self.compiler, name, self.workspace).await?)
    }

    /// The directory of the C library. That of another processor's GCC is where it was
    /// unpacked here, and not where its loader looks.
    async fn directory(&self) -> String {
        let foreign = self.compiler != "cc";
        let library = file_of(self.compiler, "libc.so.6", self.workspace).await;
        let library = library.and_then(|file| fs_err::canonicalize(file).ok());
        let directory = library.as_deref().and_then(Path::parent);
        match directory.filter(|_| !foreign) {
            Some(directory) => directory.display().to_string(),
            None => format!("/usr/lib/{}-linux-gnu", linker::processor(self.target)),
        }
    }
}

impl Needs {
    fn of(path: &Path) -> Result<Self, BuildError> {
        let bytes = ReadCache::new(fs_err::File::open(path)?.into_parts().0);
        Self::read(path, &bytes).map_err(|error| BuildError::NotElf {
            path: path.to_owned(),
            reason: error.to_string(),
        })
    }

    fn read(path: &Path, bytes: &ReadCache<std::fs::File>) -> Result<Self, object::Error> {
        let file: ElfFile64<'_, Endianness, _> = ElfFile64::parse(bytes)?;
        let header: &FileHeader64<Endianness> = file.elf_header();
        let segments = file.elf_program_headers().iter();
        let mut interpreters =
            segments.filter_map(|segment| segment.interpreter(file.endian(), bytes).transpose());
        let interpreter = interpreters.next().transpose()?;
        let origin = path.parent().unwrap_or(Path::new("/"));
        let table = file.elf_dynamic_table()?;
        let (mut names, mut places) = (Vec::new(), Vec::new());
        for entry in &table {
            let is_name = entry.tag == elf::DT_NEEDED;
            if !is_name && entry.tag != elf::DT_RUNPATH && entry.tag != elf::DT_RPATH {
                continue;
            }
            let text = String::from_utf8_lossy(table.string(entry)?).into_owned();
            if is_name {
                names.push(text);
            } else {
                places.extend(text.split(':').map(|place| directory(place, origin)));
            }
        }
        Ok(Self {
            machine: header.e_machine(file.endian()).0,
            interpreter: interpreter.map(|name| String::from_utf8_lossy(name).into_owned()),
            names,
            places,
        })
    }
}

/// A directory that a file in `origin` names.
fn directory(text: &str, origin: &Path) -> PathBuf {
    let origin = origin.display().to_string();
    let text = text.replace("${ORIGIN}", &origin);
    PathBuf::from(text.replace("$ORIGIN", &origin))
}

fn missing(file: &Path, name: &str) -> BuildError {
    BuildError::NoLibrary {
        file: file.to_owned(),
        name: name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search() -> Search<'static> {
        Search {
            compiler: "cc",
            workspace: Path::new("/"),
            target: "x86_64-unknown-linux-gnu",
        }
    }

    #[tokio::test]
    async fn a_program_needs_its_loader_and_everything_that_is_named_on_the_way() {
        // The test itself is one.
        let own = std::env::current_exe().unwrap();
        let found = search().closure(&own).await.unwrap();
        let names: Vec<_> = found
            .keys()
            .map(|path| path.rsplit('/').next().unwrap())
            .collect();
        assert!(names.contains(&"libc.so.6"), "{found:?}");
        assert!(
            names.iter().any(|name| name.starts_with("ld-linux")),
            "{found:?}"
        );
        for file in found.values() {
            assert!(file.is_absolute() && file.is_file(), "{found:?}");
            assert_eq!(fs_err::canonicalize(file).unwrap(), *file);
        }
        assert_eq!(search().closure(&own).await.unwrap(), found);
    }

    #[test]
    fn a_directory_may_be_told_by_where_the_file_is() {
        let origin = Path::new("/opt/a/bin");
        assert_eq!(
            directory("$ORIGIN/../lib", origin),
            Path::new("/opt/a/bin/../lib")
        );
        assert_eq!(directory("${ORIGIN}", origin), origin);
        assert_eq!(directory("/usr/lib", origin), Path::new("/usr/lib"));
    }

    #[tokio::test]
    async fn what_is_not_there_is_told_with_who_needs_it() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("libgone.so");
        let program = folder.path().join("program");
        let compile = |arguments: &[&str], from: &str| {
            let source = folder.path().join("source.c");
            fs_err::write(&source, from).unwrap();
            let mut command = std::process::Command::new("cc");
            command
                .args(arguments)
                .arg(&source)
                .arg("-L")
                .arg(folder.path());
            assert!(
                command
                    .args(["-lgone"].iter().filter(|_| from.contains("main")))
                    .status()
                    .unwrap()
                    .success()
            );
        };
        let path = |path: &Path| path.display().to_string();
        compile(
            &["-shared", "-o", &path(&library)],
            "int gone(void) { return 0; }",
        );
        compile(
            &["-o", &path(&program)],
            "int gone(void); int main(void) { return gone(); }",
        );
        let error = search().closure(&program).await.unwrap_err().to_string();
        assert!(
            error.contains("libgone.so") && error.contains("program"),
            "{error}"
        );
        // Beside the program, where it says so.
        let run_path = "-Wl,-rpath,$ORIGIN";
        compile(
            &[run_path, "-o", &path(&program)],
            "int gone(void); int main(void) { return gone(); }",
        );
        let found = search().closure(&program).await.unwrap();
        assert!(
            found.values().any(|file| file.ends_with("libgone.so")),
            "{found:?}"
        );
    }

    #[tokio::test]
    async fn a_library_that_is_known_by_its_path_is_packed_at_that_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (library, program) = (path("unnamed.so"), path("program"));
        let compile = |arguments: &[&str], text: &str| {
            fs_err::write(path("source.c"), text).unwrap();
            let mut command = std::process::Command::new("cc");
            let command = command.arg(path("source.c")).args(arguments);
            assert!(command.status().unwrap().success());
        };
        let function = "int sound(void) { return 0; }";
        compile(&["-shared", "-fPIC", "-o", &library], function);
        let main = "int sound(void); int main(void) { return sound(); }";
        compile(&[&library, "-o", &program], main);
        let found = search().closure(Path::new(&program)).await.unwrap();
        let file = fs_err::canonicalize(&library).unwrap();
        assert_eq!(found.get(&library), Some(&file), "{found:?}");
    }
}
