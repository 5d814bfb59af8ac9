//! ECR's control plane: the operations of its JSON API, and the records that
//! the registry shares with it.
//!
//! Shapes are those of the service model `ecr-2015-09-21`. Each operation is
//! decided by the policy engine before it reads or writes a record. It must
//! not know HTTP; the front speaks AWS JSON 1.1 for it.

mod account_settings;
mod call;
mod changes;
mod contents;
mod conversion;
mod creation_templates;
mod deletion;
mod error;
mod fidelity;
mod garbage;
mod image;
mod image_batch;
mod image_queries;
mod layer_upload;
mod layers;
mod lifecycle;
mod limits;
mod lookup;
mod manifest;
mod model;
mod mounting;
mod mutability;
mod operations;
mod parameters;
mod pull_through_cache;
mod pull_time_exclusions;
mod records;
mod referrers;
mod registry;
mod registry_policy;
mod registry_settings;
mod replication;
mod repository;
mod repository_policies;
mod repository_settings;
mod resource_tags;
mod scanning;
mod seed;
mod signing;
mod storage_class;
mod tally;
mod token;

use serde_json::Value;

pub(crate) use call::Call;
pub(crate) use contents::tag_names;
pub(crate) use creation_templates::create_on_push;
pub(crate) use deletion::{Deletion, delete, remove_blob};
pub(crate) use error::{EcrError, code};
pub(crate) use fidelity::fidelity;
pub(crate) use garbage::{forget_blobs, is_held};
pub(crate) use image::{Put, find, note_pull, put};
pub(crate) use image_batch::image_json;
pub(crate) use layer_upload::PART_SIZE;
pub(crate) use layers::{KeepError, held, keep};
pub(crate) use lifecycle::{
    LifecycleClock, catch_up, is_due as lifecycle_is_due, run as run_lifecycle,
};
pub(crate) use manifest::MAXIMUM_MANIFEST;
#[cfg(fuzzing)]
pub(crate) use manifest::reads_manifest;
pub(crate) use mounting::{Mounts, mount, source as mount_source};
pub(crate) use mutability::matches_wildcard;
use operations::Operation;
pub(crate) use records::repository_key;
pub(crate) use referrers::referrers;
pub(crate) use registry::{Registry, is_account, is_region};
pub(crate) use registry_settings::RegistrySettings;
pub(crate) use repository::page as repositories;
pub(crate) use seed::seed;
pub(crate) use tally::tally;

use crate::caller::Caller;
use crate::fidelity::model::ECR;
use crate::json_protocol::BODY_LIMIT;
use crate::state::State;
use crate::trail::{Note, of_json};

/// How long the body of an operation may be, in bytes: a part of a layer (20 MiB
/// in base 64) and a manifest (4 MiB, with its quotes escaped) are large.
pub(crate) fn body_limit(operation: &str) -> usize {
    match operation {
        "UploadLayerPart" => 28 << 20,
        "PutImage" => 8 << 20,
        _ => BODY_LIMIT,
    }
}

/// Performs `operation`, such as `CreateRepository`, for a verified caller.
/// Blocks on the disk: the front runs it where that is allowed.
pub(crate) fn handle(
    state: &State,
    caller: &Caller,
    operation: &str,
    body: Value,
    note: &Note,
) -> Result<Value, EcrError> {
    let operation = Operation::find(operation).ok_or_else(|| unsupported(operation))?;
    note.parameters(of_json(&body, &model::without_bytes(operation.input)));
    model::check(&body, operation.input)?;
    catch_up(state);
    let account = body
        .get("registryId")
        .filter(|_| operation.names_registry())
        .and_then(Value::as_str)
        .or_else(|| caller.principal.account())
        .unwrap_or_default();
    let registry = Registry::new(account, &caller.region);
    let call = Call {
        state,
        caller,
        registry: &registry,
        note,
    };
    (operation.perform)(call, body)
}

/// The answer to an operation that is not here.
fn unsupported(operation: &str) -> EcrError {
    let sentence = if ECR.has(operation) {
        format!("The emulator does not perform the operation {operation}.")
    } else {
        format!("The operation {operation} does not exist.")
    };
    EcrError::client("UnknownOperationException", sentence)
}
