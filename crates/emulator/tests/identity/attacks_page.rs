//! The page of attacks names tests that exist, and all of them.

use std::collections::BTreeSet;

const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

/// Modules in which every test is a line of the page.
const ATTACKS: [&str; 3] = [
    "identity::token_attacks",
    "identity::signature_attacks",
    "registry::attacks",
];

/// The tests of a module, with its name.
fn tests_of(module: &str) -> BTreeSet<String> {
    let path = format!("{PACKAGE}/tests/{}.rs", module.replace("::", "/"));
    let source = fs_err::read_to_string(path).unwrap();
    let tests = source.split("#[tokio::test").skip(1).map(|test| {
        let (_, rest) = test.split_once("async fn ").unwrap();
        let (name, _) = rest.split_once('(').unwrap();
        format!("{module}::{name}")
    });
    tests.collect()
}

#[test]
fn every_attack_has_its_test_and_every_test_its_line() {
    let page = fs_err::read_to_string(format!("{PACKAGE}/../../docs/attacks.md")).unwrap();
    let quoted = page.split('`').skip(1).step_by(2);
    let named: BTreeSet<&str> = quoted.filter(|text| text.contains("::")).collect();
    let modules = named.iter().map(|test| test.rsplit_once("::").unwrap().0);
    let there: BTreeSet<String> = modules.chain(ATTACKS).flat_map(tests_of).collect();
    for test in &named {
        assert!(there.contains(*test), "there is no test {test}");
    }
    let attacks = ATTACKS.map(|module| format!("{module}::"));
    for test in &there {
        let is_attack = attacks.iter().any(|module| test.starts_with(module));
        let is_named = named.contains(test.as_str());
        assert!(
            is_named || !is_attack,
            "docs/attacks.md does not name {test}"
        );
    }
}
