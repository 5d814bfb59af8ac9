//! Killed at any moment of a push: no tag points to an image that is not
//! complete, and the next publish finishes the work.

use tokio::process::Command;

use crate::harness::{Emulator, Project, succeed};
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
        // Whatever tag there is points to an image whose every blob is there.
        let registry = emulator.registry_reader().await;
        registry.complete_image("latest").await;
        succeed(&mut project.publish(&digest, &emulator.publisher().await));
        assert!(
            registry.complete_image("latest").await.is_some(),
            "{moment:?} request {number}"
        );
    }
    // Identity and login, two tags, three blobs, the manifest and its two tags.
    assert!(killed >= 12, "only {killed} requests were seen");
}

#[tokio::test]
async fn killed_before_any_request_no_tag_is_wrong_and_the_next_publish_finishes() {
    killed_at_every_request(Moment::Before).await;
}

#[tokio::test]
async fn killed_after_any_request_no_tag_is_wrong_and_the_next_publish_finishes() {
    killed_at_every_request(Moment::After).await;
}
