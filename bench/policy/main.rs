//! Decisions per second, proofs per second, and how the time of a proof grows
//! with the number of values and statements.
//!
//!     cargo run --release --manifest-path bench/policy/Cargo.toml -- [CSV]
//!
//! Prints Markdown; writes the growth as CSV, which `growth.gnuplot` plots.
//! Times are those of this machine: only their ratios mean anything elsewhere.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use audit::{Trust, prove_trust};
use policy::keys::{GITHUB_ISSUER, web_identity_context};
use policy::{Document, NamedPolicy, Policies, Principal, Request};
use serde_json::{Map, Value, json};

const ACCOUNT: &str = "123456789012";
/// Each measurement goes on for about this long.
const ENOUGH: Duration = Duration::from_millis(1500);

fn main() -> std::io::Result<()> {
    println!("| what | per second |\n|---|---|");
    row("decide a push to ECR (two statements)", &mut push());
    row(
        "decide a web identity (both subject forms)",
        &mut web_identity(),
    );
    row("parse a trust policy", &mut || {
        black_box(Document::parse(black_box(&both_forms())).unwrap());
    });
    for (name, text) in [
        (
            "prove a role that admits one branch in both forms",
            both_forms(),
        ),
        (
            "prove `repo:acme/*` less pull requests (a Deny)",
            owner_less_pull_requests(),
        ),
        (
            "prove a pattern with fifty stars",
            trust("StringLike", &["repo:*a".repeat(50) + "*"]),
        ),
    ] {
        row(name, &mut || {
            black_box(prove(&text));
        });
    }
    let csv = growth();
    match std::env::args().nth(1) {
        Some(path) => std::fs::write(path, csv),
        None => {
            println!("\n```\n{csv}```");
            Ok(())
        }
    }
}

fn row(name: &str, work: &mut dyn FnMut()) {
    println!("| {name} | {:.0} |", 1.0 / seconds(work));
}

/// Seconds for one turn.
fn seconds(work: &mut dyn FnMut()) -> f64 {
    work();
    let start = Instant::now();
    let mut turns = 0_u32;
    while turns == 0 || start.elapsed() < ENOUGH {
        work();
        turns += 1;
    }
    start.elapsed().as_secs_f64() / f64::from(turns)
}

fn growth() -> String {
    let mut csv = "kind,size,milliseconds\n".to_owned();
    for size in [1, 3, 10, 30, 100, 300, 1000] {
        let exact: Vec<String> = (0..size).map(|n| subject(n)).collect();
        let wild: Vec<String> = (0..size)
            .map(|n| format!("repo:acme/service-{n}:*"))
            .collect();
        let several: Vec<Value> = (0..size)
            .map(|n| statement("Allow", "StringEquals", &[subject(n)]))
            .collect();
        let denials: Vec<Value> = std::iter::once(statement(
            "Allow",
            "StringLike",
            &["repo:acme/*".to_owned()],
        ))
        .chain(
            (0..size)
                .map(|n| statement("Deny", "StringLike", &[format!("repo:acme/service-{n}:*")])),
        )
        .collect();
        for (kind, text) in [
            ("values", trust("StringEquals", &exact)),
            ("values with a star", trust("StringLike", &wild)),
            ("statements", document(several)),
            ("denials", document(denials)),
        ] {
            // IAM stores no trust policy this long; up to the reader's own bound
            // on texts the engine must not care.
            if prove(&text).is_none() {
                continue;
            }
            let time = seconds(&mut || {
                black_box(prove(&text));
            });
            writeln!(csv, "{kind},{size},{:.3}", time * 1e3).unwrap();
        }
    }
    csv
}

fn prove(text: &str) -> Option<Vec<String>> {
    let role = format!("arn:aws:iam::{ACCOUNT}:role/publisher");
    let document = Document::parse(text).ok()?;
    let trust = Trust::of(&role, document, &[]).ok().flatten()?;
    prove_trust(&trust).ok()
}

fn provider() -> String {
    format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{GITHUB_ISSUER}")
}

fn subject(number: usize) -> String {
    format!("repo:acme/service-{number}:ref:refs/heads/main")
}

fn statement(effect: &str, operator: &str, subjects: &[String]) -> Value {
    json!({
        "Effect": effect,
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": { "Federated": provider() },
        "Condition": { operator: { format!("{GITHUB_ISSUER}:sub"): subjects } },
    })
}

fn document(statements: Vec<Value>) -> String {
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

fn trust(operator: &str, subjects: &[String]) -> String {
    document(vec![statement("Allow", operator, subjects)])
}

fn both_forms() -> String {
    trust(
        "StringEquals",
        &[
            "repo:acme/portfolio:ref:refs/heads/main".to_owned(),
            "repo:acme@1234567/portfolio@7654321:ref:refs/heads/main".to_owned(),
        ],
    )
}

fn owner_less_pull_requests() -> String {
    document(vec![
        statement("Allow", "StringLike", &["repo:acme/*".to_owned()]),
        statement("Deny", "StringLike", &["*:pull_request".to_owned()]),
    ])
}

fn web_identity() -> impl FnMut() {
    let claims: Map<String, Value> = serde_json::from_value(json!({
        "sub": "repo:acme/portfolio:ref:refs/heads/main", "aud": "sts.amazonaws.com",
        "repository": "acme/portfolio", "ref": "refs/heads/main", "actor": "ada",
    }))
    .unwrap();
    let request = Request {
        principal: Principal::Federated {
            provider_arn: provider(),
        },
        action: "sts:AssumeRoleWithWebIdentity".to_owned(),
        resource: format!("arn:aws:iam::{ACCOUNT}:role/publisher"),
        resource_account: ACCOUNT.to_owned(),
        context: web_identity_context(GITHUB_ISSUER, &claims),
    };
    let trust = named("trust", &both_forms());
    move || assert!(black_box(policy::evaluate_trust(black_box(&request), &trust)).is_allowed())
}

fn push() -> impl FnMut() {
    let repository = format!("arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/portfolio/backend");
    let text = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*" },
        { "Effect": "Allow", "Resource": repository, "Action": [
            "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload",
            "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"] },
    ]});
    let policies = Policies {
        identity: vec![named("push", &text.to_string())],
        ..Policies::default()
    };
    let request = Request {
        principal: Principal::AssumedRole {
            account: ACCOUNT.to_owned(),
            role_arn: format!("arn:aws:iam::{ACCOUNT}:role/publisher"),
            session_arn: format!("arn:aws:sts::{ACCOUNT}:assumed-role/publisher/run"),
        },
        action: "ecr:PutImage".to_owned(),
        resource: repository,
        resource_account: ACCOUNT.to_owned(),
        context: policy::Context::new(),
    };
    move || assert!(black_box(policy::evaluate(black_box(&request), &policies)).is_allowed())
}

fn named(name: &str, text: &str) -> NamedPolicy {
    NamedPolicy {
        name: name.to_owned(),
        document: Document::parse(text).unwrap(),
    }
}
