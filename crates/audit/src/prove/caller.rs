//! Callers of one set, found among everything that GitHub can mint.

use std::cell::RefCell;
use std::collections::BTreeMap;

use github::SubjectForm;
use policy::admission::{CallerSet, KeySet};
use policy::keys::{Presence, at_web_identity_of};
use policy::language::{Alphabet, Budget, Clause, Demand, Undecided, search};

use super::grammar::{DIGITS, FREE};
use super::shape::{Kind, Shape};
use super::text::{SUBJECT, TIED_CLAIMS};

/// A demand on one text of a run.
pub(super) type Wanted = (usize, Clause);

/// The texts of a run, by number.
type Texts = BTreeMap<usize, String>;

/// The claims that GitHub ties to nothing here. That is wider than the truth:
/// the workflow's path, for one, lies in the repository unless it is reusable.
const FREE_CLAIMS: [(&str, Alphabet, &str); 5] = [
    ("actor", FREE, "octocat"),
    ("actor_id", DIGITS, "583231"),
    ("workflow", FREE, "publish"),
    (
        "job_workflow_ref",
        FREE,
        "acme/api/.github/workflows/publish.yml@refs/heads/main",
    ),
    ("enterprise_id", DIGITS, "77"),
];

/// A set of callers, made ready for searches.
#[derive(Debug)]
pub(super) struct Callers {
    pub(super) set: CallerSet,
    pub(super) issuer: String,
    /// What it asks of the claims that are tied to each other; the inner `None`
    /// forbids the claim.
    tied: Vec<(usize, KeySet)>,
    /// Values for all other claims.
    free: Vec<(String, String)>,
    /// By shape: the texts of its shortest caller, or that it has none, once that
    /// is known. Most sets have callers of few shapes, and no further question is
    /// about the others; the shortest caller answers most questions about these.
    shortest: RefCell<BTreeMap<usize, Option<Texts>>>,
}

/// One caller.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) form: SubjectForm,
    pub(super) kind: Kind,
    /// Its texts, by number.
    pub(super) texts: Texts,
    /// The claims that AWS looks at, by name.
    pub(super) claims: Vec<(String, String)>,
}

impl Caller {
    pub(super) fn text(&self, text: usize) -> &str {
        self.texts.get(&text).map_or("", String::as_str)
    }

    pub(super) fn subject(&self) -> &str {
        self.text(SUBJECT)
    }
}

impl Callers {
    /// `None` where a claim that is tied to nothing has no value that would do.
    pub(super) fn new(
        set: CallerSet,
        issuer: &str,
        audiences: Option<&[String]>,
        budget: &Budget,
    ) -> Result<Option<Self>, Undecided> {
        let key = |claim: &str| set.keys().get(&format!("{issuer}:{claim}").to_lowercase());
        let Some(audience) = audience([key("aud"), key("oaud")], audiences, budget)? else {
            return Ok(None);
        };
        let mut free = vec![("aud".to_owned(), audience)];
        for (claim, alphabet, preferred) in FREE_CLAIMS {
            let optional = at_web_identity_of(issuer, &format!("{issuer}:{claim}"));
            if key(claim).is_none() {
                continue;
            }
            match value(key(claim), alphabet, preferred, budget)? {
                Some(value) => free.push((claim.to_owned(), value)),
                None if optional == Presence::WhenSent && allows_absence(key(claim)) => {}
                None => return Ok(None),
            }
        }
        if !has_request(&set, issuer, budget)? {
            return Ok(None);
        }
        let tied = TIED_CLAIMS
            .iter()
            .filter_map(|(claim, text)| Some((*text, key(claim)?.clone())))
            .collect();
        Ok(Some(Self {
            issuer: issuer.to_owned(),
            tied,
            free,
            shortest: RefCell::default(),
            set,
        }))
    }

    /// What the set asks of a claim.
    pub(super) fn key(&self, claim: &str) -> Option<&KeySet> {
        let key = format!("{}:{claim}", self.issuer).to_lowercase();
        self.set.keys().get(&key)
    }

    /// Whether a token for this audience can be in the set.
    pub(super) fn accepts_audience(&self, audience: &str) -> Result<bool, Undecided> {
        for key in ["aud", "oaud"] {
            if let Some(set) = self.key(key)
                && !set.contains(Some(&[audience.to_owned()]))?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The claim that a condition key stands for.
    pub(super) fn claim_of<'k>(&self, key: &'k str) -> Option<&'k str> {
        let (issuer, claim) = key.split_once(':')?;
        issuer.eq_ignore_ascii_case(&self.issuer).then_some(claim)
    }

    /// The demands on runs of this shape; `None` if the set has no such run.
    fn demands<'a>(&'a self, shape: &'a Shape) -> Option<Vec<Demand<'a>>> {
        let mut demands = Vec::new();
        for (text, set) in &self.tied {
            if shape.script.writes(*text) {
                let clauses = set.present.as_ref()?.clauses();
                demands.extend(clauses.iter().map(|clause| (*text, clause)));
            } else if !set.absent {
                return None;
            }
        }
        Some(demands)
    }

    /// A shortest caller of the set with this shape, if there is one.
    pub(super) fn find(
        &self,
        shape: &Shape,
        wanted: &[Wanted],
        budget: &Budget,
    ) -> Result<Option<Caller>, Undecided> {
        let Some(shortest) = self.shortest(shape, budget)? else {
            return Ok(None);
        };
        let texts = if is_wanted(&shortest, wanted)? {
            Some(shortest)
        } else if let Some(demands) = self.demands(shape) {
            tell(shape, demands, wanted, budget)?
        } else {
            None
        };
        Ok(texts.map(|texts| Caller {
            form: shape.form,
            kind: shape.kind,
            claims: self.claims(&texts),
            texts,
        }))
    }

    /// The texts of the shortest caller of this shape.
    fn shortest(&self, shape: &Shape, budget: &Budget) -> Result<Option<Texts>, Undecided> {
        if let Some(known) = self.shortest.borrow().get(&shape.number) {
            return Ok(known.clone());
        }
        let shortest = match self.demands(shape) {
            Some(demands) => tell(shape, demands, &[], budget)?,
            None => None,
        };
        let known = shortest.clone();
        self.shortest.borrow_mut().insert(shape.number, known);
        Ok(shortest)
    }

    /// Whether a caller that was found before has a subject of this clause.
    pub(super) fn has_found(&self, subject: &Clause) -> Result<bool, Undecided> {
        for texts in self.shortest.borrow().values().flatten() {
            if subject.contains(texts.get(&SUBJECT).map_or("", String::as_str))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether every run of this shape is in the set.
    pub(super) fn covers(
        &self,
        shape: &Shape,
        wanted: &[Wanted],
        budget: &Budget,
    ) -> Result<bool, Undecided> {
        if self.shortest(shape, budget)?.is_none() {
            return Ok(false);
        }
        let Some(demands) = self.demands(shape) else {
            return Ok(false);
        };
        for (text, clause) in demands {
            let outside = clause.complement();
            if tell(shape, vec![(text, &outside)], wanted, budget)?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn claims(&self, texts: &Texts) -> Vec<(String, String)> {
        let tied = TIED_CLAIMS.iter().filter_map(|(claim, text)| {
            let value = texts.get(text)?;
            Some(((*claim).to_owned(), value.clone()))
        });
        tied.chain(self.free.iter().cloned()).collect()
    }
}

/// Whether the texts meet what is wanted beyond their set.
fn is_wanted(texts: &Texts, wanted: &[Wanted]) -> Result<bool, Undecided> {
    for (text, clause) in wanted {
        if !clause.contains(texts.get(text).map_or("", String::as_str))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn tell<'a>(
    shape: &'a Shape,
    mut demands: Vec<Demand<'a>>,
    wanted: &'a [Wanted],
    budget: &Budget,
) -> Result<Option<Texts>, Undecided> {
    let known = shape.demands.iter().chain(wanted);
    demands.extend(known.map(|(text, clause)| (*text, clause)));
    let found = search(&shape.script, &demands, budget)?;
    Ok(found.map(|values| shape.script.tell(&values)))
}

fn allows_absence(set: Option<&KeySet>) -> bool {
    set.is_none_or(|set| set.absent)
}

/// A value that the key may have; the preferred one if it may.
fn value(
    set: Option<&KeySet>,
    alphabet: Alphabet,
    preferred: &str,
    budget: &Budget,
) -> Result<Option<String>, Undecided> {
    let everything = KeySet::anything();
    let Some(language) = &set.unwrap_or(&everything).present else {
        return Ok(None);
    };
    if language.contains(preferred)? {
        return Ok(Some(preferred.to_owned()));
    }
    let filled = Clause::none_of([policy::language::Pattern::default()]);
    language.clone().and(filled).shortest(alphabet, budget)
}

/// One audience that the provider admits and both keys allow. GitHub sends no
/// `azp`, so `aud` and `oaud` have one value.
fn audience(
    keys: [Option<&KeySet>; 2],
    audiences: Option<&[String]>,
    budget: &Budget,
) -> Result<Option<String>, Undecided> {
    let sets = keys.into_iter().flatten();
    let both = sets.fold(KeySet::anything(), |both, set| both.and(set));
    let Some(audiences) = audiences else {
        return value(Some(&both), FREE, github::AWS_AUDIENCE, budget);
    };
    for audience in audiences {
        if both.contains(Some(std::slice::from_ref(audience)))? {
            return Ok(Some(audience.clone()));
        }
    }
    Ok(None)
}

/// Whether the keys that are not claims have values that would do.
fn has_request(set: &CallerSet, issuer: &str, budget: &Budget) -> Result<bool, Undecided> {
    let claims = format!("{issuer}:").to_lowercase();
    for (key, keys) in set.keys() {
        if key.starts_with(&claims) {
            continue;
        }
        let can_be_absent = at_web_identity_of(issuer, key) != Presence::Always;
        let is_absent = can_be_absent && keys.absent;
        if !is_absent && value(Some(keys), Alphabet::Any, "true", budget)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}
