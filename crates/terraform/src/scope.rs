//! The names an expression can see besides the module's own: `each`, `count`,
//! the variables of `for`, the iterators of `dynamic` blocks.

use crate::value::Value;

/// A chain of names, innermost first, ending at the module they belong to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// The module instance, by its number in the evaluator.
    pub(crate) module: usize,
    name: &'a str,
    value: &'a Value,
    outer: Option<&'a Scope<'a>>,
}

impl<'a> Scope<'a> {
    /// The scope of a module's top level.
    pub(crate) fn of_module(module: usize) -> Self {
        // The empty name cannot be written, so it is never found.
        Self {
            module,
            name: "",
            value: &Value::Null,
            outer: None,
        }
    }

    /// This scope with one more name in front.
    pub(crate) fn with(&'a self, name: &'a str, value: &'a Value) -> Self {
        Self {
            module: self.module,
            name,
            value,
            outer: Some(self),
        }
    }

    /// The innermost value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        let mut scope = *self;
        loop {
            if scope.name == name && !name.is_empty() {
                return Some(scope.value);
            }
            scope = *scope.outer?;
        }
    }
}
