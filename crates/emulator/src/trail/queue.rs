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
    /// Answered when everything before it is written.
    Flush(SyncSender<()>),
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

    /// Waits until everything that was pushed is written.
    pub(super) fn flush(&self) -> io::Result<()> {
        let (sender, written) = sync_channel(1);
        self.send(Message::Flush(sender))?;
        written.recv().map_err(|_| gone())
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
        let (mut notes, mut flushes) = (Vec::new(), Vec::new());
        let others = std::iter::from_fn(|| receiver.try_recv().ok());
        for message in std::iter::once(first).chain(others).take(TOGETHER) {
            match message {
                Message::Note(note, now) => notes.push((note, now)),
                Message::Flush(flush) => flushes.push(flush),
            }
        }
        if let Err(error) = appender.append(&notes) {
            tracing::error!(%error, count = notes.len(), "the trail was not written");
        }
        for flush in flushes {
            // Nobody left to tell is no failure.
            let _ = flush.send(());
        }
    }
}
