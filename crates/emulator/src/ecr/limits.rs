//! ECR's quotas of size and number (User Guide, "Amazon ECR service quotas").
//! Rates are not limited.

use super::EcrError;

/// How many of something there may be.
pub(super) struct Limit {
    what: &'static str,
    most: usize,
}

pub(super) const REPOSITORIES_PER_REGISTRY: Limit = Limit {
    what: "repositories per registry",
    most: 100_000,
};
pub(super) const IMAGES_PER_REPOSITORY: Limit = Limit {
    what: "images per repository",
    most: 100_000,
};
pub(super) const TAGS_PER_IMAGE: Limit = Limit {
    what: "tags per image",
    most: 1_000,
};
pub(super) const PULL_TIME_EXCLUSIONS: Limit = Limit {
    what: "pull time update exclusions per registry",
    most: 100,
};
pub(super) const LAYER_PARTS: Limit = Limit {
    what: "parts per layer",
    most: 4_200,
};

impl Limit {
    /// Refuses when there are so many that there cannot be one more.
    pub(super) fn allow_one_more(&self, present: usize) -> Result<(), EcrError> {
        if present < self.most {
            return Ok(());
        }
        // Inferred sentence.
        Err(EcrError::client(
            "LimitExceededException",
            format!(
                "The quota of {} would be exceeded: the limit is {}",
                self.what, self.most
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_within_the_limit_is_allowed() {
        TAGS_PER_IMAGE.allow_one_more(999).unwrap();
        let error = TAGS_PER_IMAGE.allow_one_more(1_000).unwrap_err();
        assert_eq!(error.code, "LimitExceededException");
        assert!(error.message.contains("1000"));
    }
}
