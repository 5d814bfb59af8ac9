//! Follows an expression to where its value is written: through variables,
//! locals, arguments and outputs of modules, and functions that only pass on.

use std::ops::Range;
use std::sync::Arc;

use hcl_edit::Span;
use hcl_edit::expr::{Expression, FuncCall, ObjectKey, Traversal, TraversalOperator};
use hcl_edit::structure::Body;
use hcl_edit::template::Element;

use super::{Entry, Form, Origin, Parts, Written};
use crate::evaluate::Evaluator;
use crate::module::Inputs;
use crate::place::SourceText;
use crate::resource::Repetition;
use crate::scope::Scope;

/// The most references that are followed one after another.
const HOPS: usize = 24;

/// What one step costs of the evaluation's budget: about what it keeps.
const COST: usize = 256;

/// Functions that pass on the elements of their arguments.
const PASSING_ON: [&str; 7] = [
    "compact", "concat", "distinct", "flatten", "sort", "tolist", "toset",
];

/// What an expression is followed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Its value.
    Value,
    /// The policy document that its value is the text of.
    Document,
}

/// Where an expression stands.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    pub(super) scope: &'a Scope<'a>,
    pub(super) source: &'a Arc<SourceText>,
    pub(super) wanted: Wanted,
    hops: usize,
}

impl<'a> Site<'a> {
    pub(crate) fn new(scope: &'a Scope<'a>, source: &'a Arc<SourceText>) -> Self {
        Self {
            scope,
            source,
            wanted: Wanted::Value,
            hops: HOPS,
        }
    }

    pub(super) fn wanting(self, wanted: Wanted) -> Self {
        Self { wanted, ..self }
    }

    /// The site with another scope in the same file.
    pub(super) fn within<'b>(self, scope: &'b Scope<'b>) -> Site<'b>
    where
        'a: 'b,
    {
        Site { scope, ..self }
    }

    /// One reference further.
    pub(super) fn next<'b>(
        self,
        scope: &'b Scope<'b>,
        source: &'b Arc<SourceText>,
    ) -> Option<Site<'b>> {
        Some(Site {
            scope,
            source,
            wanted: self.wanted,
            hops: self.hops.checked_sub(1)?,
        })
    }

    pub(super) fn written(&self, span: Option<Range<usize>>, form: Form) -> Written {
        Written {
            source: Arc::clone(self.source),
            range: span.unwrap_or(0..0),
            form,
        }
    }
}

impl Evaluator<'_> {
    /// Where the value of an expression is written.
    pub(super) fn origin(&self, expression: &Expression, site: Site<'_>) -> Origin {
        self.origin_at(expression, &[], site)
    }

    /// The same for what `path` leads to below the value: keys and positions.
    fn origin_at(&self, expression: &Expression, path: &[String], site: Site<'_>) -> Origin {
        if !self.spend(COST) {
            return Origin::leaf(site.written(expression.span(), Form::Computed), None);
        }
        let found = match expression {
            Expression::Parenthesis(inner) => Some(self.origin_at(inner.inner(), path, site)),
            Expression::StringTemplate(template) => match template.as_single_element() {
                Some(Element::Interpolation(only)) => Some(self.origin_at(&only.expr, path, site)),
                _ => None,
            },
            Expression::Conditional(conditional) => {
                match self.value(&conditional.cond_expr, site.scope).to_bool() {
                    Some(true) => Some(self.origin_at(&conditional.true_expr, path, site)),
                    Some(false) => Some(self.origin_at(&conditional.false_expr, path, site)),
                    None => None,
                }
            }
            Expression::Traversal(traversal) => self.led_to(traversal, path, site),
            _ => None,
        };
        if let Some(found) = found {
            return found;
        }
        let inner = match path.split_first() {
            None => match site.wanted {
                Wanted::Value => self.value_origin(expression, site),
                Wanted::Document => self.document_origin(expression, site),
            },
            Some((key, rest)) => self
                .part(expression, key, site.scope)
                .map(|part| self.origin_at(part, rest, site)),
        };
        inner.unwrap_or_else(|| self.computed(expression, path, site))
    }

    /// An expression that gives the value and is not the value.
    fn computed(&self, expression: &Expression, path: &[String], site: Site<'_>) -> Origin {
        let worth = match (path, site.wanted) {
            ([], Wanted::Value) => self.value(expression, site.scope).to_text(),
            _ => None,
        };
        Origin::leaf(site.written(expression.span(), Form::Computed), worth)
    }

    /// An element of a list or object that is written out.
    fn part<'e>(
        &self,
        expression: &'e Expression,
        key: &str,
        scope: &Scope<'_>,
    ) -> Option<&'e Expression> {
        match expression {
            Expression::Array(items) => items.get(key.parse().ok()?),
            Expression::Object(object) => object
                .iter()
                .find(|(name, _)| self.key(name, scope).as_deref() == Some(key))
                .map(|(_, value)| value.expr()),
            _ => None,
        }
    }

    fn key(&self, key: &ObjectKey, scope: &Scope<'_>) -> Option<String> {
        match key {
            ObjectKey::Ident(name) => Some(name.as_str().to_owned()),
            ObjectKey::Expression(key) => self.value(key, scope).to_text(),
        }
    }

    fn value_origin(&self, expression: &Expression, site: Site<'_>) -> Option<Origin> {
        let written = || site.written(expression.span(), Form::Terraform);
        match expression {
            Expression::String(text) => Some(Origin::leaf(written(), Some(text.value().clone()))),
            Expression::Bool(_) | Expression::Number(_) => {
                let worth = self.value(expression, site.scope).to_text();
                Some(Origin::leaf(written(), worth))
            }
            Expression::Array(items) => {
                let items = items.iter().map(|item| self.origin(item, site)).collect();
                Some(Origin::new(written(), Parts::List(items)))
            }
            Expression::Object(object) => {
                let entries = object
                    .iter()
                    .filter_map(|(key, value)| self.entry(key, value.expr(), site))
                    .collect();
                Some(Origin::new(written(), Parts::Object(entries)))
            }
            Expression::FuncCall(call) if PASSING_ON.contains(&call.name.name.as_str()) => {
                Some(self.passed_on(call, site))
            }
            _ => None,
        }
    }

    fn entry(&self, key: &ObjectKey, value: &Expression, site: Site<'_>) -> Option<Entry> {
        let form = match key {
            ObjectKey::Ident(_) => Form::Identifier,
            ObjectKey::Expression(Expression::String(_)) => Form::Terraform,
            ObjectKey::Expression(_) => Form::Computed,
        };
        let name = site.written(key.span(), form);
        let end = value.span().map_or(name.range.end, |span| span.end);
        Some(Entry {
            key: self.key(key, site.scope)?,
            whole: site.written(Some(name.range.start..end), Form::Computed),
            name,
            value: self.origin(value, site),
        })
    }

    /// The elements of all arguments of a function that keeps them.
    fn passed_on(&self, call: &FuncCall, site: Site<'_>) -> Origin {
        let mut items = Vec::new();
        for argument in &call.args {
            let origin = self.origin(argument, site);
            match origin.parts {
                Parts::List(elements) => items.extend(elements),
                Parts::None | Parts::Object(_) => items.push(origin),
            }
        }
        let written = site.written(call.span(), Form::Computed);
        Origin::new(written, Parts::List(items))
    }

    /// Where a reference leads; `None` where it does not lead to an expression.
    fn led_to(&self, traversal: &Traversal, path: &[String], site: Site<'_>) -> Option<Origin> {
        let root = traversal.expr.as_variable()?.as_str();
        if site.scope.get(root).is_some() {
            return None;
        }
        let operators: Vec<&TraversalOperator> = traversal
            .operators
            .iter()
            .map(hcl_edit::Decorated::value)
            .collect();
        let first = name(operators.first()?)?;
        let rest = |used: usize| -> Option<Vec<String>> {
            let following = operators.get(used..)?.iter();
            let mut steps = following
                .map(|operator| self.step(operator, site.scope))
                .collect::<Option<Vec<_>>>()?;
            steps.extend(path.iter().cloned());
            Some(steps)
        };
        let scope = Scope::of_module(site.scope.module);
        match root {
            "var" => self.variable_origin(first, &rest(1)?, site),
            "local" => {
                let module = self.module(scope.module);
                let local = module.directory.locals.get(first)?;
                let next = site.next(&scope, &local.source)?;
                Some(self.origin_at(&local.content, &rest(1)?, next))
            }
            "module" => {
                let output = name(operators.get(1)?)?;
                self.output_origin((first, output), &rest(2)?, site)
            }
            "data" if first == "aws_iam_policy_document" => {
                if site.wanted != Wanted::Document {
                    return None;
                }
                self.data_document_origin(name(operators.get(1)?)?, &rest(2)?, site)
            }
            _ => None,
        }
    }

    fn step(&self, operator: &TraversalOperator, scope: &Scope<'_>) -> Option<String> {
        match operator {
            TraversalOperator::GetAttr(name) => Some(name.as_str().to_owned()),
            TraversalOperator::Index(key) => self.value(key, scope).to_text(),
            TraversalOperator::LegacyIndex(position) => Some(position.value().to_string()),
            TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => None,
        }
    }

    fn variable_origin(&self, name: &str, path: &[String], site: Site<'_>) -> Option<Origin> {
        let module = self.module(site.scope.module);
        match &module.inputs {
            Inputs::Root { values, written } => {
                if let Some(written) = written.get(name) {
                    let scope = Scope::of_module(site.scope.module);
                    let next = site.next(&scope, &written.source)?;
                    return Some(self.origin_at(&written.content, path, next));
                }
                // Given by the caller of this crate, or in JSON.
                if values.contains_key(name) {
                    return None;
                }
            }
            Inputs::Call {
                caller,
                arguments,
                source,
                binding,
            } => {
                if let Some(argument) = arguments.get_attribute(name) {
                    let scope = Scope::of_module(*caller);
                    let scope = scope.with(binding.0, &binding.1);
                    let next = site.next(&scope, source)?;
                    return Some(self.origin_at(&argument.value, path, next));
                }
            }
        }
        let variable = module.directory.variables.get(name)?;
        let default = variable.content.get_attribute("default")?;
        let scope = Scope::of_module(site.scope.module);
        let next = site.next(&scope, &variable.source)?;
        Some(self.origin_at(&default.value, path, next))
    }

    fn output_origin(
        &self,
        (call, output): (&str, &str),
        path: &[String],
        site: Site<'_>,
    ) -> Option<Origin> {
        let children = self.children(site.scope.module, call).ok()?;
        let [number] = children.modules.as_slice() else {
            return None;
        };
        if children.repetition != Repetition::Once {
            return None;
        }
        let module = self.module(*number);
        let definition = module.directory.outputs.get(output)?;
        let value = definition.content.get_attribute("value")?;
        let scope = Scope::of_module(*number);
        let next = site.next(&scope, &definition.source)?;
        Some(self.origin_at(&value.value, path, next))
    }

    fn data_document_origin(&self, name: &str, path: &[String], site: Site<'_>) -> Option<Origin> {
        let module = self.module(site.scope.module);
        let key = ("aws_iam_policy_document".to_owned(), name.to_owned());
        let definition = module.directory.data.get(&key)?;
        let body: &Body = &definition.content;
        let scope = Scope::of_module(site.scope.module);
        let repetition = self.repetition(body, &scope);
        let wanted = match path {
            [attribute] if attribute.ends_with("json") => String::new(),
            [index, attribute] if attribute.ends_with("json") => match &repetition {
                Repetition::ForEach(_) => format!("[{index:?}]"),
                _ => format!("[{index}]"),
            },
            _ => return None,
        };
        let (_, (name, value)) = repetition
            .instances()
            .into_iter()
            .find(|(suffix, _)| *suffix == wanted)?;
        let scope = scope.with(name, &value);
        let next = site.next(&scope, &definition.source)?;
        Some(self.policy_document_origin(body, definition.span.clone(), next))
    }
}

fn name(operator: &TraversalOperator) -> Option<&str> {
    match operator {
        TraversalOperator::GetAttr(name) => Some(name.as_str()),
        _ => None,
    }
}
