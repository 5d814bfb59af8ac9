//! What is said about an image when it is published: what is in it,
//! where it came from, and, with a key, who says so.

use std::collections::BTreeMap;

use attest::{
    BUNDLE, BillOfMaterials, Builder, CYCLONEDX, Contents, IN_TOTO, PROVENANCE_PREDICATE,
    Provenance, Referrer, SIGNATURE_PREDICATE, SPDX, Statement, Workflow, cyclonedx, spdx,
};
use image::{Stored, StoredImage};
use oci::{Descriptor, Digest, RepositoryName, annotation};
use serde_json::json;

use super::push::Said;
use super::session::Session;
use super::signer::{ReadySigner, SigningFailure};
use super::unlisted::unlisted;
use crate::placeholder::DIRTY;

const TOOL_VERSION: &str = env!("CARGO_PKG_VERSION");
/// The annotation by which verifiers find statements of a kind (in-toto
/// attestation, `spec/v1/envelope.md`).
const PREDICATE_TYPE: &str = "in-toto.io/predicate-type";
/// The annotations that `cosign` looks for on a bundle.
const BUNDLE_CONTENT: &str = "dev.sigstore.bundle.content";
const BUNDLE_PREDICATE: &str = "dev.sigstore.bundle.predicateType";

/// A manifest of which something is said.
struct Subject<'i> {
    descriptor: &'i Descriptor,
    annotations: &'i BTreeMap<String, String>,
    /// An image and what is known to be in it; none for an index.
    image: Option<(&'i StoredImage, &'i Contents)>,
    /// Of the programs in it those that were compiled elsewhere.
    programs: Vec<Digest>,
}

impl Subject<'_> {
    fn annotation(&self, key: &str) -> &str {
        self.annotations.get(key).map_or("", String::as_str)
    }
}

/// Everything that is said about `stored`, whose images have `contents`. Without a signer
/// it is said unsigned.
///
/// Of an index, the bills are about its images, which have different packages.
/// Provenance and signature are about both: a tag and a deployment by digest name the
/// index, and who pulls one platform by digest asks about that.
pub(super) async fn of(
    stored: &Stored,
    contents: &[Contents],
    repository: &RepositoryName,
    session: &Session,
    signer: Option<&ReadySigner<'_>>,
) -> Result<Vec<Said>, SigningFailure> {
    let mut all = Vec::new();
    let mut statements = Vec::new();
    for subject in subjects(stored, contents) {
        let referrers = bills(&subject, repository);
        let provenance = Statement {
            name: repository.to_string(),
            digest: subject.descriptor.digest,
            predicate_type: PROVENANCE_PREDICATE.to_owned(),
            predicate: provenance(&subject, &referrers, session).predicate(),
        };
        let signature = Statement {
            predicate_type: SIGNATURE_PREDICATE.to_owned(),
            predicate: json!({}),
            ..provenance.clone()
        };
        statements.push([("provenance", provenance), ("signature", signature)]);
        all.push(Said {
            subject: subject.descriptor.clone(),
            referrers,
        });
    }
    let Some(signer) = signer else {
        for (said, [(name, statement), _]) in all.iter_mut().zip(&statements) {
            let unsigned = Referrer::new(name, IN_TOTO, statement.bytes());
            let unsigned = unsigned.with(PREDICATE_TYPE, PROVENANCE_PREDICATE);
            said.referrers.push(unsigned);
        }
        return Ok(all);
    };
    let texts = statements.iter().flatten();
    let texts: Vec<_> = texts.map(|(_, statement)| statement).collect();
    let mut bundles = signer.sign(&texts, session).await?.into_iter();
    for (said, statements) in all.iter_mut().zip(&statements) {
        for ((name, statement), bundle) in statements.iter().zip(bundles.by_ref()) {
            let bundle = Referrer::new(name, BUNDLE, bundle)
                .with(BUNDLE_CONTENT, "dsse-envelope")
                .with(BUNDLE_PREDICATE, &statement.predicate_type);
            said.referrers.push(bundle);
        }
    }
    Ok(all)
}

/// An index and its images, or the one image.
fn subjects<'i>(stored: &'i Stored, contents: &'i [Contents]) -> Vec<Subject<'i>> {
    let index = match stored {
        Stored::Image(_) => None,
        Stored::Index(index) => Some(Subject {
            descriptor: &index.descriptor,
            annotations: &index.index.annotations,
            image: None,
            programs: stored.images().iter().filter_map(program).collect(),
        }),
    };
    let images = stored.images().iter().zip(contents);
    let images = images.map(|(image, contents)| Subject {
        descriptor: &image.descriptor,
        annotations: &image.manifest.annotations,
        image: Some((image, contents)),
        programs: program(image).into_iter().collect(),
    });
    index.into_iter().chain(images).collect()
}

/// The program of an image, if it was compiled elsewhere.
fn program(image: &StoredImage) -> Option<Digest> {
    let program = image.manifest.annotations.get(annotation::PROGRAM)?;
    program.parse().ok()
}

fn bills(subject: &Subject<'_>, repository: &RepositoryName) -> Vec<Referrer> {
    let Some((image, contents)) = subject.image.filter(|(_, contents)| contents.is_known()) else {
        return Vec::new();
    };
    let bill = BillOfMaterials {
        image: repository.as_str(),
        digest: subject.descriptor.digest,
        created: subject.annotation(annotation::CREATED),
        tool_version: TOOL_VERSION,
        contents,
        unlisted: unlisted(image, contents),
    };
    vec![
        Referrer::new("CycloneDX", CYCLONEDX, cyclonedx(&bill)),
        Referrer::new("SPDX", SPDX, spdx(&bill)),
    ]
}

fn provenance(subject: &Subject<'_>, bills: &[Referrer], session: &Session) -> Provenance {
    let revision = subject.annotation(annotation::REVISION);
    let base = subject.annotation(annotation::BASE_DIGEST).parse().ok();
    let optional = |key| Some(subject.annotation(key)).filter(|text| !text.is_empty());
    let byproduct = |bill: &Referrer| (bill.artifact_type.clone(), Digest::of(&bill.document));
    Provenance {
        builder: match &session.claims {
            Some(claims) => Builder::Github(Box::new(workflow(claims))),
            None => Builder::Person {
                name: match (&session.identity.principal, &session.identity.account) {
                    (arn, Some(_)) => arn.clone(),
                    (username, None) => format!("{username}@{}", session.host),
                },
            },
        },
        repository: optional(annotation::SOURCE).map(str::to_owned),
        commit: revision.trim_end_matches(DIRTY).to_owned(),
        dirty: revision.ends_with(DIRTY),
        tool_version: TOOL_VERSION.to_owned(),
        inputs: subject.annotation(annotation::INPUTS).parse().ok(),
        programs: subject.programs.clone(),
        base: optional(annotation::BASE_NAME).map(str::to_owned).zip(base),
        byproducts: bills.iter().map(byproduct).collect(),
    }
}

/// The run that the claims of a token of GitHub are about.
fn workflow(claims: &BTreeMap<String, String>) -> Workflow {
    let claim = |name: &str| claims.get(name).cloned().unwrap_or_default();
    let repository = claim("repository");
    let workflow = claim("workflow_ref");
    // `owner/name/.github/workflows/file.yml@refs/heads/main`
    let path = workflow.split('@').next().unwrap_or_default();
    let path = path.strip_prefix(&format!("{repository}/")).unwrap_or(path);
    Workflow {
        server: server(&claim("iss")),
        path: path.to_owned(),
        repository_id: claim("repository_id"),
        owner_id: claim("repository_owner_id"),
        reference: claim("ref"),
        sha: claim("sha"),
        job_workflow_ref: claim("job_workflow_ref"),
        event: claim("event_name"),
        runner: claim("runner_environment"),
        run_id: claim("run_id"),
        run_attempt: claim("run_attempt"),
        repository,
    }
}

/// The GitHub whose tokens `issuer` signs: `token.actions.githubusercontent.com`
/// is github.com's, `token.actions.NAME.ghe.com` that of a company there, and a
/// server of one's own has its issuer below its own address.
fn server(issuer: &str) -> String {
    let rest = issuer.strip_prefix("https://token.actions.");
    match rest.map(|rest| rest.split('/').next().unwrap_or(rest)) {
        Some("githubusercontent.com") => "https://github.com".to_owned(),
        Some(host) => format!("https://{host}"),
        None => issuer.trim_end_matches("/_services/token").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_belong_to_their_servers() {
        let of = |issuer| server(issuer);
        assert_eq!(
            of("https://token.actions.githubusercontent.com"),
            "https://github.com"
        );
        assert_eq!(
            of("https://token.actions.githubusercontent.com/octo-enterprise"),
            "https://github.com"
        );
        assert_eq!(
            of("https://token.actions.octo.ghe.com"),
            "https://octo.ghe.com"
        );
        assert_eq!(
            of("https://github.acme.example/_services/token"),
            "https://github.acme.example"
        );
    }

    #[test]
    fn the_path_of_a_workflow_is_what_stands_between_repository_and_ref() {
        let claims = BTreeMap::from(
            [
                ("repository", "acme/api"),
                (
                    "workflow_ref",
                    "acme/api/.github/workflows/publish.yml@refs/heads/main",
                ),
            ]
            .map(|(key, value)| (key.to_owned(), value.to_owned())),
        );
        assert_eq!(workflow(&claims).path, ".github/workflows/publish.yml");
    }
}
