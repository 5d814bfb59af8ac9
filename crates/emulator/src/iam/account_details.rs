//! `GetAccountAuthorizationDetails`: everything about who may do what.

use super::Answer;
use super::call::{Call, Context};
use super::entity::Entity;
use super::entity_policies::{describe_attached, describe_boundary};
use super::page::Page;
use super::policies;
use super::policy_uses::Entities;
use super::policy_versions;
use super::records::{EntityPolicies, Group, ManagedPolicy, POLICIES, Role, User, policy_prefix};
use super::{groups, managed, roles, tags, trust, users};
use crate::error::AwsError;
use crate::store::StoreError;
use crate::xml::Xml;

/// One of the four kinds of the answer.
enum Detail {
    Group(Group),
    Policy(ManagedPolicy),
    /// With its trust policy as it counts now.
    Role(Role, String),
    User(User),
}

impl Detail {
    /// The order of pages.
    fn key(&self) -> String {
        match self {
            Self::Group(group) => format!("1/{}", group.name),
            Self::Policy(policy) => format!("2/{}", policy.arn),
            Self::Role(role, _) => format!("3/{}", role.name),
            Self::User(user) => format!("4/{}", user.name),
        }
    }

    /// The name in `Filter`.
    fn kind(&self) -> &'static str {
        match self {
            Self::Group(_) => "Group",
            Self::Policy(policy) if managed::of_aws(&policy.arn).is_some() => "AWSManagedPolicy",
            Self::Policy(_) => "LocalManagedPolicy",
            Self::Role(..) => "Role",
            Self::User(_) => "User",
        }
    }
}

/// A page over groups, policies, roles and users.
pub(super) fn get(call: &Call<'_>) -> Answer {
    let filter = call.parameters.list("Filter");
    call.authorize("*", Context::new())?;
    let (entities, mut all) = call.state.store.read(|reader| {
        let entities = Entities::of(reader, call.account())?;
        let own = reader.list(&POLICIES, &policy_prefix(call.account()))?;
        let mut all: Vec<Detail> = own
            .into_iter()
            .map(|(_, policy)| Detail::Policy(policy))
            .collect();
        for role in &entities.roles {
            all.push(Detail::Role(role.clone(), trust::policy(reader, role)?));
        }
        Ok::<_, StoreError>((entities, all))
    })?;
    // AWS's own policies are shown where somebody uses them.
    let used = managed::records_of_aws()
        .into_iter()
        .filter(|policy| entities.count(&policy.arn) != (0, 0));
    all.extend(used.map(Detail::Policy));
    all.extend(entities.groups.iter().cloned().map(Detail::Group));
    all.extend(entities.users.iter().cloned().map(Detail::User));
    all.retain(|detail| filter.is_empty() || filter.contains(&detail.kind()));
    let page = Page::of(call, all, Detail::key)?;
    let (mut of_groups, mut of_policies) = (Vec::new(), Vec::new());
    let (mut of_roles, mut of_users) = (Vec::new(), Vec::new());
    for detail in &page.items {
        match detail {
            Detail::Group(group) => of_groups.push(group_detail(group)),
            Detail::Policy(policy) => of_policies.push(policy_detail(policy, &entities)?),
            Detail::Role(role, trust) => of_roles.push(role_detail(role, trust)),
            Detail::User(user) => of_users.push(user_detail(user)),
        }
    }
    let answer = page
        .ends()
        .list("UserDetailList", of_users)
        .list("GroupDetailList", of_groups)
        .list("RoleDetailList", of_roles)
        .list("Policies", of_policies);
    Ok(Some(answer))
}

fn group_detail(group: &Group) -> Xml {
    with_policies(groups::describe(group), "GroupPolicyList", group.policies())
}

fn role_detail(role: &Role, trust: &str) -> Xml {
    let xml = roles::describe(role, trust).list("InstanceProfileList", []);
    let xml = with_policies(xml, "RolePolicyList", role.policies());
    tags::describe(xml, &role.tags)
}

fn user_detail(user: &User) -> Xml {
    let xml = users::describe(user).texts("GroupList", &user.groups);
    let xml = with_policies(xml, "UserPolicyList", user.policies());
    tags::describe(xml, &user.tags)
}

fn with_policies(xml: Xml, list: &str, policies: &EntityPolicies) -> Xml {
    let inline = policies.inline_policies.iter().map(|(name, document)| {
        Xml::new()
            .text("PolicyName", name)
            .document("PolicyDocument", document)
    });
    let attached = policies.attached_policies.iter();
    let xml = xml.list(list, inline).list(
        "AttachedManagedPolicies",
        attached.map(|arn| describe_attached(arn)),
    );
    describe_boundary(xml, policies.permissions_boundary.as_ref())
}

fn policy_detail(policy: &ManagedPolicy, entities: &Entities) -> Result<Xml, AwsError> {
    let versions = policy.versions.iter().rev().map(|(number, version)| {
        policy_versions::describe(policy, *number, version).document("Document", &version.document)
    });
    let xml = policies::describe(policy, entities.count(&policy.arn));
    Ok(xml.list("PolicyVersionList", versions))
}
