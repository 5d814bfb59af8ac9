//! The values of a root's variables: `terraform.tfvars`, `terraform.tfvars.json`,
//! `*.auto.tfvars` and `*.auto.tfvars.json` by name, then what is given; the
//! later wins.
//! <https://developer.hashicorp.com/terraform/language/values/variables#variable-definition-precedence>

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hcl_edit::expr::Expression;

use crate::Given;
use crate::error::ReadError;
use crate::load::{files, parse_file};
use crate::value::Value;

/// The values of a root's variables, not yet converted to their types.
/// `evaluate` gives the value of an expression that refers to nothing.
pub(crate) fn values(
    root: &Path,
    given: &Given,
    evaluate: &dyn Fn(&Expression) -> Value,
) -> Result<BTreeMap<String, Value>, ReadError> {
    let mut values = BTreeMap::new();
    let files = files(root)?;
    let is_automatic = |file: &&PathBuf| {
        let name = file.to_string_lossy();
        name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json")
    };
    let in_order = files
        .iter()
        .filter(|file| file.ends_with("terraform.tfvars"))
        .chain(
            files
                .iter()
                .filter(|file| file.ends_with("terraform.tfvars.json")),
        )
        .chain(files.iter().filter(is_automatic))
        .cloned();
    for file in in_order {
        if file
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let text =
                fs_err::read_to_string(&file).map_err(|source| ReadError::Unreadable { source })?;
            let entries: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(&text)
                    .map_err(|source| ReadError::VariablesJson { file, source })?;
            values.extend(
                entries
                    .iter()
                    .map(|(name, value)| (name.clone(), Value::from_json(value))),
            );
        } else {
            let (_, body) = parse_file(file)?;
            for attribute in body.attributes() {
                values.insert(
                    attribute.key.as_str().to_owned(),
                    evaluate(&attribute.value),
                );
            }
        }
    }
    let given = given.variables.iter();
    values.extend(given.map(|(name, value)| (name.clone(), Value::from_json(value))));
    Ok(values)
}
