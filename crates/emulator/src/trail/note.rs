//! What is noted about a request while it is handled.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use policy::Decision;
use serde_json::{Value, json};

use super::authorization::Authorization;
use super::elements::of_answer;
use super::identity::{Who, account_of};
use super::operations::shows_answer;
use crate::caller::Caller;
use crate::random;

/// A note about one request. Clones are handles to the same note.
#[derive(Debug, Clone)]
pub(crate) struct Note(Arc<Mutex<Entry>>);

/// What the network said about a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    /// Address of the peer, without its port.
    pub(crate) address: String,
    /// The `User-Agent` header.
    pub(crate) user_agent: String,
}

/// Everything that was noted.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) request_id: String,
    pub(super) origin: Origin,
    pub(super) source: String,
    /// Operations that the request stands for, in their order; the last one is
    /// the one that failed, if one did.
    pub(super) operations: Vec<Operation>,
    pub(super) who: Who,
    /// Whether CloudTrail would record the request.
    pub(super) recorded: bool,
    /// Whether ECR's registry makes the call for the client.
    pub(super) through_registry: bool,
    /// The region that was asked, where it is not the emulator's own.
    pub(super) region: Option<String>,
    /// ARNs, with the accounts that own them.
    pub(super) resources: Vec<(String, String)>,
    pub(super) authorizations: Vec<Authorization>,
    pub(super) decision: Option<Value>,
    pub(super) reason: Option<String>,
    pub(super) error: Option<(String, String)>,
    /// What a client of the registry is told, in its own words.
    pub(super) shown: Option<(String, String)>,
    /// Faults that were injected, by the names of their rules.
    pub(super) faults: Vec<String>,
}

/// One operation of a service.
#[derive(Debug, Clone, Default)]
pub(super) struct Operation {
    pub(super) name: String,
    pub(super) parameters: Value,
    pub(super) answer: Value,
}

impl Note {
    pub(crate) fn new(origin: Origin) -> Self {
        Self(Arc::new(Mutex::new(Entry {
            request_id: random::uuid(),
            origin,
            source: "unknown".to_owned(),
            operations: vec![Operation {
                name: "Unknown".to_owned(),
                ..Operation::default()
            }],
            who: Who::Unknown,
            recorded: false,
            through_registry: false,
            region: None,
            resources: Vec::new(),
            authorizations: Vec::new(),
            decision: None,
            reason: None,
            error: None,
            shown: None,
            faults: Vec::new(),
        })))
    }

    /// Names what is asked for: a service such as `sts.amazonaws.com` and an
    /// operation such as `AssumeRoleWithWebIdentity`. CloudTrail records it once
    /// the caller is known.
    pub(crate) fn event(&self, source: &str, name: &str) {
        let mut entry = self.entry();
        source.clone_into(&mut entry.source);
        entry.recorded = true;
        name.clone_into(&mut entry.operation().name);
    }

    /// Names what is asked for, where CloudTrail does not record it.
    pub(crate) fn unrecorded(&self, source: &str, name: &str) {
        self.event(source, name);
        self.entry().recorded = false;
    }

    /// Says that the registry asks ECR for the client, with the client's rights.
    pub(crate) fn through_registry(&self) {
        self.entry().through_registry = true;
    }

    /// Adds an operation that the same request performed before the one that
    /// [`Note::event`] names.
    pub(crate) fn preceded_by(&self, name: &str, parameters: Value, answer: Value) {
        let mut entry = self.entry();
        let last = entry.operations.len().saturating_sub(1);
        let operation = Operation {
            name: name.to_owned(),
            parameters,
            answer,
        };
        entry.operations.insert(last, operation);
    }

    /// Names who asks.
    pub(crate) fn caller(&self, caller: &Caller) {
        let mut entry = self.entry();
        entry.who = Who::caller(caller);
        entry.region.get_or_insert_with(|| caller.region.clone());
    }

    /// Names a caller that has no AWS identity: the subject of a web token that
    /// is verified.
    pub(crate) fn web_identity(&self, provider_arn: &str, audience: &str, subject: &str) {
        self.entry().who = Who::web_identity(provider_arn, audience, subject);
    }

    /// The parameters worth keeping; the caller has left out every secret.
    pub(crate) fn parameters(&self, parameters: Value) {
        self.entry().operation().parameters = parameters;
    }

    /// Changes one of the parameters.
    pub(crate) fn parameter(&self, name: &str, value: impl Into<Value>) {
        let mut entry = self.entry();
        let parameters = &mut entry.operation().parameters;
        if !parameters.is_object() {
            *parameters = json!({});
        }
        parameters[name] = value.into();
    }

    /// What was answered, as far as it is worth keeping.
    pub(crate) fn answer(&self, answer: Value) {
        self.entry().operation().answer = answer;
    }

    /// An answer of the JSON protocol, which is kept if the operation's is shown.
    pub(crate) fn json_answer(&self, answer: &Value) {
        let mut entry = self.entry();
        let operation = entry.operation();
        if shows_answer(&operation.name) {
            operation.answer = of_answer(answer);
        }
    }

    /// The region that was asked, where it is not the one that the caller signed
    /// for. The first one counts.
    pub(crate) fn region(&self, region: &str) {
        self.entry().region = Some(region.to_owned());
    }

    /// Adds the ARN of a resource that the request touches; it belongs to the
    /// account that the ARN names.
    pub(crate) fn resource(&self, arn: &str) {
        let owned = (arn.to_owned(), account_of(arn).to_owned());
        let mut entry = self.entry();
        if arn.starts_with("arn:") && !entry.resources.contains(&owned) {
            entry.resources.push(owned);
        }
    }

    /// The policy engine's answer. The last one counts.
    pub(crate) fn decision(&self, decision: &Decision) {
        let mut entry = self.entry();
        entry.decision = serde_json::to_value(decision).ok();
        entry.reason = (!decision.is_allowed()).then(|| decision.reason());
    }

    /// What the policy engine was asked about the caller's own rights.
    pub(crate) fn authorization(&self, authorization: Authorization) {
        self.entry().authorizations.push(authorization);
    }

    /// Why the request is refused, where AWS's own message does not say it.
    pub(crate) fn because(&self, reason: impl Into<String>) {
        self.entry().reason = Some(reason.into());
    }

    /// The error that the caller is given.
    pub(crate) fn error(&self, code: &str, message: &str) {
        self.entry().error = Some((code.to_owned(), message.to_owned()));
    }

    /// The error that a client of the registry is given, which does not know
    /// AWS's.
    pub(crate) fn shown(&self, code: &str, message: &str) {
        self.entry().shown = Some((code.to_owned(), message.to_owned()));
    }

    /// A fault is injected into the request, by the rule `name`.
    pub(crate) fn fault(&self, name: &str) {
        self.entry().faults.push(name.to_owned());
    }

    /// The reason of the refusal, if there was one.
    pub(crate) fn reason(&self) -> Option<String> {
        self.entry().reason.clone()
    }

    /// The request's id, a UUID.
    pub(crate) fn request_id(&self) -> String {
        self.entry().request_id.clone()
    }

    /// What the network said about the request.
    pub(crate) fn origin(&self) -> Origin {
        self.entry().origin.clone()
    }

    /// The parameters that were noted.
    #[cfg(test)]
    pub(crate) fn noted_parameters(&self) -> Value {
        self.entry().operation().parameters.clone()
    }

    pub(super) fn entry(&self) -> MutexGuard<'_, Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// The operation that is asked for.
    fn operation(&mut self) -> &mut Operation {
        if self.operations.is_empty() {
            self.operations.push(Operation::default());
        }
        let last = self.operations.len() - 1;
        &mut self.operations[last]
    }
}
