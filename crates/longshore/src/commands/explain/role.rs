//! The role that is asked for, and its trust policy: from Terraform, a file or AWS.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use audit::explain::{ProviderFacts, Providers, RoleArn, Source, Trust};
use fs_err as fs;
use receipts::{Problem, ProblemCode};
use serde_json::{Map, Value};
use terraform::{AwsResources, Root};

use super::{live, needed, not_explained};
use crate::arguments::Explain;
use crate::project::{EXAMPLE_ACCOUNT, Project};
use crate::settings::Settings;

/// What is longer is cut, and then is no policy: AWS's longest has 20 KiB.
const LONGEST_POLICY: u64 = 1024 * 1024;

/// A role with everything that is known of it.
pub(super) struct Found {
    /// Its ARN.
    pub(super) role: String,
    pub(super) providers: Option<Providers>,
    pub(super) policy: Policy,
}

/// Where the trust policy comes from.
pub(super) enum Policy {
    /// A file: its path as it was given, and its text.
    File(String, String),
    /// The Terraform root of the project in that directory.
    Terraform(Box<InTerraform>),
    /// AWS's own text.
    Live(String),
    /// Nowhere: where it was looked for.
    None(String),
}

/// A Terraform root that was read.
pub(super) struct InTerraform {
    pub(super) root: Root,
    pub(super) resources: AwsResources,
    pub(super) directory: PathBuf,
    /// The root's own path in the repository.
    pub(super) path: String,
}

impl Found {
    /// The trust policy, for a question.
    pub(super) fn trust(&self) -> Trust<'_> {
        match &self.policy {
            Policy::File(path, text) => Trust::Policy {
                text: text.clone(),
                source: Source::File { path: path.clone() },
            },
            Policy::Live(text) => Trust::Policy {
                text: text.clone(),
                source: Source::Live,
            },
            Policy::None(looked_in) => Trust::NoRole {
                looked_in: looked_in.clone(),
            },
            Policy::Terraform(terraform) => terraform.trust(&self.role),
        }
    }
}

impl InTerraform {
    /// Reads the project's Terraform root; `None` where it names none.
    pub(super) fn read(project: &Project) -> Result<Option<Self>, Problem> {
        let Some(root) = project.terraform().map_err(not_explained)? else {
            return Ok(None);
        };
        let path = project.configuration.aws.terraform.as_ref();
        Ok(Some(Self {
            resources: root.aws(),
            root,
            directory: project.root.clone(),
            path: path.map_or_else(String::new, |path| path.display().to_string()),
        }))
    }

    /// The trust policy of the role with that ARN.
    pub(super) fn trust(&self, role: &str) -> Trust<'_> {
        let roles = &self.resources.roles;
        match roles.iter().find(|found| found.arn == role) {
            Some(found) => Trust::Policy {
                text: found.trust_policy.clone(),
                source: Source::Terraform {
                    root: &self.root,
                    role: found,
                    directory: &self.directory,
                },
            },
            None => Trust::NoRole {
                looked_in: self.in_words(),
            },
        }
    }

    /// The identity providers that the root creates; the account may have others.
    pub(super) fn providers(&self) -> Providers {
        let facts = |provider: &terraform::OidcProvider| ProviderFacts {
            arn: provider.arn.clone(),
            url: provider.url.clone(),
            client_ids: provider.client_ids.clone(),
        };
        Providers {
            known_from: self.in_words(),
            list: self.resources.oidc_providers.iter().map(facts).collect(),
            complete: false,
        }
    }

    fn in_words(&self) -> String {
        format!("the Terraform root `{}`", self.path)
    }
}

/// Looks the role up where the arguments say.
pub(super) async fn find(
    arguments: &Explain,
    project: Result<&Project, &Problem>,
    claims: &Map<String, Value>,
    settings: &Settings,
) -> Result<Found, Problem> {
    if let Some(file) = &arguments.trust_policy {
        return in_file(arguments, file);
    }
    if arguments.live {
        return live::find(arguments, project, claims, settings).await;
    }
    let project = needed(project)?;
    let terraform = InTerraform::read(project)?.ok_or_else(|| {
        Problem::new(
            ProblemCode::TerraformSilent,
            "nothing was explained: there is no Terraform root to read the trust policy from",
        )
        .hint("set `aws.terraform` in longshore.toml")
        .hint("or give the policy as `--trust-policy FILE.json`, or ask AWS with `--live`")
    })?;
    let role = named(arguments.role.as_deref(), project, &terraform.resources)?;
    Ok(Found {
        role,
        providers: Some(terraform.providers()),
        policy: Policy::Terraform(Box::new(terraform)),
    })
}

/// The ARN of the role that was named, or of the one that publishes.
fn named(
    role: Option<&str>,
    project: &Project,
    resources: &AwsResources,
) -> Result<String, Problem> {
    let Some(role) = role else {
        return project.role(Some(resources)).map_err(not_explained);
    };
    if role.starts_with("arn:") {
        return checked(role);
    }
    let found = resources.roles.iter().find(|found| found.name == role);
    found.map(|found| found.arn.clone()).ok_or_else(|| {
        let names: Vec<_> = resources
            .roles
            .iter()
            .map(|role| role.name.as_str())
            .collect();
        unknown(role).fact("roles of the Terraform root", listed(&names))
    })
}

/// An ARN, if it is one of a role.
pub(super) fn checked(role: &str) -> Result<String, Problem> {
    if RoleArn::parse(role).is_some() {
        return Ok(role.to_owned());
    }
    Err(unknown(role).hint("an ARN of a role is arn:aws:iam::123456789012:role/NAME"))
}

fn unknown(role: &str) -> Problem {
    Problem::new(
        ProblemCode::RoleUnknown,
        "nothing was explained: the role cannot be found",
    )
    .fact("role", role.chars().take(200).collect::<String>())
    .hint("name a role of the Terraform root, or a whole ARN, with `--role`")
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

/// A policy in a file is taken to be that of the role that was named, or of one
/// named after the file.
fn in_file(arguments: &Explain, file: &Path) -> Result<Found, Problem> {
    let mut text = String::new();
    let opened = fs::File::open(file);
    let read = opened.and_then(|file| file.take(LONGEST_POLICY).read_to_string(&mut text));
    read.map_err(|error| {
        Problem::new(
            ProblemCode::BadTrustPolicy,
            "nothing was explained: the trust policy cannot be read",
        )
        .caused_by(&error)
        .hint("give a JSON file with `--trust-policy`")
    })?;
    let account = account_in(&text).unwrap_or(EXAMPLE_ACCOUNT);
    let name = match &arguments.role {
        Some(role) => role.clone(),
        None => file.file_stem().map_or_else(
            || "role".to_owned(),
            |stem| stem.to_string_lossy().replace(['/', ':', ' '], "-"),
        ),
    };
    let role = if name.starts_with("arn:") {
        checked(&name)?
    } else {
        format!("arn:aws:iam::{account}:role/{name}")
    };
    Ok(Found {
        role,
        providers: None,
        policy: Policy::File(file.to_string_lossy().replace('\\', "/"), text),
    })
}

/// The account of the first identity provider that a policy names.
fn account_in(policy: &str) -> Option<&str> {
    let (before, _) = policy.split_once(":oidc-provider/")?;
    let account = before.get(before.len().checked_sub(12)?..)?;
    account
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(account)
}
