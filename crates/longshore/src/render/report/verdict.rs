//! The verdict: what somebody with five seconds should know.

use receipts::{Answer, CallerAccess, CheckReport, Matrix, RoleAccess, Severity};

use super::html::{count, list};
use super::rows::{Outcome, only_by_name, who, worst};

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Caution,
    Unknown,
    Bad,
}

/// One line, and what explains it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) tone: Tone,
    pub(super) line: String,
    pub(super) more: Vec<String>,
}

/// How many callers are named before the rest is counted.
const NAMED: usize = 3;

pub(super) fn verdict(report: &CheckReport, matrix: &Matrix) -> Verdict {
    let mut verdict = about_callers(report, matrix);
    let errors = report
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .count();
    if errors > 0 && verdict.tone == Tone::Good {
        verdict.tone = Tone::Caution;
    }
    if errors > 0 {
        let are = if errors == 1 { "is" } else { "are" };
        verdict
            .more
            .push(format!("There {are} {} to fix.", count(errors, "error")));
    }
    verdict
}

fn about_callers(report: &CheckReport, matrix: &Matrix) -> Verdict {
    if matrix.roles.is_empty() {
        return nothing_to_enter(matrix);
    }
    let (intruders, kept_out) = (at(matrix, Outcome::GetsIn), at(matrix, Outcome::KeptOut));
    let excess = excess(report);
    let errors = report.findings.iter().map(|finding| finding.severity);
    let is_grave = errors.max() == Some(Severity::Error);
    if !intruders.is_empty() {
        return let_in(matrix, &intruders);
    }
    if let (Some(excess), true) = (&excess, is_grave) {
        return only_line(Tone::Bad, excess.clone());
    }
    if !kept_out.is_empty() {
        return Verdict {
            tone: Tone::Bad,
            line: format!("Who should get in is kept out: {}.", callers(&kept_out)),
            more: reasons(&kept_out),
        };
    }
    let unknowns = unknowns(matrix);
    if !unknowns.is_empty() {
        return Verdict {
            tone: Tone::Unknown,
            line: "Whether anyone else gets in cannot be told.".to_owned(),
            more: unknowns,
        };
    }
    match excess {
        // Without an error it is less than a stranger: a tag that no job starts on.
        Some(excess) => only_line(Tone::Caution, excess),
        None => with_proofs(report, as_intended(report, matrix)),
    }
}

/// Who is admitted and intended by no job, by the proofs.
fn excess(report: &CheckReport) -> Option<String> {
    let callers: Vec<String> = report
        .proofs
        .iter()
        .flat_map(|proof| &proof.excess)
        .map(|example| example.caller.clone())
        .collect();
    let some = !callers.is_empty();
    some.then(|| format!("More gets in than any job intends: {}.", few(callers)))
}

/// The verdict with what keeps it from being proved.
fn with_proofs(report: &CheckReport, mut verdict: Verdict) -> Verdict {
    let mut prevented = report.proofs.iter().flat_map(|proof| &proof.prevented_by);
    if let Some(reason) = prevented.next() {
        let rest = prevented.count();
        let rest = match rest {
            0 => String::new(),
            _ => format!(" (and {})", count(rest, "more reason")),
        };
        verdict.more.push(format!("Not proved: {reason}{rest}"));
        if verdict.tone == Tone::Good {
            verdict.tone = Tone::Caution;
        }
    }
    verdict
}

fn only_line(tone: Tone, line: String) -> Verdict {
    Verdict {
        tone,
        line,
        more: Vec::new(),
    }
}

fn nothing_to_enter(matrix: &Matrix) -> Verdict {
    if matrix.unknowns.is_empty() {
        return Verdict {
            tone: Tone::Good,
            line: "Nobody gets in: no role here trusts GitHub.".to_owned(),
            more: Vec::new(),
        };
    }
    Verdict {
        tone: Tone::Unknown,
        line: "Who gets in cannot be told.".to_owned(),
        more: matrix.unknowns.clone(),
    }
}

/// Role by role, the callers that fared so.
fn at(matrix: &Matrix, outcome: Outcome) -> Vec<(&RoleAccess, Vec<&CallerAccess>)> {
    matrix
        .roles
        .iter()
        .map(|role| (role, who(role, outcome)))
        .filter(|(_, who)| !who.is_empty())
        .collect()
}

fn let_in(matrix: &Matrix, intruders: &[(&RoleAccess, Vec<&CallerAccess>)]) -> Verdict {
    let names = callers(intruders);
    let line = if matrix.roles.len() == 1 {
        format!("{} get in, and should not.", capitalised(&names))
    } else {
        format!(
            "{} of {} {} in who should not get in: {names}.",
            intruders.len(),
            count(matrix.roles.len(), "role"),
            if intruders.len() == 1 { "lets" } else { "let" },
        )
    };
    let sessions: Vec<_> = intruders
        .iter()
        .flat_map(|(_, who)| who)
        .flat_map(|access| &access.sessions)
        .collect();
    let can = |of: fn(&receipts::SessionAccess) -> &receipts::Access| {
        sessions
            .iter()
            .any(|session| of(session).answer == Answer::Yes)
    };
    let mut verbs = Vec::new();
    if can(|session| &session.push) {
        verbs.push("push images".to_owned());
    }
    if can(|session| &session.pull) {
        verbs.push("pull them".to_owned());
    }
    if can(|session| &session.delete) {
        verbs.push("delete them".to_owned());
    }
    let more = if verbs.is_empty() {
        Vec::new()
    } else {
        vec![format!("They could {}.", list(&verbs))]
    };
    Verdict {
        tone: Tone::Bad,
        line,
        more,
    }
}

fn as_intended(report: &CheckReport, matrix: &Matrix) -> Verdict {
    let wanted = at(matrix, Outcome::AsIntended);
    let mut publishers: Vec<String> = Vec::new();
    let (mut cannot_push, mut not_known) = (Vec::new(), Vec::new());
    for access in wanted.iter().flat_map(|(_, who)| who) {
        // A role may be there for some of the repositories.
        let pushes = access.sessions.iter().map(|session| &session.push);
        let Some(push) = pushes.max_by_key(|push| push.answer) else {
            continue;
        };
        match push.answer {
            Answer::Yes => publishers.push(plural(&access.caller)),
            Answer::No => cannot_push.push(push.reason.clone()),
            Answer::Unknown => not_known.push(push.reason.clone()),
        }
    }
    publishers.sort();
    publishers.dedup();
    let proved = report.proofs.len() >= matrix.roles.len()
        && report
            .proofs
            .iter()
            .all(|proof| proof.prevented_by.is_empty());
    let nobody_else = if proved {
        "Nobody else gets in."
    } else {
        "Of all others that were tried, nobody gets in."
    };
    let of = matrix
        .repository
        .as_ref()
        .map_or_else(String::new, |name| format!(" of {name}"));
    if !publishers.is_empty() {
        let line = format!("Only {}{of} can publish. {nobody_else}", few(publishers));
        return with_forms(matrix, line);
    }
    match (not_known.first(), cannot_push.first()) {
        (Some(reason), _) => Verdict {
            tone: Tone::Unknown,
            line: format!("Whether anybody can publish cannot be told. {nobody_else}"),
            more: vec![reason.clone()],
        },
        (None, Some(reason)) => Verdict {
            tone: Tone::Caution,
            line: format!("Nobody can publish. {nobody_else}"),
            more: vec![reason.clone()],
        },
        (None, None) => unclear(matrix, nobody_else),
    }
}

/// Good, unless somebody gets in only until the repository is renamed.
fn with_forms(matrix: &Matrix, line: String) -> Verdict {
    let Some(access) = matrix.roles.iter().find_map(only_by_name) else {
        return Verdict {
            tone: Tone::Good,
            line,
            more: Vec::new(),
        };
    };
    let who = capitalised(&plural(&access.caller));
    Verdict {
        tone: Tone::Caution,
        line,
        more: vec![format!(
            "{who} are kept out where the subject has the immutable form, which new and renamed repositories mint."
        )],
    }
}

/// Nobody gets in but runs that no job is known to need.
fn unclear(matrix: &Matrix, nobody_else: &str) -> Verdict {
    let who = at(matrix, Outcome::Unclear);
    if who.is_empty() {
        return Verdict {
            tone: Tone::Caution,
            line: "Nobody gets in.".to_owned(),
            more: Vec::new(),
        };
    }
    Verdict {
        tone: Tone::Caution,
        line: format!(
            "{} get in by a role that no job is known to need. {nobody_else}",
            capitalised(&callers(&who))
        ),
        more: Vec::new(),
    }
}

fn unknowns(matrix: &Matrix) -> Vec<String> {
    let of_roles = matrix
        .roles
        .iter()
        .filter(|role| worst(role) == Outcome::Unknown)
        .map(|role| {
            let name = role.role.rsplit('/').next().unwrap_or(&role.role);
            let of_caller = || {
                who(role, Outcome::Unknown)
                    .first()
                    .map(|access| access.assume.reason.clone())
            };
            let reason = role.unknown.clone().or_else(of_caller).unwrap_or_default();
            format!("`{name}`: {reason}")
        });
    let mut unknowns: Vec<String> = matrix.unknowns.clone();
    unknowns.extend(of_roles.take(NAMED));
    unknowns
}

fn callers(found: &[(&RoleAccess, Vec<&CallerAccess>)]) -> String {
    let mut names: Vec<String> = Vec::new();
    for access in found.iter().flat_map(|(_, who)| who) {
        let name = plural(&access.caller);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    few(names)
}

/// The first names, and how many more there are.
fn few(mut names: Vec<String>) -> String {
    if names.len() > NAMED + 1 {
        let rest = names.split_off(NAMED);
        names.push(count(rest.len(), "other"));
    }
    list(&names)
}

fn reasons(found: &[(&RoleAccess, Vec<&CallerAccess>)]) -> Vec<String> {
    found
        .iter()
        .flat_map(|(_, who)| who)
        .map(|access| access.assume.reason.clone())
        .take(1)
        .collect()
}

/// `push to main` as a kind of runs: `pushes to main`.
fn plural(caller: &str) -> String {
    match caller {
        "pull request of a fork" => return "pull requests of forks".to_owned(),
        "other branch" => return "other branches".to_owned(),
        "tag" => return "tags".to_owned(),
        "other environment" => return "other environments".to_owned(),
        "other repository of the owner" => return "other repositories of the owner".to_owned(),
        "stranger's repository" => return "strangers' repositories".to_owned(),
        "same name, other owner" => return "new owners of the name".to_owned(),
        _ => {}
    }
    for (one, many) in [
        ("push to", "pushes to"),
        ("push of", "pushes of"),
        ("pull request", "pull requests"),
        ("schedule on", "scheduled runs on"),
        ("started by hand on", "runs started by hand on"),
    ] {
        if let Some(rest) = caller.strip_prefix(one) {
            return format!("{many}{rest}");
        }
    }
    format!("runs of {caller}")
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}
