//! The values of a root's variables: `terraform.tfvars`, `terraform.tfvars.json`,
//! `*.auto.tfvars` and `*.auto.tfvars.json` by name, then what is given; the
//! later wins.
//! <https://developer.hashicorp.com/terraform/language/values/variables#variable-definition-precedence>

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hcl_edit::Span;
use hcl_edit::expr::Expression;
use hcl_edit::structure::Body;

use crate::Given;
use crate::error::ReadError;
use crate::load::{Definition, files, parse_file};
use crate::place::SourceText;
use crate::value::Value;

/// The values of a root's variables, not yet converted to their types.
#[derive(Debug, Default)]
pub(crate) struct Variables {
    pub(crate) values: BTreeMap<String, Value>,
    /// Those whose value is written in HCL, with the expression.
    pub(crate) written: BTreeMap<String, Definition<Expression>>,
    /// The files of HCL.
    pub(crate) sources: Vec<Arc<SourceText>>,
}

/// Reads the values of a root's variables. `evaluate` gives the value of an
/// expression that refers to nothing.
pub(crate) fn variables(
    root: &Path,
    given: &Given,
    evaluate: &dyn Fn(&Expression) -> Value,
) -> Result<Variables, ReadError> {
    let mut variables = Variables::default();
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
            for (name, value) in &entries {
                variables.set(name, Value::from_json(value));
            }
        } else {
            let (source, body) = parse_file(file)?;
            variables.add(body, &Arc::new(source), evaluate);
        }
    }
    for (name, value) in &given.variables {
        variables.set(name, Value::from_json(value));
    }
    Ok(variables)
}

impl Variables {
    /// A value that is not written in HCL.
    fn set(&mut self, name: &str, value: Value) {
        self.written.remove(name);
        self.values.insert(name.to_owned(), value);
    }

    /// The values of one file.
    fn add(
        &mut self,
        body: Body,
        source: &Arc<SourceText>,
        evaluate: &dyn Fn(&Expression) -> Value,
    ) {
        self.sources.push(Arc::clone(source));
        for attribute in body.into_attributes() {
            let name = attribute.key.as_str().to_owned();
            let span = attribute.span();
            self.values.insert(name.clone(), evaluate(&attribute.value));
            let definition = Definition {
                place: source.place(span.clone()),
                source: Arc::clone(source),
                content: attribute.value,
                span,
            };
            self.written.insert(name, definition);
        }
    }
}
