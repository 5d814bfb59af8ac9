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

#[tokio::test]
async fn a_form_that_comes_too_often_is_told_when_it_may_come_again() {
    let portfolio = Portfolio::open().await;
    let form = "name=Ada&email=ada%40example.com&message=Hi";
    for _ in 0..10 {
        assert_eq!(send(&portfolio, form).await.status, StatusCode::SEE_OTHER);
    }
    let answer = send(&portfolio, form).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(text(&answer).contains("too many messages came"));
    let pause: u64 = answer.header("retry-after").parse().expect("seconds");
    assert!((1..=3660).contains(&pause), "{pause}");
}

#[tokio::test]
async fn the_first_page_has_a_hundred_of_each_and_not_one_more() {
    let portfolio = Portfolio::open().await;
    let token = portfolio.token(&[Scope::ContentWrite]).await;
    for number in 0..101 {
        let post = json!({"title": "t", "summary": "s", "markdown": "m",
            "published_at": "2026-01-01T00:00:00Z"});
        let project = json!({"title": "t", "summary": "s", "description": "d", "year": 2026,
            "position": number});
        for (path, content) in [("posts", post), ("projects", project)] {
            let path = format!("{path}/p-{number}");
            let condition = ("if-none-match", "*");
            let answer = portfolio.edit(&token, Method::PUT, &path, condition, content);
            assert_eq!(answer.await.status, StatusCode::CREATED);
        }
    }
    let page = portfolio.get("/").await;
    assert_eq!(text(&page).matches("<article>").count(), 200);
}
