//! Where rules put what they find.

use receipts::{Finding, Fix, Location};
use terraform::Place;

use crate::Rule;

/// The findings so far.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
}

impl Findings {
    /// Adds a finding about `subject` (a Terraform address, or `workflow.yml#job`).
    pub(crate) fn add(
        &mut self,
        rule: Rule,
        subject: &str,
        location: Option<Location>,
        message: impl Into<String>,
    ) -> &mut Finding {
        self.list.push(Finding {
            rule: rule.id().to_owned(),
            severity: rule.severity(),
            message: message.into(),
            subject: subject.to_owned(),
            location,
            fix: None,
        });
        let last = self.list.len() - 1;
        &mut self.list[last]
    }

    /// Adds one that is already whole.
    pub(crate) fn push(&mut self, finding: Finding) {
        self.list.push(finding);
    }

    /// Worst first, then by place, each once.
    pub(crate) fn sorted(mut self) -> Vec<Finding> {
        self.list.sort_by(|left, right| {
            (right.severity, &left.location, &left.rule, &left.message).cmp(&(
                left.severity,
                &right.location,
                &right.rule,
                &right.message,
            ))
        });
        self.list.dedup();
        self.list
    }
}

/// A fix that is told in words only.
pub(crate) fn in_words(summary: impl Into<String>) -> Option<Fix> {
    Some(Fix {
        summary: summary.into(),
        diff: None,
    })
}

/// A place of Terraform as a location.
pub(crate) fn location(place: &Place) -> Location {
    Location {
        file: place.file.to_string_lossy().replace('\\', "/"),
        line: place.line,
        column: place.column,
    }
}
