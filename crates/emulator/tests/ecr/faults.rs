//! Faults that are injected on purpose, as clients meet them.

use std::time::{Duration, Instant};

use oci::Digest;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::denials::{ROLE, assume, role};
use crate::served::{Docker, REPOSITORY, Served, header, refused};

const LAYER: &str = "a layer of some bytes, long enough to be cut and to be altered";

async fn set(served: &Served, rule: Value) -> Value {
    let url = format!("{}/_longshore/faults", served.base);
    let answer = served.client.post(url).json(&rule).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{rule}");
    answer.json().await.unwrap()
}

async fn rules(served: &Served) -> Value {
    let url = format!("{}/_longshore/faults", served.base);
    served
        .client
        .get(url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap()
}

/// The newest record of the trail with that operation.
async fn newest(served: &Served, operation: &str) -> Value {
    let url = format!("{}/_longshore/trail", served.base);
    let answer = served.client.get(url).send().await.unwrap();
    let records: Vec<Value> = answer.json().await.unwrap();
    let found = records.into_iter().rev();
    let mut found = found.filter(|record| record["eventName"] == operation);
    found.next().unwrap_or_else(|| panic!("no {operation}"))
}

async fn tags(docker: &Docker<'_>) -> Value {
    let answer = docker.get(&format!("/v2/{REPOSITORY}/tags/list")).await;
    answer.json::<Value>().await.unwrap()["tags"].clone()
}

/// The address of a layer that is there.
async fn layer(docker: &Docker<'_>) -> String {
    docker.push(REPOSITORY, "v1", LAYER).await;
    let digest = Digest::of(LAYER.as_bytes());
    format!("/v2/{REPOSITORY}/blobs/{digest}")
}

#[tokio::test]
async fn a_burst_of_refusals_ends_and_the_trail_names_the_rule() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    docker.push(REPOSITORY, "v1", LAYER).await;
    let image = docker.get(&format!("/v2/{REPOSITORY}/manifests/v1")).await;
    let manifest = image.text().await.unwrap();
    set(
        &served,
        json!({
            "name": "burst", "when": { "operation": "PutImage" }, "schedule": { "times": 2 },
            "fault": { "refuse": { "status": 503, "retry_after_seconds": 7 } },
        }),
    )
    .await;
    for _ in 0..2 {
        let answer = docker.put_manifest(REPOSITORY, "v2", &manifest).await;
        assert_eq!(header(&answer, "retry-after"), "7");
        let (status, code, _) = refused(answer).await;
        assert_eq!((status, code.as_str()), (503, "UNAVAILABLE"));
    }
    let answer = docker.put_manifest(REPOSITORY, "v2", &manifest).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let rules = rules(&served).await;
    assert_eq!(
        (&rules[0]["matched"], &rules[0]["struck"]),
        (&json!(3), &json!(2))
    );

    set(
        &served,
        json!({
            "name": "burst", "when": { "operation": "PutImage" },
            "fault": { "refuse": { "status": 429 } },
        }),
    )
    .await;
    let answer = docker.put_manifest(REPOSITORY, "v3", &manifest).await;
    let (status, code, message) = refused(answer).await;
    assert_eq!((status, code.as_str()), (429, "TOOMANYREQUESTS"));
    assert_eq!(message, "Rate exceeded");
    let record = newest(&served, "PutImage").await;
    assert_eq!(record["longshore"]["faults"], json!(["burst"]));
}

#[tokio::test]
async fn a_refusal_speaks_the_protocol_of_the_call() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let code = |answer: &Value| answer["__type"].as_str().unwrap().to_owned();
    for (status, expected) in [
        (429, (400, "ThrottlingException")),
        (500, (500, "ServerException")),
        (503, (503, "ServiceUnavailable")),
    ] {
        set(
            &served,
            json!({ "schedule": { "times": 2 }, "fault": { "refuse": { "status": status } } }),
        )
        .await;
        let keys = &served.administrator;
        let (status, answer) = served
            .call_as(keys, "DescribeRepositories", json!({}))
            .await;
        assert_eq!((status, code(&answer).as_str()), expected);
        let query = format!(
            "{}/?Action=GetCallerIdentity&Version=2011-06-15",
            served.base
        );
        let answer = served.client.get(query).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), expected.0);
        assert!(answer.text().await.unwrap().contains("<Error><Type>"));
    }
}

#[tokio::test]
async fn a_dropped_connection_leaves_the_request_handled_or_not_as_the_rule_says() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    docker.push(REPOSITORY, "v1", LAYER).await;
    let image = docker.get(&format!("/v2/{REPOSITORY}/manifests/v1")).await;
    let manifest = image.text().await.unwrap();
    for (tag, fault, expected) in [
        ("v2", json!({ "drop": {} }), json!(["v1"])),
        (
            "v3",
            json!({ "drop": { "handled": true } }),
            json!(["v1", "v3"]),
        ),
        (
            "v4",
            json!({ "half_close": { "handled": true } }),
            json!(["v1", "v3", "v4"]),
        ),
    ] {
        set(&served, json!({
            "name": "lost", "when": { "method": "PUT", "path": "/v2/*/manifests/*" }, "fault": fault,
        })).await;
        let path = format!("/v2/{REPOSITORY}/manifests/{tag}");
        let request = docker.request(Method::PUT, &path).body(manifest.clone());
        let request = request.header("content-type", oci::media_type::MANIFEST);
        assert!(request.send().await.is_err(), "{fault}");
        let mut tags = tags(&docker).await;
        tags.as_array_mut().unwrap().sort_by_key(Value::to_string);
        assert_eq!(tags, expected, "{fault}");
    }
}

#[tokio::test]
async fn a_half_closed_connection_still_takes_what_the_client_sends() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    set(&served, json!({ "fault": { "half_close": {} } })).await;
    let mut stream = TcpStream::connect(served.host()).await.unwrap();
    let request = format!("GET /v2/ HTTP/1.1\r\nhost: {}\r\n\r\n", served.host());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    stream.read_to_end(&mut seen).await.unwrap();
    assert_eq!(seen, b"", "only the end comes");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn a_truncated_answer_announces_all_and_a_corrupted_one_differs_in_one_bit() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let path = layer(&docker).await;
    let faults = [
        json!({ "truncate_response": { "after_bytes": 10 } }),
        json!({ "corrupt_response": { "at_byte": 5 } }),
    ];
    for (position, fault) in faults.into_iter().enumerate() {
        set(
            &served,
            json!({
                "when": { "operation": "GetObject" }, "schedule": { "times": 1 }, "fault": fault,
            }),
        )
        .await;
        let answer = docker.get(&path).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.content_length(), Some(LAYER.len() as u64));
        if position == 0 {
            let mut answer = answer;
            let first = answer.chunk().await.unwrap().unwrap();
            assert_eq!(first, &LAYER[..10]);
            assert!(answer.chunk().await.is_err(), "the rest does not come");
        } else {
            let bytes = answer.bytes().await.unwrap();
            let flipped: Vec<(usize, u8)> = bytes
                .iter()
                .zip(LAYER.as_bytes())
                .enumerate()
                .filter(|(_, (found, sent))| found != sent)
                .map(|(at, (found, sent))| (at, found ^ sent))
                .collect();
            assert_eq!((bytes.len(), flipped), (LAYER.len(), vec![(5, 1)]));
        }
    }
    assert_eq!(docker.get(&path).await.text().await.unwrap(), LAYER);
}

#[tokio::test]
async fn a_request_that_is_cut_off_is_forgotten_and_the_upload_goes_on() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    set(
        &served,
        json!({
            "when": { "operation": "UploadLayerPart" }, "schedule": { "times": 1 },
            "fault": { "cut_request": { "after_bytes": 20 } },
        }),
    )
    .await;
    let start = format!("/v2/{REPOSITORY}/blobs/uploads/");
    let started = docker.request(Method::POST, &start).send().await.unwrap();
    let place = header(&started, "location");
    let send = || docker.request(Method::PATCH, &place).body(LAYER);
    assert!(send().send().await.is_err(), "the connection ends");
    let sent = send().send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::CREATED);
    let end = format!("{place}?digest={}", Digest::of(LAYER.as_bytes()));
    let ended = docker.request(Method::PUT, &end).send().await.unwrap();
    assert_eq!(ended.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn credentials_expire_in_the_middle_of_an_upload() {
    let data = tempfile::tempdir().unwrap();
    let upload = ["ecr:InitiateLayerUpload", "ecr:UploadLayerPart"];
    let served = Served::start(data.path(), vec![role(&upload)]).await;
    let session = assume(&served, ROLE).await;
    let docker = served.docker(&session).await;
    set(
        &served,
        json!({
            "name": "expiry", "schedule": { "times": 1 }, "fault": { "expire_credentials": {} },
            "when": { "operation": "UploadLayerPart", "role": ROLE },
        }),
    )
    .await;
    let start = format!("/v2/{REPOSITORY}/blobs/uploads/");
    let started = docker.request(Method::POST, &start).send().await.unwrap();
    assert_eq!(started.status(), StatusCode::ACCEPTED);
    let place = header(&started, "location");
    let patch = docker.request(Method::PATCH, &place).body(LAYER);
    let (_, _, message) = refused(patch.send().await.unwrap()).await;
    let sentence = "Your authorization token has expired. Reauthenticate and try again.";
    assert_eq!(message, sentence);
    let again = docker.request(Method::POST, &start).send().await.unwrap();
    assert_eq!(refused(again).await.2, sentence, "and stays so");

    set(
        &served,
        json!({
            "name": "expiry", "fault": { "expire_credentials": {} },
            "when": { "access_key_id": session.id },
        }),
    )
    .await;
    let (status, answer) = served
        .call_as(&session, "GetAuthorizationToken", json!({}))
        .await;
    assert_eq!(
        (status, &answer["__type"]),
        (400, &json!("ExpiredTokenException"))
    );
    served.log_in(&served.administrator).await;
}

#[tokio::test]
async fn a_slow_answer_is_slow_and_its_rule_can_be_removed() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let path = layer(&docker).await;
    let rule = set(
        &served,
        json!({ "fault": { "latency": { "milliseconds": 150 } } }),
    )
    .await;
    set(
        &served,
        json!({
            "name": "slow", "when": { "operation": "GetObject" },
            "fault": { "bandwidth": { "response": 200 } },
        }),
    )
    .await;
    let began = Instant::now();
    docker.get(&path).await.bytes().await.unwrap();
    // Twice the latency, because the layer is behind a redirection, and three
    // pauses between four pieces.
    assert!(
        began.elapsed() >= Duration::from_millis(2 * 150 + 3 * 100),
        "{:?}",
        began.elapsed()
    );

    let url = |name: &str| format!("{}/_longshore/faults/{name}", served.base);
    let name = rule["name"].as_str().unwrap();
    for (name, status) in [(name, 204), (name, 404), ("slow", 204)] {
        let removed = served.client.delete(url(name)).send().await.unwrap();
        assert_eq!(removed.status().as_u16(), status, "{name}");
    }
    assert_eq!(rules(&served).await, json!([]));
}

#[tokio::test]
async fn what_is_no_rule_is_refused_with_what_is_wrong() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let url = format!("{}/_longshore/faults", served.base);
    for (rule, part) in [
        (
            json!({ "fault": { "refuse": { "status": 418 } } }),
            "429, 500 or 503",
        ),
        (
            json!({ "fault": { "drop": {} }, "times": 2 }),
            "unknown field `times`",
        ),
        (
            json!({ "fault": { "drop": {} }, "name": "a b" }),
            "letters, digits",
        ),
    ] {
        let answer = served.client.post(&url).json(&rule).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{rule}");
        let answer: Value = answer.json().await.unwrap();
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains(part), "{message}");
    }
}

#[tokio::test]
async fn rules_know_operations_by_the_names_that_the_trail_gives_them() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let operations = [
        "BatchCheckLayerAvailability",
        "BatchDeleteImage",
        "BatchGetImage",
        "CancelUpload",
        "CompleteLayerUpload",
        "DescribeRepositories",
        "GetAuthorizationToken",
        "GetDownloadUrlForLayer",
        "GetObject",
        "GetUploadStatus",
        "InitiateLayerUpload",
        "ListImageReferrers",
        "ListImages",
        "PutImage",
        "RegistryLogin",
        "UploadLayerPart",
    ];
    for operation in operations {
        let rule = json!({
            "name": operation, "when": { "operation": operation },
            "fault": { "latency": { "milliseconds": 0 } },
        });
        set(&served, rule).await;
    }
    let docker = served.administrator().await;
    let layer = layer(&docker).await;
    docker.get(&layer).await;
    let start = format!("/v2/{REPOSITORY}/blobs/uploads/");
    let started = docker.request(Method::POST, &start).send().await.unwrap();
    let place = header(&started, "location");
    let digest = Digest::of(LAYER.as_bytes());
    for (method, path) in [
        (Method::GET, "/v2/"),
        (Method::GET, "/v2/_catalog"),
        (Method::GET, &format!("/v2/{REPOSITORY}/tags/list")),
        (Method::GET, &format!("/v2/{REPOSITORY}/referrers/{digest}")),
        (Method::GET, &format!("/v2/{REPOSITORY}/manifests/v1")),
        (Method::HEAD, &layer),
        (Method::GET, &place),
        (Method::DELETE, &place),
        (Method::DELETE, &format!("/v2/{REPOSITORY}/manifests/v1")),
    ] {
        docker.request(method, path).send().await.unwrap();
    }
    for operation in operations {
        let record = newest(&served, operation).await;
        assert_eq!(record["longshore"]["faults"], json!([operation]));
    }
}
