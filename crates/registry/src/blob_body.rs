//! The body of an upload: a file, or a blob of another registry.
//!
//! A file is sent as it is read: the registry hashes what arrives, and where it does not
//! confirm our digest the file is hashed here ([`verify`]). A blob of another registry
//! is hashed as it passes, for it cannot be looked at again: its last piece is held
//! back until all has been hashed, so that the upload of another cannot complete.

use std::collections::VecDeque;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use oci::{Digest, Hasher};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::error::redacted;
use crate::exchange::{Call, broken};
use crate::{Blob, BlobContent, Publication, RegistryError, Step};

/// Bytes that are read, hashed and handed over at a time: enough for the steps
/// between threads to cost little, and few enough to stay in a processor's cache.
const PIECE: usize = 256 * 1024;

/// Pieces of a body that may be on their way at a time.
const PIECES: usize = 3;

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

/// A blob of another registry on its way.
struct Passing {
    pieces: BoxStream<'static, Result<Bytes, RegistryError>>,
    /// `None` once the bytes have ended and were found right.
    hasher: Option<Hasher>,
    read: u64,
    held: Option<Bytes>,
    handed_over: watch::Sender<u64>,
    fault: Arc<Mutex<Option<RegistryError>>>,
    /// Where the bytes come from, as it may be shown.
    url: String,
    digest: Digest,
    size: u64,
}

/// Opens the blob as a body.
pub(crate) async fn open(blob: &Blob) -> Result<(reqwest::Body, Progress), RegistryError> {
    part(blob, 0, blob.descriptor.size).await
}

/// Opens `length` bytes of the blob as a body. What another registry has cannot be read
/// from its middle, and is opened whole.
pub(crate) async fn part(
    blob: &Blob,
    from: u64,
    length: u64,
) -> Result<(reqwest::Body, Progress), RegistryError> {
    match &blob.content {
        BlobContent::File(path) => {
            let (file, found) = opened(path, from).await.map_err(cannot_read(path))?;
            let size = blob.descriptor.size;
            if found != size {
                let problem = format!("it has {found} bytes, not {size}");
                return Err(tampered(path, blob, problem));
            }
            Ok(part_of_file(path, file, length))
        }
        BlobContent::Bytes(bytes) => {
            let place = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
            Ok(in_memory(bytes.slice(place(from)..place(from + length))))
        }
        BlobContent::Published(place) => published(blob, place).await,
    }
}

/// The next `length` bytes of an open file, as a body.
fn part_of_file(path: &Path, file: fs_err::File, length: u64) -> (reqwest::Body, Progress) {
    let (handed_over, sent) = watch::channel(0);
    let fault: Arc<Mutex<Option<RegistryError>>> = Arc::default();
    let (noted, failed) = (Arc::clone(&fault), cannot_read(path));
    let pieces = pieces(file, length)
        .inspect_ok(move |piece| {
            handed_over.send_modify(|sent| *sent += piece.len() as u64);
        })
        .map_err(move |error| {
            let told = io::Error::new(error.kind(), error.to_string());
            *noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(failed(error));
            told
        });
    let body = reqwest::Body::wrap_stream(pieces);
    (body, Progress::new(sent, fault))
}

/// Hashes the file of a blob: an error where it is not that blob.
pub(crate) async fn verify(blob: &Blob) -> Result<(), RegistryError> {
    let BlobContent::File(path) = &blob.content else {
        return Ok(());
    };
    let expected = blob.descriptor.digest;
    let hash = {
        let path = path.clone();
        move || {
            let mut file = BufReader::with_capacity(PIECE, fs_err::File::open(path)?);
            let mut hasher = Hasher::new(expected.algorithm());
            io::copy(&mut file, &mut hasher)?;
            Ok(hasher.finish())
        }
    };
    let actual = on_a_thread(hash).await.map_err(cannot_read(path))?;
    if actual == expected {
        return Ok(());
    }
    Err(tampered(path, blob, format!("its bytes are {actual}")))
}

fn cannot_read(path: &Path) -> impl Fn(io::Error) -> RegistryError + Send + 'static {
    let path = path.to_owned();
    move |source| RegistryError::File {
        path: path.clone(),
        source,
    }
}

fn tampered(path: &Path, blob: &Blob, problem: String) -> RegistryError {
    RegistryError::Tampered {
        path: path.to_owned(),
        expected: blob.descriptor.digest,
        problem,
    }
}

/// A file at one of its places, and its length.
async fn opened(path: &Path, from: u64) -> io::Result<(fs_err::File, u64)> {
    let path = path.to_owned();
    let open = move || {
        let mut file = fs_err::File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(from))?;
        Ok((file, length))
    };
    on_a_thread(open).await
}

/// `length` bytes of a file from its place on. Each piece is read straight into the
/// memory that is sent, and that memory is used again once it has been.
fn pieces(
    file: fs_err::File,
    length: u64,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let sent = VecDeque::with_capacity(PIECES);
    stream::try_unfold((file, length, sent), |(file, left, mut sent)| async move {
        if left == 0 {
            return Ok(None);
        }
        let read = move || {
            let wanted = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            let mut memory = Vec::new();
            if sent.len() == PIECES {
                memory = reclaimed(sent.pop_front());
            }
            memory.resize(wanted, 0);
            (&file).read_exact(&mut memory).map_err(became_shorter)?;
            let piece = Bytes::from(memory);
            sent.push_back(piece.clone());
            Ok((piece, file, sent))
        };
        let (piece, file, sent) = on_a_thread(read).await?;
        let left = left - piece.len() as u64;
        Ok(Some((piece, (file, left, sent))))
    })
}

/// The memory of a piece that nobody else has any more, and other memory else.
fn reclaimed(piece: Option<Bytes>) -> Vec<u8> {
    let memory = piece.and_then(|piece| piece.try_into_mut().ok());
    memory.map(Vec::from).unwrap_or_default()
}

fn became_shorter(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::other("it became shorter while it was sent"),
        _ => error,
    }
}

async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}

/// The bytes as the other registry sends them: none of them touches the disk.
async fn published(
    blob: &Blob,
    place: &Publication,
) -> Result<(reqwest::Body, Progress), RegistryError> {
    let opened = place
        .registry
        .open_blob(&place.repository, &blob.descriptor);
    let (call, response) = opened.await?;
    let url = redacted(&call.url);
    let silence = place.registry.options.silence;
    let pieces = stream::try_unfold((call, response), move |(call, mut response)| async move {
        let piece = timeout(silence, response.chunk()).await;
        let piece = piece
            .map_err(|_| stalled(&call, silence))?
            .map_err(|source| broken(&call, source))?;
        Ok(piece.map(|piece| (piece, (call, response))))
    });
    Ok(passing(blob, pieces.boxed(), url))
}

fn stalled(call: &Call, silence: Duration) -> RegistryError {
    RegistryError::Stalled {
        step: call.step,
        url: redacted(&call.url),
        silence,
    }
}

fn passing(
    blob: &Blob,
    pieces: BoxStream<'static, Result<Bytes, RegistryError>>,
    url: String,
) -> (reqwest::Body, Progress) {
    let (handed_over, sent) = watch::channel(0);
    let fault = Arc::default();
    let body = Passing {
        pieces,
        hasher: Some(Hasher::new(blob.descriptor.digest.algorithm())),
        read: 0,
        held: None,
        handed_over,
        fault: Arc::clone(&fault),
        url,
        digest: blob.descriptor.digest,
        size: blob.descriptor.size,
    };
    let progress = Progress::new(sent, fault);
    (reqwest::Body::wrap_stream(body.into_stream()), progress)
}

/// Bytes that came with their digest: they go as they are, all at once.
fn in_memory(bytes: Bytes) -> (reqwest::Body, Progress) {
    let (_, sent) = watch::channel(bytes.len() as u64);
    let progress = Progress::new(sent, Arc::default());
    (reqwest::Body::from(bytes), progress)
}

impl Passing {
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
            let piece = piece?;
            hasher.update(&piece);
            self.read += piece.len() as u64;
            if self.read > self.size {
                return Err(self.tampered("it has more bytes than that"));
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
            return Err(self.tampered(&format!("it has {} bytes, not {}", self.read, self.size)));
        }
        if found != self.digest {
            return Err(self.tampered(&format!("its bytes are {found}")));
        }
        Ok(())
    }

    fn tampered(&self, problem: &str) -> RegistryError {
        RegistryError::Protocol {
            step: Step::GetBlob,
            url: self.url.clone(),
            problem: format!("does not send {}: {problem}", self.digest),
        }
    }
}
