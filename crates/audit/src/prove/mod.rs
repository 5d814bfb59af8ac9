//! Who exactly can assume a role: everyone whom its trust policy admits among
//! all that GitHub can mint, compared with what the workflows intend.
//!
//! The sets come from [`policy::admission`]; here they meet the grammar of
//! GitHub's claims, in which subject, repository, ref and environment are tied
//! to each other. `actor`, `workflow`, `job_workflow_ref` and the like are taken
//! to be free, which can only make the answer wider than the truth.

mod ask;
mod caller;
mod conditions;
mod customised;
mod excess;
mod grammar;
mod intent;
mod refused;
mod sentences;
mod shape;
mod text;
mod trust;
mod vacant;

#[cfg(test)]
mod tests;

use policy::Document;
use policy::language::Undecided;
use receipts::{Example, RoleProof};
use terraform::Role;

use crate::findings::location;
use crate::jobs::{IdentityJob, RoleUse};
use crate::permissions::{Inventory, permissions};
use crate::{Setup, TerraformRoot, parallel};
use ask::Ask;
pub(crate) use excess::{Excess, ExcessKind};
pub(crate) use intent::Intent;
pub(crate) use refused::Refusal;
pub use trust::Trust;
pub(crate) use vacant::{Vacancy, VacantWhy};

/// Everything that GitHub can mint. Made once: its automata are shared by all
/// proofs.
#[derive(Debug)]
pub(crate) struct Mint {
    shapes: Vec<shape::Shape>,
}

impl Mint {
    pub(crate) fn new() -> Self {
        Self {
            shapes: shape::all(&grammar::Grammar::new()),
        }
    }
}

/// How much of a proof is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    /// What the rules need.
    Findings,
    /// That, and everyone who is admitted, in words.
    Everyone,
}

/// What was proved of one role.
#[derive(Debug)]
pub(crate) struct Proved<'a> {
    pub(crate) root: &'a TerraformRoot,
    pub(crate) role: &'a Role,
    /// The jobs that ask for it.
    pub(crate) jobs: Vec<&'a IdentityJob<'a>>,
    pub(crate) admitted: Vec<String>,
    pub(crate) excess: Vec<Excess>,
    /// A pull request that is meant to be admitted.
    pub(crate) pull_request: Option<Excess>,
    pub(crate) refused: Vec<Refusal<'a>>,
    pub(crate) vacant: Vec<Vacancy>,
    /// Whether it admits a run of the repository itself; of any where that is
    /// not known.
    pub(crate) admits_own: bool,
    pub(crate) prevented_by: Vec<String>,
    /// The bound that was reached before there was an answer.
    pub(crate) undecided: Option<Undecided>,
}

/// Everyone whom one trust policy admits, one sentence each, sorted; nobody else
/// is admitted.
pub fn prove_trust(trust: &Trust) -> Result<Vec<String>, Undecided> {
    admitted(&Mint::new(), trust)
}

/// One admitted caller of each shape of subject, as the token it would carry.
/// Those that only a condition without a known answer could keep out are left
/// out.
pub fn examples(trust: &Trust) -> Result<Vec<Example>, Undecided> {
    let mint = Mint::new();
    let mut examples = Vec::new();
    for shape in &mint.shapes {
        for callers in trust.callers() {
            if callers.set.is_uncertain() {
                continue;
            }
            let caller = callers.find(shape, &[], &trust.budget)?;
            examples.extend(caller.map(|caller| Example {
                caller: excess::run_in_words(&caller),
                claims: caller.claims,
            }));
        }
    }
    Ok(examples)
}

/// The proofs, with what the rules need.
pub(crate) fn proved<'a>(
    setup: &'a Setup,
    jobs: &'a [IdentityJob<'a>],
    telling: Telling,
) -> Vec<Proved<'a>> {
    let roots = setup.roots.iter();
    let roles: Vec<(&Role, &TerraformRoot)> = roots
        .flat_map(|root| root.aws.roles.iter().map(move |role| (role, root)))
        .collect();
    // Automata grow while they are used, so each thread has its own.
    let proofs = parallel::map_with(&roles, Mint::new, |mint, role| {
        prove_role(setup, (mint, telling), *role, jobs)
    });
    proofs.into_iter().flatten().collect()
}

fn prove_role<'a>(
    setup: &'a Setup,
    (mint, telling): (&Mint, Telling),
    (role, root): (&'a Role, &'a TerraformRoot),
    jobs: &'a [IdentityJob<'a>],
) -> Option<Proved<'a>> {
    // A policy that cannot be read is a finding of its own.
    let document = Document::parse(&role.trust_policy).ok()?;
    let mut proved = Proved {
        root,
        role,
        jobs: jobs_of(jobs, &role.arn),
        admitted: Vec::new(),
        excess: Vec::new(),
        pull_request: None,
        refused: Vec::new(),
        vacant: Vec::new(),
        admits_own: false,
        prevented_by: Vec::new(),
        undecided: None,
    };
    let answered = match Trust::of(&role.arn, document, &root.aws.oidc_providers) {
        Ok(None) => return None,
        Ok(Some(trust)) => answer(setup, (mint, telling), &trust, &mut proved),
        Err(undecided) => Err(undecided),
    };
    if let Err(undecided) = answered {
        let reason = format!("The proof was given up: {undecided}.");
        proved.prevented_by.push(reason);
        proved.undecided = Some(undecided);
    }
    proved.prevented_by.sort();
    proved.prevented_by.dedup();
    Some(proved)
}

fn jobs_of<'a>(jobs: &'a [IdentityJob<'a>], arn: &str) -> Vec<&'a IdentityJob<'a>> {
    let asks = |job: &&IdentityJob| matches!(&job.role, RoleUse::Arn(asked) if asked == arn);
    jobs.iter().filter(asks).collect()
}

/// Fills in the proof, as far as the bounds allow.
fn answer<'a>(
    setup: &'a Setup,
    (mint, telling): (&Mint, Telling),
    trust: &Trust,
    proved: &mut Proved<'a>,
) -> Result<(), Undecided> {
    for callers in trust.callers() {
        let unknown = callers
            .set
            .atoms()
            .iter()
            .filter(|atom| atom.kind == policy::admission::AtomKind::Unknown);
        proved.prevented_by.extend(unknown.map(|atom| {
            format!(
                "Whether {} is not known, so more callers may be counted than are admitted.",
                atom.words()
            )
        }));
    }
    let callers = trust.callers();
    let ask = Ask {
        mint,
        callers: &callers,
        budget: &trust.budget,
    };
    let intent = Intent::of(setup, &proved.jobs, &mut proved.prevented_by);
    proved.admits_own = intent.admits_own(&ask)?;
    proved.excess = excess::excess(&ask, &intent)?;
    proved.pull_request = excess::meant_pull_request(&ask, &intent, &proved.excess)?;
    if intent.expects_customised(&ask)? {
        proved.prevented_by.push(
            "The trust policy wants a subject that the repository has customised, and how it has done so is in no file: whether its jobs are refused is not known.".to_owned(),
        );
    } else {
        proved.refused = refused::refused(&ask, trust, &intent, &proved.jobs)?;
    }
    proved.vacant = vacant::vacant(mint, trust)?;
    // Last, so that the findings are the same whether it is told or not.
    if telling == Telling::Everyone {
        proved.admitted = admitted(mint, trust)?;
    }
    Ok(())
}

fn admitted(mint: &Mint, trust: &Trust) -> Result<Vec<String>, Undecided> {
    let callers = trust.callers();
    let ask = Ask {
        mint,
        callers: &callers,
        budget: &trust.budget,
    };
    let mut admitted = Vec::new();
    for set in &callers {
        admitted.extend(sentences::sentences(&ask, set)?);
    }
    admitted.sort();
    admitted.dedup();
    Ok(admitted)
}

impl Proved<'_> {
    pub(crate) fn into_receipt(mut self, setup: &Setup, inventory: &Inventory<'_>) -> RoleProof {
        let publishes = setup.publisher_role.as_deref() == Some(self.role.arn.as_str());
        let permissions = publishes.then(|| permissions(setup, inventory, (self.root, self.role)));
        let permissions = permissions.unwrap_or_default();
        self.prevented_by.extend(permissions.prevented_by);
        RoleProof {
            role: self.role.arn.clone(),
            location: Some(location(&self.role.place)),
            admitted: self.admitted,
            excess: self
                .excess
                .into_iter()
                .map(|excess| excess.example)
                .collect(),
            refused: self
                .refused
                .into_iter()
                .map(|refusal| refusal.example)
                .collect(),
            missing_permissions: permissions.missing,
            excess_permissions: permissions.excess,
            prevented_by: self.prevented_by,
        }
    }
}
