//! What zizmor found, as findings: it checks the hygiene of workflows well, so
//! it is run instead of written again. Running it is the caller's business.
//!
//! Format: `zizmor --format json-v1`, <https://docs.zizmor.sh/usage/#output-formats>.

use std::collections::{BTreeMap, BTreeSet};

use receipts::{Finding, Fix, Location, Severity};
use serde::Deserialize;
use serde_json::Value;

use crate::{Rule, Setup};

/// What begins the rule of every finding of zizmor.
const PREFIX: &str = "zizmor/";

/// Why zizmor's answer is not understood.
#[derive(Debug, thiserror::Error)]
#[error("what zizmor printed is not its JSON, version 1: {0}")]
pub struct ZizmorError(#[from] serde_json::Error);

/// The findings in what zizmor printed, without those that its own comments or
/// configuration suppress. Texts of `setup` turn its columns, which count bytes,
/// into ours, which count characters.
pub fn findings(json: &str, setup: &Setup) -> Result<Vec<Finding>, ZizmorError> {
    let found: Vec<Found> = serde_json::from_str(json)?;
    let files = setup.workflows.iter();
    let texts: BTreeMap<_, _> = files
        .map(|file| (file.path.as_str(), file.text.as_str()))
        .collect();
    let seen = found.into_iter().filter(|found| !found.ignored);
    Ok(seen.map(|found| found.finding(&texts)).collect())
}

/// The findings of zizmor that say more than `own` ones do. Left out are
///
/// - `unpinned-uses` where `identity-with-unpinned-action` is about the same line;
/// - `excessive-permissions` of a workflow that `identity-for-all-jobs` or
///   `workflow-without-permissions` is about;
/// - `dangerous-triggers` of a workflow that `identity-in-pull-request-target` is
///   about.
pub fn beyond(own: &[Finding], zizmor: Vec<Finding>) -> Vec<Finding> {
    let same_line = |rule: Rule| -> BTreeSet<_> {
        of(own, rule)
            .map(|place| (&place.file, place.line))
            .collect()
    };
    let same_file =
        |rule: Rule| -> BTreeSet<_> { of(own, rule).map(|place| &place.file).collect() };
    let unpinned = same_line(Rule::IdentityWithUnpinnedAction);
    let mut permissions = same_file(Rule::IdentityForAllJobs);
    permissions.extend(same_file(Rule::WorkflowWithoutPermissions));
    let triggers = same_file(Rule::IdentityInPullRequestTarget);

    let says_more = |finding: &Finding| {
        let Some(place) = &finding.location else {
            return true;
        };
        match finding.rule.strip_prefix(PREFIX) {
            Some("unpinned-uses") => !unpinned.contains(&(&place.file, place.line)),
            Some("excessive-permissions") => !permissions.contains(&place.file),
            Some("dangerous-triggers") => !triggers.contains(&place.file),
            _ => true,
        }
    };
    zizmor.into_iter().filter(says_more).collect()
}

fn of(own: &[Finding], rule: Rule) -> impl Iterator<Item = &Location> {
    own.iter()
        .filter(move |finding| finding.rule == rule.id())
        .filter_map(|finding| finding.location.as_ref())
}

#[derive(Deserialize)]
struct Found {
    ident: String,
    desc: String,
    determinations: Determinations,
    #[serde(default)]
    locations: Vec<Place>,
    #[serde(default)]
    ignored: bool,
    #[serde(default)]
    fixes: Vec<Proposal>,
}

#[derive(Deserialize)]
struct Determinations {
    severity: String,
}

#[derive(Deserialize)]
struct Proposal {
    title: String,
}

#[derive(Deserialize)]
struct Place {
    symbolic: Symbolic,
    concrete: Concrete,
}

#[derive(Deserialize)]
struct Symbolic {
    key: Value,
    #[serde(default)]
    annotation: String,
    #[serde(default)]
    route: Value,
    #[serde(default)]
    kind: String,
}

#[derive(Deserialize)]
struct Concrete {
    location: Span,
}

#[derive(Deserialize)]
struct Span {
    start_point: Point,
}

/// From 0; the column counts bytes.
#[derive(Deserialize)]
struct Point {
    row: usize,
    column: usize,
}

impl Found {
    fn finding(self, texts: &BTreeMap<&str, &str>) -> Finding {
        let primary = self
            .locations
            .iter()
            .find(|place| place.symbolic.kind == "Primary");
        let place = primary.or_else(|| self.locations.first());
        let file = place.and_then(Place::file);
        let name = file.as_deref().and_then(|file| file.rsplit('/').next());
        let job = place.and_then(|place| place.symbolic.job());
        let subject = match (name, job) {
            (Some(name), Some(job)) => format!("{name}#{job}"),
            (Some(name), None) => name.to_owned(),
            (None, _) => self.ident.clone(),
        };
        let annotation = place.map_or("", |place| place.symbolic.annotation.trim());
        Finding {
            severity: self.severity(),
            message: sentence(&self.desc, annotation),
            subject,
            location: file
                .zip(place)
                .map(|(file, place)| place.location(file, texts)),
            fix: self.fixes.into_iter().next().map(|fix| Fix {
                summary: sentence(&fix.title, ""),
                diff: None,
            }),
            rule: format!("{PREFIX}{}", self.ident),
        }
    }

    /// An action that is not pinned weighs less in a job without an identity,
    /// and in one with it our own rule speaks, as a warning too.
    fn severity(&self) -> Severity {
        match self.determinations.severity.as_str() {
            "High" if self.ident != "unpinned-uses" => Severity::Error,
            "High" | "Medium" => Severity::Warning,
            _ => Severity::Note,
        }
    }
}

impl Place {
    /// The file, relative to where zizmor ran; none for what it fetched itself.
    fn file(&self) -> Option<String> {
        let path = self
            .symbolic
            .key
            .get("Local")?
            .get("verbatim_path")?
            .as_str()?;
        let path = path.replace('\\', "/");
        Some(path.strip_prefix("./").unwrap_or(&path).to_owned())
    }

    fn location(&self, file: String, texts: &BTreeMap<&str, &str>) -> Location {
        let start = &self.concrete.location.start_point;
        let line = texts
            .get(file.as_str())
            .and_then(|text| text.lines().nth(start.row));
        let before = line.map(|line| &line[..line.floor_char_boundary(start.column)]);
        let column = before.map_or(start.column, |before| before.chars().count());
        Location {
            file,
            line: start.row.saturating_add(1),
            column: column.saturating_add(1),
        }
    }
}

impl Symbolic {
    /// The job that the route leads through.
    fn job(&self) -> Option<&str> {
        let steps = self.route.get("route")?.as_array()?;
        let key = |at: usize| steps.get(at)?.get("Key")?.as_str();
        (key(0)? == "jobs").then(|| key(1)).flatten()
    }
}

/// Characters of zizmor's words that a message keeps.
const MOST_CHARS: usize = 400;

/// "Credential persistence: does not set persist-credentials: false."
fn sentence(first: &str, second: &str) -> String {
    let mut text = first.trim().trim_end_matches('.').to_owned();
    if !second.is_empty() {
        text.push_str(": ");
        text.push_str(second.trim_end_matches('.'));
    }
    let mut chars = text.chars();
    let start = chars.next().map(|char| char.to_ascii_uppercase());
    let mut text: String = start.into_iter().chain(chars).take(MOST_CHARS).collect();
    text.push('.');
    text
}
