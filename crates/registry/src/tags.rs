//! Listing tags, page by page.

use std::collections::HashSet;

use http::Method;
use http::header::LINK;
use oci::{RepositoryName, Tag};
use serde::Deserialize;

use crate::exchange::{Answer, Call, Scope};
use crate::{Registry, RegistryError, Step};

/// Pages hold a hundred tags or more each; ECR keeps at most 100,000 images.
const MOST_PAGES: usize = 1000;

#[derive(Deserialize)]
struct Page {
    /// Some registries send `null` for none.
    tags: Option<Vec<Tag>>,
}

impl Registry {
    /// All tags of a repository, in the registry's order. A repository that does
    /// not exist is an error (`NAME_UNKNOWN`).
    pub async fn tags(&self, repository: &RepositoryName) -> Result<Vec<Tag>, RegistryError> {
        let mut tags = Vec::new();
        let mut next = Some(self.url(repository, "tags/list"));
        let mut visited = HashSet::new();
        while let Some(url) = next {
            let call = Call::new(
                Step::ListTags,
                Method::GET,
                url.clone(),
                Scope::pull(repository),
            );
            let answer = self
                .retry(Step::ListTags, None, async |_| {
                    self.send(&call).await?.accepted()
                })
                .await?;
            if !visited.insert(url) || visited.len() > MOST_PAGES {
                return Err(answer.protocol("lists its tags without end"));
            }
            let page: Page = serde_json::from_slice(&answer.body)
                .map_err(|error| answer.protocol(format!("sends no list of tags: {error}")))?;
            tags.extend(page.tags.unwrap_or_default());
            next = next_page(&answer)
                .map(|link| answer.linked(link))
                .transpose()?;
        }
        Ok(tags)
    }
}

/// The target of `Link: <...>; rel="next"` (RFC 8288), the only relation in use.
fn next_page(answer: &Answer) -> Option<&str> {
    let link = answer.header(LINK)?;
    let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
    parameters.contains("next").then_some(target)
}
