//! Who gets in, and what is said to those who do not.

use reqwest::StatusCode;

use crate::served::{Served, header, refused};

#[tokio::test]
async fn without_a_login_the_challenge_is_that_of_ecr() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let answer = served
        .client
        .get(format!("{}/v2/", served.base))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(
        header(&answer, "www-authenticate"),
        format!(
            "Basic realm=\"https://{}/\",service=\"ecr.amazonaws.com\"",
            served.host()
        )
    );
    assert_eq!(header(&answer, "content-length"), "15");
    assert_eq!(answer.text().await.unwrap(), "Not Authorized\n");
    let unknown = served.client.get(format!("{}/v2/", served.base));
    let unknown = unknown
        .basic_auth("AWS", Some("guess"))
        .send()
        .await
        .unwrap();
    assert_eq!(unknown.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_login_is_good_for_twelve_hours() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    served.advance(12 * 3_600 - 60).await;
    assert_eq!(docker.get("/v2/").await.status(), StatusCode::OK);
    served.advance(120).await;
    let sentence = "Your authorization token has expired. Reauthenticate and try again.";
    assert_eq!(
        refused(docker.get("/v2/").await).await,
        (403, "DENIED".to_owned(), sentence.to_owned())
    );
}
