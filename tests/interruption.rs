//! Killed at any moment of a push: no tag points to an image that is not
//! complete, and the next publish finishes the work.

use serde_json::Value;
use tokio::process::Command;

use crate::harness::{Emulator, Project, REPOSITORY, Reader, succeed};
use crate::proxy::{Moment, Proxy};

/// Publishes through a proxy; returns whether the publish was killed.
async fn publish_until(
    emulator: &Emulator,
    project: &Project,
    digest: &str,
    (number, moment): (usize, Moment),
) -> bool {
    let proxy = Proxy::killing(emulator, number, moment).await;
    let job = proxy.publisher(emulator).await;
    let mut child = Command::from(project.publish(digest, &job))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    tokio::select! {
        status = child.wait() => {
            assert!(status.unwrap().success());
            false
        }
        () = proxy.kill.notified() => {
            child.kill().await.unwrap();
            true
        }
    }
}

async fn killed_at_every_request(moment: Moment) {
    let (project, digest) = Project::built();
    let mut killed = 0;
    for number in 1.. {
        let emulator = Emulator::start(project.path());
        if !publish_until(&emulator, &project, &digest, (number, moment)).await {
            break;
        }
        killed += 1;
        let registry = emulator.registry_reader().await;
        complete_tags(&registry, &digest).await;
        succeed(&mut project.publish(&digest, &emulator.publisher().await));
        let tags = complete_tags(&registry, &digest).await;
        assert_eq!(tags, 2, "{moment:?} request {number}");
    }
    // Identity and login, two tags, eight blobs, of which five are not asked about, the
    // manifest, four that refer to it, and two tags.
    assert!(killed >= 23, "only {killed} requests were seen");
}

/// How many tags there are; each must point to an image whose every blob is there,
/// with all that is said about it.
async fn complete_tags(registry: &Reader, digest: &str) -> usize {
    let read = async |path: &str| {
        let (status, bytes) = registry.get(&format!("{REPOSITORY}/{path}")).await;
        assert_eq!(status, 200, "{path}");
        serde_json::from_slice::<Value>(&bytes).unwrap()
    };
    let list = read("tags/list").await;
    let tags = list["tags"].as_array().cloned().unwrap_or_default();
    for tag in &tags {
        assert!(
            registry
                .complete_image(tag.as_str().unwrap())
                .await
                .is_some()
        );
        let about = read(&format!("referrers/{digest}")).await;
        let about = about["manifests"].as_array().unwrap().len();
        assert!(about >= 4, "{tag} has {about}");
    }
    tags.len()
}

#[tokio::test]
async fn killed_before_any_request_no_tag_is_wrong_and_the_next_publish_finishes() {
    killed_at_every_request(Moment::Before).await;
}

#[tokio::test]
async fn killed_after_any_request_no_tag_is_wrong_and_the_next_publish_finishes() {
    killed_at_every_request(Moment::After).await;
}
