//! `GET /v2/NAME/tags/list`.

use axum::response::Response;
use http::request::Parts;
use oci::RepositoryName;
use serde_json::json;

use super::Visit;
use super::catalog::Listing;
use super::error::RegistryError;
use crate::ecr;

/// The tags of a repository in lexical order, by pages. That ECR asks for
/// `ecr:ListImages` is inferred.
pub(super) async fn list(
    visit: &Visit,
    name: RepositoryName,
    parts: &Parts,
) -> Result<Response, RegistryError> {
    visit.note.event("ecr.amazonaws.com", "ListImages");
    let listing = Listing::read(parts)?;
    let repository = name.clone();
    let (last, count) = listing.bounds();
    let tags = visit
        .blocking(move |call| {
            call.repository(&["ecr:ListImages"], &name)?;
            Ok(ecr::tag_names(call, &name, &last, count)?)
        })
        .await?;
    let path = format!("/v2/{repository}/tags/list");
    Ok(listing.answer(
        &path,
        tags.into_iter(),
        |tags| json!({ "name": repository, "tags": tags }),
    ))
}
