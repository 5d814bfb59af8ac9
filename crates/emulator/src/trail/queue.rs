//! Notes on their way to the files: one thread turns them into records and
//! writes those that came together with one call per file.
//!
//! What is durable when: a request is answered as soon as its note waits here.
//! Lines keep the order of the answers, and whoever reads the trail waits for
//! the notes before. Nothing is synced. A kill loses the notes that wait, those
//! of the last milliseconds; a power cut loses what the system had not written.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use jiff::Timestamp;

use super::files::Appender;
use super::note::Note;

/// Notes that may wait; requests are held up beyond.
const WAITING: usize = 4_096;
/// Notes that are written together.
const TOGETHER: usize = 256;

enum Message {
    Note(Note, Timestamp),
    /// Done when everything before it is written, and before anything after it.
    Work(Box<dyn FnOnce() + Send>),
}

/// The way to the thread. When this is dropped, everything has been written.
#[derive(Debug)]
pub(super) struct Queue {
    /// `None` while dropping.
    sender: Option<SyncSender<Message>>,
    thread: Option<JoinHandle<()>>,
}

impl Queue {
    pub(super) fn start(appender: Appender) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(WAITING);
        let write = move || write_all(&appender, &receiver);
        Ok(Self {
            sender: Some(sender),
            thread: Some(thread::Builder::new().name("trail".into()).spawn(write)?),
        })
    }

    pub(super) fn push(&self, note: Note, now: Timestamp) -> io::Result<()> {
        self.send(Message::Note(note, now))
    }

    /// Runs `work` when everything that was pushed is written; what is pushed
    /// from now on waits for it.
    pub(super) fn run<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> io::Result<R> {
        let (sender, done) = sync_channel(1);
        let work = move || {
            // Nobody left to tell is no failure.
            let _ = sender.send(work());
        };
        self.send(Message::Work(Box::new(work)))?;
        done.recv().map_err(|_| gone())
    }

    fn send(&self, message: Message) -> io::Result<()> {
        let sender = self.sender.as_ref().ok_or_else(gone)?;
        sender.send(message).map_err(|_| gone())
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn gone() -> io::Error {
    io::Error::other("the thread that writes the trail is gone")
}

fn write_all(appender: &Appender, receiver: &Receiver<Message>) {
    while let Ok(first) = receiver.recv() {
        let mut notes = Vec::new();
        let mut work = None;
        let others = std::iter::from_fn(|| receiver.try_recv().ok());
        for message in std::iter::once(first).chain(others).take(TOGETHER) {
            match message {
                Message::Note(note, now) => notes.push((note, now)),
                Message::Work(wanted) => {
                    work = Some(wanted);
                    break;
                }
            }
        }
        if let Err(error) = appender.append(&notes) {
            tracing::error!(%error, count = notes.len(), "the trail was not written");
        }
        if let Some(work) = work {
            work();
        }
    }
}
