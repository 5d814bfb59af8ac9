//! `{commit}` and its like in tags and environment variables.

/// What follows a commit where the source had changes that are in no commit.
pub(crate) const DIRTY: &str = "-dirty";

/// What the placeholders stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholders {
    /// `{commit}`: 40 hexadecimal digits, and [`DIRTY`] after those of a source
    /// with uncommitted changes.
    pub commit: String,
    /// `{committed-at}`: RFC 3339, UTC.
    pub committed_at: String,
}

impl Placeholders {
    /// `template` with every known placeholder replaced, or the first one that
    /// is not known.
    pub fn fill(&self, template: &str) -> Result<String, String> {
        let mut filled = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let (name, after) = after.split_once('}').ok_or_else(|| rest.to_owned())?;
            match name {
                "commit" => filled.push_str(&self.commit),
                "short-commit" => filled.push_str(&self.short_commit()),
                "committed-at" => filled.push_str(&self.committed_at),
                unknown => return Err(format!("{{{unknown}}}")),
            }
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// Whether the source had changes that are in no commit.
    pub(crate) fn is_dirty(&self) -> bool {
        self.commit.contains(DIRTY)
    }

    /// Twelve digits, and what follows the commit where the source is dirty.
    fn short_commit(&self) -> String {
        let end = self.commit.find('-').unwrap_or(self.commit.len());
        let (commit, suffix) = self.commit.split_at(end);
        format!("{}{suffix}", &commit[..commit.len().min(12)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_placeholders_are_filled_and_unknown_ones_named() {
        let placeholders = Placeholders {
            commit: "0123456789abcdef".to_owned(),
            committed_at: "2026-01-01T00:00:00Z".to_owned(),
        };
        let filled = placeholders
            .fill("v-{short-commit}-{commit}@{committed-at}")
            .unwrap();
        assert_eq!(
            filled,
            "v-0123456789ab-0123456789abcdef@2026-01-01T00:00:00Z"
        );
        assert_eq!(placeholders.fill("{branch}"), Err("{branch}".to_owned()));
        assert!(placeholders.fill("{commit").is_err());
        let dirty = Placeholders {
            commit: "0123456789abcdef-dirty".to_owned(),
            ..placeholders
        };
        assert_eq!(dirty.fill("{short-commit}").unwrap(), "0123456789ab-dirty");
        assert!(dirty.is_dirty());
        let tried = Placeholders {
            commit: "0123456789abcdef-dirty-0a1b".to_owned(),
            ..dirty
        };
        let filled = tried.fill("{short-commit}").unwrap();
        assert_eq!(filled, "0123456789ab-dirty-0a1b");
    }
}
