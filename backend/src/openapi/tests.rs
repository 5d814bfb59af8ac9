use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, Response};
use utoipa::{Modify, OpenApi};

use super::{DOCUMENT, patterns};
use crate::app::{AppState, Site, app, routes};
use crate::config::{Build, Limits};
use crate::database::{Database, Location, Start};
use crate::editor::{audit, documents, messages};
use crate::operations::Operations;
use crate::problem::{PROBLEM_JSON, ProblemDocument};
use crate::public::{feed, portfolio, posts, search};
use crate::timestamp::system_clock;
use crate::{contact, health, openapi, version};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

#[derive(OpenApi)]
#[openapi(
    modifiers(&EveryErrorIsAProblem, &EditorsHaveTokens),
    components(schemas(ProblemDocument)),
    info(
        title = "Portfolio",
        description = "A profile, projects, posts, and a way to get in touch. Every error is a problem document (RFC 9457), and every response has the header `x-request-id`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(
        health::healthz,
        health::readyz,
        version::version,
        openapi::document,
        portfolio::profile,
        portfolio::projects,
        portfolio::project,
        posts::list,
        posts::show,
        search::find,
        feed::show,
        contact::receive,
        documents::read_profile,
        documents::put_profile,
        documents::read_project,
        documents::put_project,
        documents::delete_project,
        documents::list_posts,
        documents::read_post,
        documents::put_post,
        documents::delete_post,
        messages::list,
        messages::read,
        messages::delete,
        audit::list
    )
)]
struct Document;

/// Gives every error response the problem document as its body, and every operation
/// a response for the errors that can meet any request.
struct EveryErrorIsAProblem;

impl Modify for EveryErrorIsAProblem {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let problem = || {
            let schema = Ref::from_schema_name("Problem");
            RefOr::T(Content::new(Some(schema)))
        };
        for item in document.paths.paths.values_mut() {
            let operations = [
                &mut item.get,
                &mut item.post,
                &mut item.put,
                &mut item.delete,
            ];
            for operation in operations.into_iter().flatten() {
                let responses = &mut operation.responses.responses;
                let other = Response::new("Any other error");
                responses.insert("default".to_owned(), RefOr::T(other));
                for (status, response) in responses {
                    if let RefOr::T(response) = response
                        && !status.starts_with('2')
                        && status != "304"
                    {
                        response.content.insert(PROBLEM_JSON.to_owned(), problem());
                    }
                }
            }
        }
    }
}

/// Says how a token is presented.
struct EditorsHaveTokens;

impl Modify for EditorsHaveTokens {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", scheme);
    }
}

/// A project with a name is written out: utoipa makes it of parts (`allOf`), and the part
/// that forbids other properties would forbid the name.
fn write_out_named_project(document: &mut Value) {
    let schemas = &mut document["components"]["schemas"];
    let mut named = schemas["Project"].clone();
    let name = schemas["NamedProject"]["allOf"][1]["properties"]["slug"].clone();
    named["description"] = schemas["NamedProject"]["description"].clone();
    named["properties"]["slug"] = name;
    let required = named["required"].as_array_mut().expect("properties");
    required.push("slug".into());
    named
        .as_object_mut()
        .expect("a schema")
        .remove("additionalProperties");
    schemas["NamedProject"] = named;
}

fn generated() -> String {
    let mut document = serde_json::to_value(Document::openapi()).expect("a document");
    patterns::write(&mut document);
    write_out_named_project(&mut document);
    serde_json::to_string_pretty(&document).expect("a document") + "\n"
}

/// The documented methods of each documented path.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let document: Value = serde_json::from_str(DOCUMENT).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    paths
        .iter()
        .map(|(path, item)| {
            let operations = item.as_object().expect("operations");
            (
                path.clone(),
                operations
                    .keys()
                    .map(|method| method.to_uppercase())
                    .collect(),
            )
        })
        .collect()
}

#[test]
fn the_committed_document_is_the_generated_one() {
    assert!(
        DOCUMENT == generated(),
        "openapi.json is not what the code says; write it anew with `cargo test -p backend -- --ignored write_openapi_json` and look at the difference"
    );
}

#[tokio::test]
#[ignore = "writes openapi.json"]
async fn write_openapi_json() {
    tokio::fs::write(FILE, generated())
        .await
        .expect("a written file");
}

/// axum has no list of its routes; what it prints for debugging has one.
#[test]
fn every_path_that_is_served_is_documented_and_the_other_way_round() {
    let printed = format!("{:?}", routes());
    let (_, paths) = printed.split_once("paths: {").expect("its paths");
    let (paths, _) = paths.split_once("\"}").expect("their end");
    let served: BTreeSet<&str> = paths.split('"').skip(1).step_by(2).collect();
    let documented = documented();
    assert_eq!(served, documented.keys().map(String::as_str).collect());
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let document = Document::openapi();
    let items = document.paths.paths.values();
    let operations: Vec<_> = items
        .flat_map(|item| [&item.get, &item.post, &item.put, &item.delete])
        .flatten()
        .map(|operation| operation.operation_id.as_deref().expect("a name"))
        .collect();
    assert_eq!(operations.len(), BTreeSet::from_iter(&operations).len());
}

/// The name of something of the kind that the path is about.
fn slug_in(path: &str) -> &'static str {
    if path.contains("posts") {
        "one-small-machine"
    } else {
        "tidewater"
    }
}

#[tokio::test]
async fn every_documented_method_is_served_and_no_other() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let location = Location::File(directory.path().join("portfolio.sqlite"));
    let database = Database::open(&location, Start::Example)
        .await
        .expect("a database");
    let (build, site) = (Build::default(), Site::default());
    let operations = Operations::new(&Limits::default());
    let state = AppState::new(database, build, site, operations, system_clock);
    let app = app(state, &[]);
    for (path, methods) in documented() {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let request = Request::builder()
                .method(Method::from_bytes(method.as_bytes()).expect("a method"))
                .uri(path.replace("{slug}", slug_in(&path)))
                .body(Body::empty())
                .expect("a request");
            let status = app
                .clone()
                .oneshot(request)
                .await
                .expect("a response")
                .status();
            assert_ne!(status, StatusCode::NOT_FOUND, "{method} {path}");
            let is_served = status != StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(
                is_served,
                methods.contains(method),
                "{method} {path}: {status}"
            );
        }
    }
}
