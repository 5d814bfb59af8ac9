//! What the session of a role may do with the ECR repository.

use receipts::{Access, Answer, SessionAccess};

use super::session::Session;
use super::trust::{Token, Trust};
use crate::permissions::Gathered;

/// The policies of a role's sessions, and the repository that they are asked
/// about.
pub(super) struct Permissions<'a> {
    pub(super) gathered: Gathered<'a>,
    pub(super) ecr_repository: Option<&'a str>,
}

impl Permissions<'_> {
    /// What the session that `token` gets may do.
    pub(super) fn access(&self, trust: &Trust<'_>, token: &Token<'_>) -> SessionAccess {
        let Some(repository) = self.ecr_repository else {
            let unknown = Access {
                answer: Answer::Unknown,
                reason: "No ECR repository is known.".to_owned(),
            };
            return SessionAccess {
                push: unknown.clone(),
                pull: unknown.clone(),
                delete: unknown,
            };
        };
        let mut context = trust.session_context(token);
        self.gathered.add_keys(&mut context);
        self.gathered.add_repository_keys(&mut context);
        let session = Session {
            gathered: &self.gathered,
            context,
            repository,
        };
        session.access()
    }
}
