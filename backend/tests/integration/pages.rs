//! The pages for people.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use backend::tokens::Scope;
use serde_json::json;

use crate::portfolio::{Answer, Portfolio, on_each_database};

async fn send(portfolio: &Portfolio, form: &'static str) -> Answer {
    let request = Request::post("/contact")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form));
    portfolio.send(request.expect("a request")).await
}

fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).expect("UTF-8")
}

#[tokio::test]
async fn the_first_page_shows_the_portfolio_and_nothing_on_it_can_run() {
    on_each_database(async |portfolio| {
        let answer = portfolio.get("/").await;
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'self'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        let page = text(&answer);
        for part in [
            "<h1 id=\"name\">Ada Marlow</h1>",
            "Tidewater",
            "/posts/one-small-machine",
            "<html lang=\"en\">",
            "<main id=\"main\">",
        ] {
            assert!(page.contains(part), "no {part}");
        }
        assert!(!page.contains("<script") && !page.contains("style="));
        assert_eq!(
            portfolio.get("/style.css").await.header("content-type"),
            "text/css; charset=utf-8"
        );
    })
    .await;
}

#[tokio::test]
async fn a_post_has_a_page_and_what_is_none_a_page_that_says_so() {
    on_each_database(async |portfolio| {
        let page = portfolio.get("/posts/one-small-machine").await;
        assert!(text(&page).contains("<em>left out</em>"));
        for missing in ["/posts/none", "/posts/A%00"] {
            let page = portfolio.get(missing).await;
            assert_eq!(page.status, StatusCode::NOT_FOUND);
            assert!(text(&page).contains("<h1>Not found</h1>"));
        }
    })
    .await;
}

#[tokio::test]
async fn a_form_is_taken_and_the_browser_sent_on() {
    on_each_database(async |portfolio| {
        let answer = send(
            &portfolio,
            "name=Ada&email=ada%40example.com&message=Hi&website=",
        )
        .await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert_eq!(answer.header("location"), "/contact/thanks");
        assert!(text(&portfolio.get("/contact/thanks").await).contains("has arrived"));
        let token = portfolio.token(&[Scope::ContactRead]).await;
        let list = portfolio
            .edit(&token, Method::GET, "messages", ("", ""), json!(null))
            .await;
        assert_eq!(list.json()["messages"][0]["message"], "Hi");
    })
    .await;
}

#[tokio::test]
async fn a_form_that_is_not_accepted_comes_back_with_what_was_typed_and_what_is_wrong() {
    on_each_database(async |portfolio| {
        let answer = send(&portfolio, "name=%3Cb%3E&email=nobody&message=Hi").await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        let page = text(&answer);
        assert!(page.contains("must be an address such as name@example.com"));
        assert!(page.contains("aria-describedby=\"email-error\""));
        assert!(page.contains("value=\"&#60;b&#62;\""), "{page}");
    })
    .await;
}
