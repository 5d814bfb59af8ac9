//! How near ECR's control plane is to AWS's.

use super::operations;
use crate::fidelity::Fidelity::{Documented, Inferred, NotEmulated};
use crate::fidelity::model::ECR;
use crate::fidelity::{Chapter, Row, calls};

/// The chapter about ECR.
pub(crate) fn fidelity() -> Chapter {
    Chapter {
        title: "Amazon ECR",
        about: format!(
            "Calls of the service model {}. Every request is checked against the model: \
             unknown members are passed over, wrong types are a `SerializationException`, broken \
             constraints an `InvalidParameterException` with AWS's sentence. A call that is not \
             here is an `UnknownOperationException`.",
            ECR.version()
        ),
        calls: calls(ECR, operations::fidelity),
        behaviours: BEHAVIOURS,
        deviations: &[],
    }
}

#[rustfmt::skip] // one line for each, to be read as a table
const BEHAVIOURS: &[Row] = &[
    ("quotas of size and number", Documented("Amazon ECR User Guide, Amazon ECR service quotas")),
    ("order of the checks", Inferred("a request is checked against the service model before it is authorized")),
    ("a member that is `null`", Inferred("is absent; keys that the model does not know are passed over")),
    ("sentences of exceptions", Inferred("where the service model and public reports have none; the code says so at each")),
    ("immutable tags and their exclusions", Documented("Amazon ECR User Guide, Preventing image tags from being overwritten")),
    ("layers that no image of their repository has", Inferred("go 24 hours after their upload, or after `HEAD` or `BatchCheckLayerAvailability` last found them; AWS says \"may be cleaned up at any time\"")),
    ("lifecycle policies: grammar and rules of evaluation", Documented("Amazon ECR User Guide, Lifecycle policy properties; Lifecycle policy evaluation rules")),
    ("when lifecycle policies are evaluated", Inferred("at every midnight UTC of the emulator's clock, also of a clock that jumps (AWS: within 24 hours)")),
    ("what a lifecycle rule selects", Inferred("it counts within its storage class; reference artifacts are images like others (aws/containers-roadmap#2613), and follow their subject; an image that is being restored is selected by no rule; what a manifest list names is acted on in a later evaluation than the list")),
    ("what a lifecycle policy does, in the trail", NotEmulated("it is not in the trail")),
    ("a push to a repository that does not exist, under a creation template", Inferred("it is made when the pusher may `ecr:InitiateLayerUpload` under the policy that the template gives it (AWS is reported to make it before it decides, containers-roadmap#853)")),
    ("a creation template with tags or KMS and without a role", Inferred("makes nothing, and the push is told that there is no repository; the role's own permissions are not asked")),
    ("manifests translated for clients (`BatchGetImage`)", Documented("Amazon ECR User Guide, Container image manifest format support")),
    ("pulls that are recorded, and principals that are not", Documented("Amazon ECR User Guide, Pull-time update exclusions")),
    ("encryption with KMS", NotEmulated("the setting is kept and nothing is encrypted")),
    ("scanning of images", NotEmulated("settings are kept, and no image is ever scanned")),
    ("signing of images by ECR", NotEmulated("there is no configuration with rules, and no image is ever signed")),
    ("replication", NotEmulated("there is no configuration with rules, and no image is ever replicated")),
    ("upstream registries (pull through cache)", NotEmulated("there are no rules, and nothing is fetched")),
    ("ECR Public", NotEmulated("there is no public registry")),
];
