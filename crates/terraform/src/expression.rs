//! Expressions, kind by kind.

use std::collections::BTreeMap;

use hcl_edit::expr::{Conditional, Expression, ForExpr, FuncCall, Object, ObjectKey};
use serde_json::Number;

use crate::evaluate::Evaluator;
use crate::functions;
use crate::operation;
use crate::scope::Scope;
use crate::types;
use crate::value::{Evaluated, Failure, Value, failure};

impl Evaluator<'_> {
    /// Evaluates one expression; called by `evaluate`, which counts the depth.
    pub(crate) fn evaluate_expression(
        &self,
        expression: &Expression,
        scope: &Scope<'_>,
    ) -> Evaluated {
        match expression {
            Expression::Null(_) => Ok(Value::Null),
            Expression::Bool(value) => Ok(Value::Bool(*value.value())),
            Expression::Number(number) => Ok(literal(*number.value())),
            Expression::String(text) => Ok(Value::String(text.value().clone())),
            Expression::Array(items) => Ok(Value::List(
                items
                    .iter()
                    .map(|item| self.evaluate(item, scope))
                    .collect::<Result<_, _>>()?,
            )),
            Expression::Object(object) => self.object(object, scope),
            Expression::StringTemplate(template) => self.string_template(template, scope),
            Expression::HeredocTemplate(heredoc) => self.heredoc(heredoc, scope),
            Expression::Parenthesis(inner) => self.evaluate(inner.inner(), scope),
            Expression::Variable(name) => match scope.get(name.as_str()) {
                Some(value) => Ok(self.copy(value)),
                None => failure(format!("there is nothing called {}", name.as_str())),
            },
            Expression::Conditional(conditional) => self.conditional(conditional, scope),
            Expression::FuncCall(call) => self.call(call, scope),
            Expression::Traversal(traversal) => self.traversal(traversal, scope),
            Expression::UnaryOp(operation) => {
                let value = self.evaluate(&operation.expr, scope)?;
                operation::unary(*operation.operator.value(), value)
            }
            Expression::BinaryOp(operation) => {
                let left = self.evaluate(&operation.lhs_expr, scope)?;
                let right = self.evaluate(&operation.rhs_expr, scope)?;
                operation::binary(*operation.operator.value(), left, right)
            }
            Expression::ForExpr(for_expression) => self.for_expression(for_expression, scope),
        }
    }

    fn object(&self, object: &Object, scope: &Scope<'_>) -> Evaluated {
        let mut entries = BTreeMap::new();
        for (key, value) in object {
            let key = match key {
                ObjectKey::Ident(name) => name.as_str().to_owned(),
                ObjectKey::Expression(key) => match self.evaluate(key, scope)? {
                    Value::Unknown(reason) => {
                        return Ok(Value::Unknown(format!("a key of the object: {reason}")));
                    }
                    key => text_of_key(&key)?,
                },
            };
            entries.insert(key, self.evaluate(value.expr(), scope)?);
        }
        Ok(Value::Object(entries))
    }

    fn conditional(&self, conditional: &Conditional, scope: &Scope<'_>) -> Evaluated {
        let condition = self.evaluate(&conditional.cond_expr, scope)?;
        if matches!(condition, Value::Unknown(_)) {
            return Ok(condition);
        }
        let (chosen, other) = match condition.to_bool() {
            Some(true) => (&conditional.true_expr, &conditional.false_expr),
            Some(false) => (&conditional.false_expr, &conditional.true_expr),
            None => return failure(format!("a bool is required, not {}", condition.kind())),
        };
        let value = self.evaluate(chosen, scope)?;
        // Both branches have one type: next to a text, a number becomes one.
        if matches!(other, Expression::String(_) | Expression::StringTemplate(_)) {
            return Ok(value.to_text().map_or(value, Value::String));
        }
        Ok(value)
    }

    fn call(&self, call: &FuncCall, scope: &Scope<'_>) -> Evaluated {
        let name = call.name.name.as_str();
        if call.name.is_namespaced() {
            return Ok(Value::Unknown(format!(
                "the provider's function {name} is not evaluated"
            )));
        }
        match name {
            "try" => return self.attempt(call, scope),
            "can" => return self.can(call, scope),
            "file" => return self.file(call, scope),
            "templatefile" => return self.template_file(call, scope),
            _ => {}
        }
        let mut arguments = call
            .args
            .iter()
            .map(|item| self.evaluate(item, scope))
            .collect::<Result<Vec<_>, _>>()?;
        if call.args.expand_final() {
            match arguments.pop() {
                Some(Value::List(items)) => arguments.extend(items),
                Some(unknown @ Value::Unknown(_)) => return Ok(unknown),
                _ => return failure("only a list can be expanded into arguments"),
            }
        }
        functions::call(name, arguments)
    }

    /// `try`: the first argument that Terraform would not refuse.
    fn attempt(&self, call: &FuncCall, scope: &Scope<'_>) -> Evaluated {
        let mut last = Failure("try needs an argument".to_owned());
        for argument in &call.args {
            match self.evaluate(argument, scope) {
                Ok(value) => return Ok(value),
                Err(failure) => last = failure,
            }
        }
        Err(last)
    }

    fn can(&self, call: &FuncCall, scope: &Scope<'_>) -> Evaluated {
        let Some(argument) = call.args.get(0) else {
            return failure("can needs an argument");
        };
        Ok(match self.evaluate(argument, scope) {
            Ok(unknown @ Value::Unknown(_)) => unknown,
            Ok(_) => Value::Bool(true),
            Err(_) => Value::Bool(false),
        })
    }

    fn for_expression(&self, expression: &ForExpr, scope: &Scope<'_>) -> Evaluated {
        let collection = self.evaluate(&expression.intro.collection_expr, scope)?;
        if let Value::Unknown(_) = collection {
            return Ok(collection);
        }
        if let Value::Object(entries) = &collection
            && let Some(reason) = Value::rest(entries)
        {
            return Ok(reason.clone());
        }
        let positions_are_values = self.is_set(&expression.intro.collection_expr, scope);
        let mut results = Vec::new();
        for (key, value) in collection.entries()? {
            let key = if positions_are_values {
                value.clone()
            } else {
                key
            };
            match self.for_element(expression, (&key, &value), scope)? {
                Element::Left => {}
                Element::Unknown(reason) => return Ok(Value::Unknown(reason)),
                Element::Taken(key, value) => results.push((key, value)),
            }
        }
        if expression.key_expr.is_none() {
            return Ok(Value::List(
                results.into_iter().map(|(_, value)| value).collect(),
            ));
        }
        collect_object(results, expression.grouping)
    }

    fn for_element(
        &self,
        expression: &ForExpr,
        (key, value): (&Value, &Value),
        scope: &Scope<'_>,
    ) -> Result<Element, Failure> {
        let with_value = scope.with(expression.intro.value_var.as_str(), value);
        let key_name = expression
            .intro
            .key_var
            .as_ref()
            .map_or("", |name| name.as_str());
        let scope = with_value.with(key_name, key);
        if let Some(condition) = &expression.cond {
            match self.evaluate(&condition.expr, &scope)? {
                Value::Unknown(reason) => return Ok(Element::Unknown(reason)),
                condition => match condition.to_bool() {
                    Some(true) => {}
                    Some(false) => return Ok(Element::Left),
                    None => return failure("the condition of a for must be a bool"),
                },
            }
        }
        let key = match &expression.key_expr {
            None => String::new(),
            Some(key) => match self.evaluate(key, &scope)? {
                Value::Unknown(reason) => return Ok(Element::Unknown(reason)),
                key => text_of_key(&key)?,
            },
        };
        Ok(Element::Taken(
            key,
            self.evaluate(&expression.value_expr, &scope)?,
        ))
    }

    /// Whether an expression gives a set, in whose `for` the "key" is the value.
    fn is_set(&self, expression: &Expression, scope: &Scope<'_>) -> bool {
        match expression {
            Expression::Parenthesis(inner) => self.is_set(inner.inner(), scope),
            Expression::FuncCall(call) => call.name.name.as_str() == "toset",
            Expression::Traversal(traversal) => {
                let [operator] = traversal.operators.as_slice() else {
                    return false;
                };
                let hcl_edit::expr::TraversalOperator::GetAttr(name) = operator.value() else {
                    return false;
                };
                let module = self.module(scope.module);
                match traversal.expr.as_variable().map(hcl_edit::Ident::as_str) {
                    Some("var") => module.directory.variables.get(name.as_str()).is_some_and(|body| {
                        let constraint = body.content.get_attribute("type");
                        constraint.is_some_and(|constraint| types::is_set(&constraint.value))
                    }),
                    // One step only: a local that names a local is rare.
                    Some("local") => module.directory.locals.get(name.as_str()).is_some_and(|local| {
                        matches!(&local.content, Expression::FuncCall(call) if call.name.name.as_str() == "toset")
                    }),
                    _ => false,
                }
            }
            _ => false,
        }
    }
}

/// What one round of a `for` gives.
enum Element {
    /// The condition left it out.
    Left,
    /// Whether or under which key it is in is not known, nor then the whole.
    Unknown(String),
    Taken(String, Value),
}

fn collect_object(results: Vec<(String, Value)>, grouping: bool) -> Evaluated {
    let mut groups: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (key, value) in results {
        groups.entry(key).or_default().push(value);
    }
    let mut entries = BTreeMap::new();
    for (key, mut values) in groups {
        let value = if grouping {
            Value::List(values)
        } else {
            match (values.pop(), values.is_empty()) {
                (Some(value), true) => value,
                _ => return failure(format!("two elements have the key {key:?}")),
            }
        };
        entries.insert(key, value);
    }
    Ok(Value::Object(entries))
}

fn text_of_key(key: &Value) -> Result<String, Failure> {
    match key.to_text() {
        Some(text) => Ok(text),
        None => failure(format!("a key must be a string, not {}", key.kind())),
    }
}

fn literal(number: hcl_edit::Number) -> Value {
    let integer = number
        .as_i64()
        .map(Number::from)
        .or_else(|| number.as_u64().map(Number::from));
    let number = integer.or_else(|| number.as_f64().and_then(Number::from_f64));
    number.map_or_else(
        || Value::Unknown("the number cannot be represented".to_owned()),
        Value::number,
    )
}
