//! Everything that is looked at together: the workflows, the Terraform roots
//! and what the repository says of itself.

use std::path::Path;

use github::{Workflow, WorkflowError};
use receipts::Location;
use terraform::{AwsResources, Place, ReadError, Root};

use crate::findings::location;

/// A repository with its pipeline and its cloud. Values only: whoever calls has
/// read the files.
#[derive(Debug, Default)]
pub struct Setup {
    /// The repository itself, as far as it is known.
    pub repository: Option<OwnRepository>,
    /// ARN of the role that publishes, from `longshore.toml` or the Terraform root.
    pub publisher_role: Option<String>,
    /// ARNs of the ECR repositories that are published to, that of each image.
    pub ecr_repositories: Vec<String>,
    /// The workflow files.
    pub workflows: Vec<WorkflowFile>,
    /// The Terraform roots.
    pub roots: Vec<TerraformRoot>,
    /// Those that cannot be read.
    pub unreadable_roots: Vec<UnreadableRoot>,
    /// Other text files of the repository, for what must not stand in any.
    pub texts: Vec<TextFile>,
}

/// The repository that the workflows belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnRepository {
    /// The account or organisation.
    pub owner: String,
    /// The name without the owner.
    pub name: String,
    /// The owner's id, digits, where it is known.
    pub owner_id: Option<String>,
    /// The repository's id, digits, where it is known.
    pub id: Option<String>,
}

/// A workflow file.
#[derive(Debug)]
pub struct WorkflowFile {
    /// Its path in the repository, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
    /// What it says, or why that cannot be told.
    pub workflow: Result<Workflow, WorkflowError>,
}

/// A Terraform root that was read.
#[derive(Debug)]
pub struct TerraformRoot {
    /// Its path in the repository, with `/`; places of `root` begin with it.
    pub path: String,
    /// What was read.
    pub root: Root,
    /// Its AWS resources.
    pub aws: AwsResources,
}

/// A Terraform root that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableRoot {
    /// Its path in the repository, with `/`; `.` for the repository itself.
    pub path: String,
    /// Why, with file and line where they are known.
    pub reason: String,
    /// Where, if the file is known.
    pub location: Option<Location>,
}

/// A text file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFile {
    /// Its path in the repository, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl WorkflowFile {
    /// Parses `text`.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            path: path.into(),
            workflow: Workflow::parse(&text),
            text,
        }
    }
}

impl WorkflowFile {
    /// A file whose text cannot be had.
    pub fn unreadable(path: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            text: String::new(),
            workflow: Err(WorkflowError::of_the_file(why)),
        }
    }
}

impl UnreadableRoot {
    /// Tells why the root at `path` could not be read, with paths below
    /// `directory`, the repository.
    pub fn new(path: &str, directory: &Path, error: &ReadError) -> Self {
        let mut words = vec![error.to_string()];
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            words.push(cause.to_string());
            source = cause.source();
        }
        let location = match error {
            ReadError::Syntax {
                file, line, column, ..
            } => Some(location(&Place {
                file: file.strip_prefix(directory).unwrap_or(file).to_owned(),
                line: *line,
                column: *column,
            })),
            _ => None,
        };
        Self {
            path: if path.is_empty() { "." } else { path }.to_owned(),
            reason: words
                .join(": ")
                .replace(&format!("{}/", directory.display()), ""),
            location,
        }
    }
}

impl TerraformRoot {
    /// Takes the AWS resources out of `root`.
    pub fn new(path: impl Into<String>, root: Root) -> Self {
        let mut aws = root.aws();
        // Whom a trust policy admits does not hang on the role's name.
        let mut partial = std::mem::take(&mut aws.partial_roles);
        aws.roles.append(&mut partial);
        Self {
            path: path.into(),
            aws,
            root,
        }
    }
}
