//! Findings that somebody accepted, with a reason and until a day.

use jiff::civil::Date;
use receipts::{Finding, Location, Suppressed};

use crate::Rule;
use crate::findings::{Findings, in_words};

/// One `[[check.suppress]]` of `longshore.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// The id of the rule that it is about.
    pub rule: String,
    /// Only findings about this subject, as the report names it.
    pub subject: Option<String>,
    /// Only findings in this file.
    pub file: Option<String>,
    /// Why the finding is accepted.
    pub reason: String,
    /// The last day on which it is.
    pub expires: Date,
    /// Where it stands.
    pub location: Option<Location>,
}

impl Suppression {
    fn covers(&self, finding: &Finding) -> bool {
        let file = finding.location.as_ref().map(|location| &location.file);
        self.rule == finding.rule
            && (self.subject.as_ref()).is_none_or(|subject| *subject == finding.subject)
            && self.file.as_ref().is_none_or(|own| Some(own) == file)
    }

    /// `trust-name-only` with what narrows it, for messages.
    fn name(&self) -> String {
        let parts = [&self.subject, &self.file].into_iter().flatten();
        let parts = parts.map(|part| format!(" for `{part}`"));
        format!("`{}`{}", self.rule, parts.collect::<String>())
    }
}

/// Takes out of `findings` what is suppressed on `today`, the first suppression
/// that covers a finding giving its reason. Suppressions that have expired
/// suppress nothing; they and those that cover nothing become findings, which
/// cannot be suppressed.
pub fn suppress(
    findings: Vec<Finding>,
    suppressions: &[Suppression],
    today: Date,
) -> (Vec<Finding>, Vec<Suppressed>) {
    let mut used = vec![false; suppressions.len()];
    let mut kept = Findings::default();
    let mut suppressed = Vec::new();
    for finding in findings {
        let mut accepted = None;
        for (suppression, used) in suppressions.iter().zip(&mut used) {
            if suppression.covers(&finding) {
                *used = true;
                if suppression.expires >= today {
                    accepted.get_or_insert(suppression);
                }
            }
        }
        match accepted {
            Some(suppression) => suppressed.push(Suppressed {
                finding,
                reason: suppression.reason.clone(),
                expires: suppression.expires.to_string(),
            }),
            None => kept.push(finding),
        }
    }
    for (suppression, used) in suppressions.iter().zip(used) {
        tell(suppression, used, today, &mut kept);
    }
    (kept.sorted(), suppressed)
}

/// An expired suppression is told as such also where it covers nothing: it can
/// go in either case.
fn tell(suppression: &Suppression, used: bool, today: Date, kept: &mut Findings) {
    let location = suppression.location.clone();
    let subject = format!("check.suppress {}", suppression.rule);
    let name = suppression.name();
    if suppression.expires < today {
        let expires = suppression.expires;
        let (verb, fix) = if used {
            (
                "what it covered counts again",
                "Fix the finding, or give the suppression a new reason and a new date.",
            )
        } else {
            ("it covers nothing any more", "Remove the suppression.")
        };
        let message = format!("The suppression of {name} expired on {expires}; {verb}.");
        kept.add(Rule::SuppressionExpired, &subject, location, message)
            .fix = in_words(fix);
    } else if !used {
        let message = format!("The suppression of {name} covers no finding.");
        kept.add(Rule::SuppressionUnused, &subject, location, message)
            .fix = in_words(
            "Remove it, or correct its rule, subject or file: a suppression that covers nothing today would hide something tomorrow.",
        );
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use receipts::Severity;

    use super::*;

    const TODAY: Date = date(2026, 6, 15);

    fn finding(rule: Rule, subject: &str, file: &str) -> Finding {
        Finding {
            rule: rule.id().to_owned(),
            severity: rule.severity(),
            message: "m".to_owned(),
            subject: subject.to_owned(),
            location: Some(Location {
                file: file.to_owned(),
                line: 1,
                column: 1,
            }),
            fix: None,
        }
    }

    fn suppression(rule: Rule, expires: Date) -> Suppression {
        Suppression {
            rule: rule.id().to_owned(),
            subject: None,
            file: None,
            reason: "accepted".to_owned(),
            expires,
            location: None,
        }
    }

    fn rules(findings: &[Finding]) -> Vec<&str> {
        let rules = findings.iter().map(|finding| finding.rule.as_str());
        rules.collect()
    }

    #[test]
    fn a_suppression_holds_through_its_last_day() {
        let found = || vec![finding(Rule::TrustNameOnly, "a", "a.tf")];
        let last_day = [suppression(Rule::TrustNameOnly, TODAY)];
        let (kept, suppressed) = suppress(found(), &last_day, TODAY);
        assert!(kept.is_empty());
        assert_eq!(suppressed[0].reason, "accepted");
        assert_eq!(suppressed[0].expires, "2026-06-15");

        let (kept, suppressed) = suppress(found(), &last_day, TODAY.tomorrow().unwrap());
        assert!(suppressed.is_empty());
        assert_eq!(rules(&kept), ["suppression-expired", "trust-name-only"]);
    }

    #[test]
    fn subject_and_file_narrow_it() {
        let found = vec![
            finding(Rule::TrustNameOnly, "a", "a.tf"),
            finding(Rule::TrustNameOnly, "a", "b.tf"),
            finding(Rule::TrustNameOnly, "b", "a.tf"),
        ];
        let narrow = Suppression {
            subject: Some("a".to_owned()),
            file: Some("a.tf".to_owned()),
            ..suppression(Rule::TrustNameOnly, date(9999, 1, 1))
        };
        let (kept, suppressed) = suppress(found, &[narrow], TODAY);
        assert_eq!((kept.len(), suppressed.len()), (2, 1));
    }

    #[test]
    fn one_that_covers_nothing_is_told_once_whether_it_expired_or_not() {
        let suppressions = [
            suppression(Rule::EcrMutableTags, date(9999, 1, 1)),
            suppression(Rule::EcrOpenPolicy, date(2000, 1, 1)),
        ];
        let (kept, _) = suppress(Vec::new(), &suppressions, TODAY);
        assert_eq!(rules(&kept), ["suppression-expired", "suppression-unused"]);
        assert!(kept.iter().all(|kept| kept.severity == Severity::Warning));
    }

    #[test]
    fn a_suppression_cannot_suppress_what_is_said_of_suppressions() {
        let suppressions = [
            suppression(Rule::SuppressionUnused, date(9999, 1, 1)),
            suppression(Rule::EcrMutableTags, date(9999, 1, 1)),
        ];
        let (kept, suppressed) = suppress(Vec::new(), &suppressions, TODAY);
        assert_eq!((kept.len(), suppressed.len()), (2, 0));
    }
}
