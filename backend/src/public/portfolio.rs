//! The profile and the projects (`/api/v1/profile`, `/api/v1/projects`).

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;

use crate::app::AppState;
use crate::cache::Answer;
use crate::content::profile::Profile;
use crate::content::project::Project;
use crate::documents::{self, Document, Order};
use crate::page::{Listing, Page};
use crate::problem::Problem;
use crate::slug::{self, PROFILE};

/// A page of projects, in the order in which the owner shows them.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct ProjectList {
    /// The projects.
    projects: Vec<NamedProject>,
    /// The number of the next page, if there is one.
    next_page: Option<i64>,
}

/// A project and its name in addresses.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct NamedProject {
    /// Its name in addresses.
    pub(crate) slug: String,
    /// What the owner says of it.
    #[serde(flatten)]
    pub(crate) project: Project,
}

impl From<Document<Project>> for NamedProject {
    fn from(document: Document<Project>) -> Self {
        Self {
            slug: document.slug,
            project: document.content,
        }
    }
}

/// The owner of the portfolio.
#[cfg_attr(test, utoipa::path(get, operation_id = "show_profile", path = "/api/v1/profile", tag = "portfolio",
    responses(
        (status = 200, description = "The profile", body = Profile),
        (status = 304, description = "The client has it"),
        (status = 404, description = "There is no profile yet"),
    )))]
pub(crate) async fn profile(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let make = async {
        let found = documents::find::<Profile>(state.database.pool(), PROFILE).await?;
        let Some(profile) = found else {
            return Err(Problem::not_found("this portfolio has no profile yet"));
        };
        Answer::json(&profile.content)
    };
    state
        .cache
        .respond("profile".to_owned(), &headers, make)
        .await
}

/// The projects.
#[cfg_attr(test, utoipa::path(get, operation_id = "list_projects", path = "/api/v1/projects", tag = "portfolio",
    params(Listing),
    responses(
        (status = 200, description = "A page of projects", body = ProjectList),
        (status = 304, description = "The client has it"),
        (status = 422, description = "No list has such a page, or nothing such a tag"),
    )))]
pub(crate) async fn projects(
    State(state): State<AppState>,
    Query(listing): Query<Listing>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (page, tag) = listing.judged()?;
    let make = async {
        let mut found = arranged(&state, tag.as_deref(), page).await?;
        let next_page = page.next(&mut found);
        let projects = found.into_iter().map(Into::into).collect();
        Answer::json(&ProjectList {
            projects,
            next_page,
        })
    };
    let name = format!("projects {:?} {tag:?}", page.key());
    state.cache.respond(name, &headers, make).await
}

/// A page of the projects that have the tag, if there is one, and one more if there is
/// another page.
pub(crate) async fn arranged(
    state: &AppState,
    tag: Option<&str>,
    page: Page,
) -> Result<Vec<Document<Project>>, sqlx::Error> {
    let (pool, now) = (state.database.pool(), state.now());
    documents::list(pool, Order::Position, Some(&now), tag, page).await
}

/// One project.
#[cfg_attr(test, utoipa::path(get, operation_id = "show_project", path = "/api/v1/projects/{slug}", tag = "portfolio",
    params(("slug" = String, Path, description = "The project's name in addresses")),
    responses(
        (status = 200, description = "The project", body = NamedProject),
        (status = 304, description = "The client has it"),
        (status = 404, description = "There is no such project"),
    )))]
pub(crate) async fn project(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    slug::judge(&slug)?;
    let make = async {
        let now = state.now();
        let found = documents::find_visible::<Project>(state.database.pool(), &slug, &now).await?;
        let Some(project) = found else {
            return Err(Problem::not_found("there is no project of this name"));
        };
        Answer::json(&NamedProject::from(project))
    };
    state
        .cache
        .respond(format!("project {slug}"), &headers, make)
        .await
}
