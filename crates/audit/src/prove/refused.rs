//! Runs of the repository's own jobs that the role refuses.
//!
//! A run is refused where its token would be refused in either form: a
//! repository mints one of the two, and which one is not in any file.

use github::SubjectForm;
use policy::admission::{CallerSet, everyone_but};
use policy::language::{Language, Undecided};
use receipts::Example;

use super::ask::Ask;
use super::caller::{Callers, Wanted};
use super::excess::run_in_words;
use super::intent::{DEFAULT_BRANCHES, Intent, runs_of};
use super::shape::{Kind, Shape, is};
use super::text::{REF, TIED_CLAIMS, VALUE};
use super::trust::Trust;
use crate::filter::{self, Filter};
use crate::jobs::{EnvironmentUse, IdentityJob, RefShape, RunShape};

/// A job and a run of it that is refused.
#[derive(Debug)]
pub(crate) struct Refusal<'a> {
    pub(crate) job: &'a IdentityJob<'a>,
    pub(crate) example: Example,
    /// The subject of its token.
    pub(crate) subject: String,
}

/// One refused run for each shape of each job that has one.
pub(super) fn refused<'a>(
    ask: &Ask,
    trust: &Trust,
    intent: &Intent,
    jobs: &[&'a IdentityJob<'a>],
) -> Result<Vec<Refusal<'a>>, Undecided> {
    let Some(own) = &intent.own else {
        return Ok(Vec::new());
    };
    let own = runs_of(own);
    let mut refused: Vec<Refusal> = Vec::new();
    for job in jobs {
        let callers = trust.callers_for(job.audience.as_deref())?;
        let looking = Looking {
            ask: Ask {
                callers: &callers,
                ..*ask
            },
            trust,
            own: &own,
        };
        for run in &job.runs {
            let Some((kind, value)) = looking.refused_value(run)? else {
                continue;
            };
            let (subject, example) = looking.example(kind, &value, job)?;
            let known =
                |known: &Refusal| known.job.subject == job.subject && known.subject == subject;
            if !refused.iter().any(known) {
                refused.push(Refusal {
                    job,
                    example,
                    subject,
                });
            }
        }
    }
    Ok(refused)
}

struct Looking<'a> {
    /// About the callers that come with the job's audience.
    ask: Ask<'a>,
    trust: &'a Trust,
    own: &'a [Wanted],
}

fn of(kind: Kind) -> impl Fn(&Shape) -> bool + Copy {
    move |shape| shape.kind == kind
}

impl Looking<'_> {
    /// The kind and value of a run of this shape that is refused.
    fn refused_value(&self, run: &RunShape) -> Result<Option<(Kind, String)>, Undecided> {
        match &run.environment {
            Some(EnvironmentUse::Named(name)) => {
                return self.unless_admitted(Kind::Environment, &[name.as_str()], true);
            }
            Some(EnvironmentUse::Unknown(_)) => return Ok(None),
            None => {}
        }
        match &run.refs {
            RefShape::PullRequest => self.unless_admitted(Kind::PullRequest, &["7"], false),
            // Some branch of that name must get in, whichever it is.
            RefShape::DefaultBranch => self.unless_admitted(Kind::Branch, &DEFAULT_BRANCHES, false),
            RefShape::Branches(filters) => self.filtered(Kind::Branch, filters, &run.event),
            RefShape::Tags(filters) => self.filtered(Kind::Tag, filters, &run.event),
            RefShape::Any if self.admits(Kind::Tag, None)? => Ok(None),
            RefShape::Any => self.unless_admitted(Kind::Branch, &["main"], false),
        }
    }

    /// The first of the values, unless one of them is admitted or, where the
    /// value need not be `exact`, any other.
    fn unless_admitted(
        &self,
        kind: Kind,
        values: &[&str],
        exact: bool,
    ) -> Result<Option<(Kind, String)>, Undecided> {
        if !exact && self.admits(kind, None)? {
            return Ok(None);
        }
        for value in values {
            if self.admits(kind, Some(value))? {
                return Ok(None);
            }
        }
        Ok(values.first().map(|value| (kind, (*value).to_owned())))
    }

    fn filtered(
        &self,
        kind: Kind,
        filters: &[String],
        event: &str,
    ) -> Result<Option<(Kind, String)>, Undecided> {
        let literals: Option<Vec<String>> = filters
            .iter()
            .map(|filter| Filter::read(filter).as_literal())
            .collect();
        if let Some(literals) = literals.filter(|literals| !literals.is_empty()) {
            for literal in literals {
                if !self.admits(kind, Some(&literal))? {
                    return Ok(Some((kind, literal)));
                }
            }
            return Ok(None);
        }
        let nice = if kind == Kind::Tag { "v1.0.0" } else { "main" };
        // Not every ref that starts such a run is one that it is meant for.
        if event != "push" || !self.admits(kind, None)? {
            return self.unless_admitted(kind, &[nice], false);
        }
        for piece in filter::covered(filters).unwrap_or_default() {
            if let Some(value) = self.refused_of(kind, &piece)? {
                return Ok(Some((kind, value)));
            }
        }
        Ok(None)
    }

    /// Whether a run of the repository with this value is admitted in some form.
    fn admits(&self, kind: Kind, value: Option<&str>) -> Result<bool, Undecided> {
        let mut wanted = self.own.to_vec();
        wanted.extend(value.map(|value| is(VALUE, value)));
        Ok(self.ask.find(of(kind), &wanted)?.is_some())
    }

    /// A value of the language that is refused: one that the name form does not
    /// admit, if the immutable form does not admit it either.
    fn refused_of(&self, kind: Kind, values: &Language) -> Result<Option<String>, Undecided> {
        let tied = |key: &str| {
            let claim = key.rsplit(':').next().unwrap_or_default();
            TIED_CLAIMS.iter().any(|(tied, _)| *tied == claim)
        };
        let admitted = self
            .ask
            .callers
            .iter()
            .map(|callers| callers.set.only(tied));
        let mut wanted = self.own.to_vec();
        wanted.extend(
            values
                .clauses()
                .iter()
                .map(|clause| (VALUE, clause.clone())),
        );
        let name_form = |shape: &Shape| shape.kind == kind && shape.form == SubjectForm::Name;
        for rest in everyone_but(&admitted.collect::<Vec<_>>())? {
            let Some(rest) = self.everyone(rest)? else {
                continue;
            };
            let ask = Ask {
                callers: &[&rest],
                ..self.ask
            };
            let Some((caller, _)) = ask.find(name_form, &wanted)? else {
                continue;
            };
            if !self.admits(kind, Some(caller.text(VALUE)))? {
                return Ok(Some(caller.text(VALUE).to_owned()));
            }
        }
        Ok(None)
    }

    fn everyone(&self, set: CallerSet) -> Result<Option<Callers>, Undecided> {
        let issuer = self
            .trust
            .doors
            .first()
            .map_or("", |door| door.role.issuer());
        Callers::new(set, issuer, None, &self.trust.budget)
    }

    /// The token of that run.
    fn example(
        &self,
        kind: Kind,
        value: &str,
        job: &IdentityJob,
    ) -> Result<(String, Example), Undecided> {
        let everyone = self.everyone(CallerSet::everyone())?;
        let everyone: Vec<&Callers> = everyone.iter().collect();
        let ask = Ask {
            callers: &everyone,
            ..self.ask
        };
        let mut wanted = self.own.to_vec();
        wanted.push(is(VALUE, value));
        if kind == Kind::Environment {
            wanted.push(is(REF, "refs/heads/main"));
        }
        let Some((caller, _)) = ask.find(of(kind), &wanted)? else {
            // Not a name that GitHub would take; the words must do.
            return Ok((
                value.to_owned(),
                Example {
                    caller: format!("`{}` on {value}", job.subject),
                    claims: Vec::new(),
                },
            ));
        };
        let mut claims = caller.claims.clone();
        for (name, value) in &mut claims {
            if name == "aud"
                && let Some(audience) = &job.audience
            {
                value.clone_from(audience);
            }
        }
        let words = format!("`{}`, {}", job.subject, run_in_words(&caller));
        Ok((
            caller.subject().to_owned(),
            Example {
                caller: words,
                claims,
            },
        ))
    }
}
