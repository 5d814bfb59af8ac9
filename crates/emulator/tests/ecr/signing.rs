//! Signature Version 4, as a client makes it (IAM User Guide, "Create a signed
//! AWS API request").

use aws_lc_rs::hmac;
use sha2::{Digest as _, Sha256};

/// Credentials of the administrator or of a session.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) session_token: Option<String>,
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

/// The headers of a signed call of a JSON service, which is named as in a
/// credential scope. `date` is `YYYYMMDDTHHMMSSZ`.
pub(crate) fn headers(
    keys: &Keys,
    (host, region): (&str, &str),
    date: &str,
    (service, operation): (&str, &str),
    body: &str,
) -> Vec<(String, String)> {
    let prefix = match service {
        "cloudtrail" => "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
        _ => "AmazonEC2ContainerRegistry_V20150921",
    };
    let target = format!("{prefix}.{operation}");
    let mut headers = vec![
        ("host".to_owned(), host.to_owned()),
        ("x-amz-date".to_owned(), date.to_owned()),
    ];
    if let Some(token) = &keys.session_token {
        headers.push(("x-amz-security-token".to_owned(), token.clone()));
    }
    // The Query protocol names the operation in the body.
    if !matches!(service, "iam" | "sts") {
        headers.push(("x-amz-target".to_owned(), target));
    }
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let lines: Vec<String> = headers
        .iter()
        .map(|(name, value)| format!("{name}:{value}"))
        .collect();
    let canonical = format!(
        "POST\n/\n\n{}\n\n{names}\n{}",
        lines.join("\n"),
        hash(body.as_bytes())
    );
    let scope = format!("{}/{region}/{service}/aws4_request", &date[..8]);
    let text = format!(
        "AWS4-HMAC-SHA256\n{date}\n{scope}\n{}",
        hash(canonical.as_bytes())
    );
    let mut key = format!("AWS4{}", keys.secret).into_bytes();
    for part in scope.split('/') {
        key = mac(&key, part);
    }
    let signature = hex::encode(mac(&key, &text));
    headers.push((
        "authorization".to_owned(),
        format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            keys.id
        ),
    ));
    headers
}
