//! Reads whole roots and compares with what Terraform makes of them.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::format_push_string,
    reason = "tests stop at the first surprise, and say what they skip"
)]

mod arbitrary;
mod errors;
mod evaluation;
mod files;
mod merging;
mod oracle;
mod origins;
mod production;
mod unknowns;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use terraform::{Given, Root, Value};

const ACCOUNT: &str = "123456789012";

/// The fixture root of a name.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/roots")
        .join(name)
}

/// The root that this repository is published with.
fn infra() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra")
}

fn given() -> Given {
    Given {
        account: ACCOUNT.to_owned(),
        ..Given::default()
    }
}

fn read(path: &Path) -> Root {
    terraform::read(path, &given()).unwrap()
}

/// Reads a root for whose provider a region is given.
fn read_in_region(path: &Path) -> Root {
    let given = Given {
        region: Some("eu-west-1".to_owned()),
        ..given()
    };
    terraform::read(path, &given).unwrap()
}

/// Reads a root of one file.
fn read_text(text: &str) -> Root {
    let directory = tempfile::tempdir().unwrap();
    fs_err::write(directory.path().join("main.tf"), text).unwrap();
    read(directory.path())
}

/// Reads a root of one file for whose provider a region is given.
fn read_text_in_region(text: &str) -> Root {
    let directory = tempfile::tempdir().unwrap();
    fs_err::write(directory.path().join("main.tf"), text).unwrap();
    read_in_region(directory.path())
}

/// A value as JSON; an unknown becomes an object that says so.
fn json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => number.clone().into(),
        Value::String(text) => text.clone().into(),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Object(entries) => entries
            .iter()
            .map(|(key, value)| (key.clone(), json(value)))
            .collect(),
        Value::Unknown(reason) => serde_json::json!({ "unknown": reason }),
    }
}

fn outputs(root: &Root) -> BTreeMap<String, Json> {
    root.outputs
        .iter()
        .map(|(name, value)| (name.clone(), json(value)))
        .collect()
}

/// The recorded outputs of a fixture, as Terraform 1.11.4 gave them.
fn recorded(name: &str) -> BTreeMap<String, Json> {
    let text = fs_err::read_to_string(fixture(name).join("expected.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}
