//! The bill of materials as SPDX 2.3.

use serde_json::{Value, json};

use crate::dependencies::{BillOfMaterials, Package, PackageSource, uuid};
use crate::licence;

/// The media type of an SPDX document in JSON.
pub const SPDX: &str = "application/spdx+json";

const NO_ASSERTION: &str = "NOASSERTION";
const IMAGE: &str = "SPDXRef-image";

/// Writes the bill; the same bill gives the same bytes.
pub fn spdx(bill: &BillOfMaterials<'_>) -> Vec<u8> {
    let listed = &bill.dependencies.packages;
    let mut packages = vec![image(bill)];
    packages.extend(
        listed
            .iter()
            .enumerate()
            .map(|(place, package)| described(package, place, place == bill.dependencies.root)),
    );
    let mut relationships = vec![
        relationship("SPDXRef-DOCUMENT", "DESCRIBES", IMAGE),
        relationship(IMAGE, "CONTAINS", &name(bill.dependencies.root)),
    ];
    for (place, package) in listed.iter().enumerate() {
        relationships.extend(package.dependencies.iter().map(|on| {
            let builds = listed.get(*on).is_some_and(|on| on.build_only);
            if builds && !package.build_only {
                relationship(&name(*on), "BUILD_DEPENDENCY_OF", &name(place))
            } else {
                relationship(&name(place), "DEPENDS_ON", &name(*on))
            }
        }));
    }
    let mut document = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": bill.image,
        "creationInfo": {
            "created": bill.created,
            "creators": [format!("Tool: longshore-{}", bill.tool_version)],
        },
        "packages": packages,
        "relationships": relationships,
    });
    // The form that the specification proposes where there is no address (6.5).
    let uuid = uuid(document.to_string().as_bytes());
    let namespace = format!("https://spdx.org/spdxdocs/{}-{uuid}", bill.image);
    document["documentNamespace"] = json!(namespace);
    document.to_string().into_bytes()
}

fn name(place: usize) -> String {
    format!("SPDXRef-package-{place}")
}

fn relationship(from: &str, kind: &str, to: &str) -> Value {
    json!({
        "spdxElementId": from,
        "relationshipType": kind,
        "relatedSpdxElement": to,
    })
}

fn image(bill: &BillOfMaterials<'_>) -> Value {
    json!({
        "SPDXID": IMAGE,
        "name": bill.image,
        "versionInfo": bill.digest.to_string(),
        "primaryPackagePurpose": "CONTAINER",
        "downloadLocation": NO_ASSERTION,
        "filesAnalyzed": false,
        "licenseConcluded": NO_ASSERTION,
        "licenseDeclared": NO_ASSERTION,
        "copyrightText": NO_ASSERTION,
    })
}

fn described(package: &Package, place: usize, is_root: bool) -> Value {
    let license = package.license.as_deref().and_then(licence::expression);
    let mut value = json!({
        "SPDXID": name(place),
        "name": package.name,
        "versionInfo": package.version,
        "primaryPackagePurpose": if is_root { "APPLICATION" } else { "LIBRARY" },
        "downloadLocation": download_location(package),
        "filesAnalyzed": false,
        "licenseConcluded": NO_ASSERTION,
        "licenseDeclared": license.as_deref().unwrap_or(NO_ASSERTION),
        "copyrightText": NO_ASSERTION,
    });
    if let Some(checksum) = &package.checksum {
        value["checksums"] = json!([{"algorithm": "SHA256", "checksumValue": checksum}]);
    }
    if let Some(url) = package.url() {
        value["externalRefs"] = json!([{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": url,
        }]);
    }
    value
}

/// Section 7.7: a URL, or a repository with its revision after an `@`.
fn download_location(package: &Package) -> String {
    match &package.source {
        PackageSource::CratesIo => format!(
            "https://static.crates.io/crates/{0}/{0}-{1}.crate",
            package.name, package.version
        ),
        PackageSource::Git(address) => {
            let (repository, revision) = address.split_once('#').unwrap_or((address, ""));
            let repository = repository.split('?').next().unwrap_or(repository);
            format!("{repository}@{revision}")
        }
        PackageSource::Local | PackageSource::Registry(_) => NO_ASSERTION.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dependencies::tests::{bill, dependencies};

    #[test]
    fn packages_are_related_as_what_they_are_and_located_where_they_came_from() {
        let document: Value = serde_json::from_slice(&spdx(&bill(&dependencies()))).unwrap();
        let relationships = document["relationships"].as_array().unwrap();
        let of = |kind: &str| {
            relationships
                .iter()
                .filter(|relationship| relationship["relationshipType"] == kind)
                .count()
        };
        assert_eq!(
            (
                of("DESCRIBES"),
                of("CONTAINS"),
                of("DEPENDS_ON"),
                of("BUILD_DEPENDENCY_OF")
            ),
            (1, 1, 1, 1)
        );
        let packages = document["packages"].as_array().unwrap();
        assert_eq!(packages[1]["downloadLocation"], "NOASSERTION");
        assert_eq!(
            packages[2]["downloadLocation"],
            "https://static.crates.io/crates/bytes/bytes-1.2.3+meta.crate"
        );
        assert_eq!(
            packages[3]["downloadLocation"],
            "git+https://github.com/acme/gen@abc"
        );
        assert_eq!(packages[3]["licenseDeclared"], "NOASSERTION");
    }
}
