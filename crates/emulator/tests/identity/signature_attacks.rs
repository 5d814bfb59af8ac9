//! Requests that their signer did not sign, or not so: each test is a line of
//! `docs/attacks.md`.

use std::io::Write as _;

use crate::answer::Answer;
use crate::bystander::beside;
use crate::served::{ACCOUNT, SECOND_ACCOUNT, Served, form};
use crate::signer::{Keys, Scope, Signed};

const MISMATCH: &str = "SignatureDoesNotMatch";
const WRONG: &str =
    "The request signature we calculated does not match the signature you provided.";
const INVALID: &str = "The security token included in the request is invalid.";

/// Requests are refused with a code and a sentence, while those of the second
/// account's root user are answered.
async fn refuses(served: &Served, requests: &[Signed], code: &str, sentence: &str) {
    let attack = async || {
        for request in requests {
            let answer = served.send(request.clone()).await;
            answer.is_refused(403, code, sentence);
        }
    };
    let bystander = async || {
        let answer = identity(served, &served.second_root).await.good();
        assert_eq!(answer.text("Account"), SECOND_ACCOUNT);
    };
    beside(attack, bystander).await;
}

async fn identity(served: &Served, keys: &Keys) -> Answer {
    served.call(keys, "sts", "GetCallerIdentity", &[]).await
}

/// `GetCallerIdentity`, signed in the header and in the query.
async fn good(served: &Served) -> [Signed; 2] {
    let query = form("sts", "GetCallerIdentity", &[]);
    let scope = served.scope("sts").await;
    [
        served.prepare(&served.root, "GetCallerIdentity").await,
        Signed::presigned(&served.base, &query, &served.root, scope),
    ]
}

/// A request in which a header says something else.
fn with(request: &Signed, name: &str, value: &str) -> Signed {
    let mut altered = request.clone();
    altered.set(name, value);
    altered
}

/// A request in which one text of the signature's own header is another.
fn resigned(request: &Signed, from: &str, to: &str) -> Signed {
    let header = request.header("authorization");
    assert!(header.contains(from), "{header}");
    with(request, "authorization", &header.replacen(from, to, 1))
}

/// A request whose address has one text in place of another.
fn readdressed(request: &Signed, from: &str, to: &str) -> Signed {
    assert!(request.url.contains(from), "{}", request.url);
    Signed {
        url: request.url.replacen(from, to, 1),
        ..request.clone()
    }
}

#[tokio::test]
async fn a_body_that_was_altered_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let [header, query] = good(&served).await;
    let other = |body: String| Signed {
        body,
        ..header.clone()
    };
    let requests = [
        other(format!("{}&x=y", header.body)),
        other(header.body.replace("GetCallerIdentity", "GetSessionToken")),
        other(header.body.replace('&', "&&")),
        Signed {
            url: format!("{}/?{}", served.base, header.body),
            body: String::new(),
            ..header.clone()
        },
        Signed {
            body: form("sts", "GetSessionToken", &[]),
            ..query
        },
    ];
    refuses(&served, &requests, MISMATCH, WRONG).await;
    served.send(header).await.good();
}

#[tokio::test]
async fn a_header_or_an_address_that_was_altered_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let [header, query] = good(&served).await;
    let kind = "application/x-www-form-urlencoded; charset=utf-8";
    let requests = [
        with(&header, "host", "sts.amazonaws.com"),
        with(&header, "content-type", kind),
        readdressed(&header, &served.base, &format!("{}/?x=y", served.base)),
        readdressed(&query, "Version=", "x=y&Version="),
        with(&query, "host", "sts.amazonaws.com"),
    ];
    refuses(&served, &requests, MISMATCH, WRONG).await;
    let token = [
        with(&header, "x-amz-security-token", "more"),
        readdressed(&query, "Version=", "X-Amz-Security-Token=more&Version="),
    ];
    refuses(&served, &token, "InvalidClientTokenId", INVALID).await;
    let unsigned = [resigned(&header, ";host", "")];
    let sentence = "'Host' or ':authority' must be a 'SignedHeader'";
    refuses(&served, &unsigned, MISMATCH, sentence).await;
}

#[tokio::test]
async fn a_date_that_was_altered_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let [header, query] = good(&served).await;
    let date = header.header("x-amz-date");
    let seconds = if date.ends_with("00Z") { "01Z" } else { "00Z" };
    let beside = format!("{}{seconds}", &date[..13]);
    let in_query = format!("X-Amz-Date={date}");
    let requests = [
        with(&header, "x-amz-date", &beside),
        readdressed(&query, &in_query, &format!("X-Amz-Date={beside}")),
        readdressed(&query, "X-Amz-Expires=60", "X-Amz-Expires=604800"),
    ];
    refuses(&served, &requests, MISMATCH, WRONG).await;
    let day = &date[..8];
    let scope = "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date";
    let requests = [resigned(&header, day, "20150830")];
    refuses(&served, &requests, MISMATCH, scope).await;
    let requests = [with(&header, "x-amz-date", "20150830T123600Z")];
    refuses(&served, &requests, MISMATCH, "Signature expired: ").await;
}

#[tokio::test]
async fn a_region_or_a_service_that_was_altered_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let [header, query] = good(&served).await;
    let requests = [
        resigned(&header, "us-east-1", "eu-west-1"),
        readdressed(&query, "us-east-1", "eu-west-1"),
    ];
    refuses(&served, &requests, MISMATCH, WRONG).await;
    let service = [
        resigned(&header, "/sts/", "/iam/"),
        Signed::form(&served.base, header.body.clone(), &served.root, {
            served.scope("iam").await
        }),
    ];
    let sentence = "Credential should be scoped to correct service: 'sts'. ";
    refuses(&served, &service, MISMATCH, sentence).await;
    let scope = Scope {
        region: "nowhere",
        ..served.scope("sts").await
    };
    let nowhere = [Signed::form(&served.base, header.body, &served.root, scope)];
    let sentence = "Credential should be scoped to a valid region, not 'nowhere'. ";
    refuses(&served, &nowhere, MISMATCH, sentence).await;
}

#[tokio::test]
async fn a_signature_that_was_taken_away_or_altered_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let [header, query] = good(&served).await;
    let mut none = header.clone();
    none.headers.retain(|(name, _)| name != "authorization");
    let sentence = "Request is missing Authentication Token";
    refuses(&served, &[none], "MissingAuthenticationToken", sentence).await;
    let text = header.header("authorization");
    let (before, signature) = text.rsplit_once("Signature=").unwrap();
    let flipped = if signature.ends_with('0') { "1" } else { "0" };
    let flipped = format!("{}{flipped}", &signature[..signature.len() - 1]);
    let (address, _) = query.url.split_once("X-Amz-Signature=").unwrap();
    let requests = [
        with(
            &header,
            "authorization",
            &format!("{before}Signature={flipped}"),
        ),
        with(
            &header,
            "authorization",
            &format!("{before}Signature={}", signature.to_uppercase()),
        ),
        Signed {
            url: format!("{address}X-Amz-Signature={signature}"),
            ..query.clone()
        },
    ];
    refuses(&served, &requests, MISMATCH, WRONG).await;
    let requests = [
        with(&header, "authorization", before.trim_end_matches(", ")),
        resigned(&header, "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
    ];
    for request in requests {
        let (status, code, sentence) = served.send(request).await.refusal();
        assert!((400..=403).contains(&status), "{status} {code}: {sentence}");
    }
}

/// AWS keeps no list of requests: what is sent again is good for as long as its
/// date is.
#[tokio::test]
async fn a_request_that_is_sent_again_outside_of_its_window_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let requests = good(&served).await;
    served.advance(14 * 60).await;
    for request in &requests {
        served.send(request.clone()).await.good();
    }
    served.advance(2 * 60).await;
    for request in &requests {
        let answer = served.send(request.clone()).await;
        answer.is_refused(403, MISMATCH, "Signature expired: ");
        assert!(answer.text("Message").ends_with(" - 15 min.)"));
    }
    refuses(&served, &requests, MISMATCH, "Signature expired: ").await;
    served.advance(-40 * 60).await;
    let early = good(&served).await;
    served.advance(-16 * 60).await;
    refuses(&served, &early, MISMATCH, "Signature not yet current: ").await;
}

#[tokio::test]
async fn the_credentials_of_another_account_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let scope = served.scope("sts").await;
    let body = form("sts", "GetCallerIdentity", &[]);
    let sign = |keys: &Keys| Signed::form(&served.base, body.clone(), keys, scope);
    let (own, other) = (&served.root, &served.second_root);
    let mixed = Keys {
        secret: other.secret.clone(),
        ..own.clone()
    };
    let key_of_another = resigned(&sign(own), &own.id, &other.id);
    let requests = [sign(&mixed), key_of_another];
    refuses(&served, &requests, MISMATCH, WRONG).await;
    let session = served.call(own, "sts", "GetSessionToken", &[]).await;
    let session = session.good().keys();
    let session_of_another = Keys {
        session_token: session.session_token,
        ..other.clone()
    };
    let stranger = Keys {
        id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        ..own.clone()
    };
    let requests = [sign(&session_of_another), sign(&stranger)];
    refuses(&served, &requests, "InvalidClientTokenId", INVALID).await;
    served.iam("CreateUser", &[("UserName", "ada")]).await;
    let provider =
        format!("arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com");
    served
        .provider("https://token.actions.githubusercontent.com", "sts")
        .await;
    let named = [("OpenIDConnectProviderArn", provider.as_str())];
    let answer = served
        .call(other, "iam", "GetOpenIDConnectProvider", &named)
        .await;
    answer.is_refused(403, "AccessDenied", "is not authorized to perform");
    let answer = served
        .call(other, "iam", "GetUser", &[("UserName", "ada")])
        .await;
    answer.is_refused(404, "NoSuchEntity", "");
}

/// What would take a lot of work for few bytes is refused before it is done, or
/// takes none.
#[tokio::test]
async fn forms_made_to_hurt_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let many = |name: &dyn Fn(usize) -> String| -> Vec<(String, String)> {
        (1..=15_000)
            .map(|number| (name(number), "x".to_owned()))
            .collect()
    };
    let tags = many(&|number| format!("Tags.member.{number}.Key"));
    let mut simulated = many(&|number| format!("ActionNames.member.{number}"));
    simulated.extend(many(&|number| format!("ResourceArns.member.{number}")));
    let stars = format!("ecr:{}b", "*a".repeat(200));
    let hostile = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": { "Effect": "Allow", "Action": vec![stars; 200], "Resource": "*" },
    })
    .to_string();
    let name = format!("ecr:{}", "a".repeat(120));
    let deep = "[".repeat(6_000);
    let call = async |action: &str, fixed: &[(&str, &str)], further: &[(String, String)]| {
        let mut parameters = fixed.to_vec();
        parameters.extend(further.iter().map(|(n, v)| (n.as_str(), v.as_str())));
        served.call(&served.root, "iam", action, &parameters).await
    };
    let attack = async || {
        let user = [("UserName", "ada")];
        let answer = call("CreateUser", &user, &tags).await;
        answer.is_refused(400, "ValidationError", "less than or equal to 50");
        let nested = [("PolicyName", "deep"), ("PolicyDocument", deep.as_str())];
        let answer = call("CreatePolicy", &nested, &[]).await;
        answer.is_refused(400, "MalformedPolicyDocument", "");
        let twice = [("UserName".to_owned(), "eve".to_owned())];
        let answer = call("CreateUser", &user, &twice).await;
        answer.is_refused(400, "MalformedQueryString", "");
        let policy = [
            ("PolicyInputList.member.1", hostile.as_str()),
            ("MaxItems", "1"),
        ];
        let answer = call("SimulateCustomPolicy", &policy, &simulated).await;
        assert_eq!(answer.good().all("EvalDecision"), ["implicitDeny"]);
        let named = [("ActionNames.member.1".to_owned(), name.clone())];
        let answer = call("SimulateCustomPolicy", &policy[..1], &named).await;
        assert_eq!(answer.good().all("EvalDecision"), ["implicitDeny"]);
    };
    let bystander = async || {
        identity(&served, &served.second_root).await.good();
    };
    beside(attack, bystander).await;
}

/// A form is read as it came: what would unpack into a call is none.
#[tokio::test]
async fn forms_are_not_decompressed() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed
        .write_all(b"Action=GetCallerIdentity&Version=2011-06-15&x=")
        .unwrap();
    packed.write_all(&vec![b'x'; 64 << 20]).unwrap();
    let packed = packed.finish().unwrap();
    let attack = async || {
        let request = served.client.post(&served.base);
        let request = request.header("content-encoding", "gzip");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(packed.clone()).send().await.unwrap();
        let answer = Answer {
            status: answer.status().as_u16(),
            xml: answer.text().await.unwrap(),
        };
        answer.is_refused(400, "MissingAction", "");
    };
    let bystander = async || {
        identity(&served, &served.second_root).await.good();
    };
    beside(attack, bystander).await;
}
