//! Why there is no connection.

use std::error::Error;
use std::fmt;
use std::{io, iter};

/// What is in the way of a connection to a registry, where that can be told; `Display` is a sentence
/// with what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreachable {
    /// No address is known for the name of its host.
    Name,
    /// Nobody listens there.
    Refused,
    /// Nothing answers at all.
    Silent,
    /// Its certificate is not one that this machine trusts for that name.
    Certificate,
}

impl Unreachable {
    /// What is in the way, where a cause of `error` is that there was no connection, be
    /// it to a registry or to another service.
    pub fn within(error: &(dyn Error + 'static)) -> Option<Self> {
        let request: &reqwest::Error = causes(error).find_map(|cause| cause.downcast_ref())?;
        if !request.is_connect() {
            return None;
        }
        let silent = request.is_timeout().then_some(Self::Silent);
        silent.or_else(|| causes(request).find_map(Self::of_cause))
    }

    fn of_cause(error: &(dyn Error + 'static)) -> Option<Self> {
        let Some(error) = error.downcast_ref::<io::Error>() else {
            // The connector has no type for this.
            return (error.to_string() == "dns error").then_some(Self::Name);
        };
        if error.kind() == io::ErrorKind::ConnectionRefused {
            return Some(Self::Refused);
        }
        // What such an error holds is not its source, which is that one's.
        let inner = error.get_ref()?;
        match inner.downcast_ref() {
            Some(rustls::Error::InvalidCertificate(_)) => Some(Self::Certificate),
            _ => Self::of_cause(inner),
        }
    }
}

/// An error, its cause, the cause of that, and so on.
fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    iter::successors(Some(error), |error| (*error).source())
}

impl fmt::Display for Unreachable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Name => "no host of that name is known: is it spelled right, and is there a network?",
            Self::Refused => "nobody listens there: is that the right host and port, and is it running?",
            Self::Silent => "nothing answers there: is that the right host and port, and does a firewall let it through?",
            Self::Certificate => "this machine does not trust its certificate: `SSL_CERT_FILE` names a file with those of the authorities to trust, in the place of the system's",
        })
    }
}
