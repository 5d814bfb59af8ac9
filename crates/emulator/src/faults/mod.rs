//! Faults that are injected on purpose, by rules that a control sets.
//!
//! `rule` is what a rule says, `asked` what a request asks for; which rules
//! strike is decided by `rule` and `schedule` alone. `plan` is what strikes one
//! request, and `impaired` what becomes of a body. Rules live as long as the
//! process.

mod asked;
mod credentials;
mod impaired;
mod plan;
mod rule;
mod schedule;

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::request::Parts;
use serde::{Deserialize, Serialize};

use crate::protocol::Protocol;
use crate::state::State;
use crate::trail::Note;
use asked::Asked;
pub(crate) use plan::Plan;
pub(crate) use rule::{BadRule, Rule};

/// The most rules at one time.
const MOST: usize = 1_000;

/// The rules, with what they have done.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Rules>);

/// The rules, as a snapshot keeps them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Rules {
    /// For names of rules that come without.
    next: u64,
    active: Vec<Active>,
}

/// A rule and its counts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Active {
    name: String,
    #[serde(flatten)]
    rule: Rule,
    /// Requests that it was about.
    matched: u64,
    /// Requests that it struck.
    struck: u64,
}

impl Faults {
    /// Adds a rule, or puts it in place of the one with its name, and returns it
    /// as it is kept.
    pub(crate) fn set(&self, rule: Rule) -> Result<Active, BadRule> {
        rule.check()?;
        let mut rules = self.lock();
        rules.next += 1;
        let name = rule
            .name
            .clone()
            .unwrap_or_else(|| format!("rule-{}", rules.next));
        rules.active.retain(|active| active.name != name);
        if rules.active.len() >= MOST {
            return Err(BadRule::TooMany);
        }
        let active = Active {
            name,
            rule,
            matched: 0,
            struck: 0,
        };
        rules.active.push(active.clone());
        Ok(active)
    }

    /// The rules, in the order in which they were set.
    pub(crate) fn list(&self) -> Vec<Active> {
        self.lock().active.clone()
    }

    /// Removes the rule `name`, and says whether there was one.
    pub(crate) fn remove(&self, name: &str) -> bool {
        let mut rules = self.lock();
        let before = rules.active.len();
        rules.active.retain(|active| active.name != name);
        rules.active.len() < before
    }

    /// Removes all rules.
    pub(crate) fn clear(&self) {
        self.lock().active.clear();
    }

    /// All of them, with what they have done.
    pub(crate) fn saved(&self) -> Rules {
        self.lock().clone()
    }

    /// Puts `rules` in place of all of them.
    pub(crate) fn replace(&self, rules: Rules) {
        *self.lock() = rules;
    }

    /// What strikes a request of `protocol`, which counts for every rule that is
    /// about it. `body` is empty where it is streamed. The controls are spared.
    pub(crate) fn strike(
        &self,
        state: &State,
        protocol: Protocol,
        (parts, body): (&Parts, &[u8]),
        note: &Note,
    ) -> Plan {
        let mut plan = Plan::default();
        let mut rules = self.lock();
        if rules.active.is_empty() || protocol == Protocol::Admin {
            return plan;
        }
        let asked = Asked::read(protocol, parts, body);
        let wants_caller = rules.active.iter().any(|active| active.rule.wants_caller());
        let caller = wants_caller.then(|| credentials::claimed(state, parts));
        for active in &mut rules.active {
            if !active.rule.is_about(&asked, caller.as_ref()) {
                continue;
            }
            let schedule = active.rule.schedule;
            let strikes = schedule.strikes(active.matched, active.struck);
            active.matched += 1;
            if strikes {
                active.struck += 1;
                plan.add(&active.rule.fault);
                note.fault(&active.name);
            }
        }
        if plan.is_something() {
            note.unrecorded(&asked.service, &asked.operation);
        }
        plan
    }

    fn lock(&self) -> MutexGuard<'_, Rules> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_of_every_kind_come_back_as_they_were_saved() {
        let faults = Faults::default();
        for fault in [
            json!({ "latency": { "milliseconds": 5 } }),
            json!({ "bandwidth": { "request": 9, "response": null } }),
            json!({ "refuse": { "status": 503, "retry_after_seconds": 2 } }),
            json!({ "drop": { "handled": true } }),
            json!({ "half_close": {} }),
            json!({ "truncate_response": { "after_bytes": 1 } }),
            json!({ "corrupt_response": { "at_byte": 1 } }),
            json!({ "cut_request": { "after_bytes": 1 } }),
            json!({ "expire_credentials": {} }),
        ] {
            let rule = json!({
                "when": { "path": "/v2/*", "role": "publisher" },
                "schedule": { "skip": 1, "times": 2, "every": 3, "probability": 0.5, "seed": 4 },
                "fault": fault,
            });
            faults.set(serde_json::from_value(rule).unwrap()).unwrap();
        }
        faults.lock().active[0].matched = 7;
        let told = |faults: &Faults| serde_json::to_value(faults.list()).unwrap();
        let saved = serde_json::to_string(&faults.saved()).unwrap();
        let restored = Faults::default();
        restored.replace(serde_json::from_str(&saved).unwrap());
        assert_eq!(told(&restored), told(&faults));
        assert_eq!(told(&restored)[0]["matched"], 7);
        let next: Rule = serde_json::from_value(json!({ "fault": { "drop": {} } })).unwrap();
        assert_eq!(restored.set(next).unwrap().name, "rule-10");
    }
}
