//! What the session of a role may do with the ECR repositories.

use receipts::{Access, Answer, SessionAccess};

use super::session::Session;
use super::trust::{Token, Trust};
use crate::permissions::Gathered;

/// The policies of a role's sessions, with each repository that they are asked about.
pub(super) struct Permissions<'a>(pub(super) Vec<(Gathered<'a>, &'a str)>);

impl Permissions<'_> {
    /// What the session that `token` gets may do: once for all repositories of which the
    /// same holds.
    pub(super) fn access(&self, trust: &Trust<'_>, token: &Token<'_>) -> Vec<SessionAccess> {
        if self.0.is_empty() {
            return vec![nowhere()];
        }
        let mut found: Vec<SessionAccess> = Vec::new();
        for (gathered, repository) in &self.0 {
            let mut context = trust.session_context(token);
            gathered.add_keys(&mut context);
            gathered.add_repository_keys(&mut context);
            let session = Session {
                gathered,
                context,
                repository,
            };
            let access = session.access();
            let answers = access.answers();
            match found.iter_mut().find(|other| other.answers() == answers) {
                Some(same) => same.repositories.extend(access.repositories),
                None => found.push(access),
            }
        }
        found
    }
}

fn nowhere() -> SessionAccess {
    let unknown = Access {
        answer: Answer::Unknown,
        reason: "No ECR repository is known.".to_owned(),
    };
    SessionAccess {
        repositories: Vec::new(),
        push: unknown.clone(),
        pull: unknown.clone(),
        delete: unknown,
    }
}
