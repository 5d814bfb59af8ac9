//! The layout as one file, for those who have no registry at hand.

use std::io::BufWriter;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use image::{ImageError, Layout, Stored, write_docker_archive, write_oci_archive};
use oci::{Platform, annotation};

/// An archive that a build writes besides the layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// In which form.
    pub form: ArchiveForm,
    /// Where it goes; a file that is there is replaced once the new one is whole.
    pub file: PathBuf,
}

/// The forms of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveForm {
    /// The layout as a tar: `skopeo copy oci-archive:FILE`, `podman load`.
    Oci,
    /// What `docker load` takes.
    Docker,
}

/// Why a text names no archive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no archive: it must be `oci:FILE` or `docker:FILE`")]
pub struct ArchiveError(String);

impl FromStr for Archive {
    type Err = ArchiveError;

    fn from_str(text: &str) -> Result<Self, ArchiveError> {
        let (form, file) = match text.split_once(':') {
            Some(("oci", file)) => (ArchiveForm::Oci, file),
            Some(("docker", file)) => (ArchiveForm::Docker, file),
            _ => return Err(ArchiveError(text.to_owned())),
        };
        if file.is_empty() {
            return Err(ArchiveError(text.to_owned()));
        }
        let file = PathBuf::from(file);
        Ok(Self { form, file })
    }
}

impl Archive {
    /// Writes what `layout` holds. In a docker archive the image is called after its
    /// title, with its revision and `latest` as tags; of an index it holds the image for
    /// this machine, on which the engine is taken to run.
    pub(super) fn write(&self, layout: &Layout, stored: &Stored) -> Result<(), ImageError> {
        let parent = match self.file.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs_err::create_dir_all(parent)?;
        let file = tempfile::Builder::new()
            .prefix(".archive-")
            .permissions(std::fs::Permissions::from_mode(0o666))
            .tempfile_in(parent)?;
        let output = BufWriter::with_capacity(1 << 18, file.as_file());
        let said = |key| stored.annotations().get(key);
        match self.form {
            ArchiveForm::Oci => {
                write_oci_archive(
                    layout,
                    said(annotation::REVISION).map(String::as_str),
                    output,
                )?;
            }
            ArchiveForm::Docker => {
                let title = said(annotation::TITLE).map_or("image", String::as_str);
                let title = title.to_lowercase();
                let tags = said(annotation::REVISION).map(String::as_str);
                let tags = tags.into_iter().chain(["latest"]);
                let names: Vec<_> = tags.map(|tag| format!("{title}:{tag}")).collect();
                let host = Platform::linux(build::host_architecture());
                let image = stored.image_for(&host);
                let image = image.ok_or(ImageError::NoImageFor(host))?;
                write_docker_archive(layout, image, &names, output)?;
            }
        }
        file.persist(&self.file).map_err(|error| error.error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_a_form_and_a_file() {
        let archive: Archive = "docker:out/a:b.tar".parse().unwrap();
        assert_eq!(archive.form, ArchiveForm::Docker);
        assert_eq!(archive.file, Path::new("out/a:b.tar"));
        for wrong in ["", "oci", "oci:", "tar:x", "x.tar"] {
            assert!(wrong.parse::<Archive>().is_err(), "{wrong}");
        }
    }
}
