//! From a directory to everything that is checked together. What cannot be read
//! is told, and the rest is checked all the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::project::own_repository;
use audit::{OwnRepository, Setup, Suppression, TerraformRoot, TextFile, WorkflowFile, parallel};
use fs_err as fs;
use pipeline::{AwsTable, Cloud, Configuration, FILE_NAME, ImageTable};
use receipts::{Problem, ProblemCode};
use terraform::AwsResources;

use super::roots::{self, Known};
use super::{configuration, files, texts};

/// Where workflows stand.
pub(super) const WORKFLOWS: &str = ".github/workflows";

/// What was read.
#[derive(Debug)]
pub(super) struct Loaded {
    /// What the rules look at.
    pub(super) setup: Setup,
    /// What `longshore.toml` accepts.
    pub(super) suppressions: Vec<Suppression>,
    /// What was not looked at, and why.
    pub(super) skipped: Vec<String>,
}

/// The directory that is checked: the one that was named, or the nearest from
/// `directory` upwards that looks like a repository.
pub(super) fn find(directory: &Path) -> Result<PathBuf, Problem> {
    let start = fs::canonicalize(directory).map_err(|error| unreadable(&error))?;
    if !start.is_dir() {
        return Err(
            unreadable(&std::io::Error::from(std::io::ErrorKind::NotADirectory))
                .fact("path", directory.display().to_string()),
        );
    }
    if directory != Path::new(".") {
        return Ok(start);
    }
    let marks = [FILE_NAME, ".git", WORKFLOWS];
    let marked = |directory: &&Path| marks.iter().any(|mark| directory.join(mark).exists());
    let found = start.ancestors().find(marked).map(Path::to_owned);
    Ok(found.unwrap_or(start))
}

fn unreadable(error: &dyn std::error::Error) -> Problem {
    Problem::new(
        ProblemCode::Io,
        "nothing was checked: the directory cannot be read",
    )
    .caused_by(error)
    .hint("name the repository with `--directory DIR`")
}

/// Reads the repository in `root`.
pub(super) fn load(root: &Path) -> Result<Loaded, Problem> {
    let (configuration, suppressions) = configuration::read(root)?;
    let exclude = configuration
        .as_ref()
        .map(|file| file.check.exclude.as_slice());
    let files = files::list(root, exclude.unwrap_or_default());
    let mut read = texts::read(root, &files.paths);
    let mut skipped = files.skipped;
    skipped.append(&mut read.skipped);

    let mut workflows = workflows(&mut read.by_path);
    for (path, why) in read.lost {
        if is_workflow(&path) {
            workflows.push(WorkflowFile::unreadable(path, format!("the file {why}")));
            continue;
        }
        skipped.push(format!("{path}: {why}"));
        // What the reader of Terraform says of the file is a finding of its own.
        if path.ends_with(".tf") || path.ends_with(".tf.json") {
            read.by_path.insert(path, String::new());
        }
    }
    let known = known(configuration.as_ref(), &workflows);
    let (roots, unreadable_roots) = roots::read(root, &read.by_path, &known);
    if workflows.is_empty() && roots.is_empty() && unreadable_roots.is_empty() {
        let line = "workflows and Terraform: there are none here, so there was nothing to compare";
        skipped.push(line.to_owned());
    }
    let mut setup = Setup {
        repository: repository(root, configuration.as_ref()),
        workflows,
        unreadable_roots,
        ..Setup::default()
    };
    publisher(configuration.as_ref(), &known, &roots, &mut setup);
    setup.roots = roots;
    let text = |(path, text)| TextFile { path, text };
    setup.texts = read.by_path.into_iter().map(text).collect();
    Ok(Loaded {
        setup,
        suppressions,
        skipped,
    })
}

/// Takes the workflow files out of `texts` and parses them.
fn workflows(texts: &mut BTreeMap<String, String>) -> Vec<WorkflowFile> {
    let files: Vec<_> = texts.extract_if(.., |path, _| is_workflow(path)).collect();
    parallel::map(&files, |(path, text)| WorkflowFile::new(path, text))
}

fn is_workflow(path: &str) -> bool {
    let name = path
        .strip_prefix(WORKFLOWS)
        .and_then(|rest| rest.strip_prefix('/'));
    name.is_some_and(|name| {
        !name.contains('/') && (name.ends_with(".yml") || name.ends_with(".yaml"))
    })
}

fn known(configuration: Option<&Configuration>, workflows: &[WorkflowFile]) -> Known {
    let aws = configuration.map(|configuration| &configuration.aws);
    let terraform = aws.and_then(|aws| aws.terraform.as_deref());
    Known {
        named: terraform.and_then(roots::in_repository),
        account: aws.and_then(|aws| aws.account.clone()),
        region: aws
            .and_then(|aws| aws.region.clone())
            .or_else(|| roots::region_of(workflows)),
        in_workflows: workflows
            .iter()
            .flat_map(|workflow| roots::accounts_in(&workflow.text))
            .collect(),
    }
}

/// The repository, by `longshore.toml`, or by the address that git pushes to.
fn repository(root: &Path, configuration: Option<&Configuration>) -> Option<OwnRepository> {
    let github = configuration.and_then(|configuration| configuration.github.as_ref());
    if let Some(github) = github {
        return own_repository(github);
    }
    // Only of a checkout's own top: a directory inside one may be anything.
    root.join(".git").exists().then_some(())?;
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(["remote", "get-url", "origin"])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let (owner, name) = owner_and_name(std::str::from_utf8(&output.stdout).ok()?.trim())?;
    Some(OwnRepository {
        owner,
        name,
        owner_id: None,
        id: None,
    })
}

/// `acme` and `portfolio` of `https://github.com/acme/portfolio.git` or
/// `git@github.com:acme/portfolio.git`; `None` for a path of this machine.
fn owner_and_name(url: &str) -> Option<(String, String)> {
    let path = match url.split_once("://") {
        Some(("file", _)) => return None,
        Some((_, rest)) => rest.split_once('/')?.1,
        None => {
            let (host, path) = url.split_once(':')?;
            (!host.contains('/')).then_some(path)?
        }
    };
    let path = path.trim_matches('/');
    let (owner, name) = path.strip_suffix(".git").unwrap_or(path).split_once('/')?;
    let whole = !owner.is_empty() && !name.is_empty() && !name.contains('/');
    whole.then(|| (owner.to_owned(), name.to_owned()))
}

/// Who publishes and where to, as far as it can be told: from `longshore.toml`
/// and its root, or from the only root that can tell.
fn publisher(
    configuration: Option<&Configuration>,
    known: &Known,
    roots: &[TerraformRoot],
    setup: &mut Setup,
) {
    let nothing = AwsTable::default();
    let table = configuration.map_or(&nothing, |configuration| &configuration.aws);
    let candidates: Vec<_> = match &known.named {
        Some(named) => roots.iter().filter(|root| root.path == *named).collect(),
        None => roots.iter().collect(),
    };
    let mut resources: Vec<_> = candidates.iter().map(|root| Some(&root.aws)).collect();
    if resources.is_empty() {
        resources.push(None);
    }
    let roles = resources
        .iter()
        .filter_map(|own| Cloud::role(table, *own).ok());
    setup.publisher_role = only(roles);
    let images = configuration.map_or(&[][..], |configuration| &configuration.images);
    let repositories = resources
        .iter()
        .map(|own| published_to(table, images, *own));
    let mut known = repositories.filter(|known| !known.is_empty());
    let first = known.next();
    setup.ecr_repositories = first.filter(|_| known.next().is_none()).unwrap_or_default();
}

/// The ARN of the repository of each of `images`, where it can be told; without images
/// that of the project.
fn published_to(
    table: &AwsTable,
    images: &[ImageTable],
    resources: Option<&AwsResources>,
) -> Vec<String> {
    let each: Vec<Vec<&ImageTable>> = match images {
        [] => vec![Vec::new()],
        images => images.iter().map(|image| vec![image]).collect(),
    };
    let arn = |images: &Vec<&ImageTable>| {
        let cloud = Cloud::resolve(table, images, resources).ok()?;
        let (region, account) = (cloud.region, cloud.account);
        let name = cloud.repositories.first()?;
        Some(format!("arn:aws:ecr:{region}:{account}:repository/{name}"))
    };
    each.iter().filter_map(arn).collect()
}

fn only(mut items: impl Iterator<Item = String>) -> Option<String> {
    let first = items.next();
    first.filter(|_| items.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::owner_and_name;

    #[test]
    fn owner_and_name_come_from_the_addresses_that_git_writes() {
        for url in [
            "https://github.com/acme/portfolio.git",
            "https://user:secret@github.com/acme/portfolio",
            "git@github.com:acme/portfolio.git",
            "ssh://git@github.com/acme/portfolio.git/",
        ] {
            let found = owner_and_name(url);
            assert_eq!(
                found,
                Some(("acme".to_owned(), "portfolio".to_owned())),
                "{url}"
            );
        }
        for url in [
            "",
            "/srv/git/acme/portfolio",
            "../x",
            "file:///srv/acme/x",
            "https://github.com/acme",
        ] {
            assert_eq!(owner_and_name(url), None, "{url}");
        }
    }
}
