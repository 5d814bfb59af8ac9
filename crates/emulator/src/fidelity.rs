//! How near the emulator is to AWS and GitHub, call by call and behaviour by
//! behaviour. Each service says it beside its code; `docs/emulator-fidelity.md`
//! is written from here.

pub(crate) mod model;

use Fidelity::{Documented, Inferred, NotEmulated, Refused};
use model::ServiceModel;

/// How near something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fidelity {
    /// As documented, by the named source.
    Documented(&'static str),
    /// There; what is named is not documented, and was chosen here.
    Inferred(&'static str),
    /// A call that is not emulated: answered with AWS's error for what is named.
    Refused(&'static str),
    /// A behaviour that is not emulated; what there is instead.
    NotEmulated(&'static str),
}

/// How a call that is not here at all is answered.
pub const UNSUPPORTED: Fidelity = Refused("an operation that it does not support");

/// A call or a behaviour.
pub type Row = (&'static str, Fidelity);

/// A service, or what all of them share.
#[derive(Debug)]
pub struct Chapter {
    /// Its name.
    pub title: &'static str,
    /// What the calls are from, and how one that is not here is answered.
    pub about: String,
    /// Every call that it has, by name.
    pub calls: Vec<Row>,
    /// What it does whatever is called.
    pub behaviours: &'static [Row],
    /// Where it departs from a specification.
    pub deviations: &'static [Deviation],
}

/// What a specification says, what AWS does instead, and who says so;
/// `inferred` where nobody does.
pub type Deviation = [&'static str; 3];

impl Chapter {
    /// A chapter without calls.
    fn of(title: &'static str, about: &str, behaviours: &'static [Row]) -> Self {
        Self {
            title,
            about: about.to_owned(),
            calls: Vec::new(),
            behaviours,
            deviations: &[],
        }
    }
}

/// All of it.
pub fn fidelity() -> Vec<Chapter> {
    vec![
        crate::ecr::fidelity(),
        crate::iam::fidelity(),
        crate::sts::fidelity(),
        crate::cloudtrail::fidelity(),
        crate::registry::fidelity(),
        crate::issuer::fidelity(),
        Chapter::of("Signatures", "AWS Signature Version 4.", SIGNATURES),
        Chapter::of(
            "Decisions",
            "Who may do what is decided by the engine of [policy-rules.md](policy-rules.md).",
            DECISIONS,
        ),
        Chapter::of("All services", "What is not of one of them.", ALL),
    ]
}

/// Every operation of a model, with its fidelity where it is here.
pub(crate) fn calls(model: ServiceModel, fidelity: impl Fn(&str) -> Option<Fidelity>) -> Vec<Row> {
    let operations = model.operations();
    operations
        .map(|operation| (operation, fidelity(operation).unwrap_or(UNSUPPORTED)))
        .collect()
}

const SIGNING: Fidelity = Documented("IAM User Guide, AWS Signature Version 4 for API requests");

#[rustfmt::skip] // one line for each, to be read as a table
const SIGNATURES: &[Row] = &[
    ("a signature in the header", SIGNING),
    ("a signature in the query of a presigned address", SIGNING),
    ("session tokens", SIGNING),
    ("how long a signature is good", Inferred("fifteen minutes before and after its date, in both forms, as STS, IAM and ECR are seen to answer (the documentation says five); `X-Amz-Expires` does not change that")),
    ("the order of the checks", Inferred("that of AWS's answers to DynamoDB")),
    ("an `Authorization` header of another family", Inferred("counts as none")),
    ("a part, a header or a date that comes twice", Inferred("is refused: two readers might take different ones")),
    ("a literal `+` in a query", Inferred("is itself, not a blank")),
    ("Signature Version 4A", NotEmulated("is refused")),
];

#[rustfmt::skip] // one line for each, to be read as a table
const DECISIONS: &[Row] = &[
    ("identity policies, boundaries, session policies and resource policies together", Documented("IAM User Guide, Policy evaluation logic")),
    ("sentences of a denial", Documented("IAM User Guide, Troubleshoot access denied error messages")),
    ("`\"*\"` and `{\"AWS\": \"*\"}` in a trust policy", Inferred("cover a web identity too")),
    ("which kind of policy a denial names when several deny", Inferred("one of them, always the same")),
    ("what a role or a user that is gone left, sessions and logins", Inferred("may do nothing, though another has its name now")),
    ("policies of organizations (SCP, RCP) and of VPC endpoints", NotEmulated("there are none: nothing is denied by them")),
];

#[rustfmt::skip] // one line for each, to be read as a table
const ALL: &[Row] = &[
    ("accounts", NotEmulated("there are those that the emulator was started with, and no organization")),
    ("regions", NotEmulated("every text in the form of a region is one")),
    ("the region of an unsigned call", Inferred("the emulator's default region")),
    ("a body that is too long, too slow, or broken off", Inferred("413, 408, and 400 `IncompleteBody`")),
    ("throttling and unavailability, where a fault asks for them", Documented("Common Errors of the API References of ECR, IAM and STS; Amazon ECR User Guide, Troubleshooting Amazon ECR error messages")),
    ("limits on the rate of calls", NotEmulated("there are none, except by a fault")),
    ("AWS's consistency in the end", NotEmulated("a change is seen by the next call")),
];
