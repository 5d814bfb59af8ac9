//! Contact messages: how many are taken, what is not kept, and that what is kept is
//! delivered.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use backend::contact::delivery::Delivery;
use backend::contact::outbox;
use backend::timestamp::system_clock;
use backend::tokens::Scope;
use serde_json::{Value, json};

use crate::mail_server::{MailServer, Security};
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
        assert!((1..=3660).contains(&pause));
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
async fn what_is_not_kept_uses_up_nothing_but_what_an_address_may_trap() {
    on_each_database(async |portfolio| {
        let mut trapped = message("Buy!");
        trapped["website"] = json!("https://spam.example/");
        for count in 0..400 {
            let address = format!("198.51.{}.{}", count / 250, count % 250);
            let answer = write_from(&portfolio, &address, trapped.clone()).await;
            assert_eq!(answer.status, StatusCode::ACCEPTED);
        }
        let rename = async |sql| portfolio.database.tamper(sql).await.expect("a change");
        rename("ALTER TABLE outbox RENAME TO away").await;
        for _ in 0..20 {
            let answer = write_from(&portfolio, "192.0.2.1", message("a")).await;
            answer.problem(500);
        }
        rename("ALTER TABLE away RENAME TO outbox").await;
        for _ in 0..10 {
            let answer = write_from(&portfolio, "192.0.2.1", message("a")).await;
            assert_eq!(answer.status, StatusCode::ACCEPTED);
        }
        write_from(&portfolio, "192.0.2.1", message("a"))
            .await
            .problem(429);
    })
    .await;
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

#[tokio::test]
async fn a_mail_server_that_refuses_gets_the_mail_again_until_it_takes_it() {
    on_each_database(async |portfolio| {
        let mut server = MailServer::start(Security::None, vec!["451 later"]);
        let delivery: Delivery = format!("smtp://127.0.0.1:{}/owner@example.org", server.port)
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
                portfolio.hurry();
                tokio::task::yield_now().await;
            }
        };
        let mail = tokio::select! {
            mail = server.mail() => mail,
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
async fn what_is_refused_for_good_is_given_up_kept_told_and_tried_again_when_that_is_asked_for() {
    on_each_database(async |portfolio| {
        let refusals = vec!["550 5.1.1 no such mailbox"; 10];
        let mut server = MailServer::start(Security::None, refusals);
        let delivery: Delivery = format!("smtp://127.0.0.1:{}/owner@example.org", server.port)
            .parse()
            .expect("a destination");
        write_from(&portfolio, "192.0.2.1", message("Hello")).await;
        let token = portfolio.token(&[Scope::ContactRead]).await;
        let state = async || {
            let list = portfolio.edit(&token, Method::GET, "messages", ("", ""), json!(null));
            list.await.json()["messages"][0]["delivery"].clone()
        };
        assert_eq!(
            state().await,
            json!({"state": "waiting", "attempts": 0, "error": null})
        );
        let worker = tokio::spawn(portfolio.deliver(delivery));
        // The pauses end sooner here.
        let given_up = loop {
            let hurry = "UPDATE outbox SET due_at = '' WHERE given_up_at IS NULL AND attempts > 0";
            portfolio.database.tamper(hurry).await.expect("a change");
            portfolio.hurry();
            let state = state().await;
            if state["state"] == "given_up" {
                break state;
            }
        };
        assert_eq!(given_up["attempts"], 10);
        let error = given_up["error"].as_str().expect("a reason");
        assert!(
            error.contains("550") && error.contains("no such mailbox"),
            "{error}"
        );

        let retried = outbox::retry(&portfolio.database, system_clock()).await;
        assert_eq!(retried.expect("a count"), 1);
        portfolio.hurry();
        assert!(server.mail().await.contains("Hello"));
        while state().await["state"] != "delivered" {}
        let retried = outbox::retry(&portfolio.database, system_clock()).await;
        assert_eq!(retried.expect("a count"), 0);
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
