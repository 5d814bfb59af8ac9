//! Documents as editors read and write them. What was read is named by its `ETag`,
//! and a write says with `If-Match` what it replaces: nobody undoes unseen what
//! somebody else wrote.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, ETAG};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::{ContentWrite, Editor};
use crate::app::AppState;
use crate::audit::{self, Change};
use crate::content::Content;
use crate::content::post::Post;
use crate::content::profile::Profile;
use crate::content::project::Project;
use crate::documents::{self, Expected, Order};
use crate::json_body::JsonBody;
use crate::page::Page;
use crate::problem::{FieldError, Problem};
use crate::slug::{self, PROFILE};
use crate::{precondition, search};

type Writer = Editor<ContentWrite>;

async fn read<T: Content>(state: &AppState, slug: &str) -> Result<Response, Problem> {
    slug::judge(slug)?;
    let found = documents::find::<T>(state.database.pool(), slug).await?;
    let document = found.ok_or_else(|| Problem::not_found("there is no document of this name"))?;
    Ok((tag(&document.version), Json(document.content)).into_response())
}

fn tag(version: &str) -> [(axum::http::HeaderName, String); 2] {
    [
        (ETAG, format!("\"{version}\"")),
        (CACHE_CONTROL, "no-store".to_owned()),
    ]
}

async fn put<T: Content>(
    state: &AppState,
    editor: &Writer,
    slug: &str,
    headers: &HeaderMap,
    content: T,
) -> Result<Response, Problem> {
    if !slug::is_slug(slug) {
        let message = "must be lower-case letters and digits with single hyphens between";
        return Err(Problem::invalid(vec![FieldError {
            field: "slug",
            message: message.to_owned(),
        }]));
    }
    let expected = precondition::expected(headers)?;
    let errors = content.errors();
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let (now, now_text) = ((state.clock)(), state.now());
    let mut transaction = state.database.write().await?;
    let before = documents::find::<T>(&mut *transaction, slug).await?;
    let written = documents::write(&mut transaction, slug, &content, &expected, &now_text).await?;
    let Some(version) = written else {
        return Err(Problem::precondition_failed());
    };
    search::index(&mut transaction, slug, Some(&content)).await?;
    let (status, action) = match expected {
        Expected::Nothing => (StatusCode::CREATED, "create"),
        Expected::Version(_) => (StatusCode::OK, "replace"),
    };
    let change = Change {
        actor: &editor.actor,
        action,
        subject: format!("{} {slug}", T::KIND),
        before: before.and_then(|document| serde_json::to_string(&document.content).ok()),
        after: serde_json::to_string(&content).ok(),
    };
    audit::record(&mut transaction, now, change).await?;
    transaction.commit().await?;
    state.cache.clear();
    Ok((status, tag(&version), Json(content)).into_response())
}

async fn remove<T: Content>(
    state: &AppState,
    editor: &Writer,
    slug: &str,
    headers: &HeaderMap,
) -> Result<StatusCode, Problem> {
    slug::judge(slug)?;
    let Expected::Version(version) = precondition::expected(headers)? else {
        return Err(Problem::precondition_required());
    };
    let now = (state.clock)();
    let mut transaction = state.database.write().await?;
    let found = documents::find::<T>(&mut *transaction, slug).await?;
    let before = found.ok_or_else(|| Problem::not_found("there is no document of this name"))?;
    if !documents::delete::<T>(&mut transaction, slug, &version).await? {
        return Err(Problem::precondition_failed());
    }
    search::index::<T>(&mut transaction, slug, None).await?;
    let change = Change {
        actor: &editor.actor,
        action: "delete",
        subject: format!("{} {slug}", T::KIND),
        before: serde_json::to_string(&before.content).ok(),
        after: None,
    };
    audit::record(&mut transaction, now, change).await?;
    transaction.commit().await?;
    state.cache.clear();
    Ok(StatusCode::NO_CONTENT)
}

/// A page of posts, drafts first, then the newest.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct DraftList {
    /// The posts.
    posts: Vec<Draft>,
    /// The number of the next page, if there is one.
    next_page: Option<i64>,
}

/// A post, published or not.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Draft {
    /// Its name in addresses.
    slug: String,
    /// Its title.
    title: String,
    /// From when everybody sees it (RFC 3339, UTC); none for a draft.
    published_at: Option<String>,
    /// When it was last changed (RFC 3339, UTC).
    updated_at: String,
}

/// Every post, drafts and later ones included.
#[cfg_attr(test, utoipa::path(get, operation_id = "list_all_posts", path = "/api/v1/editor/posts", tag = "editor",
    params(Page), security(("token" = [])),
    responses(
        (status = 200, description = "A page of posts", body = DraftList),
        (status = 401, description = "There is no good token"),
        (status = 422, description = "No list has such a page"),
    )))]
pub(crate) async fn list_posts(
    _editor: Writer,
    State(state): State<AppState>,
    Query(page): Query<Page>,
) -> Result<Json<DraftList>, Problem> {
    let page = page.judged()?;
    let mut found =
        documents::list::<Post>(state.database.pool(), Order::Newest, None, None, page).await?;
    let next_page = page.next(&mut found);
    let posts = found
        .into_iter()
        .map(|document| Draft {
            slug: document.slug,
            title: document.content.title,
            published_at: document.visible_from,
            updated_at: document.updated_at,
        })
        .collect();
    Ok(Json(DraftList { posts, next_page }))
}

/// The profile, with its version as `ETag`.
#[cfg_attr(test, utoipa::path(get, operation_id = "read_profile", path = "/api/v1/editor/profile", tag = "editor",
    security(("token" = [])),
    responses(
        (status = 200, description = "The profile", body = Profile),
        (status = 401, description = "There is no good token"),
        (status = 404, description = "There is no profile yet"),
    )))]
pub(crate) async fn read_profile(
    _editor: Writer,
    State(state): State<AppState>,
) -> Result<Response, Problem> {
    read::<Profile>(&state, PROFILE).await
}

/// Writes the profile.
#[cfg_attr(test, utoipa::path(put, operation_id = "put_profile", path = "/api/v1/editor/profile", tag = "editor",
    params(("if-match" = Option<String>, Header, description = "The version that it replaces"),
        ("if-none-match" = Option<String>, Header, description = "`*`: there is none yet")),
    security(("token" = [])), request_body = Profile,
    responses(
        (status = 200, description = "It is replaced", body = Profile),
        (status = 201, description = "It is made", body = Profile),
        (status = 400, description = "The body is not JSON, or a precondition is not one"),
        (status = 401, description = "There is no good token"),
        (status = 412, description = "Something else is there than was expected"),
        (status = 413, description = "The body is longer than 1 MiB"),
        (status = 415, description = "The body is not declared as JSON"),
        (status = 422, description = "Some fields were not accepted"),
        (status = 428, description = "The request does not say what it replaces"),
    )))]
pub(crate) async fn put_profile(
    editor: Writer,
    State(state): State<AppState>,
    headers: HeaderMap,
    JsonBody(profile): JsonBody<Profile>,
) -> Result<Response, Problem> {
    put(&state, &editor, PROFILE, &headers, profile).await
}

macro_rules! documents {
    ($content:ty, $path:literal, $read:ident = $read_name:literal, $put:ident = $put_name:literal,
     $delete:ident = $delete_name:literal) => {
        /// The document, with its version as `ETag`.
        #[cfg_attr(test, utoipa::path(get, operation_id = $read_name, path = $path, tag = "editor",
            params(("slug" = String, Path, description = "Its name in addresses")),
            security(("token" = [])),
            responses(
                (status = 200, description = "The document", body = $content),
                (status = 401, description = "There is no good token"),
                (status = 404, description = "There is no document of this name"),
            )))]
        pub(crate) async fn $read(
            _editor: Writer,
            State(state): State<AppState>,
            Path(slug): Path<String>,
        ) -> Result<Response, Problem> {
            read::<$content>(&state, &slug).await
        }

        /// Writes the document.
        #[cfg_attr(test, utoipa::path(put, operation_id = $put_name, path = $path, tag = "editor",
            params(("slug" = String, Path, description = "Its name in addresses"),
                ("if-match" = Option<String>, Header, description = "The version that it replaces"),
                ("if-none-match" = Option<String>, Header, description = "`*`: there is none yet")),
            security(("token" = [])), request_body = $content,
            responses(
                (status = 200, description = "It is replaced", body = $content),
                (status = 201, description = "It is made", body = $content),
                (status = 400, description = "The body is not JSON, or a precondition is not one"),
                (status = 401, description = "There is no good token"),
                (status = 412, description = "Something else is there than was expected"),
                (status = 413, description = "The body is longer than 1 MiB"),
                (status = 415, description = "The body is not declared as JSON"),
                (status = 422, description = "Some fields were not accepted"),
                (status = 428, description = "The request does not say what it replaces"),
            )))]
        pub(crate) async fn $put(
            editor: Writer,
            State(state): State<AppState>,
            Path(slug): Path<String>,
            headers: HeaderMap,
            JsonBody(content): JsonBody<$content>,
        ) -> Result<Response, Problem> {
            put(&state, &editor, &slug, &headers, content).await
        }

        /// Deletes the document.
        #[cfg_attr(test, utoipa::path(delete, operation_id = $delete_name, path = $path, tag = "editor",
            params(("slug" = String, Path, description = "Its name in addresses"),
                ("if-match" = Option<String>, Header, description = "The version that is deleted")),
            security(("token" = [])),
            responses(
                (status = 204, description = "It is deleted"),
                (status = 400, description = "The precondition is not one"),
                (status = 401, description = "There is no good token"),
                (status = 404, description = "There is no document of this name"),
                (status = 412, description = "Another version is there"),
                (status = 428, description = "The request does not say which version"),
            )))]
        pub(crate) async fn $delete(
            editor: Writer,
            State(state): State<AppState>,
            Path(slug): Path<String>,
            headers: HeaderMap,
        ) -> Result<StatusCode, Problem> {
            remove::<$content>(&state, &editor, &slug, &headers).await
        }
    };
}

documents!(
    Project,
    "/api/v1/editor/projects/{slug}",
    read_project = "read_project",
    put_project = "put_project",
    delete_project = "delete_project"
);
documents!(
    Post,
    "/api/v1/editor/posts/{slug}",
    read_post = "read_post",
    put_post = "put_post",
    delete_post = "delete_post"
);
