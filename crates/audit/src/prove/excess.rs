//! Who is admitted and not intended: one caller of each kind, as a token.

use github::SubjectForm;
use policy::language::{Clause, Language, Undecided};
use receipts::Example;

use super::ask::{Ask, Values};
use super::caller::{Caller, Callers, Wanted};
use super::intent::{Intent, Wants, runs_of};
use super::shape::{Kind, Shape, is, is_none_of, is_other_name};
use super::text::{NAME, OWNER, OWNER_ID, REPOSITORY, REPOSITORY_ID, SEGMENT, VALUE};
use crate::OwnRepository;

/// The kinds of callers that a role should not admit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ExcessKind {
    /// A repository of another owner.
    Stranger,
    /// A repository that took over the name.
    RecycledName,
    /// Another repository of the owner.
    OtherRepository,
    /// A pull request.
    PullRequest,
    /// A branch or tag that no job needs.
    OtherRef,
    /// An environment that no job needs.
    OtherEnvironment,
    /// A subject that the repository itself has customised.
    Customised,
}

/// One caller too many.
#[derive(Debug, Clone)]
pub(crate) struct Excess {
    pub(crate) kind: ExcessKind,
    pub(crate) example: Example,
    /// The subject of its token.
    pub(crate) subject: String,
    /// Its issuer, without a scheme.
    pub(crate) issuer: String,
    /// Whether it is sure to be admitted: nothing that is not known keeps it out.
    pub(crate) certain: bool,
}

/// Who is admitted beyond the intent.
pub(super) fn excess(ask: &Ask, intent: &Intent) -> Result<Vec<Excess>, Undecided> {
    let mut excess = match (&intent.own, &intent.wants) {
        (Some(own), Some(wants)) => beside_jobs(ask, own, wants)?,
        (own, _) => without_jobs(ask, own.as_ref())?,
    };
    excess.sort_by_key(|excess| excess.kind);
    Ok(excess)
}

/// A pull request that is admitted and that is no excess: a job asks for it, or
/// the policy lists it.
pub(super) fn meant_pull_request(
    ask: &Ask,
    intent: &Intent,
    excess: &[Excess],
) -> Result<Option<Excess>, Undecided> {
    let told = [ExcessKind::PullRequest, ExcessKind::Stranger];
    if excess.iter().any(|excess| told.contains(&excess.kind)) {
        return Ok(None);
    }
    let own = intent.own.as_ref().filter(|_| intent.wants.is_some());
    let runs = own.map(runs_of).unwrap_or_default();
    let nice = vec![is(VALUE, "7")];
    one(
        ask,
        ExcessKind::PullRequest,
        of(Kind::PullRequest),
        runs,
        nice,
    )
}

fn any(_: &Shape) -> bool {
    true
}

fn of(kind: Kind) -> impl Fn(&Shape) -> bool + Copy {
    move |shape| shape.kind == kind
}

fn immutable(shape: &Shape) -> bool {
    shape.form == SubjectForm::Immutable
}

/// The role belongs to jobs of this repository.
fn beside_jobs(ask: &Ask, own: &OwnRepository, wants: &Wants) -> Result<Vec<Excess>, Undecided> {
    let mut found = Vec::new();
    let nice = |name: &str| vec![is(OWNER, "stranger"), is(NAME, name), is(VALUE, "main")];
    let strangers = vec![is_other_name(OWNER, &own.owner)];
    found.extend(one(
        ask,
        ExcessKind::Stranger,
        any,
        strangers,
        nice(&own.name),
    )?);
    found.extend(recycled(ask, own)?);
    let mut others = vec![is(OWNER, &own.owner), is_other_name(NAME, &own.name)];
    others.extend(own.owner_id.as_ref().map(|id| is(OWNER_ID, id)));
    // Another repository has another id, in whichever form its subject is.
    others.extend(own.id.as_ref().map(|id| is_none_of(REPOSITORY_ID, [id])));
    let sibling = vec![is(NAME, &format!("{}-other", own.name)), is(VALUE, "main")];
    found.extend(one(ask, ExcessKind::OtherRepository, any, others, sibling)?);
    let own_runs = own_excess(ask, own, wants)?;
    if own_runs.is_empty() {
        let customised = of(Kind::Customised);
        found.extend(one(
            ask,
            ExcessKind::Customised,
            customised,
            runs_of(own),
            Vec::new(),
        )?);
    }
    found.extend(own_runs);
    Ok(found)
}

/// Only the immutable form can tell of another owner under the same name: who
/// registers a freed name today mints nothing else.
fn recycled(ask: &Ask, own: &OwnRepository) -> Result<Option<Excess>, Undecided> {
    let full_name = format!("{}/{}", own.owner, own.name);
    if let Some(id) = &own.owner_id {
        let others = vec![is(OWNER, &own.owner), is_none_of(OWNER_ID, [id])];
        let nice = vec![is(REPOSITORY, &full_name), is(VALUE, "main")];
        let found = one(ask, ExcessKind::RecycledName, immutable, others, nice)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    let Some(id) = &own.id else { return Ok(None) };
    let mut others = vec![is(REPOSITORY, &full_name), is_none_of(REPOSITORY_ID, [id])];
    others.extend(own.owner_id.as_ref().map(|id| is(OWNER_ID, id)));
    let nice = vec![is(VALUE, "main")];
    one(ask, ExcessKind::RecycledName, immutable, others, nice)
}

/// Runs of the repository itself that no job needs.
fn own_excess(ask: &Ask, own: &OwnRepository, wants: &Wants) -> Result<Vec<Excess>, Undecided> {
    let mut found = Vec::new();
    if !wants.pull_requests {
        let kind = ExcessKind::PullRequest;
        let nice = vec![is(VALUE, "7")];
        found.extend(one(ask, kind, of(Kind::PullRequest), runs_of(own), nice)?);
    }
    let refs = [
        (Kind::Branch, &wants.other_branches, "feature"),
        (Kind::Tag, &wants.other_tags, "v1.0.0"),
    ];
    for (kind, others, nice) in refs {
        for piece in others {
            let wanted = with_value(own, piece);
            let nice = vec![is(VALUE, nice)];
            let excess = one(ask, ExcessKind::OtherRef, of(kind), wanted, nice)?;
            if excess.is_some() {
                found.extend(excess);
                break;
            }
        }
    }
    if let Some(environments) = &wants.environments {
        let mut wanted = runs_of(own);
        wanted.push(is_none_of(VALUE, environments));
        let kind = ExcessKind::OtherEnvironment;
        let nice = vec![is(VALUE, "preview")];
        found.extend(one(ask, kind, of(Kind::Environment), wanted, nice)?);
    }
    Ok(found)
}

fn with_value(own: &OwnRepository, language: &Language) -> Vec<Wanted> {
    let clauses = language.clauses().iter();
    let mut wanted = runs_of(own);
    wanted.extend(clauses.map(|clause: &Clause| (VALUE, clause.clone())));
    wanted
}

/// No job here asks for the role: what it names one by one is taken to be
/// meant, and what only a wildcard admits is not.
fn without_jobs(ask: &Ask, own: Option<&OwnRepository>) -> Result<Vec<Excess>, Undecided> {
    let usual = |shape: &Shape| shape.kind.is_usual();
    if let Values::Few(repositories) = ask.values(REPOSITORY, usual, &[])? {
        let mut found = Vec::new();
        for repository in &repositories {
            found.extend(open_values(ask, &[is(REPOSITORY, repository)])?);
        }
        return Ok(found);
    }
    let Values::Few(owners) = ask.values(OWNER, usual, &[])? else {
        let strangers = own.map(|own| is_other_name(OWNER, &own.owner));
        let strangers = strangers.into_iter().collect();
        let nice = vec![
            is(OWNER, "stranger"),
            is(NAME, "project"),
            is(VALUE, "main"),
        ];
        let found = one(ask, ExcessKind::Stranger, any, strangers, nice)?;
        return Ok(found.into_iter().collect());
    };
    let mut found = Vec::new();
    for owner in &owners {
        let mut others = vec![is(OWNER, owner)];
        if let Some(own) = own.filter(|own| own.owner == *owner) {
            others.push(is_other_name(NAME, &own.name));
        }
        let nice = vec![is(NAME, "project"), is(VALUE, "main")];
        found.extend(one(ask, ExcessKind::OtherRepository, any, others, nice)?);
        found.extend(open_values(ask, &[is(OWNER, owner)])?);
    }
    Ok(found)
}

/// Branches, tags and environments that are more than a list, and the pull
/// requests beside them.
fn open_values(ask: &Ask, scope: &[Wanted]) -> Result<Vec<Excess>, Undecided> {
    let mut found = Vec::new();
    let lists = [
        (Kind::Branch, ExcessKind::OtherRef, "feature"),
        (Kind::Tag, ExcessKind::OtherRef, "v1.0.0"),
        (Kind::Environment, ExcessKind::OtherEnvironment, "preview"),
    ];
    let mut open_branches = false;
    for (kind, excess, nice) in lists {
        if matches!(ask.values(VALUE, of(kind), scope)?, Values::Many) {
            open_branches = open_branches || kind == Kind::Branch;
            let nice = vec![is(VALUE, nice)];
            found.extend(one(ask, excess, of(kind), scope.to_vec(), nice)?);
        }
    }
    if open_branches {
        let kind = ExcessKind::PullRequest;
        let nice = vec![is(VALUE, "7")];
        found.extend(one(ask, kind, of(Kind::PullRequest), scope.to_vec(), nice)?);
    }
    Ok(found)
}

/// One caller of the kind, with readable names where they are admitted as well.
fn one(
    ask: &Ask,
    kind: ExcessKind,
    shapes: impl Fn(&Shape) -> bool + Copy,
    mut wanted: Vec<Wanted>,
    nice: Vec<Wanted>,
) -> Result<Option<Excess>, Undecided> {
    let Some(mut found) = ask.find(shapes, &wanted)? else {
        return Ok(None);
    };
    let first = (found.0.kind, found.0.form);
    let same = |shape: &Shape| shapes(shape) && (shape.kind, shape.form) == first;
    for demand in nice {
        wanted.push(demand);
        match ask.find(same, &wanted)? {
            Some(nicer) => found = nicer,
            None => {
                wanted.pop();
            }
        }
    }
    let (caller, callers) = found;
    Ok(Some(Excess {
        kind,
        example: Example {
            caller: words(kind, &caller, callers),
            claims: caller.claims.clone(),
        },
        subject: caller.subject().to_owned(),
        issuer: callers.issuer.clone(),
        certain: !callers.set.is_uncertain(),
    }))
}

fn words(kind: ExcessKind, caller: &Caller, callers: &Callers) -> String {
    let who = match kind {
        ExcessKind::Stranger => ", a repository of somebody else",
        ExcessKind::RecycledName => ", which took over the name",
        ExcessKind::OtherRepository => ", another repository of the same owner",
        _ => "",
    };
    let atoms = callers.set.atoms();
    let conditions: Vec<String> = atoms.iter().map(policy::admission::Atom::words).collect();
    let conditions = if conditions.is_empty() {
        String::new()
    } else {
        format!(", if {}", conditions.join(" and "))
    };
    format!("{}{who}{conditions}", run_in_words(caller))
}

/// `a push to main of acme/api`.
pub(super) fn run_in_words(caller: &Caller) -> String {
    let (repository, value) = (caller.text(SEGMENT), caller.text(VALUE));
    match caller.kind {
        Kind::Branch => format!("a push to {value} of {repository}"),
        Kind::Tag => format!("a push of the tag {value} of {repository}"),
        Kind::PullRequest => format!("a pull request of {repository}"),
        Kind::Environment => format!("a run of {repository} in the environment {value}"),
        Kind::Customised | Kind::Continued => {
            format!("a run of {repository} under a customised subject")
        }
    }
}
