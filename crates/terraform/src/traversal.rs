//! References and what follows them: attributes, indexes, splats.

use hcl_edit::expr::{Traversal, TraversalOperator};

use crate::evaluate::Evaluator;
use crate::resource::Mode;
use crate::scope::Scope;
use crate::value::{Evaluated, Failure, Value, failure};

impl Evaluator<'_> {
    /// Evaluates `root.attribute[index]...`.
    pub(crate) fn traversal(&self, traversal: &Traversal, scope: &Scope<'_>) -> Evaluated {
        let operators: Vec<&TraversalOperator> = traversal
            .operators
            .iter()
            .map(hcl_edit::Decorated::value)
            .collect();
        let (value, used) = match traversal.expr.as_variable() {
            Some(root) => self.reference(root.as_str(), &operators, scope)?,
            None => (self.evaluate(&traversal.expr, scope)?, 0),
        };
        self.follow(value, operators.get(used..).unwrap_or_default(), scope)
    }

    /// The value that a reference's first names stand for, and how many
    /// operators they took.
    fn reference(
        &self,
        root: &str,
        operators: &[&TraversalOperator],
        scope: &Scope<'_>,
    ) -> Result<(Value, usize), Failure> {
        if let Some(value) = scope.get(root) {
            return Ok((self.copy(value), 0));
        }
        let first = name(operators.first().copied());
        let second = name(operators.get(1).copied());
        match (root, first, second) {
            ("var", Some(name), _) => Ok((self.variable(scope.module, name), 1)),
            ("local", Some(name), _) => Ok((self.local(scope.module, name)?, 1)),
            ("module", Some(name), _) => self.module_reference(name, operators, scope),
            ("data", Some(kind), Some(name)) => {
                Ok((self.resource(scope.module, Mode::Data, kind, name)?, 2))
            }
            ("path" | "terraform" | "self" | "ephemeral", _, _) => Ok((
                Value::Unknown(format!("{root} is not known before a run")),
                operators.len(),
            )),
            ("each" | "count", _, _) => failure(format!("there is no {root} here")),
            (kind, Some(name), _) => {
                Ok((self.resource(scope.module, Mode::Managed, kind, name)?, 1))
            }
            _ => failure(format!("the reference {root} is not complete")),
        }
    }

    /// `module.NAME.OUTPUT`, `module.NAME[KEY].OUTPUT`, or all of the outputs.
    fn module_reference(
        &self,
        call: &str,
        operators: &[&TraversalOperator],
        scope: &Scope<'_>,
    ) -> Result<(Value, usize), Failure> {
        let children = self.children(scope.module, call)?;
        let third = name(operators.get(2).copied());
        match (operators.get(1).copied(), third) {
            (Some(TraversalOperator::GetAttr(output)), _) => {
                Ok((self.only_child_output(&children, output.as_str())?, 2))
            }
            (Some(TraversalOperator::Index(index)), Some(output)) => {
                let key = self.evaluate(index, scope)?;
                Ok((self.child_output(&children, &key, output)?, 3))
            }
            _ => Ok((self.all_outputs(&children), 1)),
        }
    }

    /// Applies operators to a value.
    fn follow(
        &self,
        mut value: Value,
        operators: &[&TraversalOperator],
        scope: &Scope<'_>,
    ) -> Evaluated {
        let mut rest = operators.iter();
        while let Some(operator) = rest.next() {
            value = match operator {
                TraversalOperator::GetAttr(name) => attribute(value, name.as_str())?,
                TraversalOperator::LegacyIndex(position) => {
                    let position = usize::try_from(*position.value()).unwrap_or(usize::MAX);
                    index(value, &Value::from(position))?
                }
                TraversalOperator::Index(key) => index(value, &self.evaluate(key, scope)?)?,
                TraversalOperator::FullSplat(_) => {
                    return self.splat(value, rest.as_slice(), scope);
                }
                TraversalOperator::AttrSplat(_) => {
                    let following = rest.as_slice();
                    let attributes = following
                        .iter()
                        .take_while(|next| matches!(next, TraversalOperator::GetAttr(_)))
                        .count();
                    rest = following[attributes..].iter();
                    self.splat(value, &following[..attributes], scope)?
                }
            };
        }
        Ok(value)
    }

    /// Applies operators to each element; what is no list counts as one element,
    /// and null as none.
    fn splat(
        &self,
        value: Value,
        operators: &[&TraversalOperator],
        scope: &Scope<'_>,
    ) -> Evaluated {
        let items = match value {
            Value::Unknown(_) => return Ok(value),
            Value::Null => Vec::new(),
            Value::List(items) => items,
            other => vec![other],
        };
        let items = items
            .into_iter()
            .map(|item| self.follow(item, operators, scope));
        Ok(Value::List(items.collect::<Result<_, _>>()?))
    }
}

fn name(operator: Option<&TraversalOperator>) -> Option<&str> {
    match operator {
        Some(TraversalOperator::GetAttr(name)) => Some(name.as_str()),
        _ => None,
    }
}

/// `value.name`.
fn attribute(value: Value, name: &str) -> Evaluated {
    match value {
        Value::Unknown(_) => Ok(value),
        Value::Object(mut entries) => match entries.remove(name) {
            Some(value) => Ok(value),
            None => match Value::rest(&entries) {
                Some(Value::Unknown(reason)) => Ok(Value::Unknown(format!("{name}: {reason}"))),
                _ => failure(format!("there is no attribute {name}")),
            },
        },
        other => failure(format!("{} has no attribute {name}", other.kind())),
    }
}

/// `value[key]`.
fn index(value: Value, key: &Value) -> Evaluated {
    match (value, key) {
        (unknown @ Value::Unknown(_), _) => Ok(unknown),
        (_, Value::Unknown(reason)) => Ok(Value::Unknown(reason.clone())),
        (Value::List(mut items), key) => match key.to_index() {
            Some(position) if position < items.len() => Ok(items.swap_remove(position)),
            Some(position) => failure(format!("there is no element {position}")),
            None => failure("a list is indexed by a whole number"),
        },
        (object @ Value::Object(_), key) => match key.to_text() {
            Some(key) => attribute(object, &key),
            None => failure(format!("an object is not indexed by {}", key.kind())),
        },
        (other, _) => failure(format!("{} has no elements", other.kind())),
    }
}
