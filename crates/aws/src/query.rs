//! AWS's Query protocol, as STS and IAM speak it: a form goes out, XML comes back.

use http::header::CONTENT_TYPE;
use roxmltree::{Document, Node, ParsingOptions};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::AwsError;
use crate::transport::{Answer, Operation};

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// The request to an endpoint; `what` names it, should it be unusable.
pub(crate) fn post(
    endpoint: &Url,
    form: String,
    what: &'static str,
) -> Result<http::Request<Vec<u8>>, AwsError> {
    http::Request::post(endpoint.as_str())
        .header(CONTENT_TYPE, FORM)
        .body(form.into_bytes())
        .map_err(|error| AwsError::Setting {
            what,
            reason: error.to_string(),
        })
}

/// The body of a request; the API's `Version` is one of the pairs.
pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Lets a success pass and reads the error out of everything else.
pub(crate) fn judge(operation: Operation, answer: Answer) -> Result<Answer, AwsError> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let (code, message, request_id) = {
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        match parse(&body) {
            Ok(document) => {
                let root = document.root();
                (
                    text(root, "Code"),
                    text(root, "Message"),
                    text(root, "RequestId"),
                )
            }
            Err(_) => (None, None, None),
        }
    };
    Err(answer.into_error(operation, code, message, request_id))
}

pub(crate) fn read<T>(
    operation: Operation,
    answer: &Answer,
    pick: impl Fn(Node<'_, '_>) -> Option<T>,
) -> Result<T, AwsError> {
    let body = str::from_utf8(&answer.body)
        .map_err(|error| operation.malformed(format!("not UTF-8: {error}")))?;
    let document = parse(body).map_err(|error| operation.malformed(format!("not XML: {error}")))?;
    let name = format!("{}Result", operation.name);
    document
        .descendants()
        .find(|node| node.tag_name().name() == name)
        .and_then(pick)
        .ok_or_else(|| operation.malformed(format!("its {name} lacks a documented element")))
}

/// Answers are small and flat; the limit stops what is not an answer.
fn parse(body: &str) -> Result<Document<'_>, roxmltree::Error> {
    Document::parse_with_options(
        body,
        ParsingOptions {
            nodes_limit: 1000,
            ..ParsingOptions::default()
        },
    )
}

/// The text of the first element of that name, in any namespace.
pub(crate) fn text(within: Node<'_, '_>, name: &str) -> Option<String> {
    let found = within
        .descendants()
        .find(|node| node.is_element() && node.tag_name().name() == name)?;
    Some(found.text()?.trim().to_owned())
}
