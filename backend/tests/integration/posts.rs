//! Posts, the feed, searches, and what a client need not read again.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use backend::tokens::Scope;
use serde_json::{Value, json};

use crate::portfolio::{Portfolio, on_each_database};

const NEW: (&str, &str) = ("if-none-match", "*");

fn post(title: &str, published_at: Option<&str>) -> Value {
    json!({
        "title": title,
        "summary": "In short.",
        "markdown": "Some *words* & <b>marks</b>.",
        "tags": ["one"],
        "published_at": published_at,
    })
}

async fn put(portfolio: &Portfolio, slug: &str, post: Value) {
    let token = portfolio.token(&[Scope::ContentWrite]).await;
    let path = format!("posts/{slug}");
    let answer = portfolio.edit(&token, Method::PUT, &path, NEW, post).await;
    assert_eq!(answer.status, StatusCode::CREATED);
}

async fn slugs(portfolio: &Portfolio, path: &str, list: &str) -> Vec<String> {
    let answer = portfolio.get(path).await.json();
    let found = answer[list].as_array().expect("a list");
    found
        .iter()
        .map(|entry| entry["slug"].as_str().expect("a name").to_owned())
        .collect()
}

#[tokio::test]
async fn drafts_and_posts_of_the_future_are_seen_by_nobody() {
    on_each_database(async |portfolio| {
        put(&portfolio, "draft", post("A draft", None)).await;
        put(
            &portfolio,
            "later",
            post("Later", Some("2999-01-01T00:00:00Z")),
        )
        .await;
        put(
            &portfolio,
            "now",
            post("Now", Some("2026-02-01T00:00:00+01:00")),
        )
        .await;
        let seen = slugs(&portfolio, "/api/v1/posts", "posts").await;
        assert_eq!(
            seen,
            ["now", "readings-that-cannot-be-true", "one-small-machine"]
        );
        for hidden in ["draft", "later"] {
            portfolio
                .get(&format!("/api/v1/posts/{hidden}"))
                .await
                .problem(404);
        }
        let found = slugs(&portfolio, "/api/v1/search?q=some+words", "hits").await;
        assert_eq!(found, ["now"]);
        let shown = portfolio.get("/api/v1/posts/now").await.json();
        assert_eq!(shown["published_at"], "2026-01-31T23:00:00.000Z");
        assert_eq!(
            shown["html"],
            "<p>Some <em>words</em> &amp; &lt;b&gt;marks&lt;/b&gt;.</p>\n"
        );
        let token = portfolio.token(&[Scope::ContentWrite]).await;
        let all = portfolio
            .edit(
                &token,
                Method::GET,
                "posts?per_page=2",
                ("", ""),
                json!(null),
            )
            .await
            .json();
        assert_eq!(all["posts"][0]["slug"], "draft");
        assert_eq!(all["posts"][1]["slug"], "later");
        assert_eq!(all["next_page"], 2);
    })
    .await;
}

#[tokio::test]
async fn lists_come_in_pages_that_are_bounded() {
    on_each_database(async |portfolio| {
        let first = portfolio.get("/api/v1/projects?per_page=2").await.json();
        assert_eq!(first["projects"].as_array().expect("a list").len(), 2);
        assert_eq!(first["next_page"], 2);
        let last = portfolio
            .get("/api/v1/projects?per_page=2&page=2")
            .await
            .json();
        assert_eq!(last["projects"][0]["slug"], "slow-mail");
        assert_eq!(last["next_page"], json!(null));
        for page in [
            "page=0",
            "page=10001",
            "per_page=0",
            "per_page=101",
            "per_page=-1",
        ] {
            portfolio
                .get(&format!("/api/v1/posts?{page}"))
                .await
                .problem(422);
        }
        portfolio.get("/api/v1/posts?page=x").await.problem(400);
    })
    .await;
}

#[tokio::test]
async fn a_search_finds_words_by_their_beginnings_titles_first_on_each_database_the_same() {
    on_each_database(async |portfolio| {
        let found = async |query: &str| {
            slugs(&portfolio, &format!("/api/v1/search?q={query}"), "hits").await
        };
        assert_eq!(found("TIDEW").await[0], "tidewater");
        assert_eq!(found("harbour+forty+feed").await.len(), 2);
        assert_eq!(found("harbour+elephant").await, [""; 0]);
        assert_eq!(found("postgresql").await.len(), 2);
        put(
            &portfolio,
            "fjord",
            post("Fjørden: 'x' OR \"y\"", Some("2026-01-01T00:00:00Z")),
        )
        .await;
        assert_eq!(found("FJ%C3%98RD").await, ["fjord"]);
        for nothing in [
            "",
            "%22",
            "*",
            "a%00b%22)",
            "-%20NEAR(",
            "%27%3B--",
            "kind:x",
        ] {
            let answer = portfolio.get(&format!("/api/v1/search?q={nothing}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{nothing}");
        }
        let long = "a".repeat(201);
        portfolio
            .get(&format!("/api/v1/search?q={long}"))
            .await
            .problem(422);
        portfolio.get("/api/v1/search").await.problem(400);
    })
    .await;
}

#[tokio::test]
async fn a_search_takes_vowel_signs_and_rare_letters_for_parts_of_words() {
    on_each_database(async |portfolio| {
        // Hindi, with vowel signs, and a letter of New Tai Lue.
        let title = "कल दान \u{19b0}";
        put(
            &portfolio,
            "dana",
            post(title, Some("2026-01-01T00:00:00Z")),
        )
        .await;
        for (query, hits) in [
            ("%E0%A4%A6%E0%A4%BE%E0%A4%A8", &["dana"][..]),
            ("%E0%A4%A6%E0%A4%BE", &["dana"]),
            ("%E1%A6%B0", &["dana"]),
            ("%E0%A4%A6%E0%A4%BF", &[]),
            ("%E0%A4%95%E0%A4%BF", &[]),
        ] {
            let found = slugs(&portfolio, &format!("/api/v1/search?q={query}"), "hits").await;
            assert_eq!(found, hits, "{query}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_that_has_the_answer_is_told_so_until_it_changes() {
    on_each_database(async |portfolio| {
        let etag = portfolio
            .get("/api/v1/posts")
            .await
            .header("etag")
            .to_owned();
        let again = async || {
            let request = Request::get("/api/v1/posts")
                .header("if-none-match", format!("\"x\", W/{etag}"))
                .body(Body::empty());
            portfolio.send(request.expect("a request")).await
        };
        let answer = again().await;
        assert_eq!(answer.status, StatusCode::NOT_MODIFIED);
        assert_eq!(answer.header("etag"), etag);
        assert!(answer.body.is_empty());
        put(&portfolio, "new", post("New", Some("2026-01-01T00:00:00Z"))).await;
        assert_eq!(again().await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn the_feed_is_atom_that_a_strict_parser_reads() {
    on_each_database(async |portfolio| {
        let title = "R&D <in> \"Bergen\" ]]> ☃";
        put(&portfolio, "odd", post(title, Some("2026-02-01T00:00:00Z"))).await;
        let answer = portfolio.get("/feed.atom").await;
        assert_eq!(
            answer.header("content-type"),
            "application/atom+xml; charset=utf-8"
        );
        let text = String::from_utf8(answer.body).expect("UTF-8");
        let feed = roxmltree::Document::parse(&text).expect("XML");
        let atom = "http://www.w3.org/2005/Atom";
        assert!(feed.root_element().has_tag_name((atom, "feed")));
        let entries: Vec<_> = feed
            .descendants()
            .filter(|node| node.has_tag_name((atom, "entry")))
            .collect();
        assert_eq!(entries.len(), 3);
        let part = |name| {
            let mut children = entries[0].children();
            let child = children.find(|node| node.has_tag_name((atom, name)));
            child
                .and_then(|node| node.text())
                .expect("its text")
                .to_owned()
        };
        assert_eq!(part("title"), title);
        assert_eq!(part("id"), "https://portfolio.example/posts/odd");
        assert_eq!(part("published"), "2026-02-01T00:00:00.000Z");
        assert!(part("content").contains("<em>words</em>"));
        for name in ["id", "title", "updated", "author"] {
            let mut children = feed.root_element().children();
            assert!(
                children.any(|node| node.has_tag_name((atom, name))),
                "{name}"
            );
        }
    })
    .await;
}
