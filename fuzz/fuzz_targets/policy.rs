//! Any bytes as a policy: read, checked as IAM checks it, and, where it is a
//! policy, asked about a caller who comes near it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policy::{Context, Document, NamedPolicy, Policies, Principal, Request};

fuzz_target!(|text: &str| {
    let Ok((document, places)) = Document::parse_located(text) else {
        return;
    };
    for index in 0..document.statements.len() {
        let place = places.statement(index).expect("every statement stands somewhere");
        assert!(text[place.start..place.end].starts_with('{'));
    }
    let account = "123456789012";
    let role_arn = format!("arn:aws:iam::{account}:role/a");
    let principal = Principal::AssumedRole {
        account: account.to_owned(),
        session_arn: format!("arn:aws:sts::{account}:assumed-role/a/b"),
        role_arn,
    };
    let mut context = Context::new();
    context.insert("aws:username", "ada");
    context.insert_many("aws:TagKeys", vec!["a".to_owned(), String::new()]);
    let request = Request {
        principal,
        action: "ecr:PutImage".to_owned(),
        resource: format!("arn:aws:ecr:eu-west-1:{account}:repository/a"),
        resource_account: account.to_owned(),
        context,
    };
    let policies = Policies {
        identity: vec![NamedPolicy {
            name: "fuzzed".to_owned(),
            document,
        }],
        ..Policies::default()
    };
    policy::evaluate(&request, &policies).reason();
});
