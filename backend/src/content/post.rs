//! Something the owner wrote.

use serde::{Deserialize, Serialize};

use super::Content;
use super::judge::Judge;
use crate::problem::FieldError;
use crate::{markdown, timestamp};

/// Something the owner wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[cfg_attr(test, schema(as = PostSource))]
pub(crate) struct Post {
    /// Its title.
    #[cfg_attr(test, schema(min_length = 1, max_length = 200))]
    pub(crate) title: String,
    /// What it says, in a few sentences.
    #[cfg_attr(test, schema(min_length = 1, max_length = 1000))]
    pub(crate) summary: String,
    /// Its text, in Markdown (CommonMark with tables, strikethrough and footnotes;
    /// raw HTML is shown as text).
    #[cfg_attr(test, schema(min_length = 1, max_length = 80_000))]
    pub(crate) markdown: String,
    /// What it is about.
    #[serde(default)]
    #[cfg_attr(test, schema(max_items = 20))]
    pub(crate) tags: Vec<String>,
    /// From when everybody sees it (RFC 3339); none for a draft.
    #[serde(default)]
    #[cfg_attr(test, schema(format = "date-time"))]
    pub(crate) published_at: Option<String>,
}

impl Content for Post {
    const KIND: &'static str = "post";

    fn errors(&self) -> Vec<FieldError> {
        let mut judge = Judge::default();
        judge.line("title", &self.title, 200);
        judge.text("summary", &self.summary, 1000);
        judge.text("markdown", &self.markdown, 80_000);
        judge.words("tags", &self.tags);
        if let Some(time) = &self.published_at
            && timestamp::in_utc(time).is_none()
        {
            judge.refuse(
                "published_at",
                "must be a time as in RFC 3339, such as 2026-01-31T09:30:00Z",
            );
        }
        judge.errors()
    }

    fn visible_from(&self, _now: &str) -> Option<String> {
        timestamp::in_utc(self.published_at.as_deref()?)
    }

    fn tags(&self) -> &[String] {
        &self.tags
    }

    fn searched(&self) -> Option<(String, String)> {
        let words = self.tags.join(" ");
        let text = markdown::to_text(&self.markdown);
        let body = [&self.summary, &text, &words].map(String::as_str);
        Some((self.title.clone(), body.join(" ")))
    }
}
