//! What one session may do with the ECR repository, action by action.

use policy::{Context, evaluate};
use receipts::{Access, Answer, SessionAccess};

use super::known;
use super::trust::open_key;
use crate::permissions::{Gathered, TOKEN};

/// All that a push calls (ECR User Guide, "IAM permissions for pushing an image").
const PUSH: [&str; 6] = [
    TOKEN,
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
];
/// All that a pull calls.
const PULL: [&str; 4] = [
    TOKEN,
    "ecr:BatchCheckLayerAvailability",
    "ecr:GetDownloadUrlForLayer",
    "ecr:BatchGetImage",
];
/// Any of these takes images away.
const DELETE: [&str; 2] = ["ecr:BatchDeleteImage", "ecr:DeleteRepository"];

/// A session with the keys it carries.
pub(super) struct Session<'a> {
    pub(super) gathered: &'a Gathered<'a>,
    pub(super) context: Context,
    /// ARN of the ECR repository.
    pub(super) repository: &'a str,
}

impl Session<'_> {
    /// Push, pull and delete.
    pub(super) fn access(&self) -> SessionAccess {
        SessionAccess {
            repositories: vec![self.repository.to_owned()],
            push: self.all(&PUSH),
            pull: self.all(&PULL),
            delete: self.any(&DELETE),
        }
    }

    /// Yes where every action is allowed.
    fn all(&self, actions: &[&str]) -> Access {
        self.extreme(actions, |answer| answer)
    }

    /// Yes where one action is allowed.
    fn any(&self, actions: &[&str]) -> Access {
        self.extreme(actions, std::cmp::Reverse)
    }

    /// The answer that comes first in the order of `rank`; the last of equals,
    /// which for a push is the one that makes the image.
    fn extreme<R: Ord>(&self, actions: &[&str], rank: impl Fn(Answer) -> R) -> Access {
        let answers = actions.iter().rev().map(|action| {
            let access = self.one(action);
            Access {
                reason: format!("`{action}`: {}", access.reason),
                ..access
            }
        });
        answers
            .min_by_key(|access| rank(access.answer))
            .unwrap_or_else(|| Access {
                answer: Answer::Unknown,
                reason: String::new(),
            })
    }

    fn one(&self, action: &str) -> Access {
        // The login is asked of the registry and not of a repository.
        let resource = if action == TOKEN {
            "*"
        } else {
            self.repository
        };
        let gathered = self.gathered;
        let request = gathered.request(action, resource, &self.context);
        let mut unknowns = gathered.unknowns.clone();
        let open = gathered.open_keys(&self.context);
        unknowns.extend(open.iter().map(|key| open_key(key)));
        known::access(&unknowns, |reading| {
            let mut policies = gathered.policies(reading, &self.context);
            // A repository's policy has no say in what is asked of the registry.
            if action == TOKEN {
                policies.resource = None;
            }
            evaluate(&request, &policies)
        })
    }
}
