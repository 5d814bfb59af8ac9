//! The whole state, kept and brought back.

use std::path::Path;
use std::time::Duration;

use oci::Digest;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::denials::{ROLE, assume, role};
use crate::served::{Docker, OTHER, REPOSITORY, Served, header, manifest, refused};

/// Longer than the time of grace of a blob that nobody refers to.
const DAYS: i64 = 2 * 86_400;

async fn post(served: &Served, control: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/_longshore/{control}", served.base);
    let answer = served.client.post(url).json(&body).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

async fn get(served: &Served, control: &str) -> Value {
    let url = format!("{}/_longshore/{control}", served.base);
    let answer = served.client.get(url).send().await.unwrap();
    answer.json().await.unwrap()
}

async fn delete(served: &Served, name: &str) -> u16 {
    let url = format!("{}/_longshore/snapshots/{name}", served.base);
    let answer = served.client.delete(url).send().await.unwrap();
    answer.status().as_u16()
}

async fn snapshot(served: &Served, name: &str) -> Value {
    let (status, made) = post(served, "snapshots", json!({ "name": name })).await;
    assert_eq!(status, 200, "{made}");
    made
}

async fn restore(served: &Served, name: &str) -> Value {
    let (status, restored) = post(served, "restore", json!({ "name": name })).await;
    assert_eq!(status, 200, "{restored}");
    restored
}

/// What a pull of the tag gives: the layer's bytes.
async fn pull(docker: &Docker<'_>, repository: &str, tag: &str) -> Option<String> {
    let path = format!("/v2/{repository}/manifests/{tag}");
    let found = docker.get(&path).await;
    if found.status() == StatusCode::NOT_FOUND {
        return None;
    }
    let manifest: Value = found.json().await.unwrap();
    let digest = manifest["layers"][0]["digest"].as_str().unwrap();
    let layer = docker
        .get(&format!("/v2/{repository}/blobs/{digest}"))
        .await;
    assert_eq!(layer.status(), StatusCode::OK, "{repository}:{tag}");
    Some(layer.text().await.unwrap())
}

/// Operations in the trail, without those of the asking itself.
async fn trail(served: &Served) -> Vec<String> {
    let records = get(served, "trail").await;
    let records = records.as_array().unwrap().iter();
    records
        .map(|record| record["eventName"].as_str().unwrap().to_owned())
        .collect()
}

fn files(data: &Path) -> usize {
    let shards = fs_err::read_dir(data.join("state/blobs/sha256")).unwrap();
    shards
        .map(|shard| fs_err::read_dir(shard.unwrap().path()).unwrap().count())
        .sum()
}

#[tokio::test]
async fn a_restore_brings_back_everything_that_was_and_nothing_that_came_since() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    docker.push(OTHER, "v1", "the first").await;
    served.advance(60).await;
    let rule = json!({ "name": "slow", "fault": { "latency": { "milliseconds": 1 } } });
    post(&served, "faults", rule).await;
    let before = trail(&served).await;
    let made = snapshot(&served, "before").await;
    assert_eq!(
        (&made["images"], &made["repositories"], &made["blobs"]),
        (&json!(1), &json!(2), &json!(2))
    );
    assert_eq!(
        (&made["bytes"], &made["offset_seconds"]),
        (&json!(11), &json!(60))
    );
    assert_eq!(get(&served, "snapshots").await, json!([made]));

    docker.push(OTHER, "v1", "another first").await;
    docker.push(OTHER, "v2", "the second").await;
    served
        .call("CreateRepository", json!({ "repositoryName": "new" }))
        .await;
    let body = json!({ "repositoryName": REPOSITORY });
    served.call("DeleteRepository", body).await;
    served.advance(600).await;
    served
        .client
        .delete(format!("{}/_longshore/faults", served.base))
        .send()
        .await
        .unwrap();

    assert_eq!(restore(&served, "before").await, made);
    assert_eq!(trail(&served).await, before);
    assert_eq!(get(&served, "clock").await["offset_seconds"], 60);
    let rules = get(&served, "faults").await;
    assert_eq!(
        (&rules[0]["name"], rules.as_array().unwrap().len()),
        (&json!("slow"), 1)
    );
    assert_eq!(pull(&docker, OTHER, "v1").await.unwrap(), "the first");
    assert_eq!(pull(&docker, OTHER, "v2").await, None);
    let repositories = served.call("DescribeRepositories", json!({})).await;
    assert_eq!(repositories["repositories"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn who_came_since_is_not_known_and_who_was_there_still_is() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![role(&["ecr:*"])]).await;
    let docker = served.administrator().await;
    let session = assume(&served, ROLE).await;
    snapshot(&served, "before").await;
    let later = served.administrator().await;
    let later_session = assume(&served, ROLE).await;
    restore(&served, "before").await;
    assert_eq!(later.get("/v2/").await.status(), StatusCode::UNAUTHORIZED);
    let (_, refusal) = served
        .call_as(&later_session, "DescribeRegistry", json!({}))
        .await;
    assert_eq!(
        refusal["__type"], "UnrecognizedClientException",
        "{refusal}"
    );
    assert_eq!(docker.get("/v2/").await.status(), StatusCode::OK);
    served.log_in(&session).await;
}

#[tokio::test]
async fn what_was_restored_survives_a_kill_and_so_do_the_snapshots() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    docker.push(OTHER, "v1", "the first").await;
    snapshot(&served, "one").await;
    docker.push(OTHER, "v2", "the second").await;
    snapshot(&served, "two").await;
    restore(&served, "one").await;
    served.kill().await;

    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    assert_eq!(pull(&docker, OTHER, "v1").await.unwrap(), "the first");
    assert_eq!(pull(&docker, OTHER, "v2").await, None);
    // A snapshot is not undone by a restore of an earlier one.
    restore(&served, "two").await;
    let docker = served.administrator().await;
    assert_eq!(pull(&docker, OTHER, "v2").await.unwrap(), "the second");
    let pushes = trail(&served).await;
    assert_eq!(pushes.iter().filter(|name| *name == "PutImage").count(), 2);
}

#[tokio::test]
async fn blobs_that_only_a_snapshot_needs_are_kept_as_long_as_it_is() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    docker.push(OTHER, "v1", "the first").await;
    snapshot(&served, "kept").await;
    let body = json!({ "repositoryName": OTHER, "force": true });
    served.call("DeleteRepository", body).await;
    served.advance(DAYS).await;
    assert_eq!(served.collect().await["files"], 0);
    restore(&served, "kept").await;
    assert_eq!(pull(&docker, OTHER, "v1").await.unwrap(), "the first");

    let body = json!({ "repositoryName": OTHER, "force": true });
    served.call("DeleteRepository", body).await;
    assert_eq!(delete(&served, "kept").await, 204);
    assert_eq!(served.collect().await["files"], 2);
    assert_eq!(files(data.path()), 0);
}

#[tokio::test]
async fn a_snapshot_whose_blobs_are_gone_is_not_restored() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    docker.push(OTHER, "v1", "the first").await;
    snapshot(&served, "torn").await;
    docker.push(OTHER, "v2", "the second").await;
    let hex = Digest::of(b"the first").hex();
    let file = data
        .path()
        .join("state/blobs/sha256")
        .join(&hex[..2])
        .join(&hex);
    fs_err::remove_file(file).unwrap();
    let (status, refusal) = post(&served, "restore", json!({ "name": "torn" })).await;
    assert_eq!(status, 409);
    assert!(
        refusal["message"].as_str().unwrap().contains(&hex),
        "{refusal}"
    );
    assert_eq!(pull(&docker, OTHER, "v2").await.unwrap(), "the second");
}

#[tokio::test]
async fn names_are_told_apart_and_odd_ones_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let odd = [
        "",
        "..",
        ".draft",
        "a/b",
        "a b",
        "ä",
        "%2e%2e",
        &"x".repeat(65),
    ];
    for name in odd {
        for control in ["snapshots", "restore"] {
            let (status, refusal) = post(&served, control, json!({ "name": name })).await;
            assert_eq!(status, 400, "{control} {name:?}: {refusal}");
        }
    }
    for name in [".draft", "a%2Fb", "%2Fetc"] {
        assert_eq!(delete(&served, name).await, 400, "{name}");
    }
    let (status, refusal) = post(&served, "restore", json!({ "name": "none" })).await;
    assert_eq!(
        (status, &refusal["message"]),
        (404, &json!("there is no snapshot `none`"))
    );
    assert_eq!(delete(&served, "none").await, 404);

    let twice = tokio::join!(
        post(&served, "snapshots", json!({ "name": "same" })),
        post(&served, "snapshots", json!({ "name": "same" })),
    );
    let mut statuses = [twice.0.0, twice.1.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    tokio::join!(snapshot(&served, "left"), snapshot(&served, "right"));
    let both = tokio::join!(restore(&served, "left"), restore(&served, "right"));
    assert_eq!(
        (&both.0["name"], &both.1["name"]),
        (&json!("left"), &json!("right"))
    );
    let listed = get(&served, "snapshots").await;
    let names = listed.as_array().unwrap().iter().map(|made| &made["name"]);
    assert_eq!(names.collect::<Vec<_>>(), ["left", "right", "same"]);
}

#[tokio::test]
async fn an_upload_under_way_is_told_and_nothing_of_it_is_kept() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    snapshot(&served, "empty").await;
    let start = format!("/v2/{OTHER}/blobs/uploads/");
    let started = docker.request(Method::POST, &start).send().await.unwrap();
    let upload = header(&started, "location");
    let path = upload.trim_start_matches(&served.base).to_owned();
    let mut stream = TcpStream::connect(served.host()).await.unwrap();
    let head = format!(
        "PATCH {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\nContent-Length: 100\r\n\r\nhalf",
        served.host(),
        docker.login
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // Until the upload is in the hands of this request.
    while docker.get(&upload).await.status() == StatusCode::NO_CONTENT {
        tokio::task::yield_now().await;
    }
    let restored = tokio::time::timeout(Duration::from_secs(20), restore(&served, "empty")).await;
    assert!(restored.is_ok(), "a slow upload holds nobody up");
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("was restored or reset"), "{answer}");
    let (_, code, _) = refused(docker.get(&upload).await).await;
    assert_eq!(code, "BLOB_UPLOAD_UNKNOWN");
    assert_eq!(served.collect().await["uploads"], 1);
}

#[tokio::test]
async fn an_address_that_was_handed_out_ends_with_the_state() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    snapshot(&served, "empty").await;
    docker.push(OTHER, "v1", "a layer").await;
    let asked = json!({ "repositoryName": OTHER, "layerDigest": Digest::of(b"a layer") });
    let found = served.call("GetDownloadUrlForLayer", asked).await;
    let address = found["downloadUrl"].as_str().unwrap();
    let status = async || served.client.get(address).send().await.unwrap().status();
    assert_eq!(status().await, StatusCode::OK);
    restore(&served, "empty").await;
    assert_eq!(status().await, StatusCode::FORBIDDEN);
}

/// Pushers do not stop while snapshots are made; each of these is whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_beside_pushes_is_one_moment() {
    const PUSHES: usize = 24;
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let pusher = async |name: &str| {
        for push in 0..PUSHES {
            let content = format!("{name} {push}");
            let config = docker.upload(OTHER, b"{}").await;
            let layer = docker.upload(OTHER, content.as_bytes()).await;
            let body = manifest(config, &layer);
            let put = docker
                .put_manifest(OTHER, &format!("{name}-{push}"), &body)
                .await;
            assert_eq!(put.status(), StatusCode::CREATED);
        }
    };
    let keeper = async {
        for name in ["a", "b", "c"] {
            snapshot(&served, name).await;
            served.collect().await;
        }
    };
    tokio::join!(pusher("left"), pusher("right"), keeper);
    let mut seen = 0;
    for name in ["a", "b", "c"] {
        restore(&served, name).await;
        let tags = docker.get(&format!("/v2/{OTHER}/tags/list")).await;
        let tags: Value = tags.json().await.unwrap();
        let tags: Vec<&str> = tags["tags"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert!(tags.len() >= seen, "{name}: {tags:?}");
        seen = tags.len();
        for tag in &tags {
            let content = tag.replace('-', " ");
            assert_eq!(pull(&docker, OTHER, tag).await.unwrap(), content);
        }
        // No push is there without those before it.
        for side in ["left", "right"] {
            let mut pushes = (0..PUSHES).map(|push| tags.contains(&&*format!("{side}-{push}")));
            let there = pushes.by_ref().take_while(|is_there| *is_there).count();
            assert!(
                !pushes.any(|is_there| is_there),
                "{name}: {there} and later ones"
            );
        }
    }
}

/// Pushers do not stop while the state goes back again and again: whatever they
/// are told, what is there is whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restores_beside_pushes_leave_whole_images_only() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    docker.push(OTHER, "kept", "kept").await;
    snapshot(&served, "kept").await;
    let (over, is_over) = tokio::sync::watch::channel(false);
    let pusher = async |name: &str| {
        let mut pushes = 0;
        while !*is_over.borrow() {
            pushes += 1;
            let bytes = format!("{name} {pushes}").into_bytes();
            let digest = Digest::of(&bytes);
            let path = format!("/v2/{OTHER}/blobs/uploads/?digest={digest}");
            let sent = docker
                .request(Method::POST, &path)
                .body(bytes.clone())
                .send()
                .await;
            let status = sent.unwrap().status();
            assert!([201, 404, 503].contains(&status.as_u16()), "{status}");
            let layer =
                oci::Descriptor::new(oci::media_type::LAYER_GZIP, digest, bytes.len() as u64);
            let config = oci::Descriptor::new(oci::media_type::CONFIG, Digest::of(b"{}"), 2);
            let tag = format!("{name}-{pushes}");
            let put = docker
                .put_manifest(OTHER, &tag, &manifest(config, &layer))
                .await;
            let status = put.status().as_u16();
            assert!([201, 404, 503].contains(&status), "{status}");
        }
    };
    let restorer = async {
        for _ in 0..8 {
            restore(&served, "kept").await;
            let records = get(&served, "trail").await;
            assert_eq!(
                records.as_array().unwrap()[0]["eventName"],
                "GetAuthorizationToken"
            );
        }
        over.send_replace(true);
    };
    tokio::join!(pusher("left"), pusher("right"), restorer);
    let tags = docker.get(&format!("/v2/{OTHER}/tags/list")).await;
    let tags: Value = tags.json().await.unwrap();
    for tag in tags["tags"].as_array().unwrap() {
        let tag = tag.as_str().unwrap();
        assert_eq!(
            pull(&docker, OTHER, tag).await.unwrap(),
            tag.replace('-', " ")
        );
    }
    restore(&served, "kept").await;
    assert_eq!(pull(&docker, OTHER, "kept").await.unwrap(), "kept");
}

#[tokio::test]
async fn a_reset_is_a_fresh_start_under_the_same_keys() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![role(&["ecr:*"])]).await;
    let docker = served.administrator().await;
    docker.push(OTHER, "v1", "the first").await;
    snapshot(&served, "kept").await;
    let body = json!({ "repositoryName": "new" });
    served.call("CreateRepository", body).await;
    let session = assume(&served, ROLE).await;
    served.advance(600).await;
    let rule = json!({ "name": "slow", "fault": { "latency": { "milliseconds": 1 } } });
    post(&served, "faults", rule).await;

    assert_eq!(post(&served, "reset", json!({})).await.0, 204);
    assert_eq!(get(&served, "trail").await, json!([]));
    assert_eq!(get(&served, "faults").await, json!([]));
    assert_eq!(get(&served, "clock").await["offset_seconds"], 0);
    let (status, _) = served
        .call_as(&session, "DescribeRegistry", json!({}))
        .await;
    assert_eq!(status, 400);
    // What Terraform made is there again, and empty.
    let repositories = served.call("DescribeRepositories", json!({})).await;
    assert_eq!(repositories["repositories"].as_array().unwrap().len(), 2);
    assume(&served, ROLE).await;
    let docker = served.administrator().await;
    assert_eq!(pull(&docker, OTHER, "v1").await, None);
    assert_eq!(files(data.path()), 2, "the snapshot needs them");
    restore(&served, "kept").await;
    let docker = served.administrator().await;
    assert_eq!(pull(&docker, OTHER, "v1").await.unwrap(), "the first");

    assert_eq!(
        post(&served, "reset", json!({ "snapshots": true })).await.0,
        204
    );
    assert_eq!(get(&served, "snapshots").await, json!([]));
    assert_eq!(files(data.path()), 0);
    let url = format!("{}/_longshore/reset", served.base);
    let bare = served.client.post(url).send().await.unwrap();
    assert_eq!(bare.status(), StatusCode::NO_CONTENT);
}
