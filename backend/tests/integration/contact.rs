//! Contact messages: how many are taken, what is not kept, and that what is kept is
//! delivered.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use backend::contact::delivery::Delivery;
use backend::tokens::Scope;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::portfolio::{Answer, Portfolio, on_each_database};

async fn write_from(portfolio: &Portfolio, address: &str, body: Value) -> Answer {
    let request = Request::post("/api/v1/contact")
        .header("content-type", "application/json")
        .header("x-forwarded-for", format!("203.0.113.9, {address}"))
        .body(Body::from(body.to_string()));
    portfolio.send(request.expect("a request")).await
}

fn message(text: &str) -> Value {
    json!({"name": "Zoë", "email": "zoe@example.com", "message": text})
}

async fn kept(portfolio: &Portfolio) -> usize {
    let token = portfolio.token(&[Scope::ContactRead]).await;
    let list = portfolio
        .edit(&token, Method::GET, "messages", ("", ""), json!(null))
        .await
        .json();
    list["messages"].as_array().expect("messages").len()
}

#[tokio::test]
async fn an_address_that_writes_too_often_must_wait_and_others_need_not() {
    on_each_database(async |portfolio| {
        for _ in 0..10 {
            let answer = write_from(&portfolio, "192.0.2.1", message("a")).await;
            assert_eq!(answer.status, StatusCode::ACCEPTED);
        }
        let answer = write_from(&portfolio, "192.0.2.1", message("a")).await;
        assert_eq!(answer.problem(429)["code"], "too_many_requests");
        let pause: u64 = answer.header("retry-after").parse().expect("seconds");
        assert!((1..=3600).contains(&pause));
        let answer = write_from(&portfolio, "192.0.2.2", message("a")).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        assert_eq!(kept(&portfolio).await, 11);
    })
    .await;
}

#[tokio::test]
async fn all_addresses_together_write_only_so_much() {
    let portfolio = Portfolio::open().await;
    for count in 0..300 {
        let address = format!("198.51.{}.{}", count / 250, count % 250);
        let answer = write_from(&portfolio, &address, message("a")).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
    }
    write_from(&portfolio, "192.0.2.1", message("a"))
        .await
        .problem(429);
}

#[tokio::test]
async fn what_falls_into_the_trap_is_answered_like_the_rest_and_not_kept() {
    on_each_database(async |portfolio| {
        let mut trapped = message("Buy!");
        trapped["website"] = json!("https://spam.example/");
        let answer = write_from(&portfolio, "192.0.2.1", trapped).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        assert_eq!(kept(&portfolio).await, 0);
    })
    .await;
}

/// A mail server that turns the first mail away, and takes those after it.
async fn mail_server() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address");
    let address = listener.local_addr().expect("an address").to_string();
    let (mails, taken) = mpsc::channel(10);
    tokio::spawn(async move {
        let mut is_first = true;
        while let Ok((stream, _)) = listener.accept().await {
            let (reader, mut writer) = stream.into_split();
            let mut lines = BufReader::new(reader).lines();
            writer.write_all(b"220 test\r\n").await.expect("a greeting");
            let mut mail = String::new();
            let mut is_data = false;
            while let Ok(Some(line)) = lines.next_line().await {
                let answer = match line.as_str() {
                    "." if is_data => {
                        is_data = false;
                        mails
                            .send(std::mem::take(&mut mail))
                            .await
                            .expect("a reader");
                        "250 taken\r\n"
                    }
                    _ if is_data => {
                        mail += &line;
                        mail += "\n";
                        continue;
                    }
                    line if line.starts_with("MAIL") && is_first => {
                        is_first = false;
                        "451 later\r\n"
                    }
                    "DATA" => {
                        is_data = true;
                        "354 go on\r\n"
                    }
                    "QUIT" => "221 bye\r\n",
                    _ => "250 fine\r\n",
                };
                writer
                    .write_all(answer.as_bytes())
                    .await
                    .expect("an answer");
            }
        }
    });
    (address, taken)
}

#[tokio::test]
async fn a_mail_server_that_refuses_gets_the_mail_again_until_it_takes_it() {
    on_each_database(async |portfolio| {
        let (address, mut mails) = mail_server().await;
        let delivery: Delivery = format!("smtp://{address}/owner@example.org")
            .parse()
            .expect("a destination");
        let portfolio = Arc::new(portfolio);
        write_from(&portfolio, "192.0.2.1", message("First\n.\nlast")).await;
        let worker = tokio::spawn(portfolio.deliver(delivery));
        // The pause after a failure ends sooner here.
        let hurry = async {
            loop {
                portfolio
                    .database
                    .tamper("UPDATE outbox SET due_at = '' WHERE attempts > 0")
                    .await
                    .expect("a change");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        let mail = tokio::select! {
            mail = mails.recv() => mail.expect("a mail"),
            () = hurry => unreachable!("it goes on"),
        };
        assert!(mail.contains("To: owner@example.org"), "{mail}");
        assert!(mail.contains("zoe@example.com"), "{mail}");
        assert!(mail.contains("last"), "{mail}");
        assert_eq!(kept(&portfolio).await, 1);
        worker.abort();
    })
    .await;
}

#[tokio::test]
async fn a_message_is_appended_to_a_file() {
    let portfolio = Portfolio::open().await;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("messages");
    let worker = tokio::spawn(portfolio.deliver(Delivery::File(path.clone())));
    write_from(&portfolio, "192.0.2.1", message("Hello")).await;
    let line = loop {
        match tokio::fs::read_to_string(&path).await {
            Ok(line) if line.ends_with('\n') => break line,
            _ => tokio::task::yield_now().await,
        }
    };
    let letter: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(letter["message"], "Hello");
    worker.abort();
}
