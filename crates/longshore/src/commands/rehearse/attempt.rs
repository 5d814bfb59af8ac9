//! Every caller's attempt to get in.

use aws::{AssumeRole, AwsError, Client, Session};
use github::{AWS_AUDIENCE, Caller, CallerKind, Run, SubjectForm, subject};
use pipeline::Cloud;
use receipts::{Attempt, Problem, Verdict};

use super::stage::Rehearsal;
use crate::commands::publish::client;

/// The forms in which a repository may mint its subjects.
const FORMS: [SubjectForm; 2] = [SubjectForm::Immutable, SubjectForm::Name];

impl Rehearsal {
    /// The publisher in both forms, then everyone who must be refused.
    pub(super) async fn attempts(
        &self,
        cloud: &Cloud,
        publisher: &Run,
    ) -> Result<Vec<Attempt>, Problem> {
        let mut attempts = Vec::new();
        let own = Caller::beside(publisher, CallerKind::Publisher);
        for form in FORMS {
            attempts.push(self.attempt(cloud, &own, form).await?);
        }
        for kind in CallerKind::INTRUDERS {
            let caller = Caller::beside(publisher, kind);
            attempts.push(self.worst(cloud, &caller).await?);
        }
        Ok(attempts)
    }

    /// An intruder tries both forms; the row shows the one that got in, if any.
    ///
    /// A repository that took over a name is a new one, and new repositories
    /// mint the immutable form only.
    async fn worst(&self, cloud: &Cloud, caller: &Caller) -> Result<Attempt, Problem> {
        let first = self.attempt(cloud, caller, SubjectForm::Immutable).await?;
        if first.may_assume || caller.kind == CallerKind::RecycledName {
            return Ok(first);
        }
        let second = self.attempt(cloud, caller, SubjectForm::Name).await?;
        Ok(if second.may_assume { second } else { first })
    }

    async fn attempt(
        &self,
        cloud: &Cloud,
        caller: &Caller,
        form: SubjectForm,
    ) -> Result<Attempt, Problem> {
        let environment = self.environment(&caller.run, form).await?;
        let client = client(&environment, &cloud.region)?;
        let wanted = caller.kind == CallerKind::Publisher;
        let (may_assume, may_push, reason) = match assume(&client, cloud).await {
            Err(error) => (false, None, self.explained(&error).await),
            Ok(session) => match push(&client, cloud, &session).await {
                Ok(()) => (
                    true,
                    Some(true),
                    "the trust policy and the role's policies allow it".to_owned(),
                ),
                Err(reason) => (true, Some(false), reason),
            },
        };
        // An intruder with the role is in, whatever the role may push.
        let verdict = match (wanted, may_assume, may_push) {
            (true, true, Some(true)) | (false, false, _) => Verdict::AsIntended,
            (true, ..) => Verdict::KeptOut,
            (false, true, _) => Verdict::GotIn,
        };
        Ok(Attempt {
            caller: caller.kind.to_string(),
            subject: subject(&caller.run, form),
            may_assume,
            may_push,
            reason,
            verdict,
        })
    }

    async fn explained(&self, error: &AwsError) -> String {
        let request_id = match error {
            AwsError::NoGithubToken { .. } => {
                return "GitHub gives the pull request of a fork no identity to show".to_owned();
            }
            AwsError::Service(error) => error.request_id.as_deref(),
            _ => None,
        };
        match request_id {
            Some(id) => self.reason(id).await.unwrap_or_else(|| error.to_string()),
            None => error.to_string(),
        }
    }
}

async fn assume(client: &Client, cloud: &Cloud) -> Result<Session, AwsError> {
    let token = client.github_token(AWS_AUDIENCE).await?;
    let request = AssumeRole {
        role_arn: &cloud.role,
        session_name: "longshore-rehearsal",
        token: &token,
        duration_seconds: 900,
    };
    client.assume_role_with_web_identity(&request).await
}

/// Begins an upload and takes it back: the permission to push, without a push.
async fn push(client: &Client, cloud: &Cloud, session: &Session) -> Result<(), String> {
    let authorization = client
        .registry_authorization(&session.credentials)
        .await
        .map_err(|error| error.to_string())?;
    let registry = pipeline::connect(&authorization).map_err(|error| error.to_string())?;
    for repository in &cloud.repositories {
        let upload = registry.start_and_cancel_upload(repository).await;
        upload.map_err(|error| error.to_string())?;
    }
    Ok(())
}
