//! Disks of a test's own, which can be filled, made read-only, and robbed of power.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::harness::{in_ci, succeed};

/// Makes the file system drop everything that it has not been told to keep, as a
/// power cut does (`EXT4_IOC_SHUTDOWN` without flushing the journal).
const CUT_POWER: &str = "
import fcntl, os, struct, sys
directory = os.open(sys.argv[1], os.O_RDONLY)
fcntl.ioctl(directory, 0x8004587D, struct.pack('I', 2))
";

/// A mounted file system, unmounted at the end.
pub(super) struct Disk {
    directory: TempDir,
    /// The file that stands for the disk; `None` where that is memory.
    image: Option<TempDir>,
}

impl Disk {
    /// A disk in memory. `None`, with a printed reason, where this user may not
    /// mount; in CI that is a failure.
    pub(super) fn mount(size: &str) -> Option<Self> {
        let disk = Self {
            directory: tempfile::tempdir().unwrap(),
            image: None,
        };
        let size = format!("size={size}");
        let mounted = disk.mounted(&["-t", "tmpfs", "-o", &size, "tmpfs"]);
        mounted.then_some(disk)
    }

    /// A disk that remembers after `cut_power` what it was told to keep, and
    /// nothing else: it syncs nothing on its own for five minutes.
    pub(super) fn with_power() -> Option<Self> {
        let image = tempfile::tempdir().unwrap();
        let disk = Self {
            directory: tempfile::tempdir().unwrap(),
            image: Some(image),
        };
        let file = disk.file().unwrap();
        let sparse = std::fs::File::create(&file).unwrap();
        sparse.set_len(1 << 30).unwrap();
        let mut format = Command::new("mkfs.ext4");
        succeed(format.args(["-q", "-F"]).arg(&file));
        disk.switch_on().then_some(disk)
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Cuts the power: whoever reads or writes is told that the disk failed.
    pub(super) fn cut_power(&self) {
        let mut cut = Command::new("python3");
        succeed(cut.args(["-c", CUT_POWER]).arg(self.path()));
    }

    /// Gives the power back. Nobody may have a file open.
    pub(super) fn restore_power(&self) {
        succeed(Command::new("umount").arg(self.path()));
        assert!(self.switch_on());
    }

    fn file(&self) -> Option<PathBuf> {
        let image = self.image.as_ref()?;
        Some(image.path().join("disk"))
    }

    fn switch_on(&self) -> bool {
        let file = self.file().unwrap();
        self.mounted(&["-o", "loop,commit=300", &file.to_string_lossy()])
    }

    fn mounted(&self, arguments: &[&str]) -> bool {
        let mut mount = Command::new("mount");
        let mounted = mount.args(arguments).arg(self.path()).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return true;
        }
        assert!(!in_ci(), "the gate runs as root, who may mount");
        println!("skipped: this user may not mount");
        false
    }

    pub(super) fn remount(&self, how: &str) {
        let mut mount = Command::new("mount");
        let remount = format!("remount,{how}");
        succeed(mount.args(["-o", &remount]).arg(self.path()));
    }

    /// Takes all space that is left, but for `spare` bytes.
    pub(super) fn fill(&self, spare: u64) {
        let mut bytes = vec![0; 1 << 20];
        let mut file = std::fs::File::create(self.path().join("filler")).unwrap();
        while !bytes.is_empty() {
            if std::io::Write::write_all(&mut file, &bytes).is_err() {
                bytes.truncate(bytes.len() / 2);
            }
        }
        let size = file.metadata().unwrap().len();
        file.set_len(size.saturating_sub(spare)).unwrap();
    }

    pub(super) fn make_room(&self) {
        std::fs::remove_file(self.path().join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).output();
    }
}
