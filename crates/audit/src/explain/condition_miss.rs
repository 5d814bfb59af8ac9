//! Why one condition does not hold.

use policy::{Condition, Family};

use super::absent_key;
use super::kind::MissKind;
use super::miss::{Change, Miss, list};
use super::pattern::{covers, difference};
use super::scene::Scene;
use super::subject_miss::{self, Comparison, PULL_REQUEST, add, is_short, replace};
use crate::subject::ref_in_words;
use crate::wildcards::has_wildcard;

/// The miss of one condition of the statement at `statement`.
pub(super) fn explain(
    scene: &Scene,
    statement: usize,
    condition: &Condition,
    seen: Option<&[String]>,
) -> Miss {
    let name = scene.claim_of(&condition.key);
    let Some([seen, ..]) = seen else {
        return absent_key::explain(scene, condition);
    };
    if condition.operator.comparison.negated {
        return excluded(condition, seen);
    }
    let forms = match name {
        Some("sub") => scene.forms(),
        _ => vec![seen.clone()],
    };
    let comparison = Comparison {
        operator: &condition.operator_name,
        key: &condition.key,
        seen,
        wanted: &condition.values,
        wildcards: has_wildcards(condition),
        forms: &forms,
        own_ids: scene.own_ids(),
    };
    starred(&comparison)
        .or_else(|| anded(scene, statement, &comparison))
        .or_else(|| letter_case(&comparison))
        .or_else(|| match name {
            Some("sub") => subject_miss::explain(&comparison),
            Some("aud" | "oaud") => Some(audience(&comparison)),
            Some("ref") => git_ref(&comparison),
            Some("environment") => Some(environment(&comparison)),
            Some("repository" | "repository_id" | "repository_owner_id") => {
                Some(repository(&comparison))
            }
            _ => None,
        })
        .unwrap_or_else(|| differs(&comparison))
}

/// How far the caller is from holding the condition: what the documentation
/// calls the distance of its nearest value.
pub(super) fn distance(scene: &Scene, condition: &Condition, seen: Option<&[String]>) -> usize {
    const FARTHEST: usize = 999;
    let Some([seen, ..]) = seen else {
        return FARTHEST;
    };
    let wildcards = has_wildcards(condition);
    let is_subject = scene.claim_of(&condition.key) == Some("sub");
    condition
        .values
        .iter()
        .map(|wanted| {
            let (weight, characters) = if is_subject {
                subject_miss::distance(seen, wanted, wildcards)
            } else {
                (0, difference(seen, wanted))
            };
            weight + characters
        })
        .min()
        .map_or(FARTHEST, |distance| distance.min(FARTHEST))
}

fn has_wildcards(condition: &Condition) -> bool {
    matches!(
        condition.operator.comparison.family,
        Family::StringLike | Family::Arn
    )
}

fn nearest<'a>(comparison: &Comparison<'a>) -> &'a str {
    comparison
        .wanted
        .iter()
        .min_by_key(|wanted| difference(comparison.seen, wanted))
        .map_or("", String::as_str)
}

fn excluded(condition: &Condition, seen: &str) -> Miss {
    Miss::new(
        MissKind::ExcludedValue,
        format!(
            "`{}` on `{}` excludes {}, and the caller has `{seen}`",
            condition.operator_name,
            condition.key,
            list(&condition.values)
        ),
        "only if this caller should get the role, take its value out of the exclusion",
    )
    .comparing(seen, condition.values.first().map_or("", String::as_str))
}

/// A wildcard that would have matched, had the operator known wildcards.
fn starred(comparison: &Comparison) -> Option<Miss> {
    if comparison.wildcards {
        return None;
    }
    // In either form: the star was meant before the repository changed its form.
    let meant = |wanted: &str| {
        let mut forms = comparison.forms.iter().map(String::as_str);
        covers(wanted, comparison.seen) || forms.any(|form| covers(wanted, form))
    };
    let starred = |wanted: &&String| has_wildcard(wanted) && meant(wanted);
    let wanted = comparison.wanted.iter().find(starred)?;
    let operator = comparison.operator;
    let sentence = format!(
        "`{operator}` compares `{wanted}` letter by letter, so its `*` and `?` stand for \
         themselves; only `StringLike` knows wildcards"
    );
    let advice = "list the exact values that should get in; `StringLike` with this pattern would \
                  admit whatever it covers, pull requests included where it ends in `:*`";
    Some(
        Miss::new(MissKind::StarInStringEquals, sentence, advice)
            .comparing(comparison.seen, wanted)
            .with(replace(comparison, wanted)),
    )
}

/// The same key under another operator of the statement, which holds.
fn anded(scene: &Scene, statement: usize, comparison: &Comparison) -> Option<Miss> {
    let other = scene
        .statement(statement)?
        .conditions
        .iter()
        .find(|other| {
            other.key.eq_ignore_ascii_case(comparison.key)
                && other.operator_name != comparison.operator
                && !other.operator.comparison.negated
                && other.operator.comparison.family != Family::Null
                && scene.holds(statement, other)
        })?;
    let (failing, holding, key) = (comparison.operator, &other.operator_name, comparison.key);
    let sentence = format!(
        "`{holding}` on `{key}` holds for the caller and `{failing}` does not: operators are \
         joined by AND, so a caller must satisfy both"
    );
    let advice =
        format!("list the value under `{failing}` too, or keep one operator with all the values");
    Some(
        Miss::new(MissKind::OperatorsAreAnded, sentence, advice)
            .comparing(comparison.seen, nearest(comparison))
            .with(add(comparison)),
    )
}

fn letter_case(comparison: &Comparison) -> Option<Miss> {
    let seen = comparison.seen.to_lowercase();
    let same = |wanted: &&String| {
        let wanted = wanted.to_lowercase();
        seen == wanted || (comparison.wildcards && covers(&wanted, &seen))
    };
    let wanted = comparison.wanted.iter().find(same)?;
    Some(
        Miss::new(
            MissKind::LetterCase,
            "the value seen and the value wanted differ in letter case only, and AWS compares \
             them case-sensitively",
            "write it as GitHub does",
        )
        .comparing(comparison.seen, wanted)
        .with(replace(comparison, wanted)),
    )
}

fn audience(comparison: &Comparison) -> Miss {
    let (seen, wanted) = (comparison.seen, comparison.wanted);
    Miss::new(
        MissKind::Audience,
        format!(
            "the token is for the audience `{seen}`, and the statement wants {}",
            list(wanted)
        ),
        "let the job ask for that audience, or list the one it asks for",
    )
    .comparing(seen, nearest(comparison))
    .with(add(comparison))
}

fn git_ref(comparison: &Comparison) -> Option<Miss> {
    let wanted = nearest(comparison);
    let seen = comparison.seen;
    if is_short(seen, wanted) {
        return Some(
            Miss::new(
                MissKind::RefWithoutPrefix,
                format!("the statement writes the ref as `{wanted}`, and GitHub writes `{seen}`"),
                "write the whole ref",
            )
            .comparing(seen, wanted)
            .with(replace(comparison, wanted)),
        );
    }
    let wanted_in_words = ref_in_words(wanted);
    if seen.starts_with("refs/pull/") {
        return Some(
            Miss::new(
                MissKind::PullRequest,
                format!(
                    "the run is for a pull request, on `{seen}`, and the statement admits \
                     {wanted_in_words}"
                ),
                PULL_REQUEST,
            )
            .comparing(seen, wanted),
        );
    }
    let kind = if seen.starts_with("refs/tags/") == wanted.starts_with("refs/tags/") {
        MissKind::OtherBranch
    } else {
        MissKind::Tag
    };
    let run = ref_in_words(seen);
    Some(
        Miss::new(
            kind,
            format!("the run is on {run}, and the statement admits {wanted_in_words}"),
            format!("only if runs on {run} should get this role, list exactly that"),
        )
        .comparing(seen, wanted)
        .with(add(comparison)),
    )
}

fn environment(comparison: &Comparison) -> Miss {
    let (seen, wanted) = (comparison.seen, nearest(comparison));
    Miss::new(
        MissKind::OtherEnvironment,
        format!("the job runs in the environment `{seen}`, and the statement admits `{wanted}`"),
        format!("only if jobs of the environment `{seen}` should get this role, list it"),
    )
    .comparing(seen, wanted)
    .with(add(comparison))
}

fn repository(comparison: &Comparison) -> Miss {
    let (seen, wanted) = (comparison.seen, nearest(comparison));
    Miss::new(
        MissKind::OtherRepository,
        format!(
            "`{}` of the run is `{seen}`, and the statement admits `{wanted}`",
            comparison.key
        ),
        "keep it refused, or give the other repository a role of its own",
    )
    .comparing(seen, wanted)
}

fn differs(comparison: &Comparison) -> Miss {
    let (seen, wanted) = (comparison.seen, nearest(comparison));
    Miss::new(
        MissKind::ValueDiffers,
        format!(
            "`{}` on `{}` wants {}, and the caller has `{seen}`",
            comparison.operator,
            comparison.key,
            list(comparison.wanted)
        ),
        "only if this caller should get the role, list its value",
    )
    .comparing(seen, wanted)
    .with(Change::AddValues {
        operator: comparison.operator.to_owned(),
        key: comparison.key.to_owned(),
        values: comparison.forms.to_vec(),
    })
}
