//! The body of a block as attributes: arguments, nested blocks (always as a list
//! of objects), and what `dynamic` blocks expand to.

use std::collections::BTreeMap;

use hcl_edit::structure::{Block, Body};

use crate::evaluate::Evaluator;
use crate::scope::Scope;
use crate::value::Value;

/// What Terraform itself reads in a resource, and does not pass to the provider.
const META_ARGUMENTS: [&str; 4] = ["count", "for_each", "provider", "depends_on"];
const META_BLOCKS: [&str; 3] = ["lifecycle", "provisioner", "connection"];

impl Evaluator<'_> {
    /// The attributes of a resource or data source.
    pub(crate) fn resource_attributes(
        &self,
        body: &Body,
        scope: &Scope<'_>,
    ) -> BTreeMap<String, Value> {
        let mut attributes = BTreeMap::new();
        for attribute in body.attributes() {
            let name = attribute.key.as_str();
            if !META_ARGUMENTS.contains(&name) {
                attributes.insert(name.to_owned(), self.value(&attribute.value, scope));
            }
        }
        for block in body.blocks() {
            if !META_BLOCKS.contains(&block.ident.as_str()) {
                self.add_block(block, scope, &mut attributes);
            }
        }
        attributes
    }

    fn body_attributes(&self, body: &Body, scope: &Scope<'_>) -> Value {
        let mut attributes = BTreeMap::new();
        for attribute in body.attributes() {
            attributes.insert(
                attribute.key.as_str().to_owned(),
                self.value(&attribute.value, scope),
            );
        }
        for block in body.blocks() {
            self.add_block(block, scope, &mut attributes);
        }
        Value::Object(attributes)
    }

    fn add_block(
        &self,
        block: &Block,
        scope: &Scope<'_>,
        attributes: &mut BTreeMap<String, Value>,
    ) {
        match (block.ident.as_str(), block.labels.first()) {
            ("dynamic", Some(label)) => {
                let added = self.dynamic(label.as_str(), &block.body, scope);
                add(attributes, label.as_str(), added);
            }
            (name, _) => {
                let added = self.body_attributes(&block.body, scope);
                add(attributes, name, Ok(vec![added]));
            }
        }
    }

    /// What a `dynamic` block expands to, or why that is not known.
    fn dynamic(&self, label: &str, body: &Body, scope: &Scope<'_>) -> Result<Vec<Value>, String> {
        let for_each = body
            .get_attribute("for_each")
            .ok_or("a dynamic block without for_each")?;
        let content = body
            .get_blocks("content")
            .next()
            .ok_or("a dynamic block without content")?;
        let iterator = body
            .get_attribute("iterator")
            .and_then(|iterator| iterator.value.as_variable())
            .map_or(label, |iterator| iterator.as_str());
        let collection = self.value(&for_each.value, scope);
        if let Value::Unknown(reason) = collection {
            return Err(reason);
        }
        let entries = collection.entries().map_err(|failure| failure.0)?;
        let blocks = entries.into_iter().map(|(key, value)| {
            let element = Value::Object(BTreeMap::from([
                ("key".to_owned(), key),
                ("value".to_owned(), value),
            ]));
            self.body_attributes(&content.body, &scope.with(iterator, &element))
        });
        Ok(blocks.collect())
    }
}

/// Adds blocks of one name to those before; unknown ones make all unknown.
fn add(attributes: &mut BTreeMap<String, Value>, name: &str, added: Result<Vec<Value>, String>) {
    let before = attributes
        .remove(name)
        .unwrap_or_else(|| Value::List(Vec::new()));
    let after = match (before, added) {
        (Value::List(mut blocks), Ok(added)) => {
            blocks.extend(added);
            Value::List(blocks)
        }
        (Value::List(_), Err(reason)) => Value::Unknown(reason),
        (before, _) => before,
    };
    attributes.insert(name.to_owned(), after);
}
