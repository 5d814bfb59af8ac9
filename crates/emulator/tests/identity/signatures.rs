//! Requests that were altered, or signed for something else.

use crate::served::{ACCOUNT, Served, form};
use crate::signer::{Keys, Scope, Signed};

const WRONG: &str =
    "The request signature we calculated does not match the signature you provided.";

#[tokio::test]
async fn a_good_signature_says_who_signed_in_the_header_and_in_the_query() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let header = served.prepare(&served.root, "GetCallerIdentity").await;
    let query = form("sts", "GetCallerIdentity", &[]);
    let scope = served.scope("sts").await;
    let presigned = Signed::presigned(&served.base, &query, &served.root, scope);
    for request in [header, presigned] {
        let answer = served.send(request).await.good();
        assert_eq!(answer.text("Account"), ACCOUNT);
        assert_eq!(answer.text("Arn"), format!("arn:aws:iam::{ACCOUNT}:root"));
    }
}

#[tokio::test]
async fn an_altered_request_does_not_match_its_signature() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let good = served.prepare(&served.root, "GetCallerIdentity").await;
    let mut altered = Vec::new();
    let mut body = good.clone();
    body.body.push_str("&x=y");
    altered.push(body);
    let mut address = good.clone();
    address.url.push_str("?x=y");
    altered.push(address);
    let mut host = good.clone();
    host.set("host", "sts.amazonaws.com");
    altered.push(host);
    let mut signature = good.clone();
    let last = signature.header("authorization");
    let flipped = if last.ends_with('0') { "1" } else { "0" };
    signature.set(
        "authorization",
        &format!("{}{flipped}", &last[..last.len() - 1]),
    );
    altered.push(signature);
    let mut date = good.clone();
    let day = date.header("x-amz-date")[..8].to_owned();
    date.set("x-amz-date", &format!("{day}T{}Z", time_beside(&good)));
    altered.push(date);
    for request in altered {
        let answer = served.send(request).await;
        answer.is_refused(403, "SignatureDoesNotMatch", WRONG);
    }
    let mut steered = good.clone();
    steered.set("x-amz-security-token", "more");
    let answer = served.send(steered).await;
    answer.is_refused(
        403,
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
    );
    served.send(good).await.good();
}

/// A time of the same day, one second off.
fn time_beside(request: &Signed) -> String {
    let date = request.header("x-amz-date");
    let seconds = if date.ends_with("00Z") { "01" } else { "00" };
    format!("{}{seconds}", &date[9..13])
}

#[tokio::test]
async fn a_signature_for_something_else_is_refused_by_name() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let now = served.scope("sts").await;
    let sign = |keys: &Keys, scope: Scope<'_>| {
        let body = form("sts", "GetCallerIdentity", &[]);
        Signed::form(&served.base, body, keys, scope)
    };
    let root = &served.root;
    let stranger = Keys {
        id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        ..root.clone()
    };
    let other_secret = Keys {
        secret: served.second_root.secret.clone(),
        ..root.clone()
    };
    for (request, code, sentence) in [
        (
            sign(
                root,
                Scope {
                    service: "iam",
                    ..now
                },
            ),
            "SignatureDoesNotMatch",
            "Credential should be scoped to correct service: 'sts'. ",
        ),
        (
            sign(
                root,
                Scope {
                    region: "nowhere",
                    ..now
                },
            ),
            "SignatureDoesNotMatch",
            "Credential should be scoped to a valid region, not 'nowhere'. ",
        ),
        (
            sign(&stranger, now),
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        ),
        (sign(&other_secret, now), "SignatureDoesNotMatch", WRONG),
    ] {
        served.send(request).await.is_refused(403, code, sentence);
    }
}

#[tokio::test]
async fn a_scope_that_was_changed_and_a_signature_that_was_taken_away_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let good = served.prepare(&served.root, "GetCallerIdentity").await;
    let mut region = good.clone();
    let header = region
        .header("authorization")
        .replace("us-east-1", "eu-west-1");
    region.set("authorization", &header);
    let answer = served.send(region).await;
    answer.is_refused(403, "SignatureDoesNotMatch", WRONG);
    let mut none = good.clone();
    none.headers.retain(|(name, _)| name != "authorization");
    let answer = served.send(none).await;
    answer.is_refused(
        403,
        "MissingAuthenticationToken",
        "Request is missing Authentication Token",
    );
}

/// AWS keeps no list of requests: what is sent again is good for as long as its
/// date is.
#[tokio::test]
async fn what_is_sent_again_after_fifteen_minutes_has_expired() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let header = served.prepare(&served.root, "GetCallerIdentity").await;
    let query = form("sts", "GetCallerIdentity", &[]);
    let scope = served.scope("sts").await;
    let presigned = Signed::presigned(&served.base, &query, &served.root, scope);
    served.advance(14 * 60).await;
    for request in [&header, &presigned] {
        served.send(request.clone()).await.good();
    }
    served.advance(2 * 60).await;
    for request in [header, presigned] {
        let answer = served.send(request).await;
        answer.is_refused(403, "SignatureDoesNotMatch", "Signature expired: ");
        assert!(answer.text("Message").ends_with(" - 15 min.)"));
    }
    served.advance(-40 * 60).await;
    let early = served.prepare(&served.root, "GetCallerIdentity").await;
    served.advance(-16 * 60).await;
    let answer = served.send(early).await;
    answer.is_refused(403, "SignatureDoesNotMatch", "Signature not yet current: ");
}
