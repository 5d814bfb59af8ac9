//! What machines read: exit codes, problem codes, and the documents that
//! `--format json` prints. Their JSON schemas are in `docs/schemas/`, kept equal
//! to these types by a test.

mod base;
mod check;
mod exit_code;
mod explanation;
mod imprint;
mod matrix;
mod problem;
mod publish;
mod rehearsal;
mod snapshot;
mod usage;

pub use base::BaseReport;
pub use check::{CheckReport, Example, Finding, Fix, Location, RoleProof, Severity, Suppressed};
pub use exit_code::ExitCode;
pub use explanation::{
    Check, CheckResult, ElementMismatch, Explanation, NearestMiss, StatementExplanation,
};
pub use imprint::{Imprint, ImprintKind};
pub use matrix::{Access, Answer, CallerAccess, Matrix, RoleAccess, SessionAccess, Standing};
pub use problem::{Problem, ProblemCode};
pub use publish::{
    Advisory, Attestation, BuildReceipt, BuildReceipts, Identity, InputChange, InputsReport, Layer,
    LayerOrigin, PlannedPublish, PlannedPublishes, PlatformBuild, PlatformImage, PublishReceipt,
    PublishReceipts, Source, TagOutcome,
};
pub use rehearsal::{Attempt, RehearsalReceipt, RehearsedImage, Verdict};
pub use snapshot::{Snapshot, Snapshots};
pub use usage::{DeniedPermission, RoleUsage, UnusedPermission, UsageReport, UsedPermission};

use serde_json::Value;

/// Every published document with its schema, by file name.
pub fn schemas() -> [(&'static str, Value); 15] {
    [
        (
            "base-report.json",
            schemars::schema_for!(BaseReport).to_value(),
        ),
        (
            "build-receipt.json",
            schemars::schema_for!(BuildReceipt).to_value(),
        ),
        (
            "build-receipts.json",
            schemars::schema_for!(BuildReceipts).to_value(),
        ),
        (
            "check-report.json",
            schemars::schema_for!(CheckReport).to_value(),
        ),
        (
            "explanation.json",
            schemars::schema_for!(Explanation).to_value(),
        ),
        (
            "emulator-snapshot.json",
            schemars::schema_for!(Snapshot).to_value(),
        ),
        (
            "emulator-snapshots.json",
            schemars::schema_for!(Snapshots).to_value(),
        ),
        (
            "inputs-report.json",
            schemars::schema_for!(InputsReport).to_value(),
        ),
        ("problem.json", schemars::schema_for!(Problem).to_value()),
        (
            "publish-plan.json",
            schemars::schema_for!(PlannedPublish).to_value(),
        ),
        (
            "publish-plans.json",
            schemars::schema_for!(PlannedPublishes).to_value(),
        ),
        (
            "publish-receipts.json",
            schemars::schema_for!(PublishReceipts).to_value(),
        ),
        (
            "publish-receipt.json",
            schemars::schema_for!(PublishReceipt).to_value(),
        ),
        (
            "rehearsal-receipt.json",
            schemars::schema_for!(RehearsalReceipt).to_value(),
        ),
        (
            "usage-report.json",
            schemars::schema_for!(UsageReport).to_value(),
        ),
    ]
}
