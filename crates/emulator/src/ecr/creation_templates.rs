//! Repository creation templates: kept, described, and found for a repository
//! that does not exist yet (User Guide, "Templates to control repositories
//! created during a pull through cache, create on push, or replication action").

mod operations;
mod push;

use std::collections::BTreeMap;

use jiff::Timestamp;
use oci::RepositoryName;
use serde::{Deserialize, Serialize};

use super::Registry;
use super::mutability::Mutability;
use super::records::Encryption;
use crate::store::Table;
pub(super) use operations::{create, delete, describe, update};
pub(crate) use push::create_on_push;

/// Templates by `ACCOUNT/REGION/PREFIX`, the prefix without the slash at its end.
const TEMPLATES: Table<Template> = Table::new("ecr/creation-templates");

/// The prefix that matches every repository.
const ROOT: &str = "ROOT";

/// A template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Template {
    /// As it was sent.
    prefix: String,
    description: Option<String>,
    encryption: Encryption,
    tags: BTreeMap<String, String>,
    mutability: Mutability,
    repository_policy: Option<String>,
    lifecycle_policy: Option<String>,
    applied_for: Vec<String>,
    custom_role: Option<String>,
    created: Timestamp,
    updated: Timestamp,
}

/// Key of the template of a prefix. A slash at its end is always assumed.
fn template_key(registry: &Registry, prefix: &str) -> String {
    format!("{registry}/{}", prefix.trim_end_matches('/'))
}

/// The template that a repository of this name would be created with in a
/// scenario such as `CREATE_ON_PUSH`: the longest prefix wins, and `ROOT`
/// stands behind all. Templates for other scenarios do not compete (inferred).
fn find<'a>(
    templates: &'a [Template],
    name: &RepositoryName,
    scenario: &str,
) -> Option<&'a Template> {
    let length = |template: &Template| {
        let prefix = template.prefix.trim_end_matches('/');
        if prefix == ROOT {
            return Some(0);
        }
        let rest = name.as_str().strip_prefix(prefix)?;
        rest.starts_with('/').then_some(prefix.len())
    };
    templates
        .iter()
        .filter(|template| template.applied_for.iter().any(|known| known == scenario))
        .filter_map(|template| Some((length(template)?, template)))
        .max_by_key(|(length, _)| *length)
        .map(|(_, template)| template)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn template(prefix: &str, scenario: &str) -> Template {
        Template {
            prefix: prefix.to_owned(),
            description: None,
            encryption: Encryption::default(),
            tags: BTreeMap::new(),
            mutability: Mutability::default(),
            repository_policy: None,
            lifecycle_policy: None,
            applied_for: vec![scenario.to_owned()],
            custom_role: None,
            created: Timestamp::UNIX_EPOCH,
            updated: Timestamp::UNIX_EPOCH,
        }
    }

    fn found<'a>(templates: &'a [Template], name: &str) -> Option<&'a str> {
        find(templates, &name.parse().unwrap(), "CREATE_ON_PUSH").map(|found| found.prefix.as_str())
    }

    #[test]
    fn the_longest_prefix_wins_and_root_stands_behind_all() {
        let push = |prefix| template(prefix, "CREATE_ON_PUSH");
        let mut templates = vec![push("prod"), push("prod/team/")];
        assert_eq!(found(&templates, "prod/team/api"), Some("prod/team/"));
        assert_eq!(found(&templates, "prod/other"), Some("prod"));
        assert_eq!(found(&templates, "production/api"), None);
        assert_eq!(found(&templates, "prod"), None);
        templates.push(push("ROOT"));
        assert_eq!(found(&templates, "production/api"), Some("ROOT"));
        let other = [template("prod", "REPLICATION")];
        assert_eq!(found(&other, "prod/api"), None);
    }

    proptest! {
        #[test]
        fn what_is_found_is_a_prefix_and_none_is_longer(
            prefixes in prop::collection::btree_set("[ab](/[ab]){0,2}", 0..6),
            name in "[ab](/[ab]){0,4}/c",
        ) {
            let all = prefixes.iter().map(|prefix| template(prefix, "CREATE_ON_PUSH"));
            let templates: Vec<Template> = all.collect();
            let matching = prefixes.iter().filter(|prefix| name.starts_with(&format!("{prefix}/")));
            let longest = matching.max_by_key(|prefix| prefix.len());
            prop_assert_eq!(found(&templates, &name), longest.map(String::as_str));
        }
    }
}
