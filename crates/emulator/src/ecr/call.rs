//! One authenticated call: who asks for what, and the decision about it.
//!
//! Both faces of ECR, the JSON API and the registry, come through here, so no
//! record is read or written before the policy engine has agreed.

use oci::RepositoryName;

use super::records::{REPOSITORIES, Repository, repository_key};
use super::{EcrError, Registry};
use crate::authorize::{Target, authorize};
use crate::caller::Caller;
use crate::state::State;
use crate::trail::Note;

/// A call by a verified caller.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) state: &'a State,
    pub(crate) caller: &'a Caller,
    /// The registry that the request is for, which may be another account's.
    pub(crate) registry: &'a Registry,
    pub(crate) note: &'a Note,
}

impl<'a> Call<'a> {
    /// The id of the registry: the account that owns it.
    pub(crate) fn account(&self) -> &'a str {
        &self.registry.account
    }

    /// The ARN of a repository of the registry.
    pub(crate) fn repository_arn(&self, name: &str) -> String {
        let Registry { account, region } = self.registry;
        format!("arn:aws:ecr:{region}:{account}:repository/{name}")
    }

    /// `<host:port>/<name>`: what `docker push` is given.
    pub(crate) fn repository_uri(&self, name: &RepositoryName) -> String {
        let State {
            settings, base_url, ..
        } = self.state;
        format!("{}/{name}", self.registry.host(settings, base_url))
    }

    /// What is asked for: an action on something in the registry.
    pub(super) fn target(&self, action: &'a str, resource: String) -> Target<'a> {
        Target {
            registry: Some(self.registry),
            ..Target::new(action, resource, self.account())
        }
    }

    /// Decides about an action that has no resource.
    pub(super) fn authorize(&self, action: &'a str) -> Result<(), EcrError> {
        self.decide(&self.target(action, "*".to_owned()))
    }

    /// Decides about an action on a repository that need not exist.
    pub(super) fn authorize_on(
        &self,
        action: &'a str,
        name: &RepositoryName,
    ) -> Result<(), EcrError> {
        self.find_as(&[action], name, &[]).map(drop)
    }

    /// Decides about anything.
    pub(super) fn decide(&self, target: &Target<'_>) -> Result<(), EcrError> {
        Ok(authorize(self.state, self.caller, target, self.note)?)
    }

    /// Decides about `actions` on the repository, one by one, then returns it.
    /// Whether it exists is told only to those who may act on it.
    pub(crate) fn repository(
        &self,
        actions: &[&str],
        name: &RepositoryName,
    ) -> Result<Repository, EcrError> {
        self.repository_with(actions, name, &[])
    }

    /// As `repository`, with condition keys of the request.
    pub(crate) fn repository_with(
        &self,
        actions: &[&str],
        name: &RepositoryName,
        context: &[(String, String)],
    ) -> Result<Repository, EcrError> {
        self.find_as(actions, name, context)?
            .ok_or_else(|| EcrError::repository_not_found(name, self.account()))
    }

    /// The repository, if there is one, once all of `actions` are allowed.
    fn find_as(
        &self,
        actions: &[&str],
        name: &RepositoryName,
        context: &[(String, String)],
    ) -> Result<Option<Repository>, EcrError> {
        let found = self.find(name)?;
        let mut context = context.to_vec();
        context.extend(found.iter().flat_map(Repository::tag_context));
        for action in actions {
            self.decide(&Target {
                action,
                resource: self.repository_arn(name.as_str()),
                account: self.account(),
                resource_policy: found.as_ref().and_then(|found| found.policy.as_deref()),
                registry: Some(self.registry),
                context: context.clone(),
            })?;
        }
        Ok(found)
    }

    fn find(&self, name: &RepositoryName) -> Result<Option<Repository>, EcrError> {
        let key = repository_key(self.registry, name);
        self.state
            .store
            .read(|reader| Ok(reader.get(&REPOSITORIES, &key)?))
    }

    /// Changes the record of a repository, as one transaction.
    pub(crate) fn update(
        &self,
        name: &RepositoryName,
        change: impl FnOnce(&mut Repository) -> Result<(), EcrError>,
    ) -> Result<Repository, EcrError> {
        let key = repository_key(self.registry, name);
        self.state.store.write(|writer| {
            let mut repository = writer
                .get(&REPOSITORIES, &key)?
                .ok_or_else(|| EcrError::repository_not_found(name, self.account()))?;
            change(&mut repository)?;
            writer.put(&REPOSITORIES, &key, &repository)?;
            Ok(repository)
        })
    }
}
