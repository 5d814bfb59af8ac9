//! `LookupEvents`: the trail as AWS's clients read it.

use serde_json::{Value, json};

use crate::denials::{ROLE, assume, role};
use crate::served::{ACCOUNT, REGION, REPOSITORY, Served};
use crate::signing::Keys;

async fn look_up_as(served: &Served, keys: &Keys, parameters: Value) -> (u16, Value) {
    served
        .call_at(("cloudtrail", REGION), keys, "LookupEvents", parameters)
        .await
}

/// What the administrator finds.
async fn look_up(served: &Served, parameters: Value) -> Value {
    let (status, answer) = look_up_as(served, &served.administrator, parameters).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn found(served: &Served, key: &str, value: &str) -> Vec<Value> {
    let attribute = json!({ "AttributeKey": key, "AttributeValue": value });
    let answer = look_up(served, json!({ "LookupAttributes": [attribute] })).await;
    answer["Events"].as_array().unwrap().clone()
}

fn names(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["EventName"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn events_are_found_by_every_attribute() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![role(&["ecr:PutImage"])]).await;
    let session = assume(&served, ROLE).await;
    served.log_in(&session).await;
    let described = json!({ "repositoryNames": [REPOSITORY] });
    served.call("DescribeRepositories", described).await;
    served
        .call("ListImages", json!({ "repositoryName": REPOSITORY }))
        .await;

    let arn = format!("arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{REPOSITORY}");
    let role = format!("arn:aws:iam::{ACCOUNT}:role/{ROLE}");
    for (key, value, expected) in [
        ("EventName", "ListImages", vec!["ListImages"]),
        (
            "EventSource",
            "sts.amazonaws.com",
            vec!["AssumeRoleWithWebIdentity"],
        ),
        (
            "AccessKeyId",
            session.id.as_str(),
            vec!["GetAuthorizationToken"],
        ),
        ("Username", "GitHubActions", vec!["GetAuthorizationToken"]),
        (
            "Username",
            "repo:acme/api:ref:refs/heads/main",
            vec!["AssumeRoleWithWebIdentity"],
        ),
        ("ReadOnly", "false", vec![]),
        (
            "ResourceType",
            "AWS::ECR::Repository",
            vec!["ListImages", "DescribeRepositories"],
        ),
        (
            "ResourceName",
            REPOSITORY,
            vec!["ListImages", "DescribeRepositories"],
        ),
        (
            "ResourceName",
            &arn,
            vec!["ListImages", "DescribeRepositories"],
        ),
        ("ResourceName", &role, vec!["AssumeRoleWithWebIdentity"]),
        (
            "ResourceName",
            &session.id,
            vec!["AssumeRoleWithWebIdentity"],
        ),
        ("EventName", "RegistryLogin", vec![]),
    ] {
        assert_eq!(
            names(&found(&served, key, value).await),
            expected,
            "{key}={value}"
        );
    }
}

#[tokio::test]
async fn an_event_carries_its_record_without_what_aws_does_not_say() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    served
        .call("ListImages", json!({ "repositoryName": REPOSITORY }))
        .await;
    let event = &found(&served, "EventName", "ListImages").await[0];
    let id = event["EventId"].as_str().unwrap();
    assert_eq!(
        found(&served, "EventId", id).await,
        std::slice::from_ref(event)
    );
    assert_eq!(event["ReadOnly"], "true");
    assert_eq!(event["Username"], "root");
    assert_eq!(event["AccessKeyId"], served.administrator.id);
    let record: Value = serde_json::from_str(event["CloudTrailEvent"].as_str().unwrap()).unwrap();
    assert_eq!(record["eventID"], event["EventId"]);
    assert!(record.get("longshore").is_none());
}

#[tokio::test]
async fn pages_go_back_in_time_whatever_happens_meanwhile() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    for _ in 0..7 {
        served.call("DescribeRegistry", json!({})).await;
        served.advance(86_400).await;
    }
    let attribute = json!({ "AttributeKey": "EventName", "AttributeValue": "DescribeRegistry" });
    let parameters = json!({ "LookupAttributes": [attribute], "MaxResults": 3 });
    let mut page = look_up(&served, parameters.clone()).await;
    let mut seen: Vec<Value> = Vec::new();
    let mut sizes = Vec::new();
    loop {
        let events = page["Events"].as_array().unwrap();
        sizes.push(events.len());
        seen.extend(events.iter().map(|event| event["EventTime"].clone()));
        let Some(token) = page["NextToken"].as_str() else {
            break;
        };
        served.call("DescribeRegistry", json!({})).await;
        let mut next = parameters.clone();
        next["NextToken"] = json!(token);
        page = look_up(&served, next).await;
    }
    assert_eq!(sizes, [3, 3, 1]);
    let times: Vec<i64> = seen.iter().map(|time| time.as_i64().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a > b), "{times:?}");

    // The first day lies outside of ninety when the clock is moved on.
    served.advance(84 * 86_400 - 3_600).await;
    let left = found(&served, "EventName", "DescribeRegistry").await;
    assert_eq!(left.len(), 6 + 2);
}

#[tokio::test]
async fn what_is_wrong_with_a_lookup_is_said_in_cloudtrail_s_codes() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    served.call("DescribeRegistry", json!({})).await;
    served.call("DescribeRegistry", json!({})).await;
    let page = look_up(&served, json!({ "MaxResults": 1 })).await;
    let token = page["NextToken"].as_str().unwrap();
    let attribute = |key: &str| json!({ "AttributeKey": key, "AttributeValue": "x" });
    for (parameters, code) in [
        (json!({ "MaxResults": 51 }), "InvalidMaxResultsException"),
        (
            json!({ "StartTime": 2, "EndTime": 1 }),
            "InvalidTimeRangeException",
        ),
        (json!({ "NextToken": "x" }), "InvalidNextTokenException"),
        (
            json!({ "NextToken": token, "EndTime": 1 }),
            "InvalidNextTokenException",
        ),
        (
            json!({ "EventCategory": "data" }),
            "InvalidEventCategoryException",
        ),
        (
            json!({ "LookupAttributes": [attribute("Colour")] }),
            "InvalidLookupAttributesException",
        ),
        (
            json!({ "LookupAttributes": [attribute("EventId"), attribute("Username")] }),
            "InvalidLookupAttributesException",
        ),
        (
            json!({ "StartTime": "yesterday" }),
            "SerializationException",
        ),
    ] {
        let (status, answer) = look_up_as(&served, &served.administrator, parameters).await;
        assert_eq!((status, answer["__type"].as_str().unwrap()), (400, code));
    }
    for (operation, code) in [
        ("DescribeTrails", "UnsupportedOperationException"),
        ("DescribeClouds", "UnknownOperationException"),
    ] {
        let (status, answer) = served
            .call_at(
                ("cloudtrail", REGION),
                &served.administrator,
                operation,
                json!({}),
            )
            .await;
        assert_eq!((status, answer["__type"].as_str().unwrap()), (400, code));
    }
}

#[tokio::test]
async fn a_role_without_the_right_may_not_look() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![role(&["ecr:PutImage"])]).await;
    let session = assume(&served, ROLE).await;
    let (status, answer) = look_up_as(&served, &session, json!({})).await;
    assert_eq!(
        (status, &answer["__type"]),
        (400, &json!("AccessDeniedException"))
    );
    let sentence = answer["message"].as_str().unwrap();
    assert!(
        sentence.contains("is not authorized to perform: cloudtrail:LookupEvents"),
        "{sentence}"
    );
    let refused = found(&served, "EventName", "LookupEvents").await;
    assert!(
        refused[0]["CloudTrailEvent"]
            .as_str()
            .unwrap()
            .contains("AccessDeniedException")
    );
}
