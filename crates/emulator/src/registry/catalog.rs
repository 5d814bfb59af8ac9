//! `GET /v2/_catalog`, and the pages that it shares with the list of tags
//! (distribution-spec, "Listing Tags").

use axum::response::Response;
use http::header;
use http::request::Parts;
use oci::ErrorCode;
use serde_json::{Value, json};

use super::Visit;
use super::error::RegistryError;
use super::response::{json, set};
use crate::ecr;

/// ECR's page, and the most that may be asked for (inferred from the API's).
const MOST: usize = 1000;

/// Which part of a list is wanted: `n` names after `last`.
pub(super) struct Listing {
    count: usize,
    last: Option<String>,
}

impl Listing {
    pub(super) fn read(parts: &Parts) -> Result<Self, RegistryError> {
        let mut listing = Self {
            count: MOST,
            last: None,
        };
        let query = parts.uri.query().unwrap_or_default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "n" => {
                    let count: usize = value.parse().map_err(|_| {
                        let message = "the parameter n is not a number".to_owned();
                        RegistryError::new(400, ErrorCode::Unsupported, message)
                    })?;
                    listing.count = count.min(MOST);
                }
                "last" => listing.last = Some(value.into_owned()),
                _ => {}
            }
        }
        Ok(listing)
    }

    /// The name after which the page begins, and how many names to read: one more
    /// than it holds, to know whether there is a next.
    pub(super) fn bounds(&self) -> (String, usize) {
        (self.last.clone().unwrap_or_default(), self.count + 1)
    }

    /// The page of `names`, read within `bounds`, as the document that `document`
    /// makes of it, with a `Link` to the next page if there is one.
    pub(super) fn answer(
        &self,
        path: &str,
        mut names: impl Iterator<Item = String>,
        document: impl FnOnce(&[String]) -> Value,
    ) -> Response {
        let page: Vec<String> = names.by_ref().take(self.count).collect();
        let mut response = json(document(&page).to_string().into_bytes());
        if let (Some(_), Some(last)) = (names.next(), page.last()) {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("last", last)
                .append_pair("n", &self.count.to_string())
                .finish();
            let link = format!("<{path}?{query}>; rel=\"next\"");
            set(&mut response, header::LINK, &link);
        }
        response
    }
}

/// The repositories of the registry. That ECR asks for
/// `ecr:DescribeRepositories` is inferred.
pub(super) async fn list(visit: &Visit, parts: &Parts) -> Result<Response, RegistryError> {
    visit
        .note
        .event("ecr.amazonaws.com", "DescribeRepositories");
    let listing = Listing::read(parts)?;
    let (last, count) = listing.bounds();
    let repositories = visit
        .blocking(move |call| Ok(ecr::repositories(call, &last, count)?))
        .await?;
    let names = repositories
        .into_iter()
        .map(|repository| repository.name.to_string());
    Ok(listing.answer(
        "/v2/_catalog",
        names,
        |names| json!({ "repositories": names }),
    ))
}
