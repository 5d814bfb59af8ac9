//! `GET /v2/NAME/referrers/DIGEST`.

use axum::response::Response;
use http::request::Parts;
use http::{HeaderName, header};
use oci::{Digest, RepositoryName, media_type};
use serde_json::json;

use super::Visit;
use super::error::RegistryError;
use super::response::{json, set};
use crate::ecr;

const FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");

/// The manifests that speak about `subject`, as an image index.
pub(super) async fn list(
    visit: &Visit,
    name: RepositoryName,
    subject: Digest,
    parts: &Parts,
) -> Result<Response, RegistryError> {
    visit.note.event("ecr.amazonaws.com", "ListImageReferrers");
    let query = parts.uri.query().unwrap_or_default();
    let types: Vec<String> = url::form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == "artifactType")
        .map(|(_, value)| value.into_owned())
        .collect();
    let filtered = !types.is_empty();
    let manifests = visit
        .blocking(move |call| {
            call.repository(&["ecr:BatchGetImage"], &name)?;
            Ok(ecr::referrers(call, &name, &subject, &types)?)
        })
        .await?;
    let index = json!({
        "schemaVersion": 2,
        "mediaType": media_type::INDEX,
        "manifests": manifests,
    });
    let mut response = json(index.to_string().into_bytes());
    set(&mut response, header::CONTENT_TYPE, media_type::INDEX);
    if filtered {
        set(&mut response, FILTERS_APPLIED, "artifactType");
    }
    Ok(response)
}
