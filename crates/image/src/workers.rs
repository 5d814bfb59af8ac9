//! Threads that compress blocks, shared by all layers that are being packed.
//!
//! Memory is bounded by blocks and not by layers: with T compressing threads and
//! L = min(T, 4) layers at a time, at most L + 2T + L blocks wait as they came
//! and as many compressed, each of 2 MiB at most: 32 MiB for two threads, 160 MiB
//! for sixteen. Measured peaks are two thirds and half of that
//! (docs/benchmarks.md).

use std::collections::VecDeque;
use std::io::Write;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use oci::{Digest, Hasher};

use crate::blocks::BLOCK_BYTES;
use crate::compression::Compression;
use crate::error::ImageError;

/// Layers that are packed at a time: enough for their hashing, each on one
/// thread, to outrun any disk.
const LAYERS_AT_A_TIME: usize = 4;

struct Job {
    block: Vec<u8>,
    compression: Compression,
    done: SyncSender<Done>,
}

struct Done {
    /// The block, for its memory.
    block: Vec<u8>,
    compressed: std::io::Result<Vec<u8>>,
}

/// The threads.
pub(crate) struct Workers {
    jobs: SyncSender<Job>,
    /// Blocks of one layer that may wait for a thread or for being written.
    window: usize,
    /// Layers that may be packed at a time.
    pub(crate) layers: usize,
}

impl Workers {
    /// Runs `work` beside `threads` threads that compress.
    pub(crate) fn run<T>(threads: NonZeroUsize, work: impl FnOnce(&Self) -> T) -> T {
        let threads = threads.get();
        let layers = threads.min(LAYERS_AT_A_TIME);
        let (jobs, queue) = sync_channel::<Job>(threads);
        let queue = Mutex::new(queue);
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| compress_all(&queue));
            }
            // Dropped at the end: then the threads find no more jobs, and stop.
            let workers = Self {
                jobs,
                window: (2 * threads).div_ceil(layers),
                layers,
            };
            work(&workers)
        })
    }

    /// A place for the blocks of one layer; `output` gets them compressed.
    pub(crate) fn stream<W: Write>(&self, compression: Compression, output: W) -> Stream<'_, W> {
        Stream {
            workers: self,
            compression,
            waiting: VecDeque::new(),
            output,
            hasher: Hasher::default(),
            written: 0,
        }
    }
}

fn compress_all(queue: &Mutex<Receiver<Job>>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        let compressed = job.compression.compress(&job.block);
        let block = job.block;
        // Who does not wait for it any more has failed elsewhere.
        let _ = job.done.send(Done { block, compressed });
    }
}

/// One layer on its way through the threads: blocks go in and come out in the
/// same order, whichever thread had them.
pub(crate) struct Stream<'a, W> {
    workers: &'a Workers,
    compression: Compression,
    waiting: VecDeque<Receiver<Done>>,
    output: W,
    hasher: Hasher,
    written: u64,
}

impl<W: Write> Stream<'_, W> {
    /// Sends a block to the threads, and gives an empty one.
    pub(crate) fn take(&mut self, block: Vec<u8>) -> Result<Vec<u8>, ImageError> {
        let (done, result) = sync_channel(1);
        let compression = self.compression;
        let job = Job {
            block,
            compression,
            done,
        };
        self.workers.jobs.send(job).map_err(|_| stopped())?;
        self.waiting.push_back(result);
        if self.waiting.len() > self.workers.window {
            return self.write_next();
        }
        Ok(Vec::with_capacity(BLOCK_BYTES))
    }

    /// Writes what is still on its way; digest and length of all that was
    /// written, and the output.
    pub(crate) fn finish(mut self) -> Result<(Digest, u64, W), ImageError> {
        while !self.waiting.is_empty() {
            self.write_next()?;
        }
        Ok((self.hasher.finish(), self.written, self.output))
    }

    fn write_next(&mut self) -> Result<Vec<u8>, ImageError> {
        let Some(next) = self.waiting.pop_front() else {
            return Ok(Vec::with_capacity(BLOCK_BYTES));
        };
        let done = next.recv().map_err(|_| stopped())?;
        let compressed = done.compressed?;
        self.hasher.update(&compressed);
        self.written += compressed.len() as u64;
        self.output.write_all(&compressed)?;
        Ok(done.block)
    }
}

fn stopped() -> ImageError {
    ImageError::Io(std::io::Error::other("a compressing thread stopped"))
}
