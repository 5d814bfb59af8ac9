//! Attributes that the provider adds and that follow from the configuration: the
//! ARNs above all. What AWS makes up (unique ids, dates) is not here.

use std::collections::BTreeMap;

use crate::policy_document;
use crate::provider::Surroundings;
use crate::value::Value;

type Attributes = BTreeMap<String, Value>;

/// What the provider adds to the resource at an address.
pub(crate) fn of_resource(
    kind: &str,
    address: &str,
    given: &Attributes,
    around: &Surroundings,
) -> Attributes {
    match kind {
        "aws_iam_role" => {
            let name = name(given, address);
            attributes([
                ("arn", iam_arn(around, "role", &path_and_name(given, &name))),
                ("id", name.clone()),
                ("name", name),
            ])
        }
        "aws_iam_policy" => {
            let name = name(given, address);
            let arn = iam_arn(around, "policy", &path_and_name(given, &name));
            attributes([("arn", arn.clone()), ("id", arn), ("name", name)])
        }
        "aws_iam_openid_connect_provider" => oidc_provider(given, around),
        "aws_ecr_repository" => repository(given, around),
        "aws_iam_role_policy" => {
            let name = name(given, address);
            let id = text(&[&argument(given, "role"), &":".into(), &name]);
            attributes([("id", id), ("name", name)])
        }
        "aws_ecr_lifecycle_policy" | "aws_ecr_repository_policy" => attributes([
            ("id", argument(given, "repository")),
            ("registry_id", around.account.clone()),
        ]),
        _ => Attributes::new(),
    }
}

/// What a data source finds, as far as that is decided already.
pub(crate) fn of_data(kind: &str, given: &Attributes, around: &Surroundings) -> Attributes {
    match kind {
        "aws_caller_identity" => attributes([
            ("account_id", around.account.clone()),
            ("id", around.account.clone()),
        ]),
        "aws_region" => attributes([
            ("name", around.region.clone()),
            ("region", around.region.clone()),
            ("id", around.region.clone()),
        ]),
        "aws_partition" => attributes([
            ("partition", around.partition.clone()),
            ("dns_suffix", around.dns_suffix.clone()),
            ("id", around.partition.clone()),
        ]),
        "aws_iam_policy_document" => attributes([
            ("json", policy_document::json(given)),
            ("minified_json", policy_document::minified_json(given)),
        ]),
        "aws_iam_openid_connect_provider" => oidc_provider(given, around),
        "aws_ecr_repository" => repository(given, around),
        _ => Attributes::new(),
    }
}

fn attributes<const N: usize>(entries: [(&str, Value); N]) -> Attributes {
    entries
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// An argument, or the reason why it has no value.
fn argument(given: &Attributes, name: &str) -> Value {
    match given.get(name) {
        Some(Value::Null) | None => Value::Unknown(format!("{name} is not set")),
        Some(value) => value.clone(),
    }
}

/// The `name`. Where it is left out, the provider makes one up that nothing else
/// has: until then the address stands for it, in brackets that no name of IAM has.
fn name(given: &Attributes, address: &str) -> Value {
    let made_up = Value::from(format!("<{address}>"));
    match (given.get("name"), given.get("name_prefix")) {
        (None | Some(Value::Null), None | Some(Value::Null)) => made_up,
        (None | Some(Value::Null), Some(prefix)) => text(&[prefix, &made_up]),
        (Some(name), _) => name.clone(),
    }
}

/// Whether a name is only made up when it is applied.
pub(crate) fn is_made_up(name: &str) -> bool {
    name.ends_with('>')
}

fn path_and_name(given: &Attributes, name: &Value) -> Value {
    match given.get("path") {
        Some(Value::Null) | None => text(&[&"/".into(), name]),
        Some(path) => text(&[path, name]),
    }
}

/// `arn:partition:iam::account:kind` and what follows.
fn iam_arn(around: &Surroundings, kind: &str, rest: &Value) -> Value {
    let kind = Value::from(format!(":{kind}"));
    text(&[
        &"arn:".into(),
        &around.partition,
        &":iam::".into(),
        &around.account,
        &kind,
        rest,
    ])
}

fn oidc_provider(given: &Attributes, around: &Surroundings) -> Attributes {
    // AWS keeps the URL without its scheme, and the provider reads it back so.
    let host = match argument(given, "url") {
        Value::String(url) => Value::from(without_scheme(&url)),
        other => other,
    };
    let arn = match given.get("arn") {
        Some(Value::Null) | None => iam_arn(around, "oidc-provider/", &host),
        Some(arn) => arn.clone(),
    };
    attributes([("arn", arn.clone()), ("id", arn), ("url", host)])
}

/// An issuer without `https://` and without a slash at the end.
fn without_scheme(url: &str) -> &str {
    url.strip_prefix("https://")
        .unwrap_or(url)
        .trim_end_matches('/')
}

fn repository(given: &Attributes, around: &Surroundings) -> Attributes {
    let name = argument(given, "name");
    let arn = text(&[
        &"arn:".into(),
        &around.partition,
        &":ecr:".into(),
        &around.region,
        &":".into(),
        &around.account,
        &":repository/".into(),
        &name,
    ]);
    let url = text(&[
        &around.account,
        &".dkr.ecr.".into(),
        &around.region,
        &".".into(),
        &around.dns_suffix,
        &"/".into(),
        &name,
    ]);
    let account = around.account.clone();
    attributes([
        ("arn", arn),
        ("id", name),
        ("registry_id", account),
        ("repository_url", url),
    ])
}

/// The parts as one text, unknown if one of them is.
fn text(parts: &[&Value]) -> Value {
    let mut text = String::new();
    for part in parts {
        match (part.to_text(), part) {
            (Some(part), _) => text.push_str(&part),
            (None, Value::Unknown(reason)) => return Value::Unknown(reason.clone()),
            (None, other) => return Value::Unknown(format!("{} is no text", other.kind())),
        }
    }
    Value::String(text)
}
