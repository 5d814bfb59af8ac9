use policy::{Context, Principal};

use super::*;
use crate::caller::{Caller, Inherited};
use crate::trail::note::{Note, Origin};

const HOME: &str = "123456789012";
const OTHER: &str = "210987654321";

fn caller() -> Caller {
    Caller {
        principal: Principal::AssumedRole {
            account: HOME.to_owned(),
            role_arn: format!("arn:aws:iam::{HOME}:role/publisher"),
            session_arn: format!("arn:aws:sts::{HOME}:assumed-role/publisher/run"),
        },
        user_id: "AROA1:run".to_owned(),
        region: "eu-west-1".to_owned(),
        access_key_id: "ASIA1".to_owned(),
        session_policies: None,
        session_created: None,
        context: Context::new(),
        inherited: Inherited::default(),
    }
}

fn note() -> Note {
    let note = Note::new(Origin {
        address: "127.0.0.1".to_owned(),
        user_agent: "aws-cli/2".to_owned(),
    });
    note.caller(&caller());
    note
}

fn repository(account: &str) -> String {
    format!("arn:aws:ecr:eu-west-1:{account}:repository/app")
}

fn written(note: &Note) -> Vec<Delivery> {
    deliveries(&note.entry(), HOME, "eu-west-1", Timestamp::UNIX_EPOCH)
}

#[test]
fn a_call_has_every_field_of_cloudtrail_in_its_order() {
    let note = note();
    note.event("ecr.amazonaws.com", "CreateRepository");
    note.parameters(json!({ "repositoryName": "app" }));
    note.answer(json!({ "repository": { "repositoryName": "app" } }));
    note.resource(&repository(HOME));
    let delivered = written(&note);
    assert_eq!(delivered.len(), 1);
    let record = delivered[0].record.as_object().unwrap();
    let names: Vec<&String> = record.keys().collect();
    assert_eq!(
        names,
        [
            "eventVersion",
            "userIdentity",
            "eventTime",
            "eventSource",
            "eventName",
            "awsRegion",
            "sourceIPAddress",
            "userAgent",
            "requestParameters",
            "responseElements",
            "requestID",
            "eventID",
            "readOnly",
            "resources",
            "eventType",
            "managementEvent",
            "recipientAccountId",
            "eventCategory",
            "longshore",
        ]
    );
    assert_eq!(record["eventTime"], "1970-01-01T00:00:00Z");
    assert_eq!(
        record["responseElements"]["repository"]["repositoryName"],
        "app"
    );
    assert_eq!(
        record["resources"],
        json!([{ "accountId": HOME, "ARN": repository(HOME) }])
    );
    assert_eq!(record["recipientAccountId"], HOME);
    assert_eq!(record["longshore"]["recorded"], true);
}

#[test]
fn the_owner_of_another_account_s_repository_gets_its_own_record_of_the_same_action() {
    let note = note();
    note.event("ecr.amazonaws.com", "BatchGetImage");
    note.resource(&repository(OTHER));
    let delivered = written(&note);
    let accounts: Vec<&str> = delivered.iter().map(|one| one.account.as_str()).collect();
    assert_eq!(accounts, [HOME, OTHER]);
    let (mine, theirs) = (&delivered[0].record, &delivered[1].record);
    assert_eq!(mine["sharedEventID"], theirs["sharedEventID"]);
    assert!(mine["sharedEventID"].is_string());
    assert_ne!(mine["eventID"], theirs["eventID"]);
    assert_eq!(theirs["userIdentity"]["type"], "AWSAccount");
    assert_eq!(theirs["recipientAccountId"], OTHER);
    assert_eq!(theirs["longshore"], json!({ "recorded": true }));
}

#[test]
fn a_refusal_is_told_to_the_caller_s_account_only() {
    let note = note();
    note.event("ecr.amazonaws.com", "BatchGetImage");
    note.resource(&repository(OTHER));
    note.answer(json!({ "images": [] }));
    note.error("AccessDeniedException", "User is not authorized");
    let delivered = written(&note);
    assert_eq!(delivered.len(), 1);
    let record = &delivered[0].record;
    assert_eq!(record["errorCode"], "AccessDeniedException");
    assert_eq!(record["responseElements"], Value::Null);
    assert!(record.get("sharedEventID").is_none());
}

#[test]
fn what_the_registry_does_for_a_client_is_shown_as_the_registry_s() {
    let note = note();
    note.through_registry();
    note.event("ecr.amazonaws.com", "CompleteLayerUpload");
    note.parameters(json!({ "repositoryName": "app" }));
    note.preceded_by("UploadLayerPart", json!({ "partFirstByte": 0 }), json!({}));
    note.resource(&repository(HOME));
    let delivered = written(&note);
    let names: Vec<&Value> = delivered
        .iter()
        .map(|one| &one.record["eventName"])
        .collect();
    assert_eq!(names, ["UploadLayerPart", "CompleteLayerUpload"]);
    let record = &delivered[1].record;
    assert_eq!(record["requestID"], note.request_id());
    assert_eq!(record["requestParameters"]["registryId"], HOME);
    assert_eq!(record["sourceIPAddress"], "ecr.amazonaws.com");
    assert_eq!(record["userAgent"], "ecr.amazonaws.com");
    assert_eq!(record["userIdentity"]["invokedBy"], "ecr.amazonaws.com");
    assert_eq!(record["longshore"]["sourceIPAddress"], "127.0.0.1");
    assert_eq!(record["longshore"]["userAgent"], "aws-cli/2");
}

#[test]
fn a_request_of_nobody_is_kept_and_marked() {
    let note = Note::new(Origin::default());
    note.event("ecr.amazonaws.com", "PutImage");
    note.error(
        "UnrecognizedClientException",
        "The security token is invalid",
    );
    let delivered = written(&note);
    assert_eq!(delivered[0].account, HOME);
    assert_eq!(delivered[0].record["longshore"]["recorded"], false);
    let note = self::note();
    note.unrecorded("ecr.amazonaws.com", "RegistryLogin");
    assert_eq!(written(&note)[0].record["longshore"]["recorded"], false);
}

#[test]
fn a_refused_web_identity_shows_as_little_as_in_cloudtrail() {
    let provider =
        format!("arn:aws:iam::{OTHER}:oidc-provider/token.actions.githubusercontent.com");
    let note = Note::new(Origin::default());
    note.event("sts.amazonaws.com", "AssumeRoleWithWebIdentity");
    note.web_identity(&provider, "sts.amazonaws.com", "repo:acme/api:pull_request");
    note.resource(&format!("arn:aws:iam::{OTHER}:role/publisher"));
    note.error(
        "AccessDenied",
        "Not authorized to perform sts:AssumeRoleWithWebIdentity",
    );
    let delivered = written(&note);
    assert_eq!((delivered.len(), delivered[0].account.as_str()), (1, OTHER));
    let record = &delivered[0].record;
    assert_eq!(record["errorMessage"], "An unknown error occurred");
    assert_eq!(record["readOnly"], true);
    assert_eq!(record["resources"][0]["type"], "AWS::IAM::Role");
    assert_eq!(
        record["userIdentity"],
        json!({
            "type": "WebIdentityUser",
            "principalId": format!("{provider}:sts.amazonaws.com:repo:acme/api:pull_request"),
            "userName": "repo:acme/api:pull_request",
            "identityProvider": provider,
        })
    );
}

#[test]
fn long_elements_are_left_out_and_long_texts_are_cut() {
    let note = Note::new(Origin {
        user_agent: "é".repeat(1_000),
        ..Origin::default()
    });
    note.caller(&caller());
    note.event("ecr.amazonaws.com", "PutImage");
    note.parameters(json!({ "imageManifest": "x".repeat(ELEMENTS_LIMIT) }));
    let record = &written(&note)[0].record;
    assert_eq!(record["requestParameters"], Value::Null);
    assert_eq!(record["userAgent"].as_str().unwrap().len(), TEXT_LIMIT);
}
