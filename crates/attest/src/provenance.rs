//! Where an image came from: SLSA provenance v1.

use oci::{Digest, media_type};
use serde_json::{Value, json};

use crate::statement::digest_set;

/// The predicate type of SLSA provenance v1.
pub const PROVENANCE_PREDICATE: &str = "https://slsa.dev/provenance/v1";

/// GitHub's own description of a workflow run as a build.
const GITHUB_BUILD: &str = "https://actions.github.io/buildtypes/workflow/v1";

/// A build outside of any workflow: whoever ran it vouches for it, nobody else.
const OWN_BUILD: &str = "urn:longshore:build:v1";

/// How an image came to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// Who built and published it.
    pub builder: Builder,
    /// The source's address, where it is known.
    pub repository: Option<String>,
    /// The commit.
    pub commit: String,
    /// Whether files differed from the commit.
    pub dirty: bool,
    /// Longshore's own version.
    pub tool_version: String,
    /// The digest of the document of the image's inputs, which stands beside it.
    pub inputs: Option<Digest>,
    /// The programs in it that were compiled elsewhere, of which the commit says nothing.
    pub programs: Vec<Digest>,
    /// The base image: its name and digest.
    pub base: Option<(String, Digest)>,
    /// Documents that speak about the same image: their media types and digests.
    pub byproducts: Vec<(String, Digest)>,
}

/// Who built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Builder {
    /// A run of a workflow, as the claims of its OIDC token say.
    Github(Box<Workflow>),
    /// Somebody's machine.
    Person {
        /// The ARN of the caller, or `USERNAME@HOST` of a registry that is not ECR.
        name: String,
    },
}

/// The claims of a run that provenance names ([GitHub's list]); each may be
/// missing, as in tokens of other servers.
///
/// [GitHub's list]: https://docs.github.com/en/actions/reference/security/oidc
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workflow {
    /// `https://github.com`, or the address of an Enterprise server.
    pub server: String,
    /// `repository`.
    pub repository: String,
    /// `repository_id`.
    pub repository_id: String,
    /// `repository_owner_id`.
    pub owner_id: String,
    /// `ref`.
    pub reference: String,
    /// `sha`: the commit that the run is about, which need not be the one that it
    /// checked out.
    pub sha: String,
    /// `workflow_ref`, without the repository before and the ref behind.
    pub path: String,
    /// `job_workflow_ref`: the workflow whose job it was, which may be a reusable
    /// one of another repository.
    pub job_workflow_ref: String,
    /// `event_name`.
    pub event: String,
    /// `runner_environment`.
    pub runner: String,
    /// `run_id`.
    pub run_id: String,
    /// `run_attempt`.
    pub run_attempt: String,
}

impl Provenance {
    /// The predicate of the statement.
    pub fn predicate(&self) -> Value {
        let (build_type, external, internal, builder, invocation) = match &self.builder {
            Builder::Github(run) => of_run(run),
            Builder::Person { name } => (
                OWN_BUILD,
                json!({"command": "longshore publish"}),
                json!({}),
                format!("urn:longshore:builder:{name}"),
                None,
            ),
        };
        let mut metadata = json!({});
        if let Some(invocation) = invocation {
            metadata["invocationId"] = json!(invocation);
        }
        json!({
            "buildDefinition": {
                "buildType": build_type,
                "externalParameters": external,
                "internalParameters": internal,
                "resolvedDependencies": self.resolved(),
            },
            "runDetails": {
                "builder": {
                    "id": builder,
                    "version": {"longshore": self.tool_version},
                },
                "metadata": metadata,
                "byproducts": self.byproducts.iter().map(byproduct).collect::<Vec<_>>(),
            },
        })
    }

    fn resolved(&self) -> Vec<Value> {
        let mut source = json!({"digest": {"gitCommit": self.commit}});
        let reference = match &self.builder {
            // Only then is the commit known to be one of that branch or tag.
            Builder::Github(run) if run.sha == self.commit => format!("@{}", run.reference),
            _ => String::new(),
        };
        if let Some(repository) = &self.repository {
            source["uri"] = json!(format!("git+{repository}{reference}"));
        }
        if self.dirty {
            // The commit alone would claim what was not built.
            source["annotations"] = json!({"dirty": true});
        }
        let inputs = self.inputs.iter().map(|digest| {
            json!({
                "name": "inputs",
                "mediaType": media_type::INPUTS,
                "digest": digest_set(digest),
            })
        });
        let base = self.base.iter().map(
            |(name, digest)| json!({"uri": format!("oci://{name}"), "digest": digest_set(digest)}),
        );
        let programs = self.programs.iter().map(|digest| {
            json!({
                "name": "program",
                "digest": digest_set(digest),
                "annotations": {"compiledElsewhere": true},
            })
        });
        let source = std::iter::once(source).chain(inputs);
        source.chain(programs).chain(base).collect()
    }
}

/// Build type, external and internal parameters, builder, invocation.
type Definition = (&'static str, Value, Value, String, Option<String>);

fn of_run(run: &Workflow) -> Definition {
    let Workflow {
        server, repository, ..
    } = run;
    let external = json!({"workflow": {
        "ref": run.reference,
        "repository": format!("{server}/{repository}"),
        "path": run.path,
    }});
    let internal = json!({"github": {
        "event_name": run.event,
        "repository_id": run.repository_id,
        "repository_owner_id": run.owner_id,
        "runner_environment": run.runner,
        "sha": run.sha,
    }});
    let invocation = format!(
        "{server}/{repository}/actions/runs/{}/attempts/{}",
        run.run_id, run.run_attempt
    );
    let builder = format!("{server}/{}", run.job_workflow_ref);
    (GITHUB_BUILD, external, internal, builder, Some(invocation))
}

fn byproduct((media_type, digest): &(String, Digest)) -> Value {
    json!({"mediaType": media_type, "digest": digest_set(digest)})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provenance(builder: Builder) -> Provenance {
        Provenance {
            builder,
            repository: Some("https://github.com/acme/api".to_owned()),
            commit: "c0ffee".to_owned(),
            dirty: false,
            tool_version: "0.1.0".to_owned(),
            inputs: Some(Digest::of(b"inputs")),
            programs: Vec::new(),
            base: None,
            byproducts: vec![("application/spdx+json".to_owned(), Digest::of(b"bill"))],
        }
    }

    #[test]
    fn a_run_is_named_by_its_workflow_and_attempt() {
        let run = Workflow {
            server: "https://github.com".to_owned(),
            repository: "acme/api".to_owned(),
            reference: "refs/heads/main".to_owned(),
            sha: "c0ffee".to_owned(),
            path: ".github/workflows/publish.yml".to_owned(),
            job_workflow_ref: "acme/api/.github/workflows/publish.yml@refs/heads/main".to_owned(),
            run_id: "7".to_owned(),
            run_attempt: "2".to_owned(),
            ..Workflow::default()
        };
        let predicate = provenance(Builder::Github(Box::new(run.clone()))).predicate();
        assert_eq!(
            predicate["runDetails"]["builder"]["id"],
            "https://github.com/acme/api/.github/workflows/publish.yml@refs/heads/main"
        );
        assert_eq!(
            predicate["runDetails"]["metadata"]["invocationId"],
            "https://github.com/acme/api/actions/runs/7/attempts/2"
        );
        let source = &predicate["buildDefinition"]["resolvedDependencies"][0];
        assert_eq!(
            source["uri"],
            "git+https://github.com/acme/api@refs/heads/main"
        );
        assert_eq!(source["digest"]["gitCommit"], "c0ffee");
        let inputs = &predicate["buildDefinition"]["resolvedDependencies"][1];
        assert_eq!(inputs["digest"]["sha256"], Digest::of(b"inputs").hex());

        // A run that checked out another commit says nothing about its branch.
        let sha = "decade".to_owned();
        let other = Builder::Github(Box::new(Workflow { sha, ..run }));
        let source = &provenance(other).predicate()["buildDefinition"]["resolvedDependencies"][0];
        assert_eq!(source["uri"], "git+https://github.com/acme/api");
    }

    #[test]
    fn a_persons_build_claims_no_workflow_and_says_that_the_source_was_dirty() {
        let person = Builder::Person {
            name: "arn:aws:iam::123456789012:user/ada".to_owned(),
        };
        let predicate = Provenance {
            dirty: true,
            ..provenance(person)
        }
        .predicate();
        assert_eq!(predicate["buildDefinition"]["buildType"], OWN_BUILD);
        assert!(
            predicate["runDetails"]["metadata"]
                .as_object()
                .unwrap()
                .is_empty()
        );
        let source = &predicate["buildDefinition"]["resolvedDependencies"][0];
        assert_eq!(source["annotations"]["dirty"], true);
    }

    #[test]
    fn a_program_that_was_compiled_elsewhere_is_not_said_to_come_from_the_commit() {
        let person = Builder::Person {
            name: "ada".to_owned(),
        };
        let predicate = Provenance {
            programs: vec![Digest::of(b"program")],
            ..provenance(person)
        }
        .predicate();
        let program = &predicate["buildDefinition"]["resolvedDependencies"][2];
        assert_eq!(program["digest"]["sha256"], Digest::of(b"program").hex());
        assert_eq!(program["annotations"]["compiledElsewhere"], true);
    }
}
