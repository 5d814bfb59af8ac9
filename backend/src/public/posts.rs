//! Posts that are published (`/api/v1/posts`).

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;

use crate::app::AppState;
use crate::cache::Answer;
use crate::content::post::Post;
use crate::documents::{self, Document, Order};
use crate::markdown;
use crate::page::{Listing, Page};
use crate::problem::Problem;
use crate::slug;

/// A page of posts, the newest first.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct PostList {
    /// The posts, without their text.
    posts: Vec<PostSummary>,
    /// The number of the next page, if there is one.
    next_page: Option<i64>,
}

/// What a post is about.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct PostSummary {
    /// Its name in addresses.
    pub(crate) slug: String,
    /// Its title.
    pub(crate) title: String,
    /// What it says, in a few sentences.
    pub(crate) summary: String,
    /// What it is about.
    pub(crate) tags: Vec<String>,
    /// When it was published (RFC 3339, UTC).
    pub(crate) published_at: String,
    /// When it was last changed (RFC 3339, UTC).
    pub(crate) updated_at: String,
}

/// A post and its text.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct PublishedPost {
    /// What it is about.
    #[serde(flatten)]
    pub(crate) summary: PostSummary,
    /// Its text as HTML that is safe to show.
    pub(crate) html: String,
}

impl From<Document<Post>> for PostSummary {
    fn from(document: Document<Post>) -> Self {
        Self {
            slug: document.slug,
            title: document.content.title,
            summary: document.content.summary,
            tags: document.content.tags,
            published_at: document.visible_from.unwrap_or_default(),
            updated_at: document.updated_at,
        }
    }
}

impl From<Document<Post>> for PublishedPost {
    fn from(document: Document<Post>) -> Self {
        Self {
            html: markdown::to_html(&document.content.markdown),
            summary: document.into(),
        }
    }
}

/// The posts that are published.
#[cfg_attr(test, utoipa::path(get, operation_id = "list_posts", path = "/api/v1/posts", tag = "posts",
    params(Listing),
    responses(
        (status = 200, description = "A page of posts", body = PostList),
        (status = 304, description = "The client has it"),
        (status = 422, description = "No list has such a page, or nothing such a tag"),
    )))]
pub(crate) async fn list(
    State(state): State<AppState>,
    Query(listing): Query<Listing>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (page, tag) = listing.judged()?;
    let make = async {
        let mut found = newest(&state, tag.as_deref(), page).await?;
        let next_page = page.next(&mut found);
        let posts = found.into_iter().map(Into::into).collect();
        Answer::json(&PostList { posts, next_page })
    };
    let name = format!("posts {:?} {tag:?}", page.key());
    state.cache.respond(name, &headers, make).await
}

/// A page of the posts that are published and have the tag, if there is one, and one more
/// if there is another page.
pub(crate) async fn newest(
    state: &AppState,
    tag: Option<&str>,
    page: Page,
) -> Result<Vec<Document<Post>>, sqlx::Error> {
    let (pool, now) = (state.database.pool(), state.now());
    documents::list(pool, Order::Newest, Some(&now), tag, page).await
}

/// One post.
#[cfg_attr(test, utoipa::path(get, operation_id = "show_post", path = "/api/v1/posts/{slug}", tag = "posts",
    params(("slug" = String, Path, description = "The post's name in addresses")),
    responses(
        (status = 200, description = "The post", body = PublishedPost),
        (status = 304, description = "The client has it"),
        (status = 404, description = "There is no such post, or it is not published"),
    )))]
pub(crate) async fn show(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    slug::judge(&slug)?;
    let make = async { Answer::json(&published(&state, &slug).await?) };
    state
        .cache
        .respond(format!("post {slug}"), &headers, make)
        .await
}

/// The post, if it is published.
pub(crate) async fn published(state: &AppState, slug: &str) -> Result<PublishedPost, Problem> {
    documents::find_visible::<Post>(state.database.pool(), slug, &state.now())
        .await?
        .map(PublishedPost::from)
        .ok_or_else(|| Problem::not_found("there is no post of this name"))
}
