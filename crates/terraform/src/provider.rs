//! What the AWS provider knows besides a resource's own arguments: account,
//! region and partition.

use hcl_edit::expr::{Expression, ObjectKey, TraversalOperator};
use hcl_edit::structure::Body;

use crate::evaluate::Evaluator;
use crate::module::Inputs;
use crate::scope::Scope;
use crate::value::Value;

/// The account, region and partition that a resource is in.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) account: String,
    /// A string or unknown.
    pub(crate) region: Value,
    /// A string or unknown.
    pub(crate) partition: Value,
    /// The domain that the partition's services are under; a string or unknown.
    pub(crate) dns_suffix: Value,
}

/// The root module's number.
const ROOT: usize = 0;

impl Evaluator<'_> {
    /// What surrounds one resource or data source.
    pub(crate) fn surroundings(&self, body: &Body, scope: &Scope<'_>) -> Surroundings {
        let region = match body
            .get_attribute("region")
            .map(|own| self.value(&own.value, scope))
        {
            // Since version 6 of the provider each resource may name its own.
            Some(own) if own != Value::Null => own,
            _ => self.provider_region(body, scope.module),
        };
        let (partition, dns_suffix) = match &region {
            Value::String(region) => {
                let (partition, dns_suffix) = partition(region);
                (Value::from(partition), Value::from(dns_suffix))
            }
            unknown => (unknown.clone(), unknown.clone()),
        };
        Surroundings {
            account: self.given.account.clone(),
            region,
            partition,
            dns_suffix,
        }
    }

    /// The region of the root's provider without an alias.
    pub(crate) fn default_region(&self) -> Value {
        self.region_of_provider(ROOT, "")
    }

    /// The tags that the root's provider without an alias puts on everything.
    pub(crate) fn default_tags(&self) -> Value {
        let root = self.module(ROOT);
        let provider = root
            .directory
            .providers
            .get(&("aws".to_owned(), String::new()));
        let Some(block) = provider.and_then(|body| body.content.get_blocks("default_tags").next())
        else {
            return Value::Null;
        };
        match block.body.get_attribute("tags") {
            Some(tags) => self.value(&tags.value, &Scope::of_module(ROOT)),
            None => Value::Null,
        }
    }

    fn provider_region(&self, body: &Body, module: usize) -> Value {
        match body
            .get_attribute("provider")
            .map(|provider| alias(&provider.value))
        {
            Some(Some(alias)) if !alias.is_empty() => {
                if self
                    .module(module)
                    .directory
                    .providers
                    .contains_key(&("aws".to_owned(), alias.clone()))
                {
                    self.region_of_provider(module, &alias)
                } else {
                    Value::Unknown(format!("the region of the provider aws.{alias}"))
                }
            }
            Some(None) => Value::Unknown("the provider is not understood".to_owned()),
            _ => self.inherited_region(module),
        }
    }

    /// The region of the provider that a module uses unless told otherwise.
    fn inherited_region(&self, mut module: usize) -> Value {
        loop {
            let current = self.module(module);
            if module == ROOT
                || current
                    .directory
                    .providers
                    .contains_key(&("aws".to_owned(), String::new()))
            {
                return self.region_of_provider(module, "");
            }
            match &current.inputs {
                Inputs::Root(_) => return self.region_of_provider(module, ""),
                Inputs::Call {
                    caller, arguments, ..
                } => {
                    if !passes_default_provider(arguments) {
                        return Value::Unknown(
                            "the region: the module is given a provider of its own".to_owned(),
                        );
                    }
                    module = *caller;
                }
            }
        }
    }

    fn region_of_provider(&self, module: usize, alias: &str) -> Value {
        let key = ("aws".to_owned(), alias.to_owned());
        let directory = self.module(module).directory;
        let Some(region) = directory
            .providers
            .get(&key)
            .and_then(|body| body.content.get_attribute("region"))
        else {
            return match &self.given.region {
                Some(region) => Value::from(region.as_str()),
                None => Value::Unknown("no region is configured".to_owned()),
            };
        };
        let value = self.once(module, format!("provider.aws.{alias}"), || {
            self.value(&region.value, &Scope::of_module(module))
        });
        match value {
            Value::String(_) | Value::Unknown(_) => value,
            other => Value::Unknown(format!("the region is {}", other.kind())),
        }
    }
}

/// The alias in `aws.alias`, empty for `aws`.
fn alias(provider: &Expression) -> Option<String> {
    match provider {
        Expression::Variable(name) if name.as_str() == "aws" => Some(String::new()),
        Expression::Traversal(traversal)
            if traversal
                .expr
                .as_variable()
                .is_some_and(|name| name.as_str() == "aws") =>
        {
            match traversal.operators.as_slice() {
                [operator] => match operator.value() {
                    TraversalOperator::GetAttr(alias) => Some(alias.as_str().to_owned()),
                    _ => None,
                },
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether a `module` block leaves the default AWS provider as it is.
fn passes_default_provider(arguments: &Body) -> bool {
    let Some(providers) = arguments.get_attribute("providers") else {
        return true;
    };
    let Expression::Object(providers) = &providers.value else {
        return false;
    };
    providers.iter().all(|(key, value)| {
        let is_default = match key {
            ObjectKey::Ident(name) => name.as_str() == "aws",
            ObjectKey::Expression(key) => {
                key.as_variable().is_some_and(|name| name.as_str() == "aws")
            }
        };
        !is_default || alias(value.expr()).as_deref() == Some("")
    })
}

/// The partition of a region and its domain, by the region's prefix as AWS's own
/// SDKs tell them apart.
fn partition(region: &str) -> (&'static str, &'static str) {
    const PARTITIONS: [(&str, &str, &str); 7] = [
        ("cn-", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-", "aws-us-gov", "amazonaws.com"),
        ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
        ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
        ("us-iso-", "aws-iso", "c2s.ic.gov"),
        ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
        ("eusc-", "aws-eusc", "amazonaws.eu"),
    ];
    let found = PARTITIONS
        .iter()
        .find(|(prefix, _, _)| region.starts_with(prefix));
    found.map_or(("aws", "amazonaws.com"), |(_, partition, suffix)| {
        (partition, suffix)
    })
}
