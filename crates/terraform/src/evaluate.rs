//! The state of one evaluation: which modules there are, what is worked out
//! already, what is being worked out, and how much may still be spent.
//!
//! Names are evaluated when they are asked for, so that order does not matter;
//! a name that leads back to itself is unknown.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::rc::Rc;

use hcl_edit::expr::Expression;

use crate::Given;
use crate::files::FileText;
use crate::load::Configuration;
use crate::module::{Children, Module};
use crate::scope::Scope;
use crate::value::{Evaluated, VALUE_WEIGHT, Value};

/// How deep expressions and references may nest together. The parser allows far
/// less in one expression; only chains of references get here.
const DEPTH: usize = 600;

/// How much one read may spend, in bytes of values made or copied; an evaluation
/// costs as much as a value. A few lines of locals that double each other would
/// otherwise fill the memory.
const BUDGET: usize = 128 * 1024 * 1024;

/// The longest text that an expression may give, in bytes.
pub(crate) const LONGEST_TEXT: usize = 4 * 1024 * 1024;

/// The most elements that `range`, `count` and the like may give.
pub(crate) const MOST_ELEMENTS: usize = 10_000;

/// One evaluation of one configuration.
pub(crate) struct Evaluator<'s> {
    pub(crate) configuration: &'s Configuration,
    pub(crate) given: &'s Given,
    pub(crate) modules: RefCell<Vec<Rc<Module<'s>>>>,
    /// By the caller's number and the name of the `module` block.
    pub(crate) children: RefCell<HashMap<(usize, String), Rc<Children>>>,
    known: RefCell<HashMap<(usize, String), Value>>,
    pending: RefCell<Vec<(usize, String)>>,
    depth: Cell<usize>,
    budget: Cell<usize>,
    /// Files that expressions read, by path.
    pub(crate) files: RefCell<BTreeMap<PathBuf, FileText>>,
}

impl<'s> Evaluator<'s> {
    pub(crate) fn new(configuration: &'s Configuration, given: &'s Given) -> Self {
        Self {
            configuration,
            given,
            modules: RefCell::default(),
            children: RefCell::default(),
            known: RefCell::default(),
            pending: RefCell::default(),
            depth: Cell::new(0),
            budget: Cell::new(BUDGET),
            files: RefCell::default(),
        }
    }

    /// Gives a new budget, for another pass over what is evaluated already.
    pub(crate) fn refill(&self) {
        self.budget.set(BUDGET);
    }

    /// The module instance of a number.
    pub(crate) fn module(&self, number: usize) -> Rc<Module<'s>> {
        Rc::clone(&self.modules.borrow()[number])
    }

    /// Evaluates an expression; what Terraform would refuse is unknown.
    pub(crate) fn value(&self, expression: &Expression, scope: &Scope<'_>) -> Value {
        self.evaluate(expression, scope).unwrap_or_else(Value::from)
    }

    /// Evaluates an expression.
    pub(crate) fn evaluate(&self, expression: &Expression, scope: &Scope<'_>) -> Evaluated {
        if self.depth.get() >= DEPTH {
            return Ok(Value::Unknown(
                "the expression is nested too deeply".to_owned(),
            ));
        }
        if !self.spend(VALUE_WEIGHT) {
            return Ok(out_of_budget());
        }
        self.depth.set(self.depth.get() + 1);
        let value = self.evaluate_expression(expression, scope);
        self.depth.set(self.depth.get() - 1);
        match (expression, value) {
            // What other expressions are made of is paid for already.
            (
                Expression::String(_)
                | Expression::StringTemplate(_)
                | Expression::HeredocTemplate(_)
                | Expression::FuncCall(_),
                Ok(value),
            ) => Ok(self.paid(value)),
            (_, value) => value,
        }
    }

    /// Works out what a module's name is worth, once. `compute` may ask for
    /// other names, though not, in the end, for this one.
    pub(crate) fn once(
        &self,
        module: usize,
        name: String,
        compute: impl FnOnce() -> Value,
    ) -> Value {
        let key = (module, name);
        if let Some(value) = self.known.borrow().get(&key) {
            return if self.spend(value.weight()) {
                value.clone()
            } else {
                out_of_budget()
            };
        }
        if self.pending.borrow().contains(&key) {
            return Value::Unknown(self.cycle(&key));
        }
        self.pending.borrow_mut().push(key.clone());
        let value = self.paid(compute());
        self.pending.borrow_mut().pop();
        self.known.borrow_mut().insert(key, value.clone());
        value
    }

    /// A copy of a value, paid for.
    pub(crate) fn copy(&self, value: &Value) -> Value {
        if self.spend(value.weight()) {
            value.clone()
        } else {
            out_of_budget()
        }
    }

    /// A new value, paid for.
    fn paid(&self, value: Value) -> Value {
        if self.spend(value.weight()) {
            value
        } else {
            out_of_budget()
        }
    }

    /// Takes `amount` from the budget, if it is there.
    pub(crate) fn spend(&self, amount: usize) -> bool {
        let left = self.budget.get().checked_sub(amount);
        self.budget.set(left.unwrap_or(0));
        left.is_some()
    }

    fn cycle(&self, key: &(usize, String)) -> String {
        let pending = self.pending.borrow();
        let start = pending.iter().position(|other| other == key).unwrap_or(0);
        let path: Vec<String> = pending[start..]
            .iter()
            .chain([key])
            .map(|(module, name)| format!("{}{name}", self.module(*module).address))
            .collect();
        format!("it refers to itself: {}", path.join(" -> "))
    }
}

fn out_of_budget() -> Value {
    Value::Unknown("the configuration takes too much to evaluate".to_owned())
}

/// A text as a value, unless it is longer than an expression may give.
pub(crate) fn bounded_text(length: usize, text: impl FnOnce() -> String) -> Evaluated {
    if length > LONGEST_TEXT {
        return Ok(Value::Unknown(
            "the text is too long to evaluate".to_owned(),
        ));
    }
    Ok(Value::String(text()))
}
