//! The body of an upload: a file, or a blob of another registry, hashed as it is sent.
//!
//! The last piece is held back until all has been hashed. What
//! is not its descriptor's blob therefore breaks the request off before the
//! registry has all the bytes that were announced, and the upload cannot complete.

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
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
const PIECE: u64 = 256 * 1024;

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
    pieces: BoxStream<'static, Result<Bytes, RegistryError>>,
    /// `None` once the bytes have ended and were found right.
    hasher: Option<Hasher>,
    read: u64,
    held: Option<Bytes>,
    handed_over: watch::Sender<u64>,
    fault: Arc<Mutex<Option<RegistryError>>>,
    origin: Origin,
    digest: Digest,
    size: u64,
}

/// Where the bytes come from.
enum Origin {
    File(PathBuf),
    /// An address, as it may be shown.
    Registry(String),
}

/// Opens the blob as a body.
pub(crate) async fn open(blob: &Blob) -> Result<(reqwest::Body, Progress), RegistryError> {
    match &blob.content {
        BlobContent::File(path) => of_file(blob, path).await,
        BlobContent::Bytes(bytes) => Ok(in_memory(bytes)),
        BlobContent::Published(place) => published(blob, place).await,
    }
}

async fn of_file(blob: &Blob, path: &Path) -> Result<(reqwest::Body, Progress), RegistryError> {
    let cannot_read = {
        let path = path.to_owned();
        move |source| RegistryError::File {
            path: path.clone(),
            source,
        }
    };
    let (file, length) = opened(path, 0).await.map_err(&cannot_read)?;
    let origin = Origin::File(path.to_owned());
    let size = blob.descriptor.size;
    if length != size {
        let problem = format!("it has {length} bytes, not {size}");
        return Err(origin.tampered(blob.descriptor.digest, problem));
    }
    // One byte more than there should be tells a file that grows.
    let pieces = pieces(file, size + 1).map_err(cannot_read);
    Ok(streamed(blob, pieces.boxed(), origin))
}

/// A file at one of its places, and its length.
pub(crate) async fn opened(path: &Path, from: u64) -> io::Result<(fs_err::File, u64)> {
    let path = path.to_owned();
    let open = move || {
        let mut file = fs_err::File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(from))?;
        Ok((file, length))
    };
    on_a_thread(open).await
}

/// Up to `length` bytes of a file from its place on. Each piece is read straight
/// into the memory that is sent.
pub(crate) fn pieces(
    file: fs_err::File,
    length: u64,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::try_unfold((file, length), |(file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let read = move || {
            let wanted = left.min(PIECE);
            let mut piece = Vec::with_capacity(usize::try_from(wanted).unwrap_or(0));
            (&file).take(wanted).read_to_end(&mut piece)?;
            Ok((piece, file))
        };
        let (piece, file) = on_a_thread(read).await?;
        let left = left - piece.len() as u64;
        Ok((!piece.is_empty()).then(|| (Bytes::from(piece), (file, left))))
    })
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
    let origin = Origin::Registry(redacted(&call.url));
    let silence = place.registry.options.silence;
    let pieces = stream::try_unfold((call, response), move |(call, mut response)| async move {
        let piece = timeout(silence, response.chunk()).await;
        let piece = piece
            .map_err(|_| stalled(&call, silence))?
            .map_err(|source| broken(&call, source))?;
        Ok(piece.map(|piece| (piece, (call, response))))
    });
    Ok(streamed(blob, pieces.boxed(), origin))
}

fn stalled(call: &Call, silence: Duration) -> RegistryError {
    RegistryError::Stalled {
        step: call.step,
        url: redacted(&call.url),
        silence,
    }
}

fn streamed(
    blob: &Blob,
    pieces: BoxStream<'static, Result<Bytes, RegistryError>>,
    origin: Origin,
) -> (reqwest::Body, Progress) {
    let (handed_over, sent) = watch::channel(0);
    let fault = Arc::default();
    let body = Body {
        pieces,
        hasher: Some(Hasher::new(blob.descriptor.digest.algorithm())),
        read: 0,
        held: None,
        handed_over,
        fault: Arc::clone(&fault),
        origin,
        digest: blob.descriptor.digest,
        size: blob.descriptor.size,
    };
    let progress = Progress::new(sent, fault);
    (reqwest::Body::wrap_stream(body.into_stream()), progress)
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
            let piece = piece?;
            hasher.update(&piece);
            self.read += piece.len() as u64;
            if self.read > self.size {
                return Err(self.tampered("it has more bytes than that".to_owned()));
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
        self.origin.tampered(self.digest, problem)
    }
}

impl Origin {
    fn tampered(&self, expected: Digest, problem: String) -> RegistryError {
        match self {
            Self::File(path) => RegistryError::Tampered {
                path: path.clone(),
                expected,
                problem,
            },
            Self::Registry(url) => RegistryError::Protocol {
                step: Step::GetBlob,
                url: url.clone(),
                problem: format!("does not send {expected}: {problem}"),
            },
        }
    }
}
