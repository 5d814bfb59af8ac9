//! Any bytes as the one file of a Terraform root.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static ROOT: LazyLock<tempfile::TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("there is room for one file"));

fuzz_target!(|bytes: &[u8]| {
    std::fs::write(ROOT.path().join("main.tf"), bytes).expect("the file can be written");
    let given = terraform::Given {
        account: "123456789012".to_owned(),
        region: Some("eu-west-1".to_owned()),
        ..terraform::Given::default()
    };
    if let Ok(root) = terraform::read(ROOT.path(), &given) {
        root.aws();
    }
});
