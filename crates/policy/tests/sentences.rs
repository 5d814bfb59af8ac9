//! The texts of denials: AWS's, word for word, and ours for people.

use policy::{
    Context, Decision, Document, NamedPolicy, Policies, Principal, Request, evaluate,
    evaluate_trust,
};

const SESSION: &str = "arn:aws:sts::123456789012:assumed-role/publisher/run-1";
const REPOSITORY: &str = "arn:aws:ecr:eu-west-1:123456789012:repository/api";
const DENY: &str = r#"{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}"#;
const ALLOW: &str = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#;
const OTHER: &str = r#"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}"#;

fn named(name: &str, statements: &[&str]) -> NamedPolicy {
    let json = format!(
        r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
        statements.join(",")
    );
    NamedPolicy {
        name: name.to_owned(),
        document: Document::parse(&json).expect("the policies below are valid"),
    }
}

fn request() -> Request {
    Request {
        principal: Principal::AssumedRole {
            account: "123456789012".into(),
            role_arn: "arn:aws:iam::123456789012:role/publisher".into(),
            session_arn: SESSION.into(),
        },
        action: "ecr:PutImage".into(),
        resource: REPOSITORY.into(),
        resource_account: "123456789012".into(),
        context: Context::new(),
    }
}

fn allowing() -> Policies {
    Policies {
        identity: vec![named("identity", &[ALLOW])],
        ..Policies::default()
    }
}

fn denial(policies: &Policies) -> String {
    let request = request();
    let decision = evaluate(&request, policies);
    assert!(!decision.is_allowed());
    decision.denial_sentence(&request)
}

fn refused(rest: &str) -> String {
    format!(
        "User: {SESSION} is not authorized to perform: ecr:PutImage on resource: {REPOSITORY} {rest}"
    )
}

#[test]
fn an_implicit_denial_names_the_missing_kind_of_policy() {
    let because =
        |kind: &str| refused(&format!("because no {kind} allows the ecr:PutImage action"));
    assert_eq!(
        denial(&Policies::default()),
        because("identity-based policy")
    );
    let other = || named("other", &[OTHER]);
    let session = Policies {
        session: Some(vec![other()]),
        ..allowing()
    };
    assert_eq!(denial(&session), because("session policy"));
    let boundary = Policies {
        boundary: Some(other()),
        ..allowing()
    };
    assert_eq!(denial(&boundary), because("permissions boundary"));
    let service = Policies {
        service_control: vec![vec![other()]],
        ..allowing()
    };
    assert_eq!(denial(&service), because("service control policy"));
    let mut foreign = request();
    foreign.resource_account = "210987654321".into();
    let decision = evaluate(&foreign, &allowing());
    assert_eq!(
        decision.denial_sentence(&foreign),
        because("resource-based policy")
    );
}

#[test]
fn an_explicit_denial_names_the_policy_only_by_its_arn() {
    let arn = "arn:aws:iam::123456789012:policy/guard";
    let deny = |name: &str| named(name, &[ALLOW, DENY]);
    let identity = Policies {
        identity: vec![deny(arn)],
        ..Policies::default()
    };
    assert_eq!(
        denial(&identity),
        refused(&format!(
            "with an explicit deny in an identity-based policy: {arn}"
        ))
    );
    let cases = [
        (
            Policies {
                resource: Some(deny("inline")),
                ..allowing()
            },
            "a resource-based policy",
        ),
        (
            Policies {
                session: Some(vec![deny("inline")]),
                ..allowing()
            },
            "a session policy",
        ),
        (
            Policies {
                boundary: Some(deny("inline")),
                ..allowing()
            },
            "a permissions boundary",
        ),
        (
            Policies {
                service_control: vec![vec![deny("inline")]],
                ..allowing()
            },
            "a service control policy",
        ),
        (
            Policies {
                resource_control: vec![vec![deny("inline")]],
                ..allowing()
            },
            "a resource control policy",
        ),
    ];
    for (policies, kind) in cases {
        assert_eq!(
            denial(&policies),
            refused(&format!("with an explicit deny in {kind}"))
        );
    }
}

const TRUST: &str = r#"{"Sid":"Main","Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity",
    "Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/issuer"},
    "Condition":{"StringEquals":{"issuer:sub":["main","next"],"issuer:aud":"sts"}}}"#;

fn web_identity(statement: &str, subject: &str) -> (Request, Decision) {
    let mut context = Context::new();
    context.insert("issuer:sub", subject);
    let request = Request {
        principal: Principal::Federated {
            provider_arn: "arn:aws:iam::123456789012:oidc-provider/issuer".into(),
        },
        action: "sts:AssumeRoleWithWebIdentity".into(),
        resource: "arn:aws:iam::123456789012:role/publisher".into(),
        resource_account: "123456789012".into(),
        context,
    };
    let unrelated = r#"{"Sid":"Else","Effect":"Allow","Action":"sts:AssumeRole","Principal":"*"}"#;
    let trust = named("publisher", &[unrelated, statement]);
    let decision = evaluate_trust(&request, &trust);
    (request, decision)
}

#[test]
fn a_web_identity_learns_nothing_from_aws_and_everything_from_the_reason() {
    let (request, decision) = web_identity(TRUST, "pull");
    assert_eq!(
        decision.denial_sentence(&request),
        "Not authorized to perform sts:AssumeRoleWithWebIdentity"
    );
    assert_eq!(
        decision.reason(),
        "The trust policy does not allow it; nearest is statement `Main` of the trust policy \
         `publisher`, but `StringEquals` on `issuer:sub` wants `main` or `next` and the request \
         has `pull`, and `StringEquals` on `issuer:aud` wants `sts` and the request does not \
         carry that key."
    );
}

#[test]
fn the_report_serialises_with_seen_and_wanted_values() {
    let (_, decision) = web_identity(TRUST, "pull");
    let json = serde_json::to_value(&decision).unwrap();
    assert_eq!(json["outcome"], "implicitly_denied");
    assert_eq!(json["by"], "trust");
    let condition = &json["statements"][1]["mismatches"][0]["condition"];
    assert_eq!(condition["key"], "issuer:sub");
    assert_eq!(condition["seen"], serde_json::json!(["pull"]));
    assert_eq!(condition["wanted"], serde_json::json!(["main", "next"]));
}

#[test]
fn a_decision_that_allows_names_its_statement() {
    let decision = evaluate(&request(), &allowing());
    assert_eq!(
        decision.reason(),
        "Statement `Statement[0]` of the identity-based policy `identity` allows it."
    );
}
