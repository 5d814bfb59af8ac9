//! Whom a trust policy names: IAM keeps the unique id of a role or a user, not
//! its ARN, so that one which is made anew under an old name is not trusted, and
//! shows the id once there is nobody of that ARN (IAM User Guide, "AWS JSON
//! policy elements: Principal").

use std::collections::BTreeMap;

use policy::{Document, PrincipalElement, PrincipalEntry, PrincipalSet, PrincipalType};
use serde_json::Value;

use super::records::{ROLES, Role, USERS, entity_key};
use crate::accounts::administrator_fact;
use crate::error::AwsError;
use crate::format::FACTS;
use crate::store::{StoreError, View};

/// Ids by the ARN that a document names.
type Ids = BTreeMap<String, String>;

/// For a role whose policy is not looked at yet.
pub(super) fn no_ids() -> Ids {
    Ids::new()
}

/// The ids of those that a trust policy names. One that is not there is refused
/// in an account that is played here; of others nothing is known.
pub(crate) fn ids(records: &impl View, trust_policy: &str) -> Result<Ids, AwsError> {
    let mut ids = Ids::new();
    let Ok(document) = Document::parse(trust_policy) else {
        return Ok(ids);
    };
    for entry in document.statements.iter().flat_map(listed) {
        let arn = &entry.value;
        let Some(account) = account_of_entity(entry) else {
            continue;
        };
        if let Some(id) = current_id(records, arn)? {
            ids.insert(arn.clone(), id);
        } else if records.get(&FACTS, &administrator_fact(account))?.is_some() {
            return Err(AwsError::invalid(
                "MalformedPolicyDocument",
                format!("Invalid principal in policy: \"AWS\":\"{arn}\""),
            ));
        }
    }
    Ok(ids)
}

/// The trust policy as it counts now: ids stand for those that are gone.
pub(crate) fn policy(records: &impl View, role: &Role) -> Result<String, StoreError> {
    let mut gone = Ids::new();
    for (arn, id) in &role.trusted_ids {
        if current_id(records, arn)?.as_ref() != Some(id) {
            gone.insert(arn.clone(), id.clone());
        }
    }
    if gone.is_empty() {
        return Ok(role.trust_policy.clone());
    }
    Ok(replaced(&role.trust_policy, &gone))
}

fn listed(statement: &policy::Statement) -> &[PrincipalEntry] {
    match &statement.principal {
        Some(PrincipalElement::Principal(PrincipalSet::Listed(entries))) => entries,
        _ => &[],
    }
}

/// The account of a principal that is a role or a user.
fn account_of_entity(entry: &PrincipalEntry) -> Option<&str> {
    let (account, name) = entry.value.strip_prefix("arn:aws:iam::")?.split_once(':')?;
    let is_entity = name.starts_with("role/") || name.starts_with("user/");
    (entry.kind == PrincipalType::Aws && is_entity).then_some(account)
}

fn current_id(records: &impl View, arn: &str) -> Result<Option<String>, StoreError> {
    let Some((account, entity)) = arn
        .strip_prefix("arn:aws:iam::")
        .and_then(|rest| rest.split_once(':'))
    else {
        return Ok(None);
    };
    let key = entity_key(account, entity.rsplit('/').next().unwrap_or_default());
    let found = if entity.starts_with("role/") {
        records.get(&ROLES, &key)?.map(|role| (role.arn, role.id))
    } else {
        records.get(&USERS, &key)?.map(|user| (user.arn, user.id))
    };
    Ok(found.filter(|(own, _)| own == arn).map(|(_, id)| id))
}

/// The document with ids in place of ARNs among its principals.
fn replaced(trust_policy: &str, gone: &Ids) -> String {
    let Ok(mut document) = serde_json::from_str::<Value>(trust_policy) else {
        return trust_policy.to_owned();
    };
    let statements = match &mut document["Statement"] {
        Value::Array(statements) => statements.as_mut_slice(),
        one => std::slice::from_mut(one),
    };
    for statement in statements {
        let principals = match statement.pointer_mut("/Principal/AWS") {
            Some(Value::Array(list)) => list.as_mut_slice(),
            Some(one) => std::slice::from_mut(one),
            None => continue,
        };
        for principal in principals {
            if let Some(id) = principal.as_str().and_then(|arn| gone.get(arn)) {
                *principal = Value::from(id.as_str());
            }
        }
    }
    document.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_principals_are_replaced_wherever_they_stand() {
        let text = r#"{"Statement":[{"Principal":{"AWS":["a","b"]},"Sid":"a"},{"Principal":{"AWS":"a"}},{"Principal":"*"}]}"#;
        let gone = Ids::from([("a".to_owned(), "AIDA1".to_owned())]);
        assert_eq!(
            replaced(text, &gone),
            r#"{"Statement":[{"Principal":{"AWS":["AIDA1","b"]},"Sid":"a"},{"Principal":{"AWS":"AIDA1"}},{"Principal":"*"}]}"#
        );
    }
}
