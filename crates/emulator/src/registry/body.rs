//! Bodies from the network: bounded, and never waited for without end.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::StreamExt as _;
use oci::ErrorCode;
use tokio::sync::mpsc;

use super::error::RegistryError;
use crate::blobs::{BlobError, Upload};

/// How long the sender may be silent.
const SILENCE: Duration = Duration::from_mins(1);

/// Frames that may wait for the disk; the sender is held up beyond. A frame is
/// what one read of the socket gave, up to 400 KiB, so this bounds the memory of
/// an upload.
const WAITING_FRAMES: usize = 4;

/// What the network hands to the disk.
enum Piece {
    Bytes(Bytes),
    /// The body ended as it should. Without it, the sender was lost.
    End,
}

/// The receiving end of a body, for a thread that may block.
pub(super) struct Pieces(mpsc::Receiver<Piece>);

/// Moves `body` to the returned receiver, in a task of its own. The task ends
/// when the body does, when the sender falls silent, or when nobody receives.
pub(super) fn pipe(body: Body) -> Pieces {
    let (sender, receiver) = mpsc::channel(WAITING_FRAMES);
    tokio::spawn(forward(body.into_data_stream(), sender));
    Pieces(receiver)
}

async fn forward(mut frames: BodyDataStream, sender: mpsc::Sender<Piece>) {
    loop {
        let piece = match tokio::time::timeout(SILENCE, frames.next()).await {
            Ok(Some(Ok(bytes))) => Piece::Bytes(bytes),
            Ok(None) => {
                // Nobody left to tell is no failure.
                let _ = sender.send(Piece::End).await;
                return;
            }
            Ok(Some(Err(_))) | Err(_) => return,
        };
        if sender.send(piece).await.is_err() {
            return;
        }
    }
}

impl Pieces {
    /// Appends the body to `upload` as one chunk, of `announced` bytes if that
    /// was said. A body that breaks off or has another length is forgotten, and
    /// the upload is as it was.
    pub(super) fn append_to(
        mut self,
        upload: &mut Upload<'_>,
        announced: Option<u64>,
    ) -> Result<(), BlobError> {
        let mut chunk = upload.chunk();
        loop {
            match self.0.blocking_recv() {
                Some(Piece::Bytes(bytes)) => chunk.append(&bytes)?,
                Some(Piece::End) => {
                    let actual = chunk.length();
                    if let Some(announced) = announced.filter(|announced| *announced != actual) {
                        return Err(BlobError::Length { announced, actual });
                    }
                    return chunk.end();
                }
                None => return Err(BlobError::Interrupted),
            }
        }
    }
}

/// The whole of a small body.
pub(super) async fn read(body: Body, limit: usize) -> Result<Vec<u8>, RegistryError> {
    let mut frames = body.into_data_stream();
    let mut bytes = Vec::new();
    loop {
        match tokio::time::timeout(SILENCE, frames.next()).await {
            Ok(Some(Ok(frame))) if bytes.len() + frame.len() <= limit => {
                bytes.extend_from_slice(&frame);
            }
            Ok(Some(Ok(_))) => {
                return Err(RegistryError::new(
                    413,
                    ErrorCode::SizeInvalid,
                    format!("the body is larger than {limit} bytes"),
                ));
            }
            Ok(None) => return Ok(bytes),
            Ok(Some(Err(_))) => return Err(BlobError::Interrupted.into()),
            Err(_) => {
                return Err(RegistryError::new(
                    408,
                    ErrorCode::Unknown("UNKNOWN".to_owned()),
                    format!("nothing came for {} seconds", SILENCE.as_secs()),
                ));
            }
        }
    }
}
