//! Where a message goes, besides the database.

use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::str::FromStr;

use lettre::message::Mailbox;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use serde::Serialize;

/// Where messages go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Delivery {
    /// The log says that one came.
    #[default]
    Log,
    /// Each is appended to a file, as a line of JSON.
    File(PathBuf),
    /// Each is mailed.
    Smtp(SmtpUrl),
}

/// A mail server, how to log in there, and the mailbox that mail is for. It is
/// printed without the password.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl {
    server: String,
    mailbox: Address,
}

/// Why a message was not delivered.
#[derive(Debug, thiserror::Error)]
pub(super) enum DeliveryError {
    #[error("the file could not be written: {0}")]
    File(#[from] std::io::Error),
    #[error("no mail could be made of it: {0}")]
    Mail(#[from] lettre::error::Error),
    #[error("the mail server did not take it: {0}")]
    Smtp(#[from] lettre::transport::smtp::Error),
}

/// A message on its way.
#[derive(Debug, Serialize)]
pub(super) struct Letter {
    pub(super) id: String,
    pub(super) received_at: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) message: String,
}

impl FromStr for Delivery {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "log" {
            return Ok(Self::Log);
        }
        match text.strip_prefix("file:") {
            Some("") => Err(()),
            Some(path) => Ok(Self::File(path.into())),
            None => text.parse().map(Self::Smtp),
        }
    }
}

impl FromStr for SmtpUrl {
    type Err = ();

    /// `smtp://` or `smtps://`, with the mailbox as the path. `?tls=required` asks
    /// `smtp` for STARTTLS.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (scheme, rest) = text.split_once("://").ok_or(())?;
        let (authority, rest) = rest.split_once('/').ok_or(())?;
        let (mailbox, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mark = if query.is_empty() { "" } else { "?" };
        let url = Self {
            server: format!("{scheme}://{authority}{mark}{query}"),
            mailbox: mailbox.parse().map_err(drop)?,
        };
        url.transport().map_err(drop)?;
        Ok(url)
    }
}

impl SmtpUrl {
    fn transport(
        &self,
    ) -> Result<AsyncSmtpTransport<Tokio1Executor>, lettre::transport::smtp::Error> {
        let timeout = Some(std::time::Duration::from_secs(30));
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(&self.server)?;
        Ok(builder.timeout(timeout).build())
    }
}

impl fmt::Display for SmtpUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "mail to {}", self.mailbox)
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log => formatter.write_str("log"),
            Self::File(path) => write!(formatter, "file:{}", path.display()),
            Self::Smtp(url) => url.fmt(formatter),
        }
    }
}

impl Delivery {
    /// Delivers one message. It may come twice, if the process dies in between.
    pub(super) async fn deliver(&self, letter: Letter) -> Result<(), DeliveryError> {
        match self {
            // Who wrote and what is for the owner, not for whoever reads logs.
            Self::Log => tracing::info!(message_id = letter.id, "a contact message came"),
            Self::File(path) => append(path.clone(), letter).await?,
            Self::Smtp(url) => {
                url.transport()?.send(mail(url, letter)?).await?;
            }
        }
        Ok(())
    }
}

async fn append(path: PathBuf, letter: Letter) -> std::io::Result<()> {
    let append = move || {
        let mut line = serde_json::to_vec(&letter)?;
        line.push(b'\n');
        let mut file = fs_err::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)?;
        file.write_all(&line)?;
        file.sync_all()
    };
    tokio::task::spawn_blocking(append).await?
}

fn mail(url: &SmtpUrl, letter: Letter) -> Result<Message, lettre::error::Error> {
    let mailbox = Mailbox::new(None, url.mailbox.clone());
    let builder = Message::builder()
        .from(mailbox.clone())
        .to(mailbox)
        .message_id(Some(format!("<{}@portfolio.invalid>", letter.id)))
        .subject(format!("Message from {}", letter.name));
    // An address that a form takes and mail does not is still in the text.
    let builder = match letter.email.parse() {
        Ok(address) => builder.reply_to(Mailbox::new(Some(letter.name.clone()), address)),
        Err(_) => builder,
    };
    builder.body(format!(
        "{}\n\n-- \n{} <{}>, {}\n",
        letter.message, letter.name, letter.email, letter.received_at
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_taken_and_its_password_never_printed() {
        let text = "smtp://ada:hunter2@mail.example:587/ada@example.org";
        let delivery: Delivery = text.parse().expect("a destination");
        for printed in [format!("{delivery}"), format!("{delivery:?}")] {
            assert!(!printed.contains("hunter2"), "{printed}");
            assert!(printed.contains("ada@example.org"), "{printed}");
        }
        assert_eq!("log".parse(), Ok(Delivery::Log));
        assert_eq!("file:/a".parse(), Ok(Delivery::File("/a".into())));
        for text in [
            "",
            "file:",
            "smtp://mail.example",
            "smtp://a/b",
            "http://a/b@c.example",
        ] {
            assert!(text.parse::<Delivery>().is_err(), "{text}");
        }
    }
}
