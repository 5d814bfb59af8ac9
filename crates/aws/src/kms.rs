//! AWS KMS, as far as signing with a key that never leaves it goes: JSON 1.1
//! protocol, API version 2014-11-01.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::json_protocol::JsonCall;
use crate::transport::Operation;
use crate::{AwsError, Client, Credentials};

const GET_PUBLIC_KEY: Operation = Operation {
    service: "KMS",
    name: "GetPublicKey",
};
const SIGN: Operation = Operation {
    service: "KMS",
    name: "Sign",
};
/// ECDSA on P-256 with SHA-256.
const ALGORITHM: &str = "ECDSA_SHA_256";

/// A key that signs with ECDSA on P-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsKey {
    /// Its ARN, also where an alias was asked for: an alias may move.
    pub arn: String,
    /// Its public half: X.509 `SubjectPublicKeyInfo`, DER.
    pub public_key: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PublicKeyAnswer {
    key_id: String,
    public_key: String,
    #[serde(default)]
    signing_algorithms: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SignAnswer {
    signature: String,
}

impl Client {
    /// The key that `id` names: an id, an ARN, or `alias/NAME`.
    pub async fn kms_key(&self, credentials: &Credentials, id: &str) -> Result<KmsKey, AwsError> {
        let body = json!({"KeyId": id});
        let answer: PublicKeyAnswer = self.ask_kms(GET_PUBLIC_KEY, credentials, body).await?;
        if !answer
            .signing_algorithms
            .iter()
            .any(|name| name == ALGORITHM)
        {
            return Err(AwsError::Setting {
                what: "KMS key",
                reason: format!(
                    "{} is no key for signing on P-256 (`KeySpec` ECC_NIST_P256, `KeyUsage` SIGN_VERIFY)",
                    answer.key_id
                ),
            });
        }
        let public_key = STANDARD.decode(&answer.public_key);
        Ok(KmsKey {
            arn: answer.key_id,
            public_key: public_key
                .map_err(|_| GET_PUBLIC_KEY.malformed("`PublicKey` is not base64"))?,
        })
    }

    /// The signature of what has the SHA-256 `digest`, ASN.1 DER.
    pub async fn kms_sign(
        &self,
        credentials: &Credentials,
        key: &KmsKey,
        digest: &[u8],
    ) -> Result<Vec<u8>, AwsError> {
        let body = json!({
            "KeyId": key.arn,
            "Message": STANDARD.encode(digest),
            "MessageType": "DIGEST",
            "SigningAlgorithm": ALGORITHM,
        });
        let answer: SignAnswer = self.ask_kms(SIGN, credentials, body).await?;
        STANDARD
            .decode(&answer.signature)
            .map_err(|_| SIGN.malformed("`Signature` is not base64"))
    }

    async fn ask_kms<T: serde::de::DeserializeOwned>(
        &self,
        operation: Operation,
        credentials: &Credentials,
        body: Value,
    ) -> Result<T, AwsError> {
        let call = JsonCall {
            operation,
            target: "TrentService",
            endpoint: self
                .endpoint(self.settings.kms_endpoint.as_ref(), "kms")
                .await?,
            body,
        };
        let answer = self.call_json(call, credentials).await?;
        serde_json::from_slice(&answer.body).map_err(|error| operation.malformed(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Server, client};

    fn answer(algorithm: &str) -> String {
        json!({
            "KeyId": "arn:aws:kms:eu-west-1:123456789012:key/1",
            "PublicKey": STANDARD.encode("public"),
            "SigningAlgorithms": [algorithm],
        })
        .to_string()
    }

    fn client_of(kms: &Server) -> Client {
        client(&[
            ("AWS_ENDPOINT_URL_KMS", &kms.url),
            ("AWS_REGION", "eu-west-1"),
        ])
    }

    fn credentials() -> Credentials {
        Credentials::new("ASIASAMPLE", "hunter2", None)
    }

    #[tokio::test]
    async fn a_digest_is_signed_by_the_arn_that_the_alias_had() {
        let kms = Server::start(|turn, _| match turn {
            0 => (200, answer(ALGORITHM)),
            _ => (
                200,
                json!({"Signature": STANDARD.encode("signed")}).to_string(),
            ),
        })
        .await;
        let client = client_of(&kms);
        let key = client
            .kms_key(&credentials(), "alias/release")
            .await
            .unwrap();
        assert_eq!(key.public_key, b"public");
        let signature = client.kms_sign(&credentials(), &key, b"digest").await;
        assert_eq!(signature.unwrap(), b"signed");

        let [asked, signed] = kms.seen().try_into().unwrap();
        assert_eq!(asked.header("x-amz-target"), "TrentService.GetPublicKey");
        assert_eq!(asked.body, r#"{"KeyId":"alias/release"}"#);
        assert_eq!(signed.header("x-amz-target"), "TrentService.Sign");
        let scope = "/eu-west-1/kms/aws4_request";
        assert!(signed.header("authorization").contains(scope));
        let body: Value = serde_json::from_str(&signed.body).unwrap();
        assert_eq!(body["KeyId"], key.arn);
        assert_eq!(body["Message"], STANDARD.encode("digest"));
        assert_eq!(body["MessageType"], "DIGEST");
    }

    #[tokio::test]
    async fn a_key_for_something_else_is_refused_by_what_it_should_be() {
        let kms = Server::always(200, &answer("RSASSA_PSS_SHA_256")).await;
        let error = client_of(&kms).kms_key(&credentials(), "1").await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains("ECC_NIST_P256"), "{error}");
    }
}
