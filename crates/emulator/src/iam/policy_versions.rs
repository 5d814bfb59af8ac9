//! The versions of customer managed policies: at most five, one in force.

use super::call::{Call, Context, conflict, limit, missing};
use super::page::Page;
use super::records::{ManagedPolicy, PolicyVersion};
use super::{Answer, documents, policies};
use crate::error::AwsError;
use crate::xml::Xml;

const MAXIMUM: usize = 5;

/// `CreatePolicyVersion`.
pub(super) fn create(call: &Call<'_>) -> Answer {
    let document = documents::managed(call)?;
    let is_default = call.parameters.flag("SetAsDefault")?;
    let now = call.state.clock.now();
    let policy = policies::change(call, Context::new(), |policy| {
        if policy.versions.len() >= MAXIMUM {
            return Err(limit(
                "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.",
            ));
        }
        policy.last_version += 1;
        let version = PolicyVersion {
            document: document.to_owned(),
            created: now,
        };
        policy.versions.insert(policy.last_version, version);
        policy.updated = now;
        if is_default {
            policy.default_version = policy.last_version;
        }
        Ok(())
    })?;
    let number = policy.last_version;
    let made = version(&policy, number)?;
    Ok(Some(Xml::new().element(
        "PolicyVersion",
        &describe(&policy, number, made),
    )))
}

/// `GetPolicyVersion`.
pub(super) fn get(call: &Call<'_>) -> Answer {
    let number = requested_number(call)?;
    let policy = policies::authorized(call, Context::new())?;
    let found = version(&policy, number)?;
    let description = describe(&policy, number, found).document("Document", &found.document);
    Ok(Some(Xml::new().element("PolicyVersion", &description)))
}

/// `ListPolicyVersions`, the newest first.
pub(super) fn list(call: &Call<'_>) -> Answer {
    let policy = policies::authorized(call, Context::new())?;
    // Pages are cut in the order of their keys: the newest has the lowest.
    let order = |(number, _): &(&u32, &PolicyVersion)| format!("{:010}", u32::MAX - **number);
    let page = Page::of(call, policy.versions.iter(), order)?;
    let members = page
        .items
        .iter()
        .map(|(number, version)| describe(&policy, **number, version));
    Ok(Some(page.ends().list("Versions", members)))
}

/// `SetDefaultPolicyVersion`.
pub(super) fn set_default(call: &Call<'_>) -> Answer {
    let number = requested_number(call)?;
    let now = call.state.clock.now();
    policies::change(call, Context::new(), |policy| {
        version(policy, number)?;
        policy.default_version = number;
        policy.updated = now;
        Ok(())
    })?;
    Ok(None)
}

/// `DeletePolicyVersion`.
pub(super) fn delete(call: &Call<'_>) -> Answer {
    let number = requested_number(call)?;
    policies::change(call, Context::new(), |policy| {
        version(policy, number)?;
        if number == policy.default_version {
            return Err(conflict("Cannot delete the default version of a policy."));
        }
        policy.versions.remove(&number);
        Ok(())
    })?;
    Ok(None)
}

fn requested_number(call: &Call<'_>) -> Result<u32, AwsError> {
    number(call.parameters.required("VersionId")?).ok_or_else(|| {
        AwsError::validation(
            "versionId",
            call.parameters.get("VersionId"),
            "Member must satisfy regular expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?",
        )
    })
}

fn number(version_id: &str) -> Option<u32> {
    let digits = version_id.strip_prefix('v')?;
    let good = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    good.then(|| digits.parse().ok())?
}

fn version(policy: &ManagedPolicy, number: u32) -> Result<&PolicyVersion, AwsError> {
    policy.versions.get(&number).ok_or_else(|| {
        missing(format!(
            "Policy {} version v{number} does not exist or is not attachable.",
            policy.arn
        ))
    })
}

/// A version without its document.
pub(super) fn describe(policy: &ManagedPolicy, number: u32, version: &PolicyVersion) -> Xml {
    Xml::new()
        .text("VersionId", format!("v{number}"))
        .text("IsDefaultVersion", number == policy.default_version)
        .time("CreateDate", version.created)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_v_and_a_positive_number() {
        assert_eq!(number("v12"), Some(12));
        for other in ["", "v", "v0", "v+1", "12", "v99999999999"] {
            assert_eq!(number(other), None, "{other}");
        }
    }
}
