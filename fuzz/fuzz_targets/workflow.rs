//! Any text as a workflow file.
#![no_main]

use github::Workflow;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(workflow) = Workflow::parse(text) else {
        return;
    };
    for (_, job) in workflow.jobs_with_identity() {
        workflow.permissions_of(job);
    }
});
