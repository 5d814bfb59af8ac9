//! The project that a command works on: `longshore.toml` and what it names.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;
use github::{Event, Repository, Run, Visibility, Workflow};
use pipeline::{Cloud, CloudError, Configuration, FILE_NAME, GithubTable, ImageTable};
use receipts::{Problem, ProblemCode};
use terraform::AwsResources;

/// The account that a rehearsal plays in where nobody names one: AWS's own
/// documentation uses it.
pub(crate) const EXAMPLE_ACCOUNT: &str = "123456789012";

/// A `longshore.toml` and the directory that it stands in.
#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) root: PathBuf,
    pub(crate) configuration: Configuration,
}

/// The job that publishes, as the workflow describes it.
#[derive(Debug)]
pub(crate) struct PublishingJob {
    pub(crate) workflow: PathBuf,
    pub(crate) job: String,
    pub(crate) run: Run,
}

impl Project {
    /// Looks for `longshore.toml` in `directory` and above.
    pub(crate) fn find(directory: &Path) -> Result<Self, Problem> {
        let start = fs::canonicalize(directory).map_err(|error| missing(directory, &error))?;
        let found = start
            .ancestors()
            .find(|directory| directory.join(FILE_NAME).is_file());
        let root = found.ok_or_else(|| missing(&start, &io::ErrorKind::NotFound.into()))?;
        let file = root.join(FILE_NAME);
        let wrong = |error: &dyn std::error::Error| {
            Problem::new(
                ProblemCode::BadConfiguration,
                "nothing was done: longshore.toml is wrong",
            )
            .caused_by(error)
            .fact("file", file.display().to_string())
            .hint("docs/configuration.md lists every key")
        };
        let text = fs::read_to_string(&file).map_err(|error| wrong(&error))?;
        let configuration = Configuration::parse(&text).map_err(|error| wrong(&error))?;
        Ok(Self {
            root: root.to_owned(),
            configuration,
        })
    }

    /// The same for what can do without a `longshore.toml`: `None` where there is
    /// none.
    pub(crate) fn find_if_any(directory: &Path) -> Result<Option<Self>, Problem> {
        match Self::find(directory) {
            Err(problem) if problem.code == ProblemCode::NoConfiguration && directory.is_dir() => {
                Ok(None)
            }
            found => found.map(Some),
        }
    }

    /// `path` as seen from the `longshore.toml` of `project`, or from `directory` where
    /// there is none.
    pub(crate) fn at_if_any(project: Option<&Self>, directory: &Path, path: &Path) -> PathBuf {
        project
            .map_or(directory, |project| &project.root)
            .join(path)
    }

    /// `path` as seen from `longshore.toml`.
    pub(crate) fn at(&self, path: &Path) -> PathBuf {
        self.root.join(path)
    }

    /// The repository that the project belongs to.
    pub(crate) fn own_repository(&self) -> Option<audit::OwnRepository> {
        own_repository(self.configuration.github.as_ref()?)
    }

    /// What the Terraform root describes; `None` where the file names no root.
    pub(crate) fn resources(&self) -> Result<Option<AwsResources>, Problem> {
        Ok(self.terraform()?.map(|root| root.aws()))
    }

    /// The Terraform root; `None` where the file names none.
    pub(crate) fn terraform(&self) -> Result<Option<terraform::Root>, Problem> {
        let Some(root) = &self.configuration.aws.terraform else {
            return Ok(None);
        };
        let root = self.at(root);
        let account = self
            .configuration
            .aws
            .account
            .as_deref()
            .unwrap_or(EXAMPLE_ACCOUNT);
        let given = terraform::Given {
            account: account.to_owned(),
            region: self.configuration.aws.region.clone(),
            variables: BTreeMap::new(),
        };
        let read = terraform::read(&root, &given).map_err(|error| {
            Problem::new(ProblemCode::BadTerraform, "nothing was done: the Terraform root cannot be read")
                .caused_by(&error)
                .fact("root", root.display().to_string())
                .hint("check `aws.terraform` in longshore.toml, and `terraform validate` in that directory")
        })?;
        Ok(Some(read))
    }

    /// The images with the names `wanted`; all, where no name is given.
    pub(crate) fn images(&self, wanted: &[String]) -> Result<Vec<&ImageTable>, Problem> {
        self.configuration.selected(wanted).map_err(|error| {
            let what = "nothing was done: there is no such image";
            Problem::new(ProblemCode::BadConfiguration, what).caused_by(&error)
        })
    }

    /// The one image among those with the names `wanted`.
    pub(crate) fn image(&self, wanted: &[String]) -> Result<&ImageTable, Problem> {
        let images = self.images(wanted)?;
        if let [image] = images.as_slice() {
            return Ok(image);
        }
        let names = images.iter().map(|image| image.name());
        let what = "nothing was done: longshore.toml has several images";
        Err(Problem::new(ProblemCode::BadConfiguration, what)
            .fact("images", names.collect::<Vec<_>>().join(", "))
            .hint("choose one with `--image NAME`"))
    }

    /// Account, region, role, and the repository of each image.
    pub(crate) fn cloud(
        &self,
        images: &[&ImageTable],
        resources: Option<&AwsResources>,
    ) -> Result<Cloud, Problem> {
        Cloud::resolve(&self.configuration.aws, images, resources)
            .map_err(|error| unclear(&error, resources))
    }

    /// The ARN of the role that publishes.
    pub(crate) fn role(&self, resources: Option<&AwsResources>) -> Result<String, Problem> {
        Cloud::role(&self.configuration.aws, resources).map_err(|error| unclear(&error, resources))
    }

    /// The job of the workflow that may ask for an identity, with the run that
    /// a push to its branch starts.
    pub(crate) fn publishing_job(&self, commit: &str) -> Result<PublishingJob, Problem> {
        let github = self.configuration.github.as_ref().ok_or_else(|| {
            Problem::new(ProblemCode::BadConfiguration, "nothing was rehearsed: no GitHub repository is named")
                .hint("add `[github]` with `repository`, `owner-id` and `repository-id` to longshore.toml")
        })?;
        let file = self.at(&github.workflow);
        let wrong = |what: &str| {
            Problem::new(
                ProblemCode::BadWorkflow,
                format!("nothing was rehearsed: {what}"),
            )
            .fact("workflow", file.display().to_string())
        };
        let text = fs::read_to_string(&file).map_err(|error| {
            wrong("the workflow cannot be read")
                .caused_by(&error)
                .hint("set `github.workflow` in longshore.toml")
        })?;
        let workflow = Workflow::parse(&text)
            .map_err(|error| wrong("the workflow is not valid").caused_by(&error))?;
        let push = workflow.triggers.push().ok_or_else(|| {
            wrong("no push starts the workflow").hint("add `on: push: branches: [main]`")
        })?;
        let jobs: Vec<_> = workflow.jobs_with_identity().collect();
        let [(id, job)] = jobs.as_slice() else {
            let found: Vec<_> = jobs.iter().map(|(id, _)| *id).collect();
            return Err(wrong("exactly one job must be able to ask for an identity")
                .fact("jobs with `id-token: write`", found.join(", "))
                .hint("give `permissions: id-token: write` to the job that publishes, and to no other"));
        };
        let plain = |branch: &&String| !branch.contains(['*', '?', '!', '[']);
        let branch = push
            .branches
            .iter()
            .find(plain)
            .map_or("main", String::as_str);
        let environment = job.environment.as_deref().cloned();
        let run = run(github, &workflow, environment, branch, commit);
        Ok(PublishingJob {
            workflow: github.workflow.clone(),
            job: (*id).to_owned(),
            run,
        })
    }
}

fn unclear(error: &CloudError, resources: Option<&AwsResources>) -> Problem {
    let what = "nothing was done: it is not clear where to publish, or as whom";
    let mut problem = Problem::new(ProblemCode::TerraformSilent, what)
        .caused_by(error)
        .hint(match error {
            CloudError::Unsaid { .. } => "name the Terraform root in `aws.terraform` of longshore.toml, or say account, region, role and repository in its `[aws]`",
            _ => "say it in `[aws]` of longshore.toml",
        });
    for unknown in resources.iter().flat_map(|resources| &resources.unknowns) {
        problem = problem.fact(
            &format!("{}.{}", unknown.address, unknown.attribute),
            unknown.reason.as_str(),
        );
    }
    problem
}

/// The repository that `[github]` names.
pub(crate) fn own_repository(github: &GithubTable) -> Option<audit::OwnRepository> {
    let (owner, name) = github.repository.split_once('/')?;
    Some(audit::OwnRepository {
        owner: owner.to_owned(),
        name: name.to_owned(),
        owner_id: Some(github.owner_id.to_string()),
        id: Some(github.repository_id.to_string()),
    })
}

fn missing(directory: &Path, error: &io::Error) -> Problem {
    Problem::new(
        ProblemCode::NoConfiguration,
        "nothing was done: there is no longshore.toml here or above",
    )
    .caused_by(error)
    .fact("looked in", directory.display().to_string())
    .hint("change to the repository, or name it with `--directory DIR`")
    .hint("the smallest file is `[image]` with `package = \"NAME\"`: docs/configuration.md")
}

/// The run that a push to `branch` starts. Numbers that only GitHub could know
/// are small constants; no decision depends on them.
fn run(
    github: &GithubTable,
    workflow: &Workflow,
    environment: Option<String>,
    branch: &str,
    commit: &str,
) -> Run {
    let (owner, name) = github
        .repository
        .split_once('/')
        .unwrap_or((&github.repository, ""));
    let workflow_path = github.workflow.display().to_string();
    Run {
        repository: Repository {
            owner: owner.to_owned(),
            owner_id: github.owner_id.to_string(),
            name: name.to_owned(),
            id: github.repository_id.to_string(),
            visibility: Visibility::Private,
        },
        event: Event::Push {
            git_ref: format!("refs/heads/{branch}"),
        },
        environment,
        workflow: workflow
            .name
            .clone()
            .unwrap_or_else(|| workflow_path.clone()),
        workflow_path,
        actor: "octocat".to_owned(),
        actor_id: "583231".to_owned(),
        sha: commit.to_owned(),
        run_id: 1,
        run_number: 1,
        run_attempt: 1,
    }
}
