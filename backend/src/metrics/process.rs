//! What Linux says of this process, see `proc(5)`.

use rustix::param::clock_ticks_per_second;
use rustix::process::{Resource, getrlimit};

/// What this process uses.
#[derive(Debug, PartialEq)]
pub(super) struct Process {
    pub(super) resident_bytes: i64,
    pub(super) threads: i64,
    pub(super) open_files: i64,
    pub(super) most_open_files: i64,
    pub(super) processor_seconds: f64,
}

impl Process {
    /// Reads it; nothing where there is no `/proc`.
    pub(super) fn read() -> Option<Self> {
        let status = fs_err::read_to_string("/proc/self/status").ok()?;
        let stat = fs_err::read_to_string("/proc/self/stat").ok()?;
        let open_files = fs_err::read_dir("/proc/self/fd").ok()?.count();
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        Some(Self {
            resident_bytes: number(&status, "VmRSS:")?.saturating_mul(1024),
            threads: number(&status, "Threads:")?,
            // Less the directory that is read.
            open_files: i64::try_from(open_files).ok()? - 1,
            most_open_files: i64::try_from(limit).unwrap_or(i64::MAX),
            processor_seconds: ticks(&stat)? / rate(),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is 100")]
fn rate() -> f64 {
    clock_ticks_per_second() as f64
}

/// The number after `name` on its line of `/proc/self/status`.
fn number(status: &str, name: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// `utime` and `stime`, the 14th and 15th field of `/proc/self/stat`. The second one
/// is a name in parentheses, which may hold anything.
fn ticks(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut fields = after_name.split(' ').skip(11);
    let mut next = || fields.next()?.parse::<f64>().ok();
    Some(next()? + next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_something() {
        let process = Process::read().expect("a process on Linux");
        assert!(process.resident_bytes > 100_000);
        assert!(process.threads >= 1);
        assert!(process.open_files >= 3 && process.open_files <= process.most_open_files);
    }

    #[test]
    fn the_time_is_found_behind_any_name() {
        let stat = "1 (a ) b) S 0 1 1 0 -1 4194560 1 2 3 4 120 30 7 8 20 0 1 0 2";
        assert_eq!(ticks(stat), Some(150.0));
        assert_eq!(ticks("1 (a"), None);
    }
}
