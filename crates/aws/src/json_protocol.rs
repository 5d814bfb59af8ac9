//! AWS's JSON 1.1 protocol: a POST whose header names the operation.

use http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::transport::{Answer, Operation};
use crate::{AwsError, Client, Credentials};

/// One call.
pub(crate) struct JsonCall {
    pub(crate) operation: Operation,
    /// What stands before the operation's name in `X-Amz-Target`.
    pub(crate) target: &'static str,
    pub(crate) endpoint: Url,
    pub(crate) body: Value,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    #[serde(rename = "__type")]
    kind: Option<String>,
    #[serde(alias = "Message")]
    message: Option<String>,
}

impl Client {
    /// Signs and sends `call`; the answer is one of success.
    pub(crate) async fn call_json(
        &self,
        call: JsonCall,
        credentials: &Credentials,
    ) -> Result<Answer, AwsError> {
        let operation = call.operation;
        let target = format!("{}.{}", call.target, operation.name);
        let request = http::Request::post(call.endpoint.as_str())
            .header(CONTENT_TYPE, "application/x-amz-json-1.1")
            .header("x-amz-target", target)
            .body(call.body.to_string().into_bytes())
            .map_err(|error| AwsError::Setting {
                what: "endpoint",
                reason: error.to_string(),
            })?;
        self.send_signed(operation, &request, credentials, |answer| {
            judge(operation, answer)
        })
        .await
    }
}

/// Lets a success pass and reads the error out of everything else. The code may
/// come in a header or in the body, with a namespace before it or a URL after it.
fn judge(operation: Operation, answer: Answer) -> Result<Answer, AwsError> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let body = serde_json::from_slice::<ErrorAnswer>(&answer.body).ok();
    let (kind, message) = body.map_or((None, None), |body| (body.kind, body.message));
    let code = answer.header("x-amzn-errortype").or(kind).map(|kind| {
        let name = kind.rsplit('#').next().unwrap_or(&kind);
        name.split(':').next().unwrap_or(name).to_owned()
    });
    Err(answer.into_error(operation, code, message, None))
}
