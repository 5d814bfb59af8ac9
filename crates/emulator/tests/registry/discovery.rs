//! The workflow "content discovery": tags and referrers.

use oci::{Descriptor, Digest, media_type};
use reqwest::Method;
use serde_json::{Value, json};

use crate::served::header;
use crate::side::{NAME, Side, describe};

#[tokio::test]
async fn tags_are_listed_in_order_by_pages() {
    for side in Side::both().await {
        let list = format!("/v2/{NAME}/tags/list");
        let tags = async |query: &str| {
            let page = side.get(&format!("{list}{query}")).await;
            let link = header(&page, "link");
            let body: Value = page.json().await.unwrap();
            assert_eq!(body["name"], NAME);
            (body["tags"].clone(), link)
        };
        assert_eq!(tags("").await, (json!([]), String::new()));
        for tag in ["b", "a", "C", "v1"] {
            side.push_manifest(tag, json!({})).await;
        }
        assert_eq!(tags("").await.0, json!(["C", "a", "b", "v1"]));
        assert_eq!(tags("?last=a").await.0, json!(["b", "v1"]));
        assert_eq!(tags("?n=0").await, (json!([]), String::new()));
        assert_eq!(tags("?n=2&last=nothing").await.0, json!(["v1"]));
        let (first, link) = tags("?n=3").await;
        assert_eq!(first, json!(["C", "a", "b"]));
        assert_eq!(link, format!("<{list}?last=b&n=3>; rel=\"next\""));
        assert_eq!(tags("?last=b&n=3").await, (json!(["v1"]), String::new()));
        let head = side.send(Method::HEAD, &list).await;
        let whole = side.get(&list).await.bytes().await.unwrap();
        assert_eq!(header(&head, "content-length"), whole.len().to_string());

        for query in ["?n=-1", "?n=many", "?n=99999999999999999999999"] {
            let answer = side.get(&format!("{list}{query}")).await;
            side.expect_answer("number of tags that is none", answer)
                .await;
        }
        let answer = side.get("/v2/unknown/tags/list").await;
        side.expect_answer("tags of an unknown repository", answer)
            .await;
    }
}

#[tokio::test]
async fn referrers_are_listed_and_filtered_whether_or_not_the_subject_is_there() {
    for side in Side::both().await {
        let image = side.push_manifest("v1", json!({})).await;
        let absent = Descriptor::of(media_type::MANIFEST, b"not there yet");
        for subject in [describe(&image), absent] {
            let path = format!("/v2/{NAME}/referrers/{}", subject.digest);
            assert_eq!(listed(&side, &path).await, (vec![], String::new()));
            let mut expected = Vec::new();
            for kind in ["application/vnd.one", "application/vnd.two"] {
                let members = json!({
                    "subject": subject, "artifactType": kind, "annotations": { "kind": kind },
                });
                let manifest = side.push_manifest(&kind.replace('/', "-"), members).await;
                let mut descriptor = describe(&manifest);
                descriptor.artifact_type = Some(kind.to_owned());
                descriptor.annotations = [("kind".to_owned(), kind.to_owned())].into();
                expected.push(json!(descriptor));
            }
            let plain = side.push_manifest("plain", json!({ "subject": subject }));
            let mut plain = describe(&plain.await);
            plain.artifact_type = Some(media_type::CONFIG.to_owned());
            expected.push(json!(plain));

            let (all, filters) = listed(&side, &path).await;
            assert_eq!((all.len(), filters.as_str()), (3, ""));
            for descriptor in &expected {
                assert!(all.contains(descriptor), "{all:?}");
                let kind = descriptor["artifactType"].as_str().unwrap();
                let query = kind.replace('+', "%2B");
                let found = listed(&side, &format!("{path}?artifactType={query}")).await;
                let alone = (vec![descriptor.clone()], "artifactType".to_owned());
                assert_eq!(found, alone);
            }
            let none = listed(&side, &format!("{path}?artifactType=text/none")).await;
            assert_eq!(none, (vec![], "artifactType".to_owned()));
        }
    }
}

#[tokio::test]
async fn an_index_may_be_a_referrer() {
    for side in Side::both().await {
        let subject = describe(&side.push_index("index", &[]).await);
        let index = json!({
            "schemaVersion": 2, "mediaType": media_type::INDEX, "manifests": [],
            "artifactType": "application/vnd.example", "subject": subject,
        })
        .to_string();
        let put = side.put("referrer", media_type::INDEX, &index).await;
        assert_eq!(header(&put, "oci-subject"), subject.digest.to_string());
        let path = format!("/v2/{NAME}/referrers/{}", subject.digest);
        let (found, _) = listed(&side, &path).await;
        assert_eq!(found[0]["artifactType"], "application/vnd.example");
        assert_eq!(found[0]["digest"], json!(Digest::of(index.as_bytes())));
    }
}

/// The referrers at `path`, and the filters that were applied.
async fn listed(side: &Side, path: &str) -> (Vec<Value>, String) {
    let answer = side.get(path).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(header(&answer, "content-type"), media_type::INDEX);
    let filters = header(&answer, "oci-filters-applied");
    let index: Value = answer.json().await.unwrap();
    assert_eq!(index["schemaVersion"], 2);
    assert_eq!(index["mediaType"], media_type::INDEX);
    (index["manifests"].as_array().unwrap().clone(), filters)
}
