//! What survives a kill.

use oci::Digest;
use reqwest::{Method, StatusCode};

use crate::served::{REPOSITORY, Served, header, refused};

#[tokio::test]
async fn images_survive_a_kill_and_uploads_do_not() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let manifest = docker.push(REPOSITORY, "v1", "one").await;
    let start = format!("/v2/{REPOSITORY}/blobs/uploads/");
    let started = docker.request(Method::POST, &start).send().await.unwrap();
    let place = header(&started, "location");
    let upload = place.strip_prefix(&served.base).unwrap().to_owned();
    let sent = docker
        .request(Method::PATCH, &place)
        .body("half")
        .send()
        .await
        .unwrap();
    assert_eq!(sent.status(), StatusCode::CREATED);
    let login = docker.login.clone();
    drop(docker);
    served.kill().await;

    let served = Served::start(data.path(), vec![]).await;
    served.collect().await;
    let uploads = data.path().join("state/uploads");
    assert_eq!(fs_err::read_dir(uploads).unwrap().count(), 0);
    let mut docker = served.administrator().await;
    let new_login = std::mem::replace(&mut docker.login, login);
    let pulled = docker.get(&format!("/v2/{REPOSITORY}/manifests/v1")).await;
    assert_eq!(pulled.text().await.unwrap(), manifest);
    docker.login = new_login;
    let layer = format!("/v2/{REPOSITORY}/blobs/{}", Digest::of(b"one"));
    assert_eq!(docker.get(&layer).await.text().await.unwrap(), "one");
    assert_eq!(
        refused(docker.get(&upload).await).await.1,
        "BLOB_UPLOAD_UNKNOWN"
    );
}
