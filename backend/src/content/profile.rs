//! The person whose portfolio this is.

use serde::{Deserialize, Serialize};

use super::Content;
use super::judge::{Judge, Link};
use crate::problem::FieldError;

/// The owner of the portfolio.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Profile {
    /// The full name.
    #[cfg_attr(test, schema(min_length = 1, max_length = 100))]
    pub(crate) name: String,
    /// What they do, in a line.
    #[cfg_attr(test, schema(min_length = 1, max_length = 200))]
    pub(crate) headline: String,
    /// What they do, in a paragraph.
    #[cfg_attr(test, schema(min_length = 1, max_length = 5000))]
    pub(crate) summary: String,
    /// Where they live.
    #[cfg_attr(test, schema(min_length = 1, max_length = 100))]
    pub(crate) location: String,
    /// Where else to find them.
    #[cfg_attr(test, schema(max_items = 20))]
    pub(crate) links: Vec<Link>,
}

impl Content for Profile {
    const KIND: &'static str = "profile";

    fn errors(&self) -> Vec<FieldError> {
        let mut judge = Judge::default();
        judge.line("name", &self.name, 100);
        judge.line("headline", &self.headline, 200);
        judge.text("summary", &self.summary, 5000);
        judge.line("location", &self.location, 100);
        judge.links(&self.links);
        judge.errors()
    }
}
