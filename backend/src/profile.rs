//! The person whose portfolio this is (`/api/v1/profile`).

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqlitePool};

use crate::app::AppState;
use crate::problem::Problem;

/// The owner of the portfolio.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Profile {
    /// The full name.
    name: String,
    /// What they do, in a line.
    headline: String,
    /// What they do, in a paragraph.
    summary: String,
    /// Where they live.
    location: String,
    /// Where else to find them.
    links: Vec<Link>,
}

/// A place on the web.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Link {
    /// What is there.
    label: String,
    /// Its address.
    url: String,
}

/// The owner of the portfolio.
#[cfg_attr(test, utoipa::path(get, operation_id = "show_profile", path = "/api/v1/profile", tag = "portfolio",
    responses(
        (status = 200, description = "The profile", body = Profile),
        (status = 404, description = "There is no profile yet"),
    )))]
pub(crate) async fn show(State(state): State<AppState>) -> Result<Json<Profile>, Problem> {
    match find(&state.database).await? {
        Some(profile) => Ok(Json(profile)),
        None => Err(Problem::not_found("this portfolio has no profile yet")),
    }
}

async fn find(database: &SqlitePool) -> Result<Option<Profile>, sqlx::Error> {
    let mut snapshot = database.begin().await?;
    let links = sqlx::query("SELECT label, url FROM profile_links ORDER BY position")
        .try_map(|row: SqliteRow| {
            Ok(Link {
                label: row.try_get("label")?,
                url: row.try_get("url")?,
            })
        })
        .fetch_all(&mut *snapshot)
        .await?;
    let row = sqlx::query("SELECT name, headline, summary, location FROM profile")
        .fetch_optional(&mut *snapshot)
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Profile {
        name: row.try_get("name")?,
        headline: row.try_get("headline")?,
        summary: row.try_get("summary")?,
        location: row.try_get("location")?,
        links,
    }))
}
