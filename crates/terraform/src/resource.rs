//! Resources and data sources: how many there are, and what each is worth.

use std::collections::BTreeMap;

use hcl_edit::structure::Body;

use crate::computed;
use crate::evaluate::{Evaluator, MOST_ELEMENTS};
use crate::load::Definition;
use crate::scope::Scope;
use crate::value::{Evaluated, Value, failure};

/// Whether a block makes something or looks something up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Managed,
    Data,
}

/// How often a block is repeated.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Repetition {
    /// It has neither `count` nor `for_each`.
    Once,
    Count(usize),
    ForEach(BTreeMap<String, Value>),
    /// Not known, for this reason.
    Unknown(String),
}

/// What `each` or `count` is in one repetition: the name and its value.
pub(crate) type Binding = (&'static str, Value);

impl Repetition {
    /// One instance's address suffix (empty, `[0]`, `["key"]`) with its binding.
    pub(crate) fn instances(&self) -> Vec<(String, Binding)> {
        match self {
            Self::Once => vec![(String::new(), ("", Value::Null))],
            Self::Count(count) => (0..*count)
                .map(|index| {
                    let entries = BTreeMap::from([("index".to_owned(), Value::from(index))]);
                    (format!("[{index}]"), ("count", Value::Object(entries)))
                })
                .collect(),
            Self::ForEach(elements) => elements
                .iter()
                .map(|(key, value)| {
                    let entries = BTreeMap::from([
                        ("key".to_owned(), Value::from(key.as_str())),
                        ("value".to_owned(), value.clone()),
                    ]);
                    (format!("[{key:?}]"), ("each", Value::Object(entries)))
                })
                .collect(),
            Self::Unknown(_) => Vec::new(),
        }
    }
}

impl Evaluator<'_> {
    /// How often a resource or module block is repeated.
    pub(crate) fn repetition(&self, body: &Body, scope: &Scope<'_>) -> Repetition {
        if let Some(count) = body.get_attribute("count") {
            return match self.value(&count.value, scope) {
                Value::Unknown(reason) => Repetition::Unknown(format!("count: {reason}")),
                count => match count.to_index() {
                    Some(count) if count <= MOST_ELEMENTS => Repetition::Count(count),
                    _ => Repetition::Unknown("count is not a number of instances".to_owned()),
                },
            };
        }
        let Some(for_each) = body.get_attribute("for_each") else {
            return Repetition::Once;
        };
        match self.value(&for_each.value, scope) {
            Value::Unknown(reason) => Repetition::Unknown(format!("for_each: {reason}")),
            Value::Object(entries) => match Value::rest(&entries).and_then(Value::unknown_reason) {
                Some(reason) => Repetition::Unknown(format!("for_each: {reason}")),
                None => Repetition::ForEach(entries),
            },
            Value::List(items) => {
                let keys: Option<BTreeMap<String, Value>> = items
                    .into_iter()
                    .map(|item| item.as_str().map(str::to_owned).map(|key| (key, item)))
                    .collect();
                keys.map_or_else(
                    || Repetition::Unknown("for_each: not a set of known strings".to_owned()),
                    Repetition::ForEach,
                )
            }
            other => Repetition::Unknown(format!("for_each: {} has no elements", other.kind())),
        }
    }

    /// All instances of a resource as one value: an object, or a list (`count`)
    /// or object (`for_each`) of objects.
    pub(crate) fn resource(&self, module: usize, mode: Mode, kind: &str, name: &str) -> Evaluated {
        let directory = self.module(module).directory;
        let key = (kind.to_owned(), name.to_owned());
        let (blocks, address) = match mode {
            Mode::Managed => (&directory.resources, format!("{kind}.{name}")),
            Mode::Data => (&directory.data, format!("data.{kind}.{name}")),
        };
        let Some(definition) = blocks.get(&key) else {
            return failure(format!("there is no {address}"));
        };
        let whole = format!("{}{address}", self.module(module).address);
        Ok(self.once(module, address, || {
            self.instances(module, mode, (kind, &whole), definition)
        }))
    }

    /// One instance of a managed resource, with what `count` or `each` is in it.
    pub(crate) fn representative(
        &self,
        module: usize,
        (kind, address): (&str, &str),
        definition: &Definition<Body>,
        (name, value): &Binding,
    ) -> Value {
        let scope = Scope::of_module(module);
        let scope = scope.with(name, value);
        self.instance(Mode::Managed, (kind, address), &definition.content, &scope)
    }

    fn instances(
        &self,
        module: usize,
        mode: Mode,
        (kind, address): (&str, &str),
        definition: &Definition<Body>,
    ) -> Value {
        let scope = Scope::of_module(module);
        let repetition = self.repetition(&definition.content, &scope);
        let mut values = Vec::new();
        for (suffix, (name, value)) in repetition.instances() {
            let scope = scope.with(name, &value);
            let address = format!("{address}{suffix}");
            values.push(self.instance(mode, (kind, &address), &definition.content, &scope));
        }
        match repetition {
            Repetition::Unknown(reason) => Value::Unknown(reason),
            Repetition::Once => values.pop().unwrap_or(Value::Null),
            Repetition::Count(_) => Value::List(values),
            Repetition::ForEach(elements) => {
                Value::Object(elements.into_keys().zip(values).collect())
            }
        }
    }

    fn instance(
        &self,
        mode: Mode,
        (kind, address): (&str, &str),
        body: &Body,
        scope: &Scope<'_>,
    ) -> Value {
        if !self.spend(1024) {
            return Value::Unknown("the configuration takes too much to evaluate".to_owned());
        }
        let mut attributes = self.resource_attributes(body, scope);
        let surroundings = self.surroundings(body, scope);
        let computed = match mode {
            Mode::Managed => computed::of_resource(kind, address, &attributes, &surroundings),
            Mode::Data => computed::of_data(kind, &attributes, &surroundings),
        };
        attributes.extend(computed);
        let reason = match mode {
            Mode::Managed => "set by the provider when it is applied, or a default of the provider",
            Mode::Data => "looked up by the provider",
        };
        Value::partial(attributes, reason.to_owned())
    }
}
