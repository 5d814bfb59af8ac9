//! Lists of what has a tag, in the API and on the first page.

use axum::http::{Method, StatusCode};
use backend::tokens::Scope;
use serde_json::{Value, json};

use crate::portfolio::{Portfolio, on_each_database};

async fn slugs(portfolio: &Portfolio, list: &str, query: &str) -> Vec<String> {
    let answer = portfolio.get(&format!("/api/v1/{list}?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK);
    let found = answer.json();
    let entries = found[list].as_array().expect("a list").iter();
    entries
        .map(|entry| entry["slug"].as_str().expect("a name").to_owned())
        .collect()
}

fn post(title: &str, tags: Value) -> Value {
    json!({"title": title, "summary": "s", "markdown": "m", "tags": tags,
        "published_at": "2026-02-01T00:00:00Z"})
}

#[tokio::test]
async fn a_list_has_only_what_has_the_tag_in_its_order_and_pages() {
    on_each_database(async |portfolio| {
        let token = portfolio.token(&[Scope::ContentWrite]).await;
        let harbour = json!({"title": "H", "summary": "s", "description": "d", "year": 2026,
            "tags": ["boats", "sea"], "position": 0});
        let new = ("if-none-match", "*");
        let made = portfolio.edit(&token, Method::PUT, "projects/harbour", new, harbour);
        assert_eq!(made.await.status, StatusCode::CREATED);
        let of_the_sea = slugs(&portfolio, "projects", "tag=sea").await;
        assert_eq!(of_the_sea, ["harbour", "tidewater"]);
        assert_eq!(
            slugs(&portfolio, "projects", "tag=feeds").await,
            ["tidewater"]
        );
        let second = slugs(&portfolio, "projects", "tag=sea&per_page=1&page=2").await;
        assert_eq!(second, ["tidewater"]);
        let first = portfolio.get("/api/v1/projects?tag=sea&per_page=1").await;
        assert_eq!(first.json()["next_page"], 2);
        // A tag is the whole tag.
        for none in ["tag=se", "tag=Sea", "tag=sea%25", "tag=operations"] {
            assert!(
                slugs(&portfolio, "projects", none).await.is_empty(),
                "{none}"
            );
        }
        assert_eq!(
            slugs(&portfolio, "posts", "tag=operations").await,
            ["one-small-machine"]
        );
        let long = "x".repeat(51);
        for wrong in ["tag=", &format!("tag={long}"), "tag=a%0Ab", "tag=a%00"] {
            for list in ["projects", "posts"] {
                let answer = portfolio.get(&format!("/api/v1/{list}?{wrong}")).await;
                assert_eq!(answer.problem(422)["errors"][0]["field"], "tag", "{wrong}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_list_follows_what_is_edited() {
    on_each_database(async |portfolio| {
        let token = portfolio.token(&[Scope::ContentWrite]).await;
        let put = async |condition: (&'static str, &str), tags: Value| {
            let path = "posts/tagged";
            let content = post("Tagged", tags);
            let answer = portfolio.edit(&token, Method::PUT, path, condition, content);
            let answer = answer.await;
            assert!(answer.status.is_success());
            answer.header("etag").to_owned()
        };
        let odd = "a & b/\u{e4} \"%";
        let etag = put(("if-none-match", "*"), json!([odd, odd, "two"])).await;
        let asked = "tag=a%20%26%20b%2F%C3%A4%20%22%25";
        assert_eq!(slugs(&portfolio, "posts", asked).await, ["tagged"]);
        let page = portfolio.get("/").await;
        let page = String::from_utf8_lossy(&page.body).into_owned();
        assert!(page.contains(&format!("href=\"/?{asked}\"")), "{page}");
        let etag = put(("if-match", &etag), json!(["two"])).await;
        assert!(slugs(&portfolio, "posts", asked).await.is_empty());
        assert_eq!(slugs(&portfolio, "posts", "tag=two").await, ["tagged"]);
        let condition = ("if-match", &*etag);
        let path = "posts/tagged";
        let deleted = portfolio.edit(&token, Method::DELETE, path, condition, json!(null));
        assert_eq!(deleted.await.status, StatusCode::NO_CONTENT);
        assert!(slugs(&portfolio, "posts", "tag=two").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_first_page_shows_only_what_has_the_tag_and_says_so() {
    on_each_database(async |portfolio| {
        let page = portfolio.get("/?tag=feeds&utm_source=x").await;
        let page = String::from_utf8_lossy(&page.body).into_owned();
        assert_eq!(page.matches("<article>").count(), 1);
        assert!(page.contains("Only what has the tag “feeds”."), "{page}");
        assert!(page.contains("There are no posts with this tag."), "{page}");
        let page = portfolio.get("/?tag=%3Cb%3E").await;
        let page = String::from_utf8_lossy(&page.body).into_owned();
        assert!(page.contains("“&#60;b&#62;”"), "{page}");
        portfolio.get("/?tag=").await.problem(422);
    })
    .await;
}
