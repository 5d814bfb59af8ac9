//! A client of the distribution protocol that costs as little as a client can:
//! blocking sockets, one thread per connection, bodies sent from memory and
//! thrown away as they come. What it leaves out (TLS, retries, checking what it
//! reads) it leaves out for both registries.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use oci::Digest;

/// Bytes read from a socket at a time.
const BUFFER: usize = 256 * 1024;
/// Bodies up to this size travel with their head, in one system call.
const SMALL: usize = 64 * 1024;
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Content with its digest.
pub struct Blob {
    pub bytes: Vec<u8>,
    pub digest: Digest,
}

impl Blob {
    pub fn new(bytes: Vec<u8>) -> Self {
        let digest = Digest::of(&bytes);
        Self { bytes, digest }
    }
}

/// Where a registry is, and the `Authorization` header that it wants.
#[derive(Clone)]
pub struct Registry {
    pub address: SocketAddr,
    pub authorization: Option<String>,
}

struct Answer {
    status: u16,
    location: Option<String>,
    length: Option<u64>,
}

/// One connection, kept open.
pub struct Connection {
    registry: Registry,
    stream: BufReader<TcpStream>,
    buffer: Vec<u8>,
}

impl Connection {
    pub fn open(registry: &Registry) -> io::Result<Self> {
        let stream = TcpStream::connect(registry.address)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            registry: registry.clone(),
            stream: BufReader::with_capacity(BUFFER, stream),
            buffer: vec![0; BUFFER],
        })
    }

    /// Pushes a blob as Docker does: asked for, begun, one chunk, ended.
    pub fn push_blob(&mut self, repository: &str, blob: &Blob) {
        let digest = blob.digest;
        let path = format!("/v2/{repository}/blobs/{digest}");
        if self.send("HEAD", &path, "", &[]).status == 200 {
            return;
        }
        let begin = format!("/v2/{repository}/blobs/uploads/");
        let begun = self.expect(202, "POST", &begin, "", &[]);
        let place = begun.location.expect("an upload has a place");
        let octets = "content-type: application/octet-stream\r\n";
        let sent = self.send("PATCH", &place, octets, &blob.bytes);
        // The specification says 202; ECR says 201.
        assert!(matches!(sent.status, 201 | 202), "PATCH: {}", sent.status);
        let place = sent.location.unwrap_or(place);
        let and = if place.contains('?') { '&' } else { '?' };
        self.expect(201, "PUT", &format!("{place}{and}digest={digest}"), "", &[]);
    }

    pub fn push_manifest(&mut self, repository: &str, tag: &str, manifest: &[u8]) {
        let path = format!("/v2/{repository}/manifests/{tag}");
        let kind = format!("content-type: {MANIFEST}\r\n");
        self.expect(201, "PUT", &path, &kind, manifest);
    }

    pub fn pull_manifest(&mut self, repository: &str, reference: &str) -> u64 {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let kind = format!("accept: {MANIFEST}\r\n");
        let answer = self.expect(200, "GET", &path, &kind, &[]);
        answer.length.unwrap_or_default()
    }

    /// Pulls a blob, following the redirect that ECR's registry answers with.
    pub fn pull_blob(&mut self, repository: &str, digest: &Digest) -> u64 {
        let path = format!("/v2/{repository}/blobs/{digest}");
        let mut answer = self.send("GET", &path, "", &[]);
        if let (307, Some(place)) = (answer.status, answer.location.take()) {
            answer = self.send("GET", &place, "", &[]);
        }
        assert_eq!(answer.status, 200, "GET {path}");
        answer.length.unwrap_or_default()
    }

    fn expect(&mut self, status: u16, method: &str, path: &str, head: &str, body: &[u8]) -> Answer {
        let answer = self.send(method, path, head, body);
        assert_eq!(answer.status, status, "{method} {path}");
        answer
    }

    fn send(&mut self, method: &str, path: &str, head: &str, body: &[u8]) -> Answer {
        self.exchange(method, path, head, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    fn exchange(
        &mut self,
        method: &str,
        path: &str,
        head: &str,
        body: &[u8],
    ) -> io::Result<Answer> {
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nuser-agent: registry-bench\r\n{head}",
            self.registry.address
        );
        if let Some(authorization) = &self.registry.authorization {
            request.push_str(&format!("authorization: {authorization}\r\n"));
        }
        if !matches!(method, "GET" | "HEAD") {
            request.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        let mut request = request.into_bytes();
        let stream = self.stream.get_mut();
        if body.len() <= SMALL {
            request.extend_from_slice(body);
            stream.write_all(&request)?;
        } else {
            stream.write_all(&request)?;
            stream.write_all(body)?;
        }
        self.receive(method == "HEAD")
    }

    fn receive(&mut self, head: bool) -> io::Result<Answer> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut answer = Answer {
            status: status.ok_or(io::ErrorKind::InvalidData)?,
            location: None,
            length: None,
        };
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => answer.length = value.trim().parse().ok(),
                "location" => answer.location = Some(path_of(value.trim()).to_owned()),
                "transfer-encoding" => panic!("neither registry sends chunks"),
                _ => {}
            }
        }
        if !head {
            self.discard(answer.length.unwrap_or_default())?;
        }
        Ok(answer)
    }

    fn discard(&mut self, mut left: u64) -> io::Result<()> {
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER);
            let read = self.stream.read(&mut self.buffer[..most])?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            left -= read as u64;
        }
        Ok(())
    }
}

/// Path and query of an address, absolute or not.
fn path_of(location: &str) -> &str {
    match location.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => location,
    }
}
