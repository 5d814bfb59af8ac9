//! Any bytes as the claims of a token, against a trust policy with every kind
//! of condition on them.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use policy::Document;
use policy::keys::{GITHUB_ISSUER, session_context, web_identity_context};
use serde_json::{Map, Value};

static TRUST: LazyLock<Document> = LazyLock::new(|| {
    Document::parse(include_str!("trust.json")).expect("the policy is one")
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(claims) = serde_json::from_slice::<Map<String, Value>>(bytes) else {
        return;
    };
    session_context(GITHUB_ISSUER, &claims);
    let context = web_identity_context(GITHUB_ISSUER, &claims);
    let request = policy::Request {
        principal: policy::Principal::Federated {
            provider_arn: format!("arn:aws:iam::123456789012:oidc-provider/{GITHUB_ISSUER}"),
        },
        action: "sts:AssumeRoleWithWebIdentity".to_owned(),
        resource: "arn:aws:iam::123456789012:role/a".to_owned(),
        resource_account: "123456789012".to_owned(),
        context,
    };
    let trust = policy::NamedPolicy {
        name: "trust".to_owned(),
        document: TRUST.clone(),
    };
    policy::evaluate_trust(&request, &trust).reason();
});
