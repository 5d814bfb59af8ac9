//! Pull requests that are meant to get in, and that may do more than read:
//! nobody has reviewed the code that runs there.

use std::collections::BTreeSet;

use policy::Context;
use policy::keys::session_context;
use serde_json::Value;

use crate::findings::{Findings, in_words, location};
use crate::jobs::RefShape;
use crate::permissions::{Answer, Asking, ECR_ACTIONS, Gathered, Inventory, changes_images};
use crate::prove::{Excess, Proved};
use crate::{Rule, Setup};

/// Actions by which one gets every right, on a role.
const RIGHTS_OF_ROLES: [&str; 3] = [
    "iam:AttachRolePolicy",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
];

/// The same on a user.
const RIGHTS_OF_USERS: [&str; 3] = [
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:PutUserPolicy",
];

const PUSH: &str = "ecr:PutImage";

/// Repositories that are asked about for one role. Those that its policies name
/// come first; what a wildcard covers is mostly covered in the first of them.
const MAXIMUM_REPOSITORIES: usize = 256;

/// Every role that admits pull requests because a job of them asks for it, or
/// because its trust policy lists them.
pub(super) fn check(
    (setup, inventory): (&Setup, &Inventory<'_>),
    proved: &[Proved<'_>],
    findings: &mut Findings,
) {
    let mut published = None;
    for proof in proved {
        let Some(pull_request) = proof.pull_request.as_ref().filter(|found| found.certain) else {
            continue;
        };
        let published = published.get_or_insert_with(|| published_to(setup, inventory, proved));
        let role = Session::of((setup, inventory), proof, token(pull_request));
        let Some(power) = role.rights().or_else(|| role.pushes(published)) else {
            continue;
        };
        let name = &proof.role.name;
        let message = format!(
            "The role `{name}` admits pull requests, whose code nobody has reviewed yet, and lets them {power}: for example {}, with the subject `{}`.",
            pull_request.example.caller, pull_request.subject
        );
        let place = Some(location(&proof.role.place));
        findings
            .add(
                Rule::TrustAdmitsPullRequests,
                &proof.role.address,
                place,
                message,
            )
            .fix = in_words(format!(
            "Take pull requests out of the trust policy of `{name}`, and give their jobs a role of their own that only reads."
        ));
    }
}

/// The keys that the session keeps of the token.
fn token(pull_request: &Excess) -> Context {
    let claims = pull_request.example.claims.iter().cloned();
    let claims = claims.map(|(name, value)| (name, Value::String(value)));
    session_context(&pull_request.issuer, &claims.collect())
}

/// The repositories that runs other than those of pull requests push to.
fn published_to(
    setup: &Setup,
    inventory: &Inventory<'_>,
    proved: &[Proved<'_>],
) -> BTreeSet<String> {
    let mut published: BTreeSet<String> = setup.ecr_repositories.iter().cloned().collect();
    for proof in proved {
        let mut runs = proof.jobs.iter().flat_map(|job| &job.runs);
        if runs.any(|run| run.refs != RefShape::PullRequest) {
            let role = Session::of((setup, inventory), proof, Context::new());
            let may_push = |repository: &&String| {
                role.about(repository, |asking| asking.answer(PUSH, repository)) != Answer::Denied
            };
            published.extend(role.repositories.iter().filter(may_push).cloned());
        }
    }
    published
}

/// The session of a role.
struct Session<'a> {
    inventory: &'a Inventory<'a>,
    gathered: Gathered<'a>,
    token: Context,
    /// Those that it can be expected to reach.
    repositories: Vec<String>,
}

impl<'a> Session<'a> {
    fn of(
        (setup, inventory): (&'a Setup, &'a Inventory<'a>),
        proof: &'a Proved<'a>,
        token: Context,
    ) -> Self {
        let gathered = Gathered::new(inventory, proof.root, proof.role, None);
        let mut repositories = gathered.named_repositories();
        let of_root = proof.root.aws.repositories.iter();
        repositories.extend(setup.ecr_repositories.clone());
        repositories.extend(of_root.map(|repository| repository.arn.clone()));
        repositories.truncate(MAXIMUM_REPOSITORIES);
        Self {
            inventory,
            gathered,
            token,
            repositories,
        }
    }

    /// What `tell` says of the answers about a repository.
    fn about<T>(&self, repository: &str, tell: impl Fn(&Asking<'_>) -> T) -> T {
        let there = self.gathered.clone().about(self.inventory, repository);
        tell(&Asking::with_token(&there, self.token.clone()))
    }

    /// How the session gets every right, if it can.
    fn rights(&self) -> Option<String> {
        let asking = Asking::with_token(&self.gathered, self.token.clone());
        // Nobody has named it, so whatever covers it covers everything.
        if may(&asking, "any-service:AnyAction", "*") {
            return Some("do everything".to_owned());
        }
        let own = &self.gathered.role.arn;
        let account = own.split(':').nth(4).unwrap_or_default();
        let any_role = format!("arn:aws:iam::{account}:role/any-other-role");
        let any_user = format!("arn:aws:iam::{account}:user/any-user");
        let on_roles = [&any_role, own]
            .into_iter()
            .flat_map(|role| RIGHTS_OF_ROLES.map(|action| (action, role)));
        let on_users = RIGHTS_OF_USERS.map(|action| (action, &any_user));
        let (action, _) = on_roles
            .chain(on_users)
            .find(|(action, resource)| may(&asking, action, resource))?;
        Some(format!("give themselves every right, by `{action}`"))
    }

    /// How the session changes a repository of `published`, if it can.
    fn pushes(&self, published: &BTreeSet<String>) -> Option<String> {
        let mut common = self
            .repositories
            .iter()
            .filter(|repository| published.contains(*repository));
        common.find_map(|repository| {
            self.about(repository, |asking| {
                match first_allowed(asking, repository)? {
                    PUSH => Some(format!("push images to `{repository}`")),
                    action => Some(format!("change `{repository}` by `{action}`")),
                }
            })
        })
    }
}

/// What only a request decides is not counted.
fn may(asking: &Asking<'_>, action: &str, resource: &str) -> bool {
    asking.answer(action, resource) == Answer::Allowed
}

/// A change of the repository that may be made, a push first.
fn first_allowed(asking: &Asking<'_>, repository: &str) -> Option<&'static str> {
    let changes = ECR_ACTIONS.iter().filter(|action| changes_images(action));
    let mut actions = [PUSH].into_iter().chain(changes.map(|action| action.name));
    actions.find(|action| may(asking, action, repository))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ECR, PROVIDER, setup};
    use crate::Rule;

    /// What is said of a role that no job here asks for, with this subject and
    /// this statement.
    fn messages(subject: &str, action: &str, resource: &str) -> Vec<String> {
        let setup = setup(&format!(
            "resource \"aws_iam_role\" \"other\" {{\n  name = \"other\"\n  assume_role_policy = jsonencode({{ Version = \"2012-10-17\", Statement = [\
             {{ Effect = \"Allow\", Principal = {{ Federated = \"{PROVIDER}\" }}, Action = \"sts:AssumeRoleWithWebIdentity\", \
             Condition = {{ StringEquals = {{ \"token.actions.githubusercontent.com:sub\" = \"{subject}\" }} }} }}] }})\n}}\n\
             resource \"aws_iam_role_policy\" \"other\" {{\n  name = \"other\"\n  role = aws_iam_role.other.name\n  \
             policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{{ Effect = \"Allow\", Action = \"{action}\", Resource = \"{resource}\" }}] }})\n}}\n"
        ));
        let findings = crate::check(&setup).into_iter();
        let of_rule = findings.filter(|one| one.rule == Rule::TrustAdmitsPullRequests.id());
        of_rule.map(|one| one.message).collect()
    }

    #[test]
    fn a_listed_pull_request_that_can_change_what_is_released_is_found() {
        let subject = "repo:acme/other:pull_request";
        for (action, resource, power) in [
            ("ecr:PutImage", ECR, "push images to"),
            ("ecr:Batch*", ECR, "by `ecr:BatchDeleteImage`"),
            ("*", "*", "do everything"),
            ("iam:*", "*", "by `iam:AttachRolePolicy`"),
            (
                "iam:PutRolePolicy",
                "arn:aws:iam::123456789012:role/other",
                "by `iam:PutRolePolicy`",
            ),
            ("iam:CreateAccessKey", "*", "by `iam:CreateAccessKey`"),
        ] {
            let said = messages(subject, action, resource);
            assert!(
                said.len() == 1 && said[0].contains(power),
                "{action} {said:?}"
            );
        }
    }

    #[test]
    fn a_listed_pull_request_that_reads_or_changes_something_else_is_sound() {
        let subject = "repo:acme/other:pull_request";
        for (action, resource) in [
            ("ecr:BatchGetImage", "*"),
            ("ecr:UploadLayerPart", ECR),
            (
                "ecr:PutImage",
                "arn:aws:ecr:eu-west-1:123456789012:repository/preview",
            ),
            (
                "iam:PutRolePolicy",
                "arn:aws:iam::123456789012:role/preview-*",
            ),
        ] {
            let none: [&str; 0] = [];
            assert_eq!(messages(subject, action, resource), none, "{action}");
        }
        let main = "repo:acme/other:ref:refs/heads/main";
        assert!(messages(main, "*", "*").is_empty());
    }
}
