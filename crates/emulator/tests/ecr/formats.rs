//! Data directories of other formats.

use std::path::Path;

use emulator::{Controls, Emulator, EmulatorError, RegistryBehaviour, Settings, Transport};
use redb::{Database, ReadableDatabase as _, TableDefinition};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::served::{ACCOUNT, REGION, REPOSITORY, Served};

type Records = TableDefinition<'static, &'static str, &'static [u8]>;

const FACTS: Records = TableDefinition::new("emulator/facts");
const IMAGE: &str = "sha256:7a5bbaefc0e8cd46d17e19a777d360f422643f16b16f29158a33c3da8e57d51c";
/// SHA-256 of the text `one`.
const BLOB: &str = "sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed";
/// SHA-256 of the text `password`.
const PASSWORD_HASH: &str = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";

fn put(data: &Path, records: &[(Records, String, Value)]) {
    let state = data.join("state");
    fs_err::create_dir_all(&state).unwrap();
    let database = Database::create(state.join("state.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    for (table, key, record) in records {
        let mut open = transaction.open_table(*table).unwrap();
        let bytes = record.to_string().into_bytes();
        open.insert(key.as_str(), bytes.as_slice()).unwrap();
    }
    transaction.commit().unwrap();
}

/// The document of the image, which was a file in the first two formats.
fn document() -> String {
    let blob = |kind: &str| json!({ "mediaType": kind, "digest": BLOB, "size": 3 });
    json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob("application/vnd.oci.image.config.v1+json"),
        "layers": [blob("application/vnd.oci.image.layer.v1.tar+gzip")],
    })
    .to_string()
}

fn put_file(data: &Path, digest: &str, content: &str) {
    let hex = digest.strip_prefix("sha256:").unwrap();
    let shard = data.join("state/blobs/sha256").join(&hex[..2]);
    fs_err::create_dir_all(&shard).unwrap();
    fs_err::write(shard.join(hex), content).unwrap();
}

/// A directory as the version before accounts left it: one pushed image, a role
/// and a login.
fn first_format(data: &Path) {
    let table = TableDefinition::new;
    let text = |key: &str| key.to_owned();
    let repository = json!({
        "name": REPOSITORY, "created": "2026-01-02T03:04:05Z", "scan_on_push": true,
        "mutability": { "setting": "IMMUTABLE_WITH_EXCLUSION", "exclusions": ["latest"] },
        "encryption": { "encryptionType": "AES256" }, "tags": { "team": "web" },
        "lifecycle_policy": null, "policy": null,
    });
    let image = json!({
        "descriptor": {
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": IMAGE,
            "size": 397, "artifactType": "application/vnd.oci.image.config.v1+json",
        },
        "content_size": 5, "pushed": "2026-01-02T03:04:06Z", "pulled": null, "subject": null,
        "artifact_media_type": "application/vnd.oci.image.config.v1+json", "children": [],
    });
    let role = json!({
        "name": "publisher", "path": "/", "arn": format!("arn:aws:iam::{ACCOUNT}:role/publisher"),
        "id": "AROA27XFT64BDMFSHK66", "created": "2026-01-02T03:04:05Z", "origin": "call",
        "trust_policy": "{\"Version\":\"2012-10-17\",\"Statement\":[]}", "description": null,
        "max_session_duration": 3600, "inline_policies": {}, "attached_policies": [],
        "permissions_boundary": null, "tags": {},
    });
    let key = json!({
        "secret": "example-secret", "session": null,
        "identity": { "type": "root", "account": ACCOUNT },
    });
    let login = json!({ "access_key_id": "AKIAOLD", "expires": "9999-01-01T00:00:00Z" });
    put(
        data,
        &[
            (FACTS, text("account"), json!(ACCOUNT)),
            (FACTS, text("administrator"), json!("AKIAOLD")),
            (table("ecr/repositories"), text(REPOSITORY), repository),
            (table("ecr/images"), format!("{REPOSITORY}@{IMAGE}"), image),
            (table("ecr/blobs"), format!("{REPOSITORY}@{BLOB}"), json!(3)),
            (table("ecr/tags"), format!("{REPOSITORY}:v1"), json!(IMAGE)),
            (table("iam/roles"), text("publisher"), role),
            (table("sts/access-keys"), text("AKIAOLD"), key),
            (table("registry/logins"), text(PASSWORD_HASH), login),
        ],
    );
    put_file(data, BLOB, "one");
    put_file(data, IMAGE, &document());
}

#[tokio::test]
async fn an_upgraded_image_is_found_by_all_that_it_is_found_by_today() {
    let data = tempfile::tempdir().unwrap();
    first_format(data.path());
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let pulled = docker.get(&format!("/v2/{REPOSITORY}/manifests/v1")).await;
    assert_eq!(pulled.text().await.unwrap(), document());
    // Its blob is kept as long as the image is, and no longer.
    served.advance(2 * 86_400).await;
    assert_eq!(served.collect().await["blobs"], 0);
    let hex = IMAGE.strip_prefix("sha256:").unwrap();
    let file = format!("state/blobs/sha256/{}/{hex}", &hex[..2]);
    assert!(!data.path().join(file).exists(), "it is garbage now");
    let ids = json!([{ "imageTag": "v1" }]);
    let body = json!({ "repositoryName": REPOSITORY, "imageIds": ids });
    let deleted = served.call("BatchDeleteImage", body).await;
    assert_eq!(deleted["imageIds"][0]["imageDigest"], IMAGE);
    assert_eq!(served.collect().await["blobs"], 1);
    let body = json!({ "repositoryName": REPOSITORY });
    served.call("DeleteRepository", body).await;
}

#[tokio::test]
async fn a_directory_of_the_first_format_is_upgraded_with_all_that_it_held() {
    let data = tempfile::tempdir().unwrap();
    first_format(data.path());
    for _start in ["the one that upgrades", "one more"] {
        let served = Served::start(data.path(), vec![]).await;
        assert_eq!(served.administrator.id, "AKIAOLD");
        let body = json!({ "repositoryName": REPOSITORY });
        let images = served.call("DescribeImages", body.clone()).await;
        assert_eq!(images["imageDetails"][0]["imageTags"], json!(["v1"]));
        assert_eq!(images["imageDetails"][0]["registryId"], ACCOUNT);
        let layers = json!({ "repositoryName": REPOSITORY, "layerDigests": [BLOB] });
        let layers = served.call("BatchCheckLayerAvailability", layers).await;
        assert_eq!(layers["layers"][0]["layerSize"], 3);
        let ping = served.client.get(format!("{}/v2/", served.base));
        let ping = ping.basic_auth("AWS", Some("password")).send().await;
        assert_eq!(ping.unwrap().status(), StatusCode::OK);
        served.kill().await;
    }
    let roles: Records = TableDefinition::new("iam/roles");
    let database = Database::open(data.path().join("state/state.redb")).unwrap();
    let open = database.begin_read().unwrap().open_table(roles).unwrap();
    let key = format!("{ACCOUNT}/publisher");
    assert!(open.get(key.as_str()).unwrap().is_some());
    assert!(open.get("publisher").unwrap().is_none());
}

#[test]
fn a_directory_of_a_later_format_is_refused_and_left_as_it_was() {
    let data = tempfile::tempdir().unwrap();
    let facts = [("account", ACCOUNT), ("format", "99")];
    let records = facts.map(|(name, value)| (FACTS, name.to_owned(), json!(value)));
    put(data.path(), &records);
    let settings = Settings {
        data: data.path().join("state"),
        account: ACCOUNT.to_owned(),
        region: REGION.to_owned(),
        accounts: Vec::new(),
        resources: None,
        controls: Controls::Off,
        transport: Transport::Plain,
        registry: RegistryBehaviour::Ecr,
    };
    let error = Emulator::open(settings, "http://127.0.0.1:1").unwrap_err();
    assert!(matches!(error, EmulatorError::Format { .. }), "{error:?}");
    let message = error.to_string();
    assert!(
        message.contains("format 99") && message.ends_with("nothing was changed"),
        "{message}"
    );
    let names: Vec<_> = fs_err::read_dir(data.path().join("state"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["state.redb"]);
    let database = Database::open(data.path().join("state/state.redb")).unwrap();
    let facts = database.begin_read().unwrap().open_table(FACTS).unwrap();
    assert_eq!(redb::ReadableTableMetadata::len(&facts).unwrap(), 2);
}
