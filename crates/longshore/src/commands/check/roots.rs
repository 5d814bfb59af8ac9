//! The Terraform roots of a repository: found, and read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use audit::{TerraformRoot, UnreadableRoot, WorkflowFile, parallel};
use terraform::{Given, Place, ReadError};

use crate::project::EXAMPLE_ACCOUNT;

/// What is known about the accounts and regions of roots before they are read.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The root that `longshore.toml` names.
    pub(super) named: Option<String>,
    /// The account that it names.
    pub(super) account: Option<String>,
    /// The region that it names.
    pub(super) region: Option<String>,
    /// The accounts in the ARNs of the workflows.
    pub(super) in_workflows: BTreeSet<String>,
}

/// Reads every root below `directory`; those that cannot be read are findings of their own.
pub(super) fn read(
    directory: &Path,
    texts: &BTreeMap<String, String>,
    known: &Known,
) -> (Vec<TerraformRoot>, Vec<UnreadableRoot>) {
    let found = find(texts, known.named.as_deref());
    let accounts = accounts_by_directory(texts);
    let results = parallel::map(&found, |root| {
        let given = Given {
            account: account(root, &accounts, known),
            region: known.region.clone(),
            variables: BTreeMap::new(),
        };
        read_one(directory, root, &given)
    });
    let mut roots = Vec::new();
    let mut unreadable = Vec::new();
    for (root, result) in found.iter().zip(results) {
        match result {
            Ok(root) => roots.push(root),
            Err(error) => unreadable.push(UnreadableRoot::new(root, directory, &error)),
        }
    }
    (roots, unreadable)
}

/// Reads one root. Its places begin where the repository begins.
fn read_one(directory: &Path, root: &str, given: &Given) -> Result<TerraformRoot, ReadError> {
    let mut read = terraform::read(&directory.join(root), given)?;
    let relative = |place: &mut Place| {
        if let Ok(file) = place.file.strip_prefix(directory) {
            place.file = file.to_owned();
        }
    };
    for resource in read.resources.iter_mut().chain(&mut read.representatives) {
        relative(&mut resource.place);
    }
    for unknown in &mut read.unknowns {
        relative(&mut unknown.place);
    }
    Ok(TerraformRoot::new(root, read))
}

/// Directories with configuration that no other calls as a module, one of those
/// that call each other in a circle, and the one that is named in any case.
fn find(texts: &BTreeMap<String, String>, named: Option<&str>) -> Vec<String> {
    let mut calls: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in texts {
        let (directory, file) = split(path);
        if !(file.ends_with(".tf") || file.ends_with(".tf.json")) || is_fetched(directory) {
            continue;
        }
        let called = calls.entry(directory.to_owned()).or_default();
        called.extend(local_sources(text).filter_map(|source| joined(directory, source)));
    }
    let modules: BTreeSet<&String> = calls.values().flatten().collect();
    let called_by_none = calls
        .keys()
        .filter(|directory| !modules.contains(directory));
    let mut roots: Vec<String> = called_by_none.cloned().collect();
    let mut seen = BTreeSet::new();
    for root in &roots {
        reach(&calls, root, &mut seen);
    }
    for directory in calls.keys() {
        if !seen.contains(directory.as_str()) {
            roots.push(directory.clone());
            reach(&calls, directory, &mut seen);
        }
    }
    roots.sort();
    if let Some(named) = named.filter(|named| !roots.iter().any(|root| root == named)) {
        roots.push(named.to_owned());
    }
    roots
}

/// Adds `root` and all that it calls to `seen`.
fn reach<'a>(
    calls: &'a BTreeMap<String, BTreeSet<String>>,
    root: &str,
    seen: &mut BTreeSet<&'a str>,
) {
    let mut waiting: Vec<&str> = vec![root];
    while let Some(directory) = waiting.pop() {
        if let Some((directory, called)) = calls.get_key_value(directory)
            && seen.insert(directory)
        {
            waiting.extend(called.iter().map(String::as_str));
        }
    }
}

fn is_fetched(directory: &str) -> bool {
    directory
        .split('/')
        .any(|part| part == "node_modules" || part == ".terraform")
}

/// The directory and the name of a file.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// The paths in `source = "./..."`. A scan of lines, because it only decides
/// what is read as a root of its own; reading parses the same files properly.
fn local_sources(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let rest = line.trim_start().strip_prefix("source")?;
        let value = rest.trim_start().strip_prefix('=')?.trim_start();
        let (source, _) = value.strip_prefix('"')?.split_once('"')?;
        (source == "." || source == ".." || source.starts_with("./") || source.starts_with("../"))
            .then_some(source)
    })
}

/// `source` as seen from `directory`; `None` where it leads out of the repository.
fn joined(directory: &str, source: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    for part in source.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The account that a root is applied in: what `longshore.toml` says of its own
/// root, the only one that the root's files name, that of the file for any root,
/// the only one of the workflows, or the one of AWS's examples.
fn account(root: &str, accounts: &BTreeMap<String, BTreeSet<String>>, known: &Known) -> String {
    let only = |accounts: &BTreeSet<String>| {
        (accounts.len() == 1)
            .then(|| accounts.first().cloned())
            .flatten()
    };
    let own = || accounts.get(root).and_then(only);
    let account = if known.named.as_deref() == Some(root) {
        known.account.clone().or_else(own)
    } else {
        own().or_else(|| known.account.clone())
    };
    account
        .or_else(|| only(&known.in_workflows))
        .unwrap_or_else(|| EXAMPLE_ACCOUNT.to_owned())
}

fn accounts_by_directory(texts: &BTreeMap<String, String>) -> BTreeMap<String, BTreeSet<String>> {
    let mut accounts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in texts {
        let (directory, file) = split(path);
        if file.contains(".tf") {
            let named = accounts_in(text);
            accounts
                .entry(directory.to_owned())
                .or_default()
                .extend(named);
        }
    }
    accounts
}

/// The accounts in the IAM ARNs of a text.
pub(super) fn accounts_in(text: &str) -> impl Iterator<Item = String> {
    // Twelve digits between `:iam::` and the next colon.
    text.match_indices(":iam::").filter_map(|(at, found)| {
        let (account, _) = text.get(at + found.len()..)?.split_once(':')?;
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        is_account.then(|| account.to_owned())
    })
}

/// The region that the workflows name, where all name the same.
pub(super) fn region_of(workflows: &[WorkflowFile]) -> Option<String> {
    let named: BTreeSet<&str> = workflows
        .iter()
        .flat_map(|workflow| regions_in(&workflow.text))
        .collect();
    let mut named = named.into_iter();
    let first = named.next()?;
    named.next().is_none().then(|| first.to_owned())
}

/// What stands behind `aws-region:`, the input of AWS's own action, and is a region.
fn regions_in(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("aws-region:").filter_map(|(at, found)| {
        let line = text.get(at + found.len()..)?.lines().next()?;
        let value = line
            .split('#')
            .next()?
            .trim()
            .trim_matches(['"', '\'', '}', ' ']);
        let of_letters = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase());
        let (name, number) = value.rsplit_once('-')?;
        let is_region = name.contains('-')
            && name
                .split('-')
                .all(|part| part.len() > 1 && of_letters(part))
            && matches!(number.as_bytes(), [b'1'..=b'9']);
        is_region.then_some(value)
    })
}

/// A path of `longshore.toml` in the form of the list of files.
pub(super) fn in_repository(path: &Path) -> Option<String> {
    let path: PathBuf = path.components().collect();
    joined("", &path.to_string_lossy().replace('\\', "/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(files: &[(&str, &str)]) -> BTreeMap<String, String> {
        let own = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
        files.iter().map(own).collect()
    }

    #[test]
    fn local_modules_are_no_roots_and_a_named_one_always_is() {
        let texts = texts(&[
            (
                "infra/a/main.tf",
                "module \"m\" {\n  source = \"../modules/m\"\n}\n",
            ),
            ("infra/b/main.tf", "module \"n\" { \n source   =\"./n/\"\n}"),
            ("infra/b/n/main.tf", ""),
            (
                "infra/modules/m/main.tf",
                "module \"x\" {\n  source = \"../../../../out\"\n}",
            ),
            (
                "main.tf",
                "module \"r\" {\n  source = \"terraform-aws-modules/iam/aws\"\n}",
            ),
            ("notes.txt", "source = \"./infra/a\""),
        ]);
        assert_eq!(find(&texts, None), ["", "infra/a", "infra/b"]);
        let circles = super::tests::texts(&[
            ("a/main.tf", "module \"a\" {\n source = \"./\"\n}"),
            ("b/main.tf", "module \"c\" {\n source = \"../c\"\n}"),
            (
                "c/main.tf",
                "module \"b\" {\n source = \"../b\"\n}\nmodule \"d\" {\n source = \"../d\"\n}",
            ),
            ("d/main.tf", ""),
        ]);
        assert_eq!(find(&circles, None), ["a", "b"]);
        let named = find(&texts, Some("infra/modules/m"));
        assert_eq!(named, ["", "infra/a", "infra/b", "infra/modules/m"]);
    }

    #[test]
    fn the_account_is_the_only_one_that_is_named() {
        let one = "arn:aws:iam::111122223333:role/x arn:aws:iam::${local.account}:role/y";
        let accounts = accounts_by_directory(&texts(&[
            ("a/main.tf", one),
            (
                "b/main.tf",
                "arn:aws:iam::111122223333:role/x arn:aws:iam::444455556666:role/x",
            ),
        ]));
        let known = |account: Option<&str>, workflows: &[&str]| Known {
            named: Some("named".to_owned()),
            account: account.map(str::to_owned),
            region: None,
            in_workflows: workflows
                .iter()
                .map(|account| (*account).to_owned())
                .collect(),
        };
        for (root, known, expected) in [
            ("a", known(Some("999999999999"), &[]), "111122223333"),
            ("b", known(Some("999999999999"), &[]), "999999999999"),
            ("b", known(None, &["777777777777"]), "777777777777"),
            (
                "b",
                known(None, &["777777777777", "888888888888"]),
                EXAMPLE_ACCOUNT,
            ),
            (
                "named",
                known(Some("999999999999"), &["777777777777"]),
                "999999999999",
            ),
        ] {
            assert_eq!(account(root, &accounts, &known), expected, "{root}");
        }
    }

    #[test]
    fn the_region_is_the_only_one_that_the_workflows_name() {
        let workflow = |text: &str| WorkflowFile::new("a.yml", text);
        let one = "with:\n  aws-region: \"eu-west-1\" # x\nwith: {aws-region: eu-west-1}\n";
        assert_eq!(region_of(&[workflow(one)]).as_deref(), Some("eu-west-1"));
        let gov = "aws-region: us-gov-west-1\n";
        assert_eq!(
            region_of(&[workflow(gov)]).as_deref(),
            Some("us-gov-west-1")
        );
        assert_eq!(region_of(&[workflow(one), workflow(gov)]), None);
        for none in [
            "aws-region: ${{ vars.REGION }}",
            "aws-region: x-1",
            "aws-region:",
        ] {
            assert_eq!(region_of(&[workflow(none)]), None, "{none}");
        }
    }

    #[test]
    fn paths_are_joined_by_name() {
        assert_eq!(joined("a/b", "../c").as_deref(), Some("a/c"));
        assert_eq!(joined("a", "..").as_deref(), Some(""));
        assert_eq!(joined("a", "../.."), None);
        assert_eq!(
            in_repository(Path::new("./infra/x/")).as_deref(),
            Some("infra/x")
        );
    }
}
