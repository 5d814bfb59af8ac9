//! One action and one resource, or patterns of them, compared by the policy
//! engine itself.

use policy::{Context, Document, NamedPolicy, Policies, Principal, Request, evaluate};
use serde_json::{Value, json};

/// Whether a statement with these elements and no condition allows `action` on
/// `resource`. `elements` are `Action` or `NotAction`, `Resource` or
/// `NotResource`.
pub(super) fn covers(elements: &Value, action: &str, resource: &str) -> bool {
    let mut statement = elements.clone();
    statement["Effect"] = json!("Allow");
    // Without variables: what they stand for is not known here.
    let document = json!({ "Version": "2008-10-17", "Statement": statement }).to_string();
    let Ok(document) = Document::parse(&document) else {
        return false;
    };
    let account = "000000000000";
    let request = Request {
        principal: Principal::User {
            account: account.to_owned(),
            arn: format!("arn:aws:iam::{account}:user/sample"),
        },
        action: action.to_owned(),
        resource: resource.to_owned(),
        resource_account: account.to_owned(),
        context: Context::new(),
    };
    let policies = Policies {
        identity: vec![NamedPolicy {
            name: String::new(),
            document,
        }],
        ..Policies::default()
    };
    evaluate(&request, &policies).is_allowed()
}

/// The text with every policy variable as a wildcard: what it could stand for.
pub(super) fn without_variables(text: &str) -> String {
    let mut rest = text;
    let mut shown = String::new();
    while let Some((before, after)) = rest.split_once("${") {
        shown.push_str(before);
        shown.push('*');
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_what_the_engine_says_they_cover() {
        let arn = "arn:aws:ecr:eu-west-1:123456789012:repository/app";
        let push = json!({ "Action": "ecr:Put*", "Resource": arn });
        assert!(covers(&push, "ecr:PutImage", arn));
        assert!(!covers(&push, "ecr:ListImages", arn));
        assert!(!covers(&push, "ecr:PutImage", "*"));
        let rest = json!({ "NotAction": ["iam:*"], "Resource": "*" });
        assert!(covers(&rest, "ecr:PutImage", arn) && !covers(&rest, "iam:GetRole", "*"));
    }

    #[test]
    fn a_variable_may_stand_for_anything() {
        assert_eq!(without_variables("a/${aws:userid}/b${x"), "a/*/b*");
    }
}
