//! A check as SARIF 2.1.0, for code scanning:
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.

use std::collections::BTreeMap;

use audit::Rule;
use oci::Digest;
use receipts::{CheckReport, Finding, Severity, Suppressed};
use serde_json::{Value, json};

use super::check::{Sources, page, page_url};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The log of one run.
pub(crate) fn log(report: &CheckReport, sources: &Sources<'_>) -> Value {
    let mut fingerprints = Fingerprints::default();
    let kept = report.findings.iter().map(|finding| (finding, None));
    let suppressed = report.suppressed.iter().map(|it| (&it.finding, Some(it)));
    let all: Vec<_> = kept.chain(suppressed).collect();
    let rules = rules(all.iter().map(|(finding, _)| *finding));
    let results: Vec<_> = all
        .iter()
        .map(|(finding, suppressed)| {
            let print = fingerprints.of(finding, sources);
            result(finding, *suppressed, &rules, &print)
        })
        .collect();
    let rules: Vec<_> = rules.into_values().map(|(_, rule)| rule).collect();
    let notifications: Vec<_> = report
        .skipped
        .iter()
        .map(|line| json!({ "level": "warning", "message": { "text": format!("not checked: {line}") } }))
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "longshore",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {
                "%SRCROOT%": { "description": { "text": "The checked directory." } },
            },
            // A check with findings is a check that ran.
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    })
}

/// The rules that have results, by id, with their position.
fn rules<'a>(findings: impl Iterator<Item = &'a Finding>) -> BTreeMap<&'a str, (usize, Value)> {
    let mut rules = BTreeMap::new();
    for finding in findings {
        rules
            .entry(finding.rule.as_str())
            .or_insert_with(|| (0, rule(finding)));
    }
    for (number, (index, _)) in rules.values_mut().enumerate() {
        *index = number;
    }
    rules
}

fn rule(finding: &Finding) -> Value {
    let known = Rule::ALL.iter().find(|rule| rule.id() == finding.rule);
    let title = known.map_or_else(
        || format!("A finding of {}.", finding.rule),
        |rule| rule.title().to_owned(),
    );
    let severity = known.map_or(finding.severity, |rule| rule.severity());
    let mut value = json!({
        "id": finding.rule,
        "shortDescription": { "text": title },
        "helpUri": page_url(&finding.rule),
        "defaultConfiguration": { "level": level(severity) },
        "properties": { "tags": ["security"] },
    });
    // Code scanning shows the page itself, so that nobody has to look for it.
    if let Some(rule) = known {
        let text = format!("`{}` explains it.", page(&finding.rule));
        value["help"] = json!({ "text": text, "markdown": rule.page() });
    }
    value
}

fn result(
    finding: &Finding,
    suppressed: Option<&Suppressed>,
    rules: &BTreeMap<&str, (usize, Value)>,
    fingerprint: &str,
) -> Value {
    let index = rules.get(finding.rule.as_str()).map(|(index, _)| *index);
    let text = match &finding.fix {
        Some(fix) => format!("{} {}", finding.message, fix.summary),
        None => finding.message.clone(),
    };
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": level(finding.severity),
        "message": { "text": text },
        "partialFingerprints": { "longshoreFinding/v1": fingerprint },
    });
    let mut place = json!({ "logicalLocations": [{ "fullyQualifiedName": finding.subject }] });
    if let Some(location) = &finding.location {
        place["physicalLocation"] = json!({
            "artifactLocation": { "uri": uri(&location.file), "uriBaseId": "%SRCROOT%" },
            "region": { "startLine": location.line.max(1), "startColumn": location.column.max(1) },
        });
    }
    result["locations"] = json!([place]);
    if let Some(suppressed) = suppressed {
        let words = format!("{} (until {})", suppressed.reason, suppressed.expires);
        result["suppressions"] =
            json!([{ "kind": "external", "status": "accepted", "justification": words }]);
    }
    result
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// A path as a relative URI reference: RFC 3986, section 3.3.
fn uri(path: &str) -> String {
    let escaped = path.bytes().map(|byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b'@' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    });
    escaped.collect()
}

/// What makes a finding the same after lines were added above it: its rule,
/// subject, file and the words of its line, and a number where those repeat.
#[derive(Debug, Default)]
struct Fingerprints(BTreeMap<String, usize>);

impl Fingerprints {
    fn of(&mut self, finding: &Finding, sources: &Sources<'_>) -> String {
        let location = finding.location.as_ref();
        let line = location.and_then(|place| sources.line(&place.file, place.line));
        let file = location.map_or("", |place| place.file.as_str());
        let parts = [
            &finding.rule,
            &finding.subject,
            file,
            line.unwrap_or("").trim(),
        ];
        let key = Digest::of(parts.join("\0").as_bytes()).to_string();
        let number = self.0.entry(key.clone()).or_default();
        *number += 1;
        let hex = key.rsplit(':').next().unwrap_or_default();
        format!("{hex}:{number}")
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_path_becomes_a_uri_that_is_still_that_path() {
        assert_eq!(super::uri("a b/ü#?.tf"), "a%20b/%C3%BC%23%3F.tf");
        assert_eq!(
            super::uri(".github/workflows/x@1.yml"),
            ".github/workflows/x@1.yml"
        );
    }
}
