//! What the AWS provider knows besides a resource's own arguments: account,
//! region and partition.

use hcl_edit::expr::{Expression, ObjectKey, TraversalOperator};
use hcl_edit::structure::Body;

use crate::evaluate::Evaluator;
use crate::module::Inputs;
use crate::scope::Scope;
use crate::value::Value;

/// The account, region and partition that a resource is in, each a string or
/// unknown.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) account: Value,
    pub(crate) region: Value,
    pub(crate) partition: Value,
    /// The domain that the partition's services are under.
    pub(crate) dns_suffix: Value,
}

/// The root module's number.
const ROOT: usize = 0;

/// A configured provider: the module it stands in, and its alias, empty for the
/// default one.
type Provider = (usize, String);

impl<'s> Evaluator<'s> {
    /// What surrounds one resource or data source.
    pub(crate) fn surroundings(&self, body: &Body, scope: &Scope<'_>) -> Surroundings {
        let provider = self.provider(body, scope.module);
        let of_provider = |ask: fn(&Self, &Provider) -> Value| match &provider {
            Ok(provider) => ask(self, provider),
            Err(reason) => Value::Unknown(reason.clone()),
        };
        let region = match body
            .get_attribute("region")
            .map(|own| self.value(&own.value, scope))
        {
            // Since version 6 of the provider each resource may name its own.
            Some(own) if own != Value::Null => own,
            _ => of_provider(Self::region),
        };
        // Nearly every account is in the partition `aws`, and IAM is the same in all
        // of its regions: a region that is not known hides no role.
        let (partition, dns_suffix) = partition(region.as_str().unwrap_or_default());
        Surroundings {
            account: of_provider(Self::account),
            region,
            partition: Value::from(partition),
            dns_suffix: Value::from(dns_suffix),
        }
    }

    /// The region of the root's provider without an alias.
    pub(crate) fn default_region(&self) -> Value {
        self.region(&(ROOT, String::new()))
    }

    /// The tags that the root's provider without an alias puts on everything.
    pub(crate) fn default_tags(&self) -> Value {
        let tags = self
            .block_of(&(ROOT, String::new()))
            .and_then(|body| body.get_blocks("default_tags").next())
            .and_then(|block| block.body.get_attribute("tags"));
        tags.map_or(Value::Null, |tags| {
            self.value(&tags.value, &Scope::of_module(ROOT))
        })
    }

    /// The provider that a resource is managed by, or why that is not known.
    fn provider(&self, body: &Body, module: usize) -> Result<Provider, String> {
        let Some(provider) = body.get_attribute("provider") else {
            return self.inherited_provider(module);
        };
        match alias(&provider.value) {
            Some(alias) if alias.is_empty() => self.inherited_provider(module),
            Some(alias) => {
                let provider = (module, alias);
                match self.block_of(&provider) {
                    Some(_) => Ok(provider),
                    None => Err(format!("the provider aws.{} is passed in", provider.1)),
                }
            }
            None => Err("the provider is not understood".to_owned()),
        }
    }

    /// The provider that a module uses unless told otherwise.
    fn inherited_provider(&self, mut module: usize) -> Result<Provider, String> {
        loop {
            let provider = (module, String::new());
            match &self.module(module).inputs {
                Inputs::Call {
                    caller, arguments, ..
                } if self.block_of(&provider).is_none() => {
                    if !passes_default_provider(arguments) {
                        return Err("the module is given a provider of its own".to_owned());
                    }
                    module = *caller;
                }
                _ => return Ok(provider),
            }
        }
    }

    fn block_of(&self, (module, alias): &Provider) -> Option<&'s Body> {
        let providers = &self.module(*module).directory.providers;
        providers
            .get(&("aws".to_owned(), alias.clone()))
            .map(|provider| &provider.content)
    }

    fn region(&self, provider: &Provider) -> Value {
        let Some(region) = self
            .block_of(provider)
            .and_then(|body| body.get_attribute("region"))
        else {
            return match &self.given.region {
                Some(region) => Value::from(region.as_str()),
                None => Value::Unknown("no region is configured".to_owned()),
            };
        };
        let (module, alias) = provider;
        let value = self.once(*module, format!("provider.aws.{alias}"), || {
            self.value(&region.value, &Scope::of_module(*module))
        });
        match (value, &self.given.region) {
            (Value::Unknown(_), Some(given)) if alias.is_empty() => Value::from(given.as_str()),
            (value @ (Value::String(_) | Value::Unknown(_)), _) => value,
            (other, _) => Value::Unknown(format!("the region is {}", other.kind())),
        }
    }

    /// The account that was given, unless the provider takes on another identity.
    fn account(&self, provider: &Provider) -> Value {
        const IDENTITY: [&str; 4] = [
            "profile",
            "access_key",
            "shared_credentials_files",
            "assume_role_with_web_identity",
        ];
        let Some(body) = self.block_of(provider) else {
            return Value::from(self.given.account.as_str());
        };
        let role = body
            .get_blocks("assume_role")
            .next()
            .map(|block| block.body.get_attribute("role_arn"));
        if let Some(role) = role {
            let scope = Scope::of_module(provider.0);
            let role = role.map(|role| self.value(&role.value, &scope));
            let account = role
                .as_ref()
                .and_then(Value::as_str)
                .and_then(|arn| arn.split(':').nth(4));
            return account.map_or_else(
                || Value::Unknown("the account: the provider assumes a role".to_owned()),
                Value::from,
            );
        }
        let other = |name: &&str| body.has_attribute(name) || body.has_blocks(name);
        if !provider.1.is_empty() && IDENTITY.iter().any(other) {
            return Value::Unknown("the account: the provider has its own credentials".to_owned());
        }
        Value::from(self.given.account.as_str())
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
