//! Where a policy document is written: as `aws_iam_policy_document`, as an
//! argument of `jsonencode`, as text, or in a file. The parts have the names
//! that the document's JSON gives them.

use std::ops::Range;

use hcl_edit::Span;
use hcl_edit::expr::{Expression, FuncCall};
use hcl_edit::structure::Body;
use hcl_edit::template::{Element, Template};

use super::block::{Nested, block_entry};
use super::follow::Site;
use super::text::Pieces;
use super::{Entry, Form, Origin, Parts, Wanted, json};
use crate::evaluate::Evaluator;
use crate::merge::MOST_STATEMENTS;
use crate::policy_document::ELEMENTS;

impl Evaluator<'_> {
    /// Where a document is written that an expression other than a reference
    /// gives the text of.
    pub(super) fn document_origin(
        &self,
        expression: &Expression,
        site: Site<'_>,
    ) -> Option<Origin> {
        let pieces = match expression {
            Expression::FuncCall(call) => match call.name.name.as_str() {
                "jsonencode" => {
                    return Some(self.origin(call.args.get(0)?, site.wanting(Wanted::Value)));
                }
                "file" | "templatefile" => self.file_pieces(call, site)?,
                _ => return None,
            },
            Expression::String(text) => {
                Pieces::of_string(site.source.clone(), expression.span()?, text.value())
            }
            Expression::StringTemplate(template) => {
                self.template_pieces(template, (0, Form::JsonInString), site)?
            }
            Expression::HeredocTemplate(heredoc) => {
                let indent = heredoc.indent().unwrap_or(0);
                self.template_pieces(&heredoc.template, (indent, Form::JsonInTemplate), site)?
            }
            _ => return None,
        };
        json::origin(&pieces.text, &|range| pieces.written(range))
    }

    fn template_pieces(
        &self,
        template: &Template,
        (indent, form): (usize, Form),
        site: Site<'_>,
    ) -> Option<Pieces> {
        let mut pieces = Pieces::new(site.source.clone(), form);
        let inserted = |element: &Element| self.element_text(element, site.scope);
        pieces.template(template, indent, &inserted)?;
        Some(pieces)
    }

    fn file_pieces(&self, call: &FuncCall, site: Site<'_>) -> Option<Pieces> {
        let source = self.file_argument(call, site.scope).ok()?.ok()?;
        if call.name.name.as_str() == "file" {
            return Some(Pieces::of_file(source));
        }
        self.with_template_file(call, site.scope, &mut |template, scope| {
            let site = site.next(scope, &source)?;
            self.template_pieces(template, (0, Form::JsonInTemplate), site)
        })?
    }

    /// `data "aws_iam_policy_document"`, with the documents that it merges.
    pub(super) fn policy_document_origin(
        &self,
        body: &Body,
        span: Option<Range<usize>>,
        site: Site<'_>,
    ) -> Origin {
        let mut statements = self.merged_statements(body, "source_policy_documents", site);
        self.each_block(body, site, &mut |nested, site| {
            if nested.name == "statement" {
                merge(&mut statements, self.statement_origin(&nested, site));
            }
        });
        for statement in self.merged_statements(body, "override_policy_documents", site) {
            merge(&mut statements, statement);
        }
        let whole = site.written(span, Form::Computed);
        let list = Origin::new(whole.clone(), Parts::List(statements));
        let entry = Entry {
            key: "Statement".to_owned(),
            name: whole.clone(),
            whole: whole.clone(),
            value: list,
        };
        Origin::new(whole, Parts::Object(vec![entry]))
    }

    /// The statements of the documents that an argument lists one by one.
    fn merged_statements(&self, body: &Body, argument: &str, site: Site<'_>) -> Vec<Origin> {
        let mut statements = Vec::new();
        let documents = body.get_attribute(argument);
        let Some(Expression::Array(documents)) = documents.map(|argument| &argument.value) else {
            return statements;
        };
        for document in documents {
            let origin = self.origin(document, site.wanting(Wanted::Document));
            let added = origin.get("Statement").map(|origin| &origin.parts);
            if let Some(Parts::List(added)) = added {
                for statement in added {
                    merge(&mut statements, statement.clone());
                }
            }
        }
        statements
    }

    fn statement_origin(&self, block: &Nested<'_>, site: Site<'_>) -> Origin {
        let site = site.wanting(Wanted::Value);
        let mut entries = Vec::new();
        for attribute in block.body.attributes() {
            let known = ELEMENTS
                .iter()
                .find(|(argument, _)| *argument == attribute.key.as_str());
            if let Some((_, element)) = known {
                entries.push(self.attribute_entry(element, attribute, site));
            }
        }
        self.each_block(block.body, site, &mut |nested, site| {
            let entry = match nested.name {
                "principals" => self.principals_entry("Principal", &nested, site),
                "not_principals" => self.principals_entry("NotPrincipal", &nested, site),
                "condition" => self.condition_entry(&nested, site),
                _ => None,
            };
            if let Some(mut entry) = entry {
                entry.value.map_worth(&|text| text.replace("&{", "${"));
                join(&mut entries, entry);
            }
        });
        let written = site.written(block.span.clone(), Form::Computed);
        let mut statement = Origin::new(written, Parts::Object(entries));
        if let Parts::Object(entries) = &mut statement.parts {
            let resources = entries.iter_mut();
            resources
                .filter(|entry| entry.key.ends_with("Resource"))
                .for_each(|entry| entry.value.map_worth(&|text| text.replace("&{", "${")));
        }
        statement
    }

    /// `{"Principal": {TYPE: identifiers}}`.
    fn principals_entry(&self, key: &str, block: &Nested<'_>, site: Site<'_>) -> Option<Entry> {
        let kind = self.value(&block.body.get_attribute("type")?.value, site.scope);
        let identifiers = block.body.get_attribute("identifiers")?;
        let inner = self.attribute_entry(&kind.to_text()?, identifiers, site);
        let whole = site.written(block.span.clone(), Form::Computed);
        let value = Origin::new(whole, Parts::Object(vec![inner]));
        Some(block_entry(key, block, value, site))
    }

    /// `{"Condition": {OPERATOR: {KEY: values}}}`.
    fn condition_entry(&self, block: &Nested<'_>, site: Site<'_>) -> Option<Entry> {
        let test = self.origin(&block.body.get_attribute("test")?.value, site);
        let variable = self.origin(&block.body.get_attribute("variable")?.value, site);
        let values = block.body.get_attribute("values")?;
        let whole = site.written(block.span.clone(), Form::Computed);
        let under = Entry {
            key: variable.worth?.replace("&{", "${"),
            name: variable.written,
            whole: whole.clone(),
            value: self.origin(&values.value, site),
        };
        let over = Entry {
            key: test.worth?,
            name: test.written,
            whole: whole.clone(),
            value: Origin::new(whole.clone(), Parts::Object(vec![under])),
        };
        let value = Origin::new(whole, Parts::Object(vec![over]));
        Some(block_entry("Condition", block, value, site))
    }
}

/// Adds a block's entries to those of the blocks before it.
fn join(entries: &mut Vec<Entry>, added: Entry) {
    let before = entries.iter_mut().find(|entry| entry.key == added.key);
    match (before, added) {
        (Some(before), added) => {
            if let (Parts::Object(entries), Parts::Object(more)) =
                (&mut before.value.parts, added.value.parts)
            {
                entries.extend(more);
            }
        }
        (None, added) => entries.push(added),
    }
}

/// Adds a statement, in the place of the one with the same id if there is one.
fn merge(statements: &mut Vec<Origin>, statement: Origin) {
    let sid = |statement: &Origin| {
        let sid = statement.get("Sid").and_then(|sid| sid.worth.clone());
        sid.filter(|sid| !sid.is_empty())
    };
    let wanted = sid(&statement);
    let same = statements
        .iter()
        .position(|before| wanted.is_some() && sid(before) == wanted);
    match same {
        Some(position) => statements[position] = statement,
        None if statements.len() < MOST_STATEMENTS => statements.push(statement),
        None => {}
    }
}
