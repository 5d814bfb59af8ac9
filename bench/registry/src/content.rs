//! What is pushed: bytes that do not repeat, so that nothing is there already.

use serde_json::{Value, json};

use crate::client::Blob;

/// A stream of bytes that no compressor and no cache makes small (xorshift64*).
pub struct Bytes(u64);

impl Bytes {
    /// Seeded by the time, so that no run finds the content of the one before.
    pub fn new() -> Self {
        Self(u64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(1) | 1)
    }

    pub fn blob(&mut self, size: usize) -> Blob {
        let mut bytes = Vec::with_capacity(size + 8);
        while bytes.len() < size {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            bytes.extend_from_slice(&self.0.wrapping_mul(0x2545_F491_4F6C_DD1D).to_le_bytes());
        }
        bytes.truncate(size);
        Blob::new(bytes)
    }

    pub fn image(&mut self, layers: usize, size: usize) -> Image {
        let layers: Vec<Blob> = (0..layers).map(|_| self.blob(size)).collect();
        let configuration = self.blob(1024);
        let descriptor = |kind: &str, blob: &Blob| -> Value {
            json!({ "mediaType": kind, "digest": blob.digest, "size": blob.bytes.len() })
        };
        let layer = "application/vnd.oci.image.layer.v1.tar+gzip";
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("application/vnd.oci.image.config.v1+json", &configuration),
            "layers": layers.iter().map(|blob| descriptor(layer, blob)).collect::<Vec<_>>(),
        });
        let blobs = layers.into_iter().chain([configuration]).collect();
        Image {
            blobs,
            manifest: manifest.to_string(),
        }
    }
}

/// An image: its layers, then its configuration.
pub struct Image {
    pub blobs: Vec<Blob>,
    pub manifest: String,
}

impl Image {
    /// The same image under another digest.
    pub fn variant(&self, number: usize) -> String {
        let mut manifest: Value = serde_json::from_str(&self.manifest).expect("our own JSON");
        manifest["annotations"] = json!({ "org.example.number": number.to_string() });
        manifest.to_string()
    }
}
