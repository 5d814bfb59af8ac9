//! Where a message goes, besides the database.

use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::str::FromStr;

#[cfg(not(feature = "tls"))]
use axum::http::uri::Authority;
use lettre::message::{Mailbox, SinglePart};
use lettre::transport::smtp::AsyncSmtpTransportBuilder;
#[cfg(not(feature = "tls"))]
use lettre::transport::smtp::SMTP_PORT;
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
    #[error("the address of the mail server cannot be used")]
    Server,
    #[error("the mail server did not take it: {0}")]
    Smtp(#[from] lettre::transport::smtp::Error),
}

impl DeliveryError {
    /// Whether the mail server would say the same of this message tomorrow. What it says
    /// of the login (530 to 538) is about the configuration, which somebody will mend.
    pub(super) fn is_permanent(&self) -> bool {
        match self {
            Self::Mail(_) => true,
            Self::Smtp(error) => {
                let is_of_login = |code| (530..=538).contains(&u16::from(code));
                error.is_permanent() && !error.status().is_some_and(is_of_login)
            }
            Self::File(_) | Self::Server => false,
        }
    }
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

    /// `smtps://`, or `smtp://` with STARTTLS (`?tls=required`) or, where there is no
    /// login, without. The mailbox is the path.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (scheme, rest) = text.split_once("://").ok_or(())?;
        let (authority, rest) = rest.split_once('/').ok_or(())?;
        let (mailbox, query) = rest.split_once('?').unwrap_or((rest, ""));
        let is_private = match (scheme, query) {
            ("smtps", "" | "tls=required") | ("smtp", "tls=required") => true,
            ("smtp", "") => false,
            // With `tls=opportunistic` whoever is on the way says that there is no TLS.
            _ => return Err(()),
        };
        // The query would begin where lettre sees it, and not where this does.
        if authority.contains(['?', '#', '\\']) {
            return Err(());
        }
        let login = authority.rsplit_once('@').map(|(login, _)| login);
        // Everybody on the way would read the password, and lettre does not log in without one.
        if login.is_some_and(|login| !is_private || !login.contains(':')) {
            return Err(());
        }
        let mark = if query.is_empty() { "" } else { "?" };
        let url = Self {
            server: format!("{scheme}://{authority}{mark}{query}"),
            mailbox: mailbox.parse().map_err(drop)?,
        };
        url.transport().ok_or(())?;
        Ok(url)
    }
}

impl SmtpUrl {
    fn transport(&self) -> Option<AsyncSmtpTransport<Tokio1Executor>> {
        let timeout = Some(std::time::Duration::from_secs(30));
        Some(builder(&self.server)?.timeout(timeout).build())
    }
}

#[cfg(feature = "tls")]
fn builder(server: &str) -> Option<AsyncSmtpTransportBuilder> {
    AsyncSmtpTransport::<Tokio1Executor>::from_url(server).ok()
}

/// A build without TLS logs in nowhere, as a login needs it.
#[cfg(not(feature = "tls"))]
fn builder(server: &str) -> Option<AsyncSmtpTransportBuilder> {
    let authority: Authority = server.strip_prefix("smtp://")?.parse().ok()?;
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(authority.host());
    Some(builder.port(authority.port_u16().unwrap_or(SMTP_PORT)))
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
                let transport = url.transport().ok_or(DeliveryError::Server)?;
                transport.send(mail(url, letter)?).await?;
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
        let length = file.metadata()?.len();
        let written = file.write_all(&line).and_then(|()| file.sync_all());
        if written.is_err() {
            // Half a line would spoil the next one.
            file.set_len(length)?;
        }
        written
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
    // An address that a form takes and mail does not is still in the text. One that is
    // not ASCII would need a server with SMTPUTF8.
    let address = letter.email.parse();
    let builder = match address {
        Ok(address) if letter.email.is_ascii() => {
            builder.reply_to(Mailbox::new(Some(letter.name.clone()), address))
        }
        _ => builder,
    };
    let text = format!(
        "{}\n\n-- \n{} <{}>, {}\n",
        letter.message, letter.name, letter.email, letter.received_at
    );
    builder.singlepart(SinglePart::plain(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_says_what_its_text_is_and_answers_go_to_an_address_that_mail_takes() {
        let url = "smtp://mail.example/ada@example.org".parse::<Delivery>();
        let Ok(Delivery::Smtp(url)) = url else {
            panic!("a destination");
        };
        let of = |email: &str| {
            let letter = Letter {
                id: "1".to_owned(),
                received_at: "2026-01-31T09:30:00Z".to_owned(),
                name: "Zoë".to_owned(),
                email: email.to_owned(),
                message: "Grüße\n.\nada".to_owned(),
            };
            String::from_utf8(mail(&url, letter).expect("a mail").formatted()).expect("text")
        };
        let text = of("zoe@example.com");
        for part in ["MIME-Version: 1.0", "Content-Type: text/plain", "Reply-To:"] {
            assert!(text.contains(part), "{text}");
        }
        let text = of("ö@exämple.com");
        assert!(text.is_ascii() && !text.contains("Reply-To:"), "{text}");
    }

    #[test]
    #[cfg(not(feature = "tls"))]
    fn without_tls_a_mail_server_is_one_without_a_login() {
        let taken = |text: &str| text.parse::<Delivery>().is_ok();
        assert!(taken("smtp://mail.example/ada@example.org"));
        assert!(taken("smtp://mail.example:2525/ada@example.org"));
        assert!(!taken("smtp://ada:a@mail.example/ada@example.org"));
        assert!(!taken("smtps://mail.example/ada@example.org"));
        assert!(!taken("smtp://mail.example/ada@example.org?tls=required"));
    }

    #[test]
    #[cfg(feature = "tls")]
    fn a_destination_is_taken_and_its_password_never_printed() {
        let text = "smtp://ada:hunter2@mail.example:587/ada@example.org?tls=required";
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

    #[test]
    #[cfg(feature = "tls")]
    fn a_login_is_only_taken_where_nobody_on_the_way_reads_it() {
        let taken = |text: &str| text.parse::<Delivery>().is_ok();
        for text in [
            "smtp://mail.example/a@b.example",
            "smtp://mail.example/a@b.example?tls=required",
            "smtp://ada:a%40b@mail.example/a@b.example?tls=required",
            "smtps://ada:a@mail.example/a@b.example",
        ] {
            assert!(taken(text), "{text}");
        }
        for text in [
            "smtp://ada:a@mail.example/a@b.example",
            "smtp://ada:a@mail.example/a@b.example?tls=opportunistic",
            "smtp://mail.example/a@b.example?tls=opportunistic",
            "smtp://ada:a@mail.example/a@b.example?tls=none",
            "smtp://ada:a@mail.example/a@b.example?TLS=required",
            "smtp://ada:a@mail.example/a@b.example?tls=required&tls=no",
            "smtp://ada:a@mail.example#/a@b.example?tls=required",
            "smtp://ada:a@mail.example?/a@b.example?tls=required",
            "SMTP://ada:a@mail.example/a@b.example?tls=required",
            "smtps://ada@mail.example/a@b.example",
        ] {
            assert!(!taken(text), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_takes_a_login_without_tls(
            text in "smtps?://([a:@%]{0,5}@)?[a-z.:#?]{0,9}/a@b[.]example([?][a-z=&]{0,9}(tls=required)?)?"
        ) {
            if let Ok(Delivery::Smtp(url)) = text.parse() {
                let is_private = url.server.starts_with("smtps://")
                    || url.server.ends_with("?tls=required");
                let authority = text.rsplit_once("/a@").expect("a mailbox").0;
                proptest::prop_assert!(is_private || !authority.contains('@'), "{text}");
            }
        }
    }
}
