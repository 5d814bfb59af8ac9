//! One authenticated call: who asks for what, and the decision about it.
//!
//! Both faces of ECR, the JSON API and the registry, come through here, so no
//! record is read or written before the policy engine has agreed.

use oci::RepositoryName;

use super::EcrError;
use super::records::{REPOSITORIES, Repository};
use crate::authorize::{Target, authorize};
use crate::caller::Caller;
use crate::state::State;
use crate::trail::Note;

/// A call by a verified caller.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) state: &'a State,
    pub(crate) caller: &'a Caller,
    pub(crate) note: &'a Note,
}

impl<'a> Call<'a> {
    /// The id of the one registry that exists here.
    pub(crate) fn account(&self) -> &'a str {
        &self.state.settings.account
    }

    /// The ARN of a repository in `registry`.
    pub(crate) fn repository_arn(&self, registry: &str, name: &str) -> String {
        let region = &self.state.settings.region;
        format!("arn:aws:ecr:{region}:{registry}:repository/{name}")
    }

    /// `<host:port>/<name>`: what `docker push` is given.
    pub(crate) fn repository_uri(&self, name: &RepositoryName) -> String {
        let base = &self.state.base_url;
        let host = base
            .split_once("://")
            .map_or(base.as_str(), |(_, host)| host);
        format!("{host}/{name}")
    }

    /// Decides about an action whose resource is not one repository.
    pub(crate) fn authorize(&self, action: &str, resource: String) -> Result<(), EcrError> {
        let target = Target::new(action, resource, self.account());
        Ok(authorize(self.state, self.caller, &target, self.note)?)
    }

    /// Decides about `actions` on the repository, one by one, then returns it.
    /// Whether it exists is told only to those who may act on it.
    pub(crate) fn repository(
        &self,
        actions: &[&str],
        name: &RepositoryName,
        registry: Option<&str>,
    ) -> Result<Repository, EcrError> {
        self.repository_with(actions, name, registry, &[])
    }

    /// As `repository`, with condition keys of the request.
    pub(crate) fn repository_with(
        &self,
        actions: &[&str],
        name: &RepositoryName,
        registry: Option<&str>,
        context: &[(String, String)],
    ) -> Result<Repository, EcrError> {
        let registry = registry.unwrap_or(self.account());
        let found = if registry == self.account() {
            self.find(name)?
        } else {
            None
        };
        let mut context = context.to_vec();
        for (key, value) in found.iter().flat_map(|repository| &repository.tags) {
            context.push((format!("aws:ResourceTag/{key}"), value.clone()));
            context.push((format!("ecr:ResourceTag/{key}"), value.clone()));
        }
        for action in actions {
            let target = Target {
                action,
                resource: self.repository_arn(registry, name.as_str()),
                account: registry,
                resource_policy: found.as_ref().and_then(|found| found.policy.as_deref()),
                context: context.clone(),
            };
            authorize(self.state, self.caller, &target, self.note)?;
        }
        found.ok_or_else(|| EcrError::repository_not_found(name, registry))
    }

    fn find(&self, name: &RepositoryName) -> Result<Option<Repository>, EcrError> {
        self.state
            .store
            .read(|reader| Ok(reader.get(&REPOSITORIES, name.as_str())?))
    }

    /// Changes the record of a repository, as one transaction.
    pub(crate) fn update(
        &self,
        name: &RepositoryName,
        change: impl FnOnce(&mut Repository) -> Result<(), EcrError>,
    ) -> Result<Repository, EcrError> {
        self.state.store.write(|writer| {
            let mut repository = writer
                .get(&REPOSITORIES, name.as_str())?
                .ok_or_else(|| EcrError::repository_not_found(name, self.account()))?;
            change(&mut repository)?;
            writer.put(&REPOSITORIES, name.as_str(), &repository)?;
            Ok(repository)
        })
    }
}
