use fs_err as fs;
use tempfile::TempDir;

use super::*;
use crate::testing::{Server, client};

const OFF: (&str, &str) = ("AWS_EC2_METADATA_DISABLED", "true");
const DOCUMENT: &str = r#"{"Code":"Success","AccessKeyId":"ASIASERVICE","SecretAccessKey":"s",
    "Token":"t","Expiration":"2026-01-02T09:04:05Z"}"#;

struct Home(TempDir);

impl Home {
    fn with(config: &str, credentials: &str) -> Self {
        let home = TempDir::new().unwrap();
        fs::create_dir(home.path().join(".aws")).unwrap();
        fs::write(home.path().join(".aws/config"), config).unwrap();
        fs::write(home.path().join(".aws/credentials"), credentials).unwrap();
        Self(home)
    }

    async fn credentials(
        &self,
        variables: &[(&str, &str)],
    ) -> Result<(Credentials, &'static str), AwsError> {
        let home = self.0.path().to_str().unwrap();
        let mut all = vec![OFF, ("HOME", home)];
        all.extend(variables);
        client(&all).credentials().await
    }
}

#[test]
fn debug_shows_the_key_id_only() {
    let keys = Credentials::new("AKIAEXAMPLE", "hunter2", Some("hunter2".to_owned()));
    let shown = format!("{keys:?}");
    assert!(
        shown.contains("AKIAEXAMPLE") && !shown.contains("hunter2"),
        "{shown}"
    );
}

#[tokio::test]
async fn the_environment_comes_first() {
    let home = Home::with(
        "",
        "[default]\naws_access_key_id=AKIAPROFILE\naws_secret_access_key=s",
    );
    let (found, from) = home
        .credentials(&[
            ("AWS_ACCESS_KEY_ID", "AKIAENV"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
        ])
        .await
        .unwrap();
    assert_eq!(
        (found.access_key_id.as_str(), from),
        ("AKIAENV", "environment variables")
    );
}

#[tokio::test]
async fn the_default_profile_is_found_and_the_credentials_file_outranks_the_config() {
    let home = Home::with(
        "[default]\naws_access_key_id=AKIACONFIG\naws_secret_access_key=s",
        "[default]\naws_access_key_id=AKIAFILE\naws_secret_access_key=s\naws_session_token=t",
    );
    let (found, from) = home.credentials(&[]).await.unwrap();
    assert_eq!(
        (found.access_key_id.as_str(), from),
        ("AKIAFILE", "profile")
    );
    assert_eq!(found.session_token.unwrap().expose(), "t");
}

#[tokio::test]
async fn a_profile_may_run_a_process() {
    let json = r#"{"Version":1,"AccessKeyId":"ASIAPROCESS","SecretAccessKey":"s"}"#;
    let home = Home::with(
        &format!("[profile work]\ncredential_process = echo '{json}'"),
        "",
    );
    let (found, _) = home.credentials(&[("AWS_PROFILE", "work")]).await.unwrap();
    assert_eq!(found.access_key_id, "ASIAPROCESS");
}

#[tokio::test]
async fn what_a_profile_asks_and_we_cannot_do_is_said_with_the_way_out() {
    let config = "[profile role]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=default\n\
                  [profile sso]\nsso_session=corp\n[profile half]\naws_access_key_id=A\n";
    let home = Home::with(config, "");
    for (profile, expected) in [
        (
            "role",
            "`source_profile` or `credential_source` is not supported here",
        ),
        (
            "sso",
            "credential_process = aws configure export-credentials",
        ),
        ("half", "one half of a key pair"),
        ("absent", "neither the config nor the credentials file"),
    ] {
        let error = home
            .credentials(&[("AWS_PROFILE", profile)])
            .await
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.to_string().contains(profile), "{error}");
    }
}

#[tokio::test]
async fn a_profiles_role_is_assumed_with_its_token_file() {
    let sts = Server::always(200, crate::sts::SAMPLE).await;
    let home = Home::with("", "");
    let token = home.0.path().join("token");
    fs::write(&token, "the-token\n").unwrap();
    let config = home.0.path().join("other-config");
    let text = format!(
        "[default]\nregion=eu-west-1\nrole_arn=arn:aws:iam::1:role/r\n\
         web_identity_token_file={}\nrole_session_name=laptop\n",
        token.display()
    );
    fs::write(&config, text).unwrap();
    let (found, from) = home
        .credentials(&[
            ("AWS_CONFIG_FILE", config.to_str().unwrap()),
            ("AWS_ENDPOINT_URL_STS", &sts.url),
        ])
        .await
        .unwrap();
    assert_eq!(
        (found.access_key_id.as_str(), from),
        ("ASIASAMPLE", "profile")
    );
    let body = &sts.seen()[0].body;
    assert!(body.contains("WebIdentityToken=the-token&"), "{body}");
    assert!(body.contains("RoleSessionName=laptop&"), "{body}");
}

#[tokio::test]
async fn a_token_file_that_is_not_there_ends_the_chain_with_its_path() {
    let home = Home::with(
        "",
        "[default]\naws_access_key_id=A\naws_secret_access_key=s",
    );
    let error = home
        .credentials(&[
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token"),
            ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r"),
        ])
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "cannot read /nowhere/token");
}

#[tokio::test]
async fn a_container_is_asked_with_its_authorization() {
    let service = Server::always(200, DOCUMENT).await;
    let home = Home::with("", "");
    let (found, from) = home
        .credentials(&[
            (
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                &format!("{}/role", service.url),
            ),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "let-me-in"),
        ])
        .await
        .unwrap();
    assert_eq!(
        (found.access_key_id.as_str(), from),
        ("ASIASERVICE", "container credential service")
    );
    assert!(found.expires_at.is_some());
    assert_eq!(service.seen()[0].header("authorization"), "let-me-in");
}

#[tokio::test]
async fn a_container_service_elsewhere_over_plain_http_gets_no_token() {
    let home = Home::with("", "");
    let error = home
        .credentials(&[(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "http://service.example/",
        )])
        .await
        .unwrap_err();
    assert!(error.to_string().contains("over plain http"), "{error}");
}

#[tokio::test]
async fn an_instance_is_asked_with_a_token_of_its_own() {
    const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
    const ROLE: &str = "/latest/meta-data/iam/security-credentials/publisher";
    let service = Server::start(|_, seen| match (seen.method.as_str(), seen.uri.path()) {
        ("PUT", "/latest/api/token") => (200, "metadata-token".to_owned()),
        ("GET", ROLES) => (200, "publisher".to_owned()),
        ("GET", ROLE) => (200, DOCUMENT.to_owned()),
        _ => (404, String::new()),
    })
    .await;
    let client = client(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &service.url)]);
    let (found, from) = client.credentials().await.unwrap();
    assert_eq!(
        (found.access_key_id.as_str(), from),
        ("ASIASERVICE", "instance metadata service")
    );
    let seen = service.seen();
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[2].header("x-aws-ec2-metadata-token"), "metadata-token");
}

#[tokio::test]
async fn an_empty_chain_names_everything_it_tried() {
    let metadata = Server::always(403, "IMDSv2 is off").await;
    let error = client(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &metadata.url)])
        .credentials()
        .await
        .unwrap_err();
    assert_eq!(
        metadata.seen().len(),
        1,
        "the metadata service is asked once"
    );
    let AwsError::NoCredentials { tried } = &error else {
        panic!("{error}")
    };
    assert_eq!(tried.len(), 5);
    assert!(tried[4].contains("IMDSv2 is off"), "{error}");
}
