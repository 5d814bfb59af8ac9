//! What the owner made (`/api/v1/projects`).

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqlitePool};

use crate::app::AppState;
use crate::problem::Problem;

/// All projects, in the order in which the owner shows them.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct ProjectList {
    /// The projects.
    projects: Vec<Project>,
}

/// Something the owner made.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Project {
    /// Its name in addresses.
    slug: String,
    /// Its name.
    title: String,
    /// What it is, in a line.
    summary: String,
    /// What it is, in a paragraph.
    description: String,
    /// The year of its first release.
    year: i64,
    /// Where its source is, if it is public.
    source_url: Option<String>,
    /// What it is made with, the main thing first.
    technologies: Vec<String>,
}

/// All projects.
#[cfg_attr(test, utoipa::path(get, operation_id = "list_projects", path = "/api/v1/projects", tag = "portfolio",
    responses((status = 200, description = "All projects", body = ProjectList))))]
pub(crate) async fn list(State(state): State<AppState>) -> Result<Json<ProjectList>, Problem> {
    let projects = find_all(&state.database).await?;
    Ok(Json(ProjectList { projects }))
}

/// One project.
#[cfg_attr(test, utoipa::path(get, operation_id = "show_project", path = "/api/v1/projects/{slug}", tag = "portfolio",
    params(("slug" = String, Path, description = "The project's name in addresses")),
    responses(
        (status = 200, description = "The project", body = Project),
        (status = 404, description = "There is no such project"),
    )))]
pub(crate) async fn show(
    State(state): State<AppState>,
    Path(slug): Path<String>,
) -> Result<Json<Project>, Problem> {
    match find(&state.database, &slug).await? {
        Some(project) => Ok(Json(project)),
        None => Err(Problem::not_found("there is no project of this name")),
    }
}

async fn find_all(database: &SqlitePool) -> Result<Vec<Project>, sqlx::Error> {
    let mut snapshot = database.begin().await?;
    let technologies: Vec<(i64, String)> =
        sqlx::query_as("SELECT project_id, name FROM project_technologies ORDER BY position")
            .fetch_all(&mut *snapshot)
            .await?;
    let mut by_project = HashMap::<i64, Vec<String>>::new();
    for (project, name) in technologies {
        by_project.entry(project).or_default().push(name);
    }
    sqlx::query(
        "SELECT id, slug, title, summary, description, year, source_url
         FROM projects ORDER BY position",
    )
    .try_map(|row: SqliteRow| {
        let technologies = by_project.remove(&row.try_get("id")?).unwrap_or_default();
        project(&row, technologies)
    })
    .fetch_all(&mut *snapshot)
    .await
}

async fn find(database: &SqlitePool, slug: &str) -> Result<Option<Project>, sqlx::Error> {
    let mut snapshot = database.begin().await?;
    let row = sqlx::query(
        "SELECT id, slug, title, summary, description, year, source_url
         FROM projects WHERE slug = ?1",
    )
    .bind(slug)
    .fetch_optional(&mut *snapshot)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let technologies = sqlx::query_scalar(
        "SELECT name FROM project_technologies WHERE project_id = ?1 ORDER BY position",
    )
    .bind(row.try_get::<i64, _>("id")?)
    .fetch_all(&mut *snapshot)
    .await?;
    project(&row, technologies).map(Some)
}

fn project(row: &SqliteRow, technologies: Vec<String>) -> Result<Project, sqlx::Error> {
    Ok(Project {
        slug: row.try_get("slug")?,
        title: row.try_get("title")?,
        summary: row.try_get("summary")?,
        description: row.try_get("description")?,
        year: row.try_get("year")?,
        source_url: row.try_get("source_url")?,
        technologies,
    })
}
