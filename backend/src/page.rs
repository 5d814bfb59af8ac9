//! Pages of a list.

use serde::Deserialize;

use crate::content::judge::{Judge, LONGEST_WORD};
use crate::problem::{FieldError, Problem};

const LARGEST: i64 = 100;
const LAST: i64 = 10_000;

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub(crate) struct Page {
    /// Which page, from 1.
    #[serde(default = "first")]
    #[cfg_attr(
        test,
        param(required = false, default = 1, minimum = 1, maximum = 10_000)
    )]
    page: i64,
    /// How many there are on a page.
    #[serde(default = "usual")]
    #[cfg_attr(
        test,
        param(required = false, default = 20, minimum = 1, maximum = 100)
    )]
    per_page: i64,
}

/// Which part of a list, and of what in it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub(crate) struct Listing {
    /// Which page, from 1.
    #[serde(default = "first")]
    #[cfg_attr(
        test,
        param(required = false, default = 1, minimum = 1, maximum = 10_000)
    )]
    page: i64,
    /// How many there are on a page.
    #[serde(default = "usual")]
    #[cfg_attr(
        test,
        param(required = false, default = 20, minimum = 1, maximum = 100)
    )]
    per_page: i64,
    /// Only what has this tag.
    #[cfg_attr(
        test,
        param(required = false, nullable = false, min_length = 1, max_length = 50)
    )]
    tag: Option<String>,
}

impl Listing {
    /// Refuses a page that no list has, and a tag that nothing has.
    pub(crate) fn judged(self) -> Result<(Page, Option<String>), Problem> {
        let page = Page {
            page: self.page,
            per_page: self.per_page,
        };
        Ok((page.judged()?, judged_tag(self.tag)?))
    }
}

/// Refuses a tag that nothing has: one that is no line of 1 to 50 characters.
pub(crate) fn judged_tag(tag: Option<String>) -> Result<Option<String>, Problem> {
    let mut judge = Judge::default();
    if let Some(tag) = &tag {
        judge.line("tag", tag, LONGEST_WORD);
    }
    match judge.errors() {
        errors if errors.is_empty() => Ok(tag),
        errors => Err(Problem::invalid(errors)),
    }
}

fn first() -> i64 {
    1
}

fn usual() -> i64 {
    20
}

impl Page {
    /// The first page of this size.
    pub(crate) fn first_of(per_page: i64) -> Self {
        Self { page: 1, per_page }
    }

    /// Refuses a page that no list has.
    pub(crate) fn judged(self) -> Result<Self, Problem> {
        let mut errors = Vec::new();
        for (field, value, largest) in [
            ("page", self.page, LAST),
            ("per_page", self.per_page, LARGEST),
        ] {
            if !(1..=largest).contains(&value) {
                let message = format!("must be from 1 to {largest}");
                errors.push(FieldError { field, message });
            }
        }
        if errors.is_empty() {
            Ok(self)
        } else {
            Err(Problem::invalid(errors))
        }
    }

    /// How many rows to read: one more than there are on the page.
    pub(crate) fn limit(self) -> i64 {
        self.per_page + 1
    }

    /// How many rows to leave out.
    pub(crate) fn offset(self) -> i64 {
        (self.page - 1) * self.per_page
    }

    /// Takes off the row too many, and returns the number of the next page if
    /// there was one.
    pub(crate) fn next<T>(self, rows: &mut Vec<T>) -> Option<i64> {
        let size = usize::try_from(self.per_page).unwrap_or(usize::MAX);
        let has_next = rows.len() > size && self.page < LAST;
        rows.truncate(size);
        has_next.then_some(self.page + 1)
    }

    /// A name for it among others.
    pub(crate) fn key(self) -> (i64, i64) {
        (self.page, self.per_page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_too_many_says_that_there_is_another_page() {
        let page = Page {
            page: 3,
            per_page: 2,
        };
        assert_eq!((page.limit(), page.offset()), (3, 4));
        let mut rows = vec![1, 2, 3];
        assert_eq!(page.next(&mut rows), Some(4));
        assert_eq!(rows, [1, 2]);
        assert_eq!(page.next(&mut rows), None);
    }
}
