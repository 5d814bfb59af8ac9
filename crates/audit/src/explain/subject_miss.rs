//! Why a subject is not one of those wanted.

use super::kind::MissKind;
use super::miss::{Change, Miss};
use super::pattern::{covers, difference};
use crate::subject::{Context, Subject, ref_in_words};

/// What to do about a pull request.
pub(super) const PULL_REQUEST: &str = "keep it refused: a pull request runs code that nobody has \
     reviewed; run the job on `push` instead, after the merge";

/// A subject against the values of one condition.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comparison<'a> {
    pub(super) operator: &'a str,
    pub(super) key: &'a str,
    pub(super) seen: &'a str,
    pub(super) wanted: &'a [String],
    /// Whether the operator knows wildcards.
    pub(super) wildcards: bool,
    /// Both forms of the caller's subject, as far as its ids are known.
    pub(super) forms: &'a [String],
    /// Ids of owner and repository that the role is meant for, where known.
    pub(super) own_ids: Option<(&'a str, &'a str)>,
}

/// What differs between two subjects, part by part.
#[expect(
    clippy::struct_excessive_bools,
    reason = "the parts differ independently of each other"
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parts {
    owner: bool,
    name: bool,
    ids: bool,
    form: bool,
    context: bool,
    same_sort: bool,
    host: bool,
}

impl Parts {
    fn between(seen: &Subject, wanted: &Subject, wildcards: bool) -> Self {
        let same = |seen: &str, wanted: &str| {
            let (seen, wanted) = (seen.to_lowercase(), wanted.to_lowercase());
            seen == wanted || (wildcards && covers(&wanted, &seen))
        };
        let same_id = |seen: Option<&str>, wanted: Option<&str>| match (seen, wanted) {
            (Some(seen), Some(wanted)) => same(seen, wanted),
            _ => true,
        };
        Self {
            owner: !same(seen.owner, wanted.owner),
            name: !same(seen.name, wanted.name),
            // Other names have other ids: that adds nothing.
            ids: same(seen.owner, wanted.owner)
                && same(seen.name, wanted.name)
                && !(same_id(seen.owner_id, wanted.owner_id) && same_id(seen.id, wanted.id)),
            form: seen.has_ids() != wanted.has_ids(),
            context: !same_context(seen.context, wanted, &same),
            same_sort: std::mem::discriminant(&seen.context)
                == std::mem::discriminant(&wanted.context),
            host: wanted.host.is_some(),
        }
    }

    /// How far apart: another form or a host is a slip of the pen, another branch
    /// is nearer than another kind of run, another repository is farther.
    fn weight(self) -> usize {
        let weigh = |differs: bool, weight: usize| if differs { weight } else { 0 };
        weigh(self.host, 1)
            + weigh(self.form, 2)
            + weigh(self.context, if self.same_sort { 10 } else { 20 })
            + weigh(self.name, 40)
            + weigh(self.owner, 80)
            + weigh(self.ids, 80)
    }
}

fn same_context(seen: Context, wanted: &Subject, same: &impl Fn(&str, &str) -> bool) -> bool {
    match (seen, wanted.context) {
        (Context::PullRequest, Context::PullRequest) => true,
        (Context::Environment(seen), Context::Environment(wanted))
        | (Context::Ref(seen), Context::Ref(wanted))
        | (Context::Other(seen), Context::Other(wanted)) => same(seen, wanted),
        (_, Context::Other(pattern)) => same(&seen.written(), pattern),
        // The star at the end of the name runs over all that follows.
        (_, Context::Nothing) => wanted.name.ends_with('*'),
        _ => false,
    }
}

/// How far the nearest value is: weight of the parts that differ, then characters.
pub(super) fn distance(seen: &str, wanted: &str, wildcards: bool) -> (usize, usize) {
    const NO_SUBJECT: usize = 1000;
    let weight = match (Subject::parse(seen), Subject::parse(wanted)) {
        (Some(seen), Some(wanted)) => Parts::between(&seen, &wanted, wildcards).weight(),
        _ => NO_SUBJECT,
    };
    (weight, difference(seen, wanted))
}

/// The miss, if both sides are subjects of GitHub's default form.
pub(super) fn explain(comparison: &Comparison) -> Option<Miss> {
    let Comparison {
        seen,
        wanted,
        wildcards,
        ..
    } = *comparison;
    let nearest = wanted
        .iter()
        .min_by_key(|wanted| distance(seen, wanted, wildcards))?;
    let (has, wants) = (Subject::parse(seen)?, Subject::parse(nearest)?);
    let parts = Parts::between(&has, &wants, wildcards);
    let miss = if parts.owner || parts.name {
        other_repository(&has, &wants)
    } else if parts.ids || is_recycled(comparison, &has) {
        let other_ids = with_other_ids(comparison, &has).next();
        return Some(recycled(&has).comparing(seen, other_ids.unwrap_or(nearest)));
    } else if parts.context {
        context_miss(comparison, &has, &wants, nearest)
    } else if parts.host {
        host_miss(comparison, &wants, nearest)
    } else if parts.form {
        form_miss(comparison, &has)
    } else {
        return None;
    };
    Some(miss.comparing(seen, nearest))
}

/// Ids that are wanted somewhere, or are known to be the right ones, and are
/// not those of the caller: a new repository under an old name.
fn is_recycled(comparison: &Comparison, has: &Subject) -> bool {
    let (Some(owner_id), Some(id)) = (has.owner_id, has.id) else {
        return false;
    };
    if let Some(own) = comparison.own_ids {
        return own != (owner_id, id);
    }
    with_other_ids(comparison, has).next().is_some()
}

/// The values with the caller's names and other ids.
fn with_other_ids<'a>(comparison: &Comparison<'a>, has: &Subject) -> impl Iterator<Item = &'a str> {
    let (has, wildcards) = (*has, comparison.wildcards);
    let listed = comparison.wanted.iter().map(String::as_str);
    listed.filter(move |wanted| {
        Subject::parse(wanted).is_some_and(|wants| {
            let parts = Parts::between(&has, &wants, wildcards);
            parts.ids && !parts.owner && !parts.name
        })
    })
}

fn other_repository(has: &Subject, wants: &Subject) -> Miss {
    let (seen, wanted) = (
        format!("{}/{}", has.owner, has.name),
        format!("{}/{}", wants.owner, wants.name),
    );
    let advice = if has.owner.eq_ignore_ascii_case(wants.owner) {
        format!(
            "keep it refused, or give `{seen}` a role of its own: two repositories that share a \
             role can each do what the other may"
        )
    } else {
        format!(
            "keep it refused: `{}` is another owner than `{}`",
            has.owner, wants.owner
        )
    };
    Miss::new(
        MissKind::OtherRepository,
        format!("the run is of the repository `{seen}`, and the statement admits `{wanted}`"),
        advice,
    )
}

fn recycled(has: &Subject) -> Miss {
    let (owner, name) = (has.owner, has.name);
    Miss::new(
        MissKind::RecycledName,
        format!(
            "the names are `{owner}/{name}` on both sides, but the ids are not the same: this is \
             another repository, under a name that was given up and taken over"
        ),
        "keep it refused; if the repository really is yours, take its ids from \
         `gh api repos/OWNER/NAME --jq '.owner.id, .id'`",
    )
}

fn context_miss(comparison: &Comparison, has: &Subject, wants: &Subject, nearest: &str) -> Miss {
    match (has.context, wants.context) {
        (Context::PullRequest, _) => Miss::new(
            MissKind::PullRequest,
            format!(
                "the run is for a pull request, whose subject ends in `:pull_request` whatever \
                 its branch is, and the statement admits {}",
                wants.context.in_words()
            ),
            PULL_REQUEST,
        ),
        (Context::Environment(name), Context::Environment(_)) => Miss::new(
            MissKind::OtherEnvironment,
            format!(
                "the job runs in the environment `{name}`, and the statement admits {}",
                wants.context.in_words()
            ),
            format!("only if jobs of the environment `{name}` should get this role, list it"),
        )
        .with(add(comparison)),
        (Context::Environment(name), _) => gained_environment(comparison, name, wants),
        (Context::Ref(_), Context::Environment(name)) => Miss::new(
            MissKind::RefAgainstEnvironment,
            format!(
                "the job has no environment, so its subject names {}, and the statement admits \
                 the environment `{name}`",
                has.context.in_words()
            ),
            format!("give the job `environment: {name}` in the workflow"),
        ),
        (Context::Ref(seen), Context::Ref(wanted)) => ref_miss(comparison, seen, wanted, nearest),
        _ => Miss::new(
            MissKind::ValueDiffers,
            format!(
                "the subject names {}, and the statement admits {}",
                has.context.in_words(),
                wants.context.in_words()
            ),
            "only if this run should get the role, list its subject",
        )
        .with(add(comparison)),
    }
}

fn gained_environment(comparison: &Comparison, name: &str, wants: &Subject) -> Miss {
    let name = name.replace("%3A", ":");
    Miss::new(
        MissKind::RefAgainstEnvironment,
        format!(
            "the job has the environment `{name}`, which takes the place of the branch in the \
             subject, and the statement admits {}",
            wants.context.in_words()
        ),
        format!(
            "list the environment's subject, or take `environment: {name}` out of the job; the \
             subject no longer says the branch, so limit `{name}` to its branch in GitHub's \
             deployment rules"
        ),
    )
    .with(add(comparison))
}

fn ref_miss(comparison: &Comparison, seen: &str, wanted: &str, nearest: &str) -> Miss {
    if is_short(seen, wanted) {
        return Miss::new(
            MissKind::RefWithoutPrefix,
            format!("the statement writes the ref as `{wanted}`, and GitHub writes it as `{seen}`"),
            "write the whole ref",
        )
        .with(replace(comparison, nearest));
    }
    let (has, wants) = (ref_in_words(seen), ref_in_words(wanted));
    let kind = if seen.starts_with("refs/tags/") == wanted.starts_with("refs/tags/") {
        MissKind::OtherBranch
    } else {
        MissKind::Tag
    };
    Miss::new(
        kind,
        format!("the run is on {has}, and the statement admits {wants}"),
        format!("only if runs on {has} should get this role, list exactly that"),
    )
    .with(add(comparison))
}

/// `main` or `heads/main` for `refs/heads/main`.
pub(super) fn is_short(seen: &str, wanted: &str) -> bool {
    !wanted.starts_with("refs/")
        && !wanted.is_empty()
        && seen
            .strip_suffix(wanted)
            .is_some_and(|rest| matches!(rest, "refs/" | "refs/heads/" | "refs/tags/"))
}

fn host_miss(comparison: &Comparison, wants: &Subject, nearest: &str) -> Miss {
    let host = wants.host.unwrap_or_default();
    Miss::new(
        MissKind::HostInSubject,
        format!(
            "the statement writes `{host}` before the repository, and a subject begins with the \
             owner's name"
        ),
        "leave the host out",
    )
    .with(replace(comparison, nearest))
}

fn form_miss(comparison: &Comparison, has: &Subject) -> Miss {
    let sentence = match (has.owner_id, has.id) {
        (Some(owner_id), Some(id)) => format!(
            "the subject has the immutable form, with the ids {owner_id} (owner) and {id} \
             (repository), and the statement lists only the name form; GitHub mints the immutable \
             form for repositories created, renamed or moved since 15 July 2026"
        ),
        _ => "the subject has the name form, and the statement lists only the immutable form with \
              the ids; GitHub mints the name form for repositories older than 15 July 2026 that \
              did not opt in"
            .to_owned(),
    };
    Miss::new(
        MissKind::NameAgainstImmutable,
        sentence,
        "list both forms: the same run is meant, and a rename switches from one to the other",
    )
    .with(add(comparison))
}

/// The caller's forms that no value covers yet.
fn missing_forms(comparison: &Comparison) -> Vec<String> {
    let covered = |form: &String| {
        let covers =
            |wanted: &String| wanted == form || (comparison.wildcards && covers(wanted, form));
        comparison.wanted.iter().any(covers)
    };
    let mut values = comparison.forms.to_vec();
    values.retain(|form| !covered(form));
    values
}

pub(super) fn add(comparison: &Comparison) -> Change {
    Change::AddValues {
        operator: comparison.operator.to_owned(),
        key: comparison.key.to_owned(),
        values: missing_forms(comparison),
    }
}

pub(super) fn replace(comparison: &Comparison, old: &str) -> Change {
    Change::ReplaceValue {
        operator: comparison.operator.to_owned(),
        key: comparison.key.to_owned(),
        old: old.to_owned(),
        values: missing_forms(comparison),
    }
}
