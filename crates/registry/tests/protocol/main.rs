//! The client against registries: one that keeps to the protocol, in memory, and
//! many that do not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authentication;
mod bodies;
mod forms;
mod manifests;
mod memory;
mod published;
mod push;
mod reading;
mod referrers;
mod renewal;
mod scripted;
mod unreachable;
mod uploads;

use std::path::Path;
use std::time::Duration;

use oci::{Descriptor, RepositoryName, media_type};
use registry::{Blob, Credentials, Event, Options, Password, Registry};

/// Waits of a millisecond, so that no test sleeps.
fn options() -> Options {
    Options {
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(5),
        retries: 3,
        silence: Duration::from_secs(10),
        // The plain form, unless a test is about another.
        whole: 0,
        ..Options::default()
    }
}

fn registry_with(url: &str, options: Options) -> Registry {
    let credentials = Credentials {
        username: "AWS".to_owned(),
        password: Password::new("hunter2"),
    };
    Registry::new(url.parse().unwrap(), Some(credentials), options).unwrap()
}

fn registry(url: &str) -> Registry {
    registry_with(url, options())
}

fn repository() -> RepositoryName {
    "acme/api".parse().unwrap()
}

/// A layer on disk with these bytes.
fn blob(folder: &Path, bytes: &[u8]) -> Blob {
    let descriptor = Descriptor::of(media_type::LAYER_GZIP, bytes);
    let path = folder.join(descriptor.digest.hex());
    fs_err::write(&path, bytes).unwrap();
    Blob::of_file(descriptor, path)
}

fn nobody(_: Event) {}
