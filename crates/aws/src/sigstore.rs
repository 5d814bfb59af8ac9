//! Keys that live for minutes: a certificate of Fulcio for whoever a token of GitHub
//! is about, and an entry of Rekor that says when it was used.
//!
//! Sources: Fulcio's API version 2 (`fulcio.proto`), Rekor's version 1 (`openapi.yaml`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, CONTENT_TYPE};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::transport::{Answer, Operation, is_loopback};
use crate::{AwsError, Client, Secret, WebIdentityToken};

const CERTIFY: Operation = Operation {
    service: "Fulcio",
    name: "CreateSigningCertificate",
};
const LOG: Operation = Operation {
    service: "Rekor",
    name: "createLogEntry",
};

/// The key that a certificate is asked for.
#[derive(Debug, Clone, Copy)]
pub struct CertifiedKey<'a> {
    /// Its public half, PEM.
    pub public_pem: &'a str,
    /// Its signature of the subject of the token, ASN.1 DER.
    pub proof: &'a [u8],
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CertificateAnswer {
    #[serde(alias = "signedCertificateDetachedSct")]
    signed_certificate_embedded_sct: SignedCertificate,
}

#[derive(Deserialize)]
struct SignedCertificate {
    chain: Chain,
}

#[derive(Deserialize)]
struct Chain {
    certificates: Vec<String>,
}

impl Client {
    /// A certificate, PEM, of Fulcio at `address` for a key of whoever `token`, whose
    /// audience must be `sigstore`, is about.
    pub async fn fulcio_certificate(
        &self,
        address: &Url,
        token: &WebIdentityToken,
        key: CertifiedKey<'_>,
    ) -> Result<String, AwsError> {
        let body = json!({
            "credentials": {"oidcIdentityToken": token.secret().expose()},
            "publicKeyRequest": {
                "publicKey": {"algorithm": "ECDSA", "content": key.public_pem},
                "proofOfPossession": STANDARD.encode(key.proof),
            },
        });
        let url = joined(address, "api/v2/signingCert")?;
        let answer = self.post(CERTIFY, &url, &body, &[token.secret()]).await?;
        let answer: Option<CertificateAnswer> = serde_json::from_slice(&answer.body).ok();
        answer
            .and_then(|answer| {
                let chain = answer.signed_certificate_embedded_sct.chain;
                chain.certificates.into_iter().next()
            })
            .ok_or_else(|| CERTIFY.malformed("its JSON has no certificate"))
    }

    /// Has Rekor at `address` make an entry of what is `proposed`, and returns what it
    /// says of it, JSON. The entry is public and stays.
    pub async fn rekor_entry(&self, address: &Url, proposed: &Value) -> Result<Vec<u8>, AwsError> {
        let url = joined(address, "api/v1/log/entries")?;
        let answer = self.post(LOG, &url, proposed, &[]).await?;
        Ok(answer.body)
    }

    async fn post(
        &self,
        operation: Operation,
        url: &Url,
        body: &Value,
        secrets: &[&Secret],
    ) -> Result<Answer, AwsError> {
        let request = || {
            http::Request::post(url.as_str())
                .header(CONTENT_TYPE, "application/json")
                .header(ACCEPT, "application/json")
                .body(body.to_string().into_bytes())
                .map_err(|error| setting(error.to_string()))
        };
        self.patience
            .retry(async || {
                let timeout = self.patience.request;
                let answer = self.transport.send(operation, request()?, timeout).await?;
                if answer.status.is_success() {
                    return Ok(answer);
                }
                Err(answer.into_error(operation, None, None, None))
            })
            .await
            .map_err(|error| error.without(secrets))
    }
}

/// A token goes nowhere unprotected but to this machine.
fn joined(address: &Url, path: &str) -> Result<Url, AwsError> {
    let safe = address.scheme() == "https" || address.scheme() == "http" && is_loopback(address);
    if !safe {
        return Err(setting(format!("{address} is not `https`")));
    }
    let base = format!("{}/", address.as_str().trim_end_matches('/'));
    let url = Url::parse(&base).and_then(|base| base.join(path));
    url.map_err(|error| setting(error.to_string()))
}

fn setting(reason: String) -> AwsError {
    AwsError::Setting {
        what: "address of Sigstore",
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Server, client};

    async fn certificate(fulcio: &Server) -> Result<String, AwsError> {
        let key = CertifiedKey {
            public_pem: "PEM",
            proof: b"proof",
        };
        let token = WebIdentityToken::new("hunter2".to_owned());
        let address = fulcio.url.parse().unwrap();
        client(&[]).fulcio_certificate(&address, &token, key).await
    }

    #[tokio::test]
    async fn the_leaf_of_the_chain_is_the_certificate() {
        let answer =
            r#"{"signedCertificateEmbeddedSct":{"chain":{"certificates":["leaf","root"]}}}"#;
        let fulcio = Server::always(200, answer).await;
        assert_eq!(certificate(&fulcio).await.unwrap(), "leaf");
        let seen = &fulcio.seen()[0];
        assert_eq!(seen.uri.path(), "/api/v2/signingCert");
        let body: Value = serde_json::from_str(&seen.body).unwrap();
        assert_eq!(body["credentials"]["oidcIdentityToken"], "hunter2");
        assert_eq!(body["publicKeyRequest"]["proofOfPossession"], "cHJvb2Y=");
    }

    #[tokio::test]
    async fn a_refusal_quotes_no_token_and_nonsense_is_malformed() {
        let fulcio = Server::always(400, "bad token hunter2").await;
        let error = certificate(&fulcio).await.unwrap_err().to_string();
        assert!(error.contains("bad token ***"), "{error}");
        let fulcio = Server::always(200, "{}").await;
        let error = certificate(&fulcio).await.unwrap_err();
        assert!(matches!(error, AwsError::Malformed { .. }), "{error}");
    }

    #[test]
    fn addresses_have_paths_of_their_own_and_are_protected() {
        let join = |address: &str| joined(&address.parse().unwrap(), "api/v1");
        assert_eq!(join("https://a.example/log").unwrap().path(), "/log/api/v1");
        assert_eq!(join("http://127.0.0.1:3000").unwrap().path(), "/api/v1");
        assert!(join("http://a.example").is_err());
    }
}
