//! The body of an upload: a file, hashed as it is sent.
//!
//! The last piece is held back until the whole file has been hashed. A file that
//! is not its descriptor's blob therefore breaks the request off before the
//! registry has all the bytes that were announced, and the upload cannot complete.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use oci::{Digest, Hasher};
use tokio::fs::File;
use tokio::sync::watch;
use tokio_util::io::ReaderStream;

use crate::{Blob, BlobContent, RegistryError};

const PIECE: usize = 256 * 1024;

/// How far a body got, for the task that waits for the answer.
pub(crate) struct Progress {
    /// Bytes handed over. The sending side is dropped with the body.
    pub(crate) sent: watch::Receiver<u64>,
    fault: Arc<Mutex<Option<RegistryError>>>,
}

impl Progress {
    pub(crate) fn new(
        sent: watch::Receiver<u64>,
        fault: Arc<Mutex<Option<RegistryError>>>,
    ) -> Self {
        Self { sent, fault }
    }

    /// Why the body broke off by itself, if it did.
    pub(crate) fn take_fault(&self) -> Option<RegistryError> {
        self.fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

struct Body {
    pieces: ReaderStream<File>,
    /// `None` once the file has ended and was found right.
    hasher: Option<Hasher>,
    read: u64,
    held: Option<Bytes>,
    handed_over: watch::Sender<u64>,
    fault: Arc<Mutex<Option<RegistryError>>>,
    path: PathBuf,
    digest: Digest,
    size: u64,
}

/// Opens the blob as a body.
pub(crate) async fn open(blob: &Blob) -> Result<(reqwest::Body, Progress), RegistryError> {
    let path = match &blob.content {
        BlobContent::File(path) => path,
        BlobContent::Bytes(bytes) => return Ok(in_memory(bytes)),
    };
    let cannot_read = |source| RegistryError::File {
        path: path.clone(),
        source,
    };
    let file = File::open(path).await.map_err(cannot_read)?;
    let length = file.metadata().await.map_err(cannot_read)?.len();
    let (handed_over, sent) = watch::channel(0);
    let fault = Arc::default();
    let body = Body {
        pieces: ReaderStream::with_capacity(file, PIECE),
        hasher: Some(Hasher::new(blob.descriptor.digest.algorithm())),
        read: 0,
        held: None,
        handed_over,
        fault: Arc::clone(&fault),
        path: path.clone(),
        digest: blob.descriptor.digest,
        size: blob.descriptor.size,
    };
    if length != blob.descriptor.size {
        return Err(body.tampered(format!("it has {length} bytes, not {}", body.size)));
    }
    let progress = Progress::new(sent, fault);
    Ok((reqwest::Body::wrap_stream(body.into_stream()), progress))
}

/// Bytes that came with their digest: they go as they are, all at once.
fn in_memory(bytes: &Bytes) -> (reqwest::Body, Progress) {
    let (_, sent) = watch::channel(bytes.len() as u64);
    let progress = Progress::new(sent, Arc::default());
    (reqwest::Body::from(bytes.clone()), progress)
}

impl Body {
    fn into_stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        stream::try_unfold(self, |mut body| async move {
            match body.next().await {
                Ok(piece) => Ok(piece.map(|piece| (piece, body))),
                Err(error) => {
                    let broken_off = io::Error::other(error.to_string());
                    let mut fault = body.fault.lock().unwrap_or_else(PoisonError::into_inner);
                    *fault = Some(error);
                    Err(broken_off)
                }
            }
        })
    }

    /// The next piece that may be sent.
    async fn next(&mut self) -> Result<Option<Bytes>, RegistryError> {
        while let Some(hasher) = &mut self.hasher {
            let Some(piece) = self.pieces.next().await else {
                self.check_end()?;
                break;
            };
            let piece = piece.map_err(|source| RegistryError::File {
                path: self.path.clone(),
                source,
            })?;
            hasher.update(&piece);
            self.read += piece.len() as u64;
            if self.read > self.size {
                return Err(self.tampered("it grew while it was read".to_owned()));
            }
            if let Some(ready) = self.held.replace(piece) {
                return Ok(Some(self.hand_over(ready)));
            }
        }
        let last = self.held.take();
        Ok(last.map(|piece| self.hand_over(piece)))
    }

    fn hand_over(&self, piece: Bytes) -> Bytes {
        self.handed_over
            .send_modify(|sent| *sent += piece.len() as u64);
        piece
    }

    fn check_end(&mut self) -> Result<(), RegistryError> {
        let found = self.hasher.take().unwrap_or_default().finish();
        if self.read != self.size {
            return Err(self.tampered(format!("it has {} bytes, not {}", self.read, self.size)));
        }
        if found != self.digest {
            return Err(self.tampered(format!("its bytes are {found}")));
        }
        Ok(())
    }

    fn tampered(&self, problem: String) -> RegistryError {
        RegistryError::Tampered {
            path: self.path.clone(),
            expected: self.digest,
            problem,
        }
    }
}
