//! Standard output behind a buffer and a thread of its own: whoever reads the log
//! slowly, or not at all, stops no request.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// How much waits for a reader, in bytes; as much again may be on its way to him.
const LONGEST_BACKLOG: usize = 1024 * 1024;

/// How long the first of the lines waits for others: under load they are written together.
const GATHER: Duration = Duration::from_millis(1);

/// How much memory is kept for the next lines, in bytes.
const KEPT: usize = 64 * 1024;

/// Takes lines at once, and writes them when somebody reads. What finds no room is lost,
/// and counted.
#[derive(Debug, Clone, Default)]
pub(super) struct Output(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    backlog: Mutex<Backlog>,
    changed: Condvar,
    lost: AtomicU64,
    /// Who writes. It tells what was lost, and that must not be lost too.
    writer: OnceLock<ThreadId>,
}

#[derive(Debug, Default)]
struct Backlog {
    lines: Vec<u8>,
    /// Whether lines that were taken from here are still being written.
    is_writing: bool,
}

impl Output {
    /// Lines that were lost so far.
    pub(super) fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }

    /// Writes what comes to `reader`, for ever. When it reads again after lines were lost,
    /// it is told with `tell` how many those were.
    pub(super) fn write_to(&self, mut reader: impl Write, tell: impl Fn(u64)) -> ! {
        self.0.writer.get_or_init(|| thread::current().id());
        let mut told = 0;
        let mut lines = Vec::new();
        loop {
            self.take(&mut lines);
            if reader.write_all(&lines).is_err() || reader.flush().is_err() {
                self.lose(&lines);
            } else {
                let lost = self.lost();
                if lost > told {
                    tell(lost - told);
                    told = lost;
                }
            }
            self.backlog().is_writing = false;
            self.0.changed.notify_all();
        }
    }

    /// Waits until everything is written, but no longer than `limit`.
    pub(super) fn finish(&self, limit: Duration) {
        let is_busy = |backlog: &mut Backlog| backlog.is_writing || !backlog.lines.is_empty();
        let _ = self
            .0
            .changed
            .wait_timeout_while(self.backlog(), limit, is_busy);
    }

    /// Waits for lines and takes all there are.
    fn take(&self, lines: &mut Vec<u8>) {
        lines.clear();
        lines.shrink_to(KEPT);
        let backlog = self
            .0
            .changed
            .wait_while(self.backlog(), |backlog| backlog.lines.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        let (mut backlog, _) = self
            .0
            .changed
            .wait_timeout(backlog, GATHER)
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut backlog.lines, lines);
        backlog.is_writing = true;
    }

    fn lose(&self, lines: &[u8]) {
        let count = lines.split_inclusive(|byte| *byte == b'\n').count();
        self.0.lost.fetch_add(count as u64, Ordering::Relaxed);
    }

    fn backlog(&self) -> MutexGuard<'_, Backlog> {
        // Every change of it is one call: none is left half done.
        self.0
            .backlog
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// `line` is a whole line, as `tracing-subscriber` writes each at once.
impl Write for Output {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut backlog = self.backlog();
        let is_full = backlog.lines.len() + line.len() > LONGEST_BACKLOG;
        if is_full && self.0.writer.get() != Some(&thread::current().id()) {
            drop(backlog);
            self.lose(line);
        } else {
            let is_first = backlog.lines.is_empty();
            backlog.lines.extend_from_slice(line);
            drop(backlog);
            // Who waits for lines waits for the first: a call of the system less for the others.
            if is_first {
                self.0.changed.notify_all();
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Output {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    const TOLD: &[u8] = b"told\n";

    /// Reads when it is asked to.
    struct Reader(SyncSender<Vec<u8>>);

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let sent = self.0.send(bytes.to_vec());
            sent.map(|()| bytes.len())
                .map_err(|_| io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// An output, what is read of it, and what was told of lost lines.
    fn output() -> (Output, Receiver<Vec<u8>>, Receiver<u64>) {
        let output = Output::default();
        let (reader, read) = sync_channel(0);
        let (tell, told) = sync_channel(10);
        let writer = output.clone();
        thread::spawn(move || {
            writer.write_to(Reader(reader), |lines| {
                tell.send(lines).expect("a listener");
                writer.clone().write_all(TOLD).expect("never an error");
            });
        });
        (output, read, told)
    }

    #[test]
    fn what_finds_no_room_is_counted_and_told_when_somebody_reads_again() {
        let (mut output, read, told) = output();
        let line = [b"a".repeat(1023), b"\n".to_vec()].concat();
        // As much as may wait, twice, and more: nobody reads.
        for _ in 0..3 * LONGEST_BACKLOG / line.len() {
            output.write_all(&line).expect("never an error");
        }
        let lost = output.lost();
        assert!(lost >= 1024, "{lost} lines of 3072 were lost");
        let before = read.recv().expect("what came before").len();
        assert_eq!(told.recv(), Ok(lost));
        let after = read.recv().expect("what waited");
        let after = after
            .strip_suffix(TOLD)
            .expect("a last line, though it was full");
        let lines = (before + after.len()) / line.len();
        assert_eq!(lines as u64 + lost, 3072);
        output.finish(Duration::from_mins(1));
        assert!(told.try_recv().is_err(), "it was told twice");
    }

    #[test]
    fn all_that_was_written_is_read_before_the_end_but_a_reader_who_left_is_not_waited_for() {
        let (mut output, read, _told) = output();
        let all = thread::spawn(move || read.iter().take(1).flatten().collect::<Vec<_>>());
        output.write_all(b"a\n").expect("never an error");
        output.finish(Duration::from_mins(1));
        assert_eq!(all.join().expect("lines"), b"a\n");
        // Nobody listens any more.
        output.write_all(b"b\n").expect("never an error");
        output.finish(Duration::from_mins(1));
        assert_eq!(output.lost(), 1);
    }

    #[test]
    fn a_reader_who_stalls_does_not_stop_the_end() {
        let (mut output, _read, _told) = output();
        output.write_all(b"a\n").expect("never an error");
        output.finish(Duration::from_millis(1));
    }
}
