//! A role's trust policy with everyone whom it admits from GitHub.

use policy::admission::{Admission, FederatedRole};
use policy::keys::{GITHUB_ISSUER, web_identity_context};
use policy::language::{Budget, Undecided};
use policy::{
    Document, Effect, PrincipalElement, PrincipalEntry, PrincipalSet, PrincipalType, Statement,
};
use serde_json::{Map, Value};
use terraform::OidcProvider;

use super::caller::Callers;

/// How many joint states all searches about one role may look at together.
const STATES: usize = 1_000_000;

/// A role that GitHub's issuer, or an enterprise's own, can lead to.
#[derive(Debug)]
pub struct Trust {
    pub(super) document: Document,
    pub(super) doors: Vec<Door>,
    pub(super) budget: Budget,
}

/// One identity provider, and whom it leads to the role.
#[derive(Debug)]
pub(crate) struct Door {
    pub(super) role: FederatedRole,
    /// The audiences that the provider admits, where it is known.
    pub(super) audiences: Option<Vec<String>>,
    pub(super) admission: Admission,
    pub(super) callers: Vec<Callers>,
}

impl Trust {
    /// Reads a trust policy. `None` for a role that no issuer of GitHub leads to.
    /// Of a provider that is not among `providers`, any audience is taken to be
    /// admitted. `Err` says which bound was reached.
    pub fn of(
        role_arn: &str,
        document: Document,
        providers: &[OidcProvider],
    ) -> Result<Option<Self>, Undecided> {
        let budget = Budget::new(STATES);
        let mut doors = Vec::new();
        for provider_arn in provider_arns(role_arn, &document) {
            let known = providers.iter().find(|known| known.arn == provider_arn);
            let audiences = known.map(|known| known.client_ids.clone());
            let role = FederatedRole {
                role_arn: role_arn.to_owned(),
                provider_arn,
            };
            let admission = Admission::of(&document, &role)?;
            let mut callers = Vec::new();
            for set in &admission.callers {
                let set = set.clone();
                callers.extend(Callers::new(
                    set,
                    role.issuer(),
                    audiences.as_deref(),
                    &budget,
                )?);
            }
            doors.push(Door {
                role,
                audiences,
                admission,
                callers,
            });
        }
        Ok((!doors.is_empty()).then_some(Self {
            document,
            doors,
            budget,
        }))
    }

    /// Whether a token with these claims is admitted, by the computed set.
    pub fn admits(&self, claims: &Map<String, Value>) -> Result<bool, Undecided> {
        for door in &self.doors {
            let audience = claims.get("aud").and_then(Value::as_str);
            let accepts = door.audiences.as_ref().is_none_or(|audiences| {
                audience.is_some_and(|audience| audiences.iter().any(|known| known == audience))
            });
            let context = web_identity_context(door.role.issuer(), claims);
            if accepts && door.admission.contains(&context)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The sets of callers that come with this audience; with any where it is not
    /// known.
    pub(super) fn callers_for(&self, audience: Option<&str>) -> Result<Vec<&Callers>, Undecided> {
        let Some(audience) = audience else {
            return Ok(self.callers());
        };
        let mut accepting = Vec::new();
        for door in &self.doors {
            let admitted = door.audiences.as_ref();
            if admitted.is_some_and(|admitted| !admitted.iter().any(|known| known == audience)) {
                continue;
            }
            for callers in &door.callers {
                if callers.accepts_audience(audience)? {
                    accepting.push(callers);
                }
            }
        }
        Ok(accepting)
    }

    /// Every set of callers, through whichever provider.
    pub(super) fn callers(&self) -> Vec<&Callers> {
        self.doors.iter().flat_map(|door| &door.callers).collect()
    }
}

/// The providers of GitHub that Allow statements name, each once; everyone
/// includes the runs of github.com.
fn provider_arns(role_arn: &str, document: &Document) -> Vec<String> {
    let mut parts = role_arn.split(':').skip(1);
    let partition = parts.next().unwrap_or("aws");
    let account = parts.nth(2).unwrap_or_default();
    let own = format!("arn:{partition}:iam::{account}:oidc-provider/{GITHUB_ISSUER}");
    let allowing = |statement: &&Statement| statement.effect == Effect::Allow;
    let mut arns = Vec::new();
    for statement in document.statements.iter().filter(allowing) {
        match &statement.principal {
            Some(PrincipalElement::Principal(PrincipalSet::Listed(entries))) => {
                arns.extend(entries.iter().filter_map(|entry| provider_arn(entry, &own)));
            }
            Some(_) => arns.push(own.clone()),
            None => {}
        }
    }
    arns.sort();
    arns.dedup();
    arns
}

fn provider_arn(entry: &PrincipalEntry, own: &str) -> Option<String> {
    match entry.kind {
        PrincipalType::Aws if entry.value == "*" => Some(own.to_owned()),
        PrincipalType::Federated => {
            let (_, issuer) = entry.value.split_once(":oidc-provider/")?;
            let host = issuer.split('/').next();
            (host == Some(GITHUB_ISSUER)).then(|| entry.value.clone())
        }
        _ => None,
    }
}
