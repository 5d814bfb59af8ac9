//! How near IAM is to AWS's.

use super::operations;
use crate::fidelity::Fidelity::{Documented, Inferred, NotEmulated};
use crate::fidelity::model::IAM;
use crate::fidelity::{Chapter, Row, calls};

/// The chapter about IAM.
pub(crate) fn fidelity() -> Chapter {
    Chapter {
        title: "IAM",
        about: format!(
            "Calls of the service model {}. A call that is not here is an `InvalidAction`.",
            IAM.version()
        ),
        calls: calls(IAM, operations::fidelity),
        behaviours: BEHAVIOURS,
        deviations: &[],
    }
}

#[rustfmt::skip] // one line for each, to be read as a table
const BEHAVIOURS: &[Row] = &[
    ("quotas of size and number", Documented("IAM User Guide, IAM and AWS STS quotas")),
    ("providers of OpenID Connect", Documented("IAM User Guide, Create an OpenID Connect identity provider in IAM")),
    ("a GitHub trust policy without `:sub`", Inferred("is refused, as documented, with `MalformedPolicyDocument`; the sentence was chosen")),
    ("whom a trust policy names", Documented("IAM User Guide, AWS JSON policy elements: Principal (unique ids in place of ARNs)")),
    ("a principal of an account that is not played here", Inferred("is taken as it is")),
    ("resources of the list operations", Inferred("`*`, or what the list is of")),
    ("lists by pages", Documented("API Reference, `MaxItems` and `Marker`")),
    ("markers", Inferred("their form, and the sentence for one that cannot be read")),
    ("sentences of errors", Inferred("from what clients print, where the API Reference has none")),
    ("where IAM is", Inferred("a signature of any region is taken; events are those of `us-east-1`")),
    ("AWS's own policies", NotEmulated("there are `AdministratorAccess` and the four of `AmazonEC2ContainerRegistry`; their ids, dates and versions were chosen")),
    ("a policy that is attached and gone", Inferred("allows nothing")),
    ("passwords of users", NotEmulated("users have none")),
    ("MFA devices", NotEmulated("there are none: a code is always wrong")),
    ("instance profiles", NotEmulated("there are none")),
    ("SAML providers, service-linked roles, server certificates, SSH keys, delegation", NotEmulated("there are none")),
    ("the simulator", Documented("IAM User Guide, IAM policy testing with the IAM policy simulator (trust policies have no part in it)")),
];
