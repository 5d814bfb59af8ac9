//! Something the owner made.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Number;

use super::Content;
use super::judge::{Judge, Link};
use crate::problem::FieldError;

/// Something the owner made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Project {
    /// Its name.
    #[cfg_attr(test, schema(min_length = 1, max_length = 100))]
    pub(crate) title: String,
    /// What it is, in a line.
    #[cfg_attr(test, schema(min_length = 1, max_length = 300))]
    pub(crate) summary: String,
    /// What it is, in a paragraph.
    #[cfg_attr(test, schema(min_length = 1, max_length = 20_000))]
    pub(crate) description: String,
    /// The year of its first release.
    #[serde(deserialize_with = "whole_number")]
    #[cfg_attr(test, schema(minimum = 1900, maximum = 2200))]
    pub(crate) year: i64,
    /// Where its source is, if it is public.
    #[serde(default)]
    #[cfg_attr(test, schema(max_length = 2000))]
    pub(crate) source_url: Option<String>,
    /// What it is made with, the main thing first.
    #[serde(default)]
    #[cfg_attr(test, schema(max_items = 20))]
    pub(crate) technologies: Vec<String>,
    /// What it is about.
    #[serde(default)]
    #[cfg_attr(test, schema(max_items = 20))]
    pub(crate) tags: Vec<String>,
    /// Where to read on.
    #[serde(default)]
    #[cfg_attr(test, schema(max_items = 20))]
    pub(crate) links: Vec<Link>,
    /// What it looks like.
    #[serde(default)]
    #[cfg_attr(test, schema(max_items = 20))]
    pub(crate) images: Vec<Image>,
    /// The order in which the owner shows them: the lowest first.
    #[serde(deserialize_with = "whole_number")]
    #[cfg_attr(test, schema(minimum = 0, maximum = 1_000_000))]
    pub(crate) position: i64,
}

/// A whole number, however it is written: for JSON Schema `2026.0` is one too.
fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let number = Number::deserialize(deserializer)?;
    let whole = |number: f64| {
        let is_whole = number.fract() == 0.0;
        is_whole.then(|| format!("{number:.0}").parse().ok())?
    };
    number
        .as_i64()
        .or_else(|| number.as_f64().and_then(whole))
        .ok_or_else(|| D::Error::custom("it must be a whole number"))
}

/// An image on the web.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Image {
    /// Its address: `https:`.
    #[cfg_attr(test, schema(max_length = 2000))]
    pub(crate) url: String,
    /// What it shows, for those who do not see it.
    #[cfg_attr(test, schema(min_length = 1, max_length = 300))]
    pub(crate) alt: String,
}

impl Content for Project {
    const KIND: &'static str = "project";

    fn errors(&self) -> Vec<FieldError> {
        let mut judge = Judge::default();
        judge.line("title", &self.title, 100);
        judge.line("summary", &self.summary, 300);
        judge.text("description", &self.description, 20_000);
        if !(1900..=2200).contains(&self.year) {
            judge.refuse("year", "must be from 1900 to 2200");
        }
        if let Some(url) = &self.source_url {
            judge.url("source_url", url, &["https", "http"]);
        }
        judge.words("technologies", &self.technologies);
        judge.words("tags", &self.tags);
        judge.links(&self.links);
        if self.images.len() > 20 {
            judge.refuse("images", "must be at most 20");
        }
        for image in &self.images {
            judge.url("images", &image.url, &["https"]);
            judge.line("images", &image.alt, 300);
        }
        if !(0..=1_000_000).contains(&self.position) {
            judge.refuse("position", "must be from 0 to 1000000");
        }
        judge.errors()
    }

    fn position(&self) -> i64 {
        self.position
    }

    fn tags(&self) -> &[String] {
        &self.tags
    }

    fn searched(&self) -> Option<(String, String)> {
        let words = [&self.technologies[..], &self.tags[..]].concat().join(" ");
        let body = [&self.summary, &self.description, &words].map(String::as_str);
        Some((self.title.clone(), body.join(" ")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        let year = |year| {
            let project = json!({"title": "t", "summary": "s", "description": "d",
                "year": year, "position": 0});
            serde_json::from_value::<Project>(project)
                .ok()
                .map(|project| project.year)
        };
        assert_eq!(year(json!(2026)), Some(2026));
        assert_eq!(year(json!(2026.0)), Some(2026));
        for wrong in [json!(2026.5), json!(1e300), json!("2026"), json!(null)] {
            assert_eq!(year(wrong.clone()), None, "{wrong}");
        }
    }
}
