//! Puts the parts together: reads a root and lists its resources, its outputs and
//! what could not be known.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hcl_edit::Span;
use hcl_edit::structure::Body;

use crate::Given;
use crate::error::ReadError;
use crate::evaluate::Evaluator;
use crate::load::{Configuration, Definition, load};
use crate::module::{Inputs, Module};
use crate::origin::{Origin, Site};
use crate::place::{Place, SourceText};
use crate::resource::{Binding, Mode, Repetition};
use crate::scope::Scope;
use crate::value::Value;
use crate::variables::{self, Variables};

/// A root that was read.
#[derive(Debug, Clone)]
pub struct Root {
    /// The resources of the root and of its local modules, repeated ones once
    /// for each instance.
    pub resources: Vec<Resource>,
    /// One instance of each role, inline policy and attachment of which it is not
    /// known how many there are: what is the same in all of them.
    pub representatives: Vec<Resource>,
    /// The outputs of the root by name.
    pub outputs: BTreeMap<String, Value>,
    /// The region of the AWS provider without an alias.
    pub region: Option<String>,
    /// What the configuration alone does not decide.
    pub unknowns: Vec<Unknown>,
    pub(crate) account: String,
    /// The files that were read, by path.
    texts: BTreeMap<PathBuf, Arc<SourceText>>,
    /// What the provider adds to every resource's tags.
    pub(crate) default_tags: Value,
}

/// One instance of a `resource` block.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// For example `module.registry.aws_ecr_repository.this`.
    pub address: String,
    /// The type, for example `aws_ecr_repository`.
    pub kind: String,
    /// The name in the block's second label.
    pub name: String,
    /// Arguments as they evaluate, nested blocks as lists of objects, and those
    /// attributes of the provider that follow from them (ARNs).
    pub attributes: BTreeMap<String, Value>,
    /// Where the block begins.
    pub place: Place,
    origin: Origin,
}

impl Root {
    /// The resource of an address.
    pub fn resource(&self, address: &str) -> Option<&Resource> {
        self.resources
            .iter()
            .chain(&self.representatives)
            .find(|resource| resource.address == address)
    }

    /// The text of a file that was read, as [`Place::file`] names it.
    pub fn text(&self, file: &Path) -> Option<&str> {
        self.texts.get(file).map(|source| source.text())
    }
}

impl Resource {
    /// Where an attribute or the first nested block of a name stands, or else
    /// the resource's own block.
    pub fn place_of(&self, name: &str) -> Place {
        self.origin
            .place_of(name)
            .unwrap_or_else(|| self.place.clone())
    }

    /// Where the value of an attribute, or the first nested block of a name, is
    /// written. For the attributes that hold a policy it leads into the
    /// document, see [`Origin::policy_part`]. Only the resources of IAM and ECR
    /// have any.
    pub fn origin(&self, name: &str) -> Option<&Origin> {
        self.origin.get(name)
    }

    /// Where the nested block of a name at a position is written.
    pub fn block_origin(&self, name: &str, index: usize) -> Option<&Origin> {
        self.origin.entry_at(name, index)
    }
}

/// Something that the configuration alone does not decide.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Unknown {
    /// The resource or module, as in [`Resource::address`].
    pub address: String,
    /// The attribute; for a whole block `count`, `for_each` or `source`.
    pub attribute: String,
    /// Why it is not known.
    pub reason: String,
    /// Where the attribute stands, or the block if it has none.
    pub place: Place,
}

/// Reads the Terraform root in a directory.
///
/// Nothing is run, downloaded or looked up. What the files do not decide is
/// [`Value::Unknown`] and listed in [`Root::unknowns`].
pub fn read(root: &Path, given: &Given) -> Result<Root, ReadError> {
    // Deeply nested input takes more stack than the caller's thread may have.
    const STACK: usize = 64 * 1024 * 1024;
    std::thread::scope(|threads| {
        let reader = std::thread::Builder::new()
            .name("terraform".to_owned())
            .stack_size(STACK)
            .spawn_scoped(threads, || read_on_this_thread(root, given))
            .map_err(|source| ReadError::Thread { source })?;
        reader
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn read_on_this_thread(root: &Path, given: &Given) -> Result<Root, ReadError> {
    let configuration = load(root)?;
    let inputs = {
        // Variable files see no names at all: an empty module evaluates them.
        let nothing = Configuration {
            root: configuration.root.clone(),
            directories: BTreeMap::new(),
        };
        let directory = crate::load::Directory::default();
        let evaluator = Evaluator::new(&nothing, given);
        evaluator.add_module(root_module(&nothing, &directory, Variables::default()));
        let literal = |expression: &_| evaluator.value(expression, &Scope::of_module(0));
        variables::variables(&configuration.root, given, &literal)?
    };
    let variable_files = inputs.sources.clone();
    let evaluator = Evaluator::new(&configuration, given);
    let directory = &configuration.directories[&configuration.root];
    evaluator.add_module(root_module(&configuration, directory, inputs));

    let mut listing = Listing::default();
    listing.add_module(&evaluator, 0);
    let outputs = directory.outputs.keys().map(|name| {
        let value = evaluator.output(0, name).unwrap_or_else(Value::from);
        (name.clone(), value.published())
    });
    let region = match evaluator.default_region() {
        Value::String(region) => Some(region),
        _ => None,
    };
    let outputs = outputs.collect();
    listing.find_origins(&evaluator);
    let (representatives, resources) = listing.split();
    let files = evaluator.files.borrow();
    let sources = configuration
        .directories
        .values()
        .flat_map(|directory| &directory.sources)
        .chain(&variable_files)
        .chain(files.values().flatten());
    Ok(Root {
        outputs,
        texts: sources
            .map(|source| (source.path().to_owned(), Arc::clone(source)))
            .collect(),
        region,
        account: given.account.clone(),
        default_tags: evaluator.default_tags(),
        resources,
        representatives,
        unknowns: listing.unknowns.into_iter().collect(),
    })
}

fn root_module<'s>(
    configuration: &'s Configuration,
    directory: &'s crate::load::Directory,
    inputs: Variables,
) -> Module<'s> {
    Module {
        path: configuration.root.clone(),
        directory,
        address: String::new(),
        inputs: Inputs::Root {
            values: inputs.values,
            written: inputs.written,
        },
    }
}

/// One instance of a block, and what its origins are looked for in.
struct Instance<'s> {
    resource: Resource,
    module: usize,
    definition: &'s Definition<Body>,
    binding: Binding,
    /// Whether it stands for a number of others that is not known.
    represents: bool,
}

/// The kinds of which one stands for many.
const REPRESENTED: [&str; 3] = [
    "aws_iam_role",
    "aws_iam_role_policy",
    "aws_iam_role_policy_attachment",
];

#[derive(Default)]
struct Listing<'s> {
    instances: Vec<Instance<'s>>,
    unknowns: BTreeSet<Unknown>,
}

impl<'s> Listing<'s> {
    /// Finds out where the resources that identity rests on are written. A pass
    /// of its own, so that it takes nothing from what evaluation may spend.
    fn find_origins(&mut self, evaluator: &Evaluator<'s>) {
        evaluator.refill();
        for instance in &mut self.instances {
            let (resource, definition) = (&mut instance.resource, instance.definition);
            let traced = ["aws_iam_", "aws_ecr_"];
            if traced
                .iter()
                .any(|prefix| resource.kind.starts_with(prefix))
            {
                let scope = Scope::of_module(instance.module);
                let scope = scope.with(instance.binding.0, &instance.binding.1);
                let site = Site::new(&scope, &definition.source);
                let span = definition.span.clone();
                resource.origin = evaluator.body_origin(&definition.content, span, site);
            }
        }
    }

    /// Those that represent others, and all the rest.
    fn split(&mut self) -> (Vec<Resource>, Vec<Resource>) {
        let (one, other): (Vec<_>, Vec<_>) = std::mem::take(&mut self.instances)
            .into_iter()
            .partition(|instance| instance.represents);
        let resources =
            |list: Vec<Instance<'_>>| list.into_iter().map(|one| one.resource).collect();
        (resources(one), resources(other))
    }

    fn add_module(&mut self, evaluator: &Evaluator<'s>, number: usize) {
        let module = evaluator.module(number);
        for ((kind, name), definition) in &module.directory.resources {
            self.add_resource(evaluator, number, (kind, name), definition);
        }
        for (name, definition) in &module.directory.modules {
            let Ok(children) = evaluator.children(number, name) else {
                continue;
            };
            if let Repetition::Unknown(reason) = &children.repetition {
                let address = format!("{}module.{name}", module.address);
                self.add_unknown(address, repeating(&definition.content), reason, definition);
            }
            for child in &children.modules {
                self.add_module(evaluator, *child);
            }
        }
    }

    fn add_resource(
        &mut self,
        evaluator: &Evaluator<'s>,
        module: usize,
        (kind, name): (&str, &str),
        definition: &'s Definition<Body>,
    ) {
        let address = format!("{}{kind}.{name}", evaluator.module(module).address);
        let all = evaluator
            .resource(module, Mode::Managed, kind, name)
            .unwrap_or_else(Value::from);
        let repetition = evaluator.repetition(&definition.content, &Scope::of_module(module));
        if let Repetition::Unknown(reason) = &repetition {
            let repeating = repeating(&definition.content);
            self.add_unknown(address.clone(), repeating, reason, definition);
            if REPRESENTED.contains(&kind) {
                let binding = representative(repeating, reason);
                let instance =
                    evaluator.representative(module, (kind, &address), definition, &binding);
                self.add_representative(
                    (kind, name),
                    address,
                    instance,
                    (module, definition, binding),
                );
            }
            return;
        }
        let instances = match (&repetition, all) {
            (Repetition::ForEach(_), Value::Object(instances)) => instances.into_values().collect(),
            (Repetition::Count(_), Value::List(instances)) => instances,
            (_, only) => vec![only],
        };
        for ((suffix, binding), instance) in repetition.instances().into_iter().zip(instances) {
            let address = format!("{address}{suffix}");
            match instance.published() {
                Value::Object(attributes) => {
                    let site = (module, definition, binding);
                    self.add_instance((kind, name), address, attributes, site);
                }
                Value::Unknown(reason) => self.add_unknown(address, "", &reason, definition),
                _ => {}
            }
        }
    }

    fn add_instance(
        &mut self,
        (kind, name): (&str, &str),
        address: String,
        attributes: BTreeMap<String, Value>,
        (module, definition, binding): (usize, &'s Definition<Body>, Binding),
    ) {
        for (attribute, value) in &attributes {
            if let Some(reason) = value.unknown_reason() {
                self.add_unknown(address.clone(), attribute, reason, definition);
            }
        }
        self.instances.push(Instance {
            resource: resource((kind, name), address, attributes, definition),
            module,
            definition,
            binding,
            represents: false,
        });
    }

    fn add_representative(
        &mut self,
        kind_and_name: (&str, &str),
        address: String,
        instance: Value,
        (module, definition, binding): (usize, &'s Definition<Body>, Binding),
    ) {
        if let Value::Object(attributes) = instance.published() {
            self.instances.push(Instance {
                resource: resource(kind_and_name, address, attributes, definition),
                module,
                definition,
                binding,
                represents: true,
            });
        }
    }

    fn add_unknown(
        &mut self,
        address: String,
        attribute: &str,
        reason: &str,
        definition: &Definition<Body>,
    ) {
        self.unknowns.insert(Unknown {
            address,
            attribute: attribute.to_owned(),
            reason: reason.to_owned(),
            place: place_of(definition, attribute),
        });
    }
}

/// What `count` or `each` is in an instance of which the number or key is not known.
fn representative(repeating: &str, reason: &str) -> Binding {
    let unknown = || Value::Unknown(reason.to_owned());
    let names: &[&str] = match repeating {
        "count" => &["index"],
        _ => &["key", "value"],
    };
    let entries = names.iter().map(|name| ((*name).to_owned(), unknown()));
    let of = if repeating == "count" {
        "count"
    } else {
        "each"
    };
    (of, Value::Object(entries.collect()))
}

fn resource(
    (kind, name): (&str, &str),
    address: String,
    attributes: BTreeMap<String, Value>,
    definition: &Definition<Body>,
) -> Resource {
    Resource {
        address,
        kind: kind.to_owned(),
        name: name.to_owned(),
        attributes,
        place: definition.place.clone(),
        origin: Origin::default(),
    }
}

/// The argument that decides how often a block is repeated, or else its source.
fn repeating(body: &Body) -> &'static str {
    ["count", "for_each"]
        .into_iter()
        .find(|name| body.has_attribute(name))
        .unwrap_or("source")
}

/// Where an attribute or nested block stands, or else its block.
fn place_of(definition: &Definition<Body>, name: &str) -> Place {
    let body = &definition.content;
    let attribute = body.get_attribute(name).and_then(Span::span);
    let block = || body.get_blocks(name).next().and_then(Span::span);
    match attribute.or_else(block) {
        Some(span) => definition.source.place(Some(span)),
        None => definition.place.clone(),
    }
}
