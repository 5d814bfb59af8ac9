//! Where the attributes and nested blocks of a resource are written.

use std::collections::BTreeMap;
use std::ops::Range;

use hcl_edit::Span;
use hcl_edit::structure::{Attribute, Block, Body};

use super::follow::Site;
use super::{Entry, Form, Origin, Parts, Wanted};
use crate::evaluate::Evaluator;
use crate::value::Value;

/// The attributes whose text is a policy document.
const DOCUMENTS: [&str; 2] = ["assume_role_policy", "policy"];

/// A nested block, with what surrounds it.
pub(super) struct Nested<'b> {
    pub(super) name: &'b str,
    pub(super) body: &'b Body,
    pub(super) span: Option<Range<usize>>,
}

impl Evaluator<'_> {
    /// Where a block's attributes and nested blocks are written.
    pub(crate) fn body_origin(
        &self,
        body: &Body,
        span: Option<Range<usize>>,
        site: Site<'_>,
    ) -> Origin {
        let mut entries: Vec<Entry> = body
            .attributes()
            .map(|attribute| {
                let wanted = if DOCUMENTS.contains(&attribute.key.as_str()) {
                    Wanted::Document
                } else {
                    Wanted::Value
                };
                self.attribute_entry(attribute.key.as_str(), attribute, site.wanting(wanted))
            })
            .collect();
        self.each_block(body, site, &mut |nested, site| {
            let value = self.body_origin(nested.body, nested.span.clone(), site);
            entries.push(block_entry(nested.name, &nested, value, site));
        });
        Origin::new(site.written(span, Form::Computed), Parts::Object(entries))
    }

    /// An attribute under a name of its own.
    pub(super) fn attribute_entry(
        &self,
        key: &str,
        attribute: &Attribute,
        site: Site<'_>,
    ) -> Entry {
        Entry {
            key: key.to_owned(),
            name: site.written(attribute.key.span(), Form::Computed),
            whole: site.written(attribute.span(), Form::Computed),
            value: self.origin(&attribute.value, site),
        }
    }

    /// Visits the nested blocks in the order in which they take effect, those of
    /// `dynamic` blocks as often as they are repeated.
    pub(super) fn each_block(
        &self,
        body: &Body,
        site: Site<'_>,
        visit: &mut dyn FnMut(Nested<'_>, Site<'_>),
    ) {
        for block in body.blocks() {
            match (block.ident.as_str(), block.labels.first()) {
                ("dynamic", Some(label)) => {
                    // What is not known is left out: it has no place.
                    let _ = self.dynamic_blocks(label.as_str(), block, site, visit);
                }
                (name, _) => visit(
                    Nested {
                        name,
                        body: &block.body,
                        span: block.span(),
                    },
                    site,
                ),
            }
        }
    }

    fn dynamic_blocks(
        &self,
        label: &str,
        block: &Block,
        site: Site<'_>,
        visit: &mut dyn FnMut(Nested<'_>, Site<'_>),
    ) -> Option<()> {
        let for_each = block.body.get_attribute("for_each")?;
        let content = block.body.get_blocks("content").next()?;
        let iterator = block
            .body
            .get_attribute("iterator")
            .and_then(|iterator| iterator.value.as_variable())
            .map_or(label, |iterator| iterator.as_str());
        let collection = self.value(&for_each.value, site.scope);
        for (key, value) in collection.entries().ok()? {
            let element = Value::Object(BTreeMap::from([
                ("key".to_owned(), key),
                ("value".to_owned(), value),
            ]));
            let nested = Nested {
                name: label,
                body: &content.body,
                span: content.span(),
            };
            visit(nested, site.within(&site.scope.with(iterator, &element)));
        }
        Some(())
    }
}

/// A block under a name of its own.
pub(super) fn block_entry(key: &str, block: &Nested<'_>, value: Origin, site: Site<'_>) -> Entry {
    let whole = site.written(block.span.clone(), Form::Computed);
    Entry {
        key: key.to_owned(),
        name: whole.clone(),
        whole,
        value,
    }
}
