//! `GET /v2/NAME/referrers/DIGEST`.

use axum::response::Response;
use http::request::Parts;
use http::{HeaderName, header};
use oci::{Descriptor, Digest, RepositoryName, media_type};
use serde_json::{Value, json};

use super::Visit;
use super::error::RegistryError;
use super::response::{json, set};
use super::route::parse_digest;
use crate::ecr;

const FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");

/// Bytes after which a page of referrers ends: their annotations may be
/// megabytes each (distribution-spec, "Listing Referrers").
const PAGE: usize = 4 * 1024 * 1024;

/// The manifests that speak about `subject`, as an image index.
pub(super) async fn list(
    visit: &Visit,
    name: RepositoryName,
    subject: Digest,
    parts: &Parts,
) -> Result<Response, RegistryError> {
    visit.note.event("ecr.amazonaws.com", "ListImageReferrers");
    let query = parts.uri.query().unwrap_or_default();
    let parameters = |wanted: &'static str| {
        url::form_urlencoded::parse(query.as_bytes())
            .filter(move |(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    };
    let types: Vec<String> = parameters("artifactType").collect();
    let algorithms = visit.behaviour().algorithms;
    let last = parameters("last").next();
    let last = last
        .map(|text| parse_digest(&text, algorithms))
        .transpose()?;
    let path = format!("/v2/{name}/referrers/{subject}");
    let wanted = types.clone();
    let found = visit
        .blocking(move |call| {
            call.repository(&["ecr:BatchGetImage"], &name)?;
            Ok(ecr::referrers(call, &name, &subject, &wanted)?)
        })
        .await?;
    let (manifests, next) = page(found, last);
    let index = json!({
        "schemaVersion": 2,
        "mediaType": media_type::INDEX,
        "manifests": manifests,
    });
    let mut response = json(index.to_string().into_bytes());
    set(&mut response, header::CONTENT_TYPE, media_type::INDEX);
    if !types.is_empty() {
        set(&mut response, FILTERS_APPLIED, "artifactType");
    }
    if let Some(next) = next {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for kind in &types {
            query.append_pair("artifactType", kind);
        }
        let query = query.append_pair("last", &next.to_string()).finish();
        let link = format!("<{path}?{query}>; rel=\"next\"");
        set(&mut response, header::LINK, &link);
    }
    Ok(response)
}

/// The descriptors after `last`, as many as fit a page, and the last of them if
/// more follow. `found` is sorted by digest. One fits always.
fn page(found: Vec<Descriptor>, last: Option<Digest>) -> (Vec<Value>, Option<Digest>) {
    let mut rest = found
        .into_iter()
        .filter(|descriptor| last.is_none_or(|last| descriptor.digest > last))
        .peekable();
    let (mut manifests, mut size, mut shown) = (Vec::new(), 0, None);
    for descriptor in rest.by_ref() {
        shown = Some(descriptor.digest);
        let document = json!(descriptor);
        size += document.to_string().len();
        manifests.push(document);
        if size > PAGE {
            break;
        }
    }
    (manifests, shown.filter(|_| rest.peek().is_some()))
}
