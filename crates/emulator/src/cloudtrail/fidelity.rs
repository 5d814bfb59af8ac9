//! How near the trail and its operations are to CloudTrail.

use crate::fidelity::Fidelity::{self, Documented, Inferred, NotEmulated};
use crate::fidelity::model::CLOUDTRAIL;
use crate::fidelity::{Chapter, Row, calls};

/// The chapter about CloudTrail.
pub(crate) fn fidelity() -> Chapter {
    Chapter {
        title: "CloudTrail",
        about: format!(
            "Calls of the service model {}. A call that is not here is an \
             `UnsupportedOperationException`.",
            CLOUDTRAIL.version()
        ),
        calls: calls(CLOUDTRAIL, call),
        behaviours: BEHAVIOURS,
        deviations: &[],
    }
}

fn call(operation: &str) -> Option<Fidelity> {
    (operation == "LookupEvents").then_some(Inferred(
        "the sentences of its errors; a start more than ninety days ago is no error; the user \
         name of a session is its session name; types and names of `Resources`, a repository and \
         IAM's resources by name and by ARN",
    ))
}

#[rustfmt::skip] // one line for each, to be read as a table
const BEHAVIOURS: &[Row] = &[
    ("the shape of an event", Documented("CloudTrail User Guide, CloudTrail record contents; CloudTrail userIdentity element")),
    ("events of ECR", Documented("Amazon ECR User Guide, Logging Amazon ECR actions with AWS CloudTrail")),
    ("events of IAM and STS", Documented("IAM User Guide, Logging IAM and AWS STS API calls with AWS CloudTrail")),
    ("a refused call on another account's resource", Inferred("is told to the caller's account only")),
    ("a web identity", Inferred("is recorded once its signature is verified")),
    ("requests to the registry, as operations", Inferred("`HEAD` of a blob is `BatchCheckLayerAvailability`, tags are `ListImages`, the catalogue is `DescribeRepositories`; one `UploadLayerPart` for each request, whatever its length, without `layerPartBlob`; the parameters of `MountLayer`")),
    ("where a request to the registry comes from", Inferred("`ecr.amazonaws.com`, as newer examples of AWS show it")),
    ("`errorCode` of a request to the registry", Inferred("the name of ECR's exception")),
    ("the session token in the answer of `AssumeRole`", NotEmulated("`HIDDEN_DUE_TO_SECURITY_REASONS` stands in its place")),
    ("when an event can be looked up", NotEmulated("at once, not within minutes")),
    ("trails, event data stores, Insights", NotEmulated("there are none; every event is looked up in the account's own history")),
    ("data events, network activity events", NotEmulated("there are none")),
];
