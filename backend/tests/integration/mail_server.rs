//! A mail server that writes down what it hears. It offers a login to everybody, so
//! that a careless client would tell it a password in the clear.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::ServerConfig;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_rustls::TlsAcceptor;

/// How its connections are encrypted.
pub(crate) enum Security {
    None,
    StartTls(Arc<ServerConfig>),
    Wrapped(Arc<ServerConfig>),
}

/// A line that a client sent.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) is_encrypted: bool,
    pub(crate) text: String,
}

/// It runs, on a thread of its own, as long as the test process does.
pub(crate) struct MailServer {
    pub(crate) port: u16,
    pub(crate) lines: UnboundedReceiver<Line>,
}

struct Desk {
    security: Security,
    /// What the first senders are told, instead of being listened to.
    refusals: Vec<&'static str>,
    senders: AtomicUsize,
    lines: UnboundedSender<Line>,
}

impl MailServer {
    /// A server that turns the first mails away, with these answers.
    pub(crate) fn start(security: Security, refusals: Vec<&'static str>) -> Self {
        let (sender, lines) = unbounded_channel();
        let desk = Arc::new(Desk {
            security,
            refusals,
            senders: AtomicUsize::new(0),
            lines: sender,
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("an address");
        listener.set_nonblocking(true).expect("a listener");
        let port = listener.local_addr().expect("an address").port();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("a runtime").block_on(async {
                let listener = TcpListener::from_std(listener).expect("a listener");
                while let Ok((stream, _)) = listener.accept().await {
                    let desk = Arc::clone(&desk);
                    // A client that does not trust it ends the connection.
                    tokio::spawn(async move { drop(desk.serve(stream).await) });
                }
            });
        });
        Self { port, lines }
    }

    /// The text of the next mail, its head included.
    pub(crate) async fn mail(&mut self) -> String {
        let mut mail = String::new();
        while let Some(line) = self.lines.recv().await {
            match line.text.as_str() {
                "DATA" => mail.clear(),
                "." => return mail,
                text => mail = mail + text + "\n",
            }
        }
        unreachable!("it goes on")
    }
}

impl Desk {
    async fn serve(&self, stream: TcpStream) -> io::Result<()> {
        match &self.security {
            Security::None => self.talk(stream, false, true).await?,
            Security::Wrapped(config) => {
                let stream = TlsAcceptor::from(Arc::clone(config)).accept(stream).await?;
                self.talk(stream, true, true).await?;
                None
            }
            Security::StartTls(config) => {
                let Some(stream) = self.talk(stream, false, true).await? else {
                    return Ok(());
                };
                let stream = TlsAcceptor::from(Arc::clone(config)).accept(stream).await?;
                self.talk(stream, true, false).await?;
                None
            }
        };
        Ok(())
    }

    /// Answers a client up to its end, or until it wants TLS.
    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        is_encrypted: bool,
        is_greeting: bool,
    ) -> io::Result<Option<S>> {
        let mut stream = BufReader::new(stream);
        if is_greeting {
            stream.write_all(b"220 test\r\n").await?;
        }
        let mut is_data = false;
        loop {
            let mut text = String::new();
            if stream.read_line(&mut text).await? == 0 {
                return Ok(None);
            }
            let text = text.trim_end().to_owned();
            let answer = self.answer(&text, is_encrypted, &mut is_data);
            let is_upgrade = text == "STARTTLS";
            // The test may have seen enough.
            let _ = self.lines.send(Line { is_encrypted, text });
            stream.write_all(answer.as_bytes()).await?;
            stream.flush().await?;
            if is_upgrade {
                return Ok(Some(stream.into_inner()));
            }
        }
    }

    fn answer(&self, line: &str, is_encrypted: bool, is_data: &mut bool) -> String {
        let command = line.split(' ').next().unwrap_or_default();
        match command {
            "." if *is_data => {
                *is_data = false;
                "250 taken\r\n".to_owned()
            }
            _ if *is_data => String::new(),
            "EHLO" => {
                let has_tls = matches!(self.security, Security::StartTls(_)) && !is_encrypted;
                let tls = if has_tls { "250-STARTTLS\r\n" } else { "" };
                format!("250-test\r\n{tls}250-8BITMIME\r\n250 AUTH PLAIN\r\n")
            }
            "AUTH" => "235 welcome\r\n".to_owned(),
            "MAIL" => {
                let sender = self.senders.fetch_add(1, Ordering::Relaxed);
                let answer = self.refusals.get(sender).unwrap_or(&"250 go on");
                format!("{answer}\r\n")
            }
            "DATA" => {
                *is_data = true;
                "354 go on\r\n".to_owned()
            }
            "QUIT" => "221 bye\r\n".to_owned(),
            _ => "250 fine\r\n".to_owned(),
        }
    }
}
