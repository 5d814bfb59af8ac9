//! Module instances: their variables, locals and outputs, and the modules they
//! call. Only local modules are read; of others every output is unknown.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use hcl_edit::expr::Expression;
use hcl_edit::structure::Body;

use crate::evaluate::Evaluator;
use crate::load::{Definition, Directory, local_module};
use crate::place::SourceText;
use crate::resource::{Binding, Repetition};
use crate::scope::Scope;
use crate::types;
use crate::value::{Evaluated, Failure, Value, failure};

/// The most module instances of one root.
const MOST_MODULES: usize = 2_000;

/// One instance of a directory's configuration.
#[derive(Debug)]
pub(crate) struct Module<'s> {
    pub(crate) path: PathBuf,
    pub(crate) directory: &'s Directory,
    /// What its addresses begin with: empty, or `module.name.` and so on.
    pub(crate) address: String,
    pub(crate) inputs: Inputs<'s>,
}

/// Where the variables of a module get their values.
#[derive(Debug)]
pub(crate) enum Inputs<'s> {
    /// From files and the caller of this crate.
    Root {
        values: BTreeMap<String, Value>,
        /// Those that are written in a file, where it is not JSON.
        written: BTreeMap<String, Definition<Expression>>,
    },
    /// From the arguments of a `module` block.
    Call {
        caller: usize,
        arguments: &'s Body,
        /// The file that the arguments stand in.
        source: &'s Arc<SourceText>,
        binding: Binding,
    },
}

/// The instances that a `module` block makes.
#[derive(Debug)]
pub(crate) struct Children {
    pub(crate) repetition: Repetition,
    /// The numbers of the instances, in the order of the repetition.
    pub(crate) modules: Vec<usize>,
}

impl<'s> Evaluator<'s> {
    /// Adds a module instance and gives its number.
    pub(crate) fn add_module(&self, module: Module<'s>) -> usize {
        let mut modules = self.modules.borrow_mut();
        modules.push(Rc::new(module));
        modules.len() - 1
    }

    /// A variable's value: given, or its default, converted to its type.
    pub(crate) fn variable(&self, module: usize, name: &str) -> Value {
        self.once(module, format!("var.{name}"), || {
            let Some(definition) = self.module(module).directory.variables.get(name) else {
                return Value::Unknown(format!("the variable {name} is not declared"));
            };
            let body = &definition.content;
            let scope = Scope::of_module(module);
            let attribute = |name| body.get_attribute(name).map(|found| &found.value);
            let default = || attribute("default").map(|default| self.value(default, &scope));
            let nullable = attribute("nullable").and_then(Expression::as_bool) != Some(false);
            let value = match self.input(module, name) {
                Some(Value::Null) if !nullable => default(),
                Some(value) => Some(value),
                None => default(),
            };
            let Some(value) = value else {
                return Value::Unknown(format!("the variable {name} has no value"));
            };
            match attribute("type") {
                None => value,
                Some(constraint) => {
                    let literal = |expression: &_| self.value(expression, &scope);
                    types::convert(value, constraint, &literal).unwrap_or_else(|failure| {
                        Value::Unknown(format!("the variable {name}: {failure}"))
                    })
                }
            }
        })
    }

    /// The value that a module's variable is given, if it is.
    fn input(&self, module: usize, name: &str) -> Option<Value> {
        match &self.module(module).inputs {
            Inputs::Root { values, .. } => values.get(name).cloned(),
            Inputs::Call {
                caller,
                arguments,
                binding,
                ..
            } => {
                let argument = arguments.get_attribute(name)?;
                let scope = Scope::of_module(*caller);
                Some(self.value(&argument.value, &scope.with(binding.0, &binding.1)))
            }
        }
    }

    /// A local value.
    pub(crate) fn local(&self, module: usize, name: &str) -> Evaluated {
        let Some(definition) = self.module(module).directory.locals.get(name) else {
            return failure(format!("there is no local.{name}"));
        };
        Ok(self.once(module, format!("local.{name}"), || {
            self.value(&definition.content, &Scope::of_module(module))
        }))
    }

    /// An output of a module instance.
    pub(crate) fn output(&self, module: usize, name: &str) -> Evaluated {
        let Some(definition) = self.module(module).directory.outputs.get(name) else {
            return failure(format!("the module has no output {name}"));
        };
        Ok(self.once(module, format!("output.{name}"), || {
            match definition.content.get_attribute("value") {
                Some(value) => self.value(&value.value, &Scope::of_module(module)),
                None => Value::Unknown(format!("the output {name} has no value")),
            }
        }))
    }

    /// The instances of a `module` block, made at the first call.
    pub(crate) fn children(&self, module: usize, name: &str) -> Result<Rc<Children>, Failure> {
        let key = (module, name.to_owned());
        if let Some(children) = self.children.borrow().get(&key) {
            return Ok(Rc::clone(children));
        }
        let caller = self.module(module);
        let Some(call) = caller.directory.modules.get(name) else {
            return failure(format!("there is no module.{name}"));
        };
        let local = local_module(&caller.path, &call.content)
            .and_then(|path| Some((self.configuration.directories.get(&path)?, path)));
        let Some((directory, path)) = local else {
            let source = call.content.get_attribute("source");
            let source = source.and_then(|source| source.value.as_str());
            let reason = match source {
                Some(source) => format!("the module `{source}` is not local, and is not read"),
                None => "the module is not local, and is not read".to_owned(),
            };
            return Ok(Rc::new(Children {
                repetition: Repetition::Unknown(reason),
                modules: Vec::new(),
            }));
        };
        // `once` notices a `count` that depends on the module itself.
        let mut repetition = Repetition::Unknown("its number depends on itself".to_owned());
        self.once(module, format!("module.{name}"), || {
            repetition = self.repetition(&call.content, &Scope::of_module(module));
            Value::Null
        });
        let mut modules = Vec::new();
        for (suffix, binding) in repetition.instances() {
            if self.modules.borrow().len() >= MOST_MODULES {
                repetition = Repetition::Unknown("there are too many modules".to_owned());
                modules.clear();
                break;
            }
            modules.push(self.add_module(Module {
                path: path.clone(),
                directory,
                address: format!("{}module.{name}{suffix}.", caller.address),
                inputs: Inputs::Call {
                    caller: module,
                    arguments: &call.content,
                    source: &call.source,
                    binding,
                },
            }));
        }
        let children = Rc::new(Children {
            repetition,
            modules,
        });
        self.children.borrow_mut().insert(key, Rc::clone(&children));
        Ok(children)
    }

    /// An output of a module that is not repeated.
    pub(crate) fn only_child_output(&self, children: &Children, output: &str) -> Evaluated {
        match (&children.repetition, children.modules.as_slice()) {
            (Repetition::Unknown(reason), _) => Ok(Value::Unknown(reason.clone())),
            (Repetition::Once, [module]) => self.output(*module, output),
            _ => failure("a repeated module needs an index"),
        }
    }

    /// An output of one instance of a repeated module.
    pub(crate) fn child_output(&self, children: &Children, key: &Value, output: &str) -> Evaluated {
        let position = match (&children.repetition, key) {
            (Repetition::Unknown(reason), _) | (_, Value::Unknown(reason)) => {
                return Ok(Value::Unknown(reason.clone()));
            }
            (Repetition::Once, _) => None,
            (Repetition::Count(_), key) => key.to_index(),
            (Repetition::ForEach(elements), key) => {
                let key = key.to_text();
                elements
                    .keys()
                    .position(|other| Some(other) == key.as_ref())
            }
        };
        match position.and_then(|position| children.modules.get(position)) {
            Some(module) => self.output(*module, output),
            None => failure("the module has no such instance"),
        }
    }

    /// All outputs of all instances, as one value.
    pub(crate) fn all_outputs(&self, children: &Children) -> Value {
        let mut values = Vec::new();
        for module in &children.modules {
            let names = self.module(*module).directory.outputs.keys();
            let outputs = names.map(|name| {
                (
                    name.clone(),
                    self.output(*module, name).unwrap_or_else(Value::from),
                )
            });
            values.push(Value::Object(outputs.collect()));
        }
        match &children.repetition {
            Repetition::Unknown(reason) => Value::Unknown(reason.clone()),
            Repetition::Once => values.pop().unwrap_or(Value::Null),
            Repetition::Count(_) => Value::List(values),
            Repetition::ForEach(elements) => {
                Value::Object(elements.keys().cloned().zip(values).collect())
            }
        }
    }
}
