//! What is said about an image when it is published: what it was compiled from,
//! where it came from, and, with a key, who says so.

use std::collections::BTreeMap;

use attest::{
    BUNDLE, BillOfMaterials, Builder, CYCLONEDX, Dependencies, IN_TOTO, PROVENANCE_PREDICATE,
    Provenance, Referrer, SIGNATURE_PREDICATE, SPDX, Statement, Workflow, cyclonedx, spdx,
};
use image::StoredImage;
use oci::{Digest, RepositoryName, annotation};
use serde_json::json;

use super::session::Session;
use super::signer::{ReadySigner, SigningFailure};

const TOOL_VERSION: &str = env!("CARGO_PKG_VERSION");
/// The suffix of a revision whose files were not all committed.
const DIRTY: &str = "-dirty";
/// The annotation by which verifiers find statements of a kind (in-toto
/// attestation, `spec/v1/envelope.md`).
const PREDICATE_TYPE: &str = "in-toto.io/predicate-type";
/// The annotations that `cosign` looks for on a bundle.
const BUNDLE_CONTENT: &str = "dev.sigstore.bundle.content";
const BUNDLE_PREDICATE: &str = "dev.sigstore.bundle.predicateType";

/// Everything that is said about `image`. Without a signer it is said unsigned.
pub(super) async fn of(
    image: &StoredImage,
    dependencies: Option<&Dependencies>,
    repository: &RepositoryName,
    session: &Session,
    signer: Option<&ReadySigner<'_>>,
) -> Result<Vec<Referrer>, SigningFailure> {
    let digest = image.descriptor.digest;
    let mut referrers = Vec::new();
    if let Some(dependencies) = dependencies {
        let bill = BillOfMaterials {
            image: repository.as_str(),
            digest,
            created: annotation(image, annotation::CREATED),
            tool_version: TOOL_VERSION,
            dependencies,
        };
        referrers.push(Referrer::new("CycloneDX", CYCLONEDX, cyclonedx(&bill)));
        referrers.push(Referrer::new("SPDX", SPDX, spdx(&bill)));
    }
    let provenance = Statement {
        name: repository.to_string(),
        digest,
        predicate_type: PROVENANCE_PREDICATE.to_owned(),
        predicate: provenance(image, &referrers, session).predicate(),
    };
    let Some(signer) = signer else {
        let unsigned = Referrer::new("provenance", IN_TOTO, provenance.bytes());
        referrers.push(unsigned.with(PREDICATE_TYPE, PROVENANCE_PREDICATE));
        return Ok(referrers);
    };
    let signature = Statement {
        predicate_type: SIGNATURE_PREDICATE.to_owned(),
        predicate: json!({}),
        ..provenance.clone()
    };
    let statements = [&provenance, &signature];
    let bundles = signer.sign(&statements, session).await?;
    let names = ["provenance", "signature"];
    for ((name, statement), bundle) in names.into_iter().zip(statements).zip(bundles) {
        let bundle = Referrer::new(name, BUNDLE, bundle)
            .with(BUNDLE_CONTENT, "dsse-envelope")
            .with(BUNDLE_PREDICATE, &statement.predicate_type);
        referrers.push(bundle);
    }
    Ok(referrers)
}

fn provenance(image: &StoredImage, bills: &[Referrer], session: &Session) -> Provenance {
    let revision = annotation(image, annotation::REVISION);
    let base = annotation(image, annotation::BASE_DIGEST).parse().ok();
    let optional = |key| Some(annotation(image, key)).filter(|text| !text.is_empty());
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
        inputs: annotation(image, annotation::INPUTS).parse().ok(),
        base: optional(annotation::BASE_NAME).map(str::to_owned).zip(base),
        byproducts: bills.iter().map(byproduct).collect(),
    }
}

fn annotation<'i>(image: &'i StoredImage, key: &str) -> &'i str {
    let annotations = &image.manifest.annotations;
    annotations.get(key).map_or("", String::as_str)
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
