//! The bill of materials as SPDX 2.3.

use serde_json::{Value, json};

use crate::bill::{BillOfMaterials, Component, Kind, Lines};
use crate::dependencies::PackageSource;
use crate::document::Document;
use crate::licence;

/// The media type of an SPDX document in JSON.
pub const SPDX: &str = "application/spdx+json";

const NO_ASSERTION: &str = "NOASSERTION";
const IMAGE: &str = "SPDXRef-image";

/// Writes the bill; the same bill gives the same bytes.
pub fn spdx(bill: &BillOfMaterials<'_>) -> Vec<u8> {
    let lines = Lines::of(bill);
    let mut document = Document::new(&json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": bill.image,
        "creationInfo": {
            "created": bill.created,
            "creators": [format!("Tool: longshore-{}", bill.tool_version)],
        },
    }));
    let listed = lines.components.iter().enumerate();
    let described = listed.map(|(place, component)| described(component, place));
    let image = image(bill, &lines);
    document.list("packages", [image].into_iter().chain(described));
    document.list("relationships", relationships(&lines));
    // The form that the specification proposes where there is no address (6.5).
    let uuid = document.uuid();
    let namespace = format!("https://spdx.org/spdxdocs/{}-{uuid}", bill.image);
    document.field("documentNamespace", &json!(namespace));
    document.finish()
}

fn relationships(lines: &Lines<'_>) -> impl Iterator<Item = Value> {
    let document = relationship("SPDXRef-DOCUMENT", "DESCRIBES", IMAGE);
    let top = lines.top.iter();
    let top = top.map(|place| relationship(IMAGE, "CONTAINS", &name(*place)));
    // "An unknown number of others" (section 11.1).
    let rest = (!lines.unlisted.is_empty()).then(|| relationship(IMAGE, "CONTAINS", NO_ASSERTION));
    let components = lines.components.iter().enumerate();
    let others = components.flat_map(move |(place, component)| {
        let on = component.dependencies.iter().flatten();
        on.map(move |on| {
            if lines.components[*on].build_only && !component.build_only {
                relationship(&name(*on), "BUILD_DEPENDENCY_OF", &name(place))
            } else {
                relationship(&name(place), "DEPENDS_ON", &name(*on))
            }
        })
    });
    [document].into_iter().chain(top).chain(rest).chain(others)
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

fn image(bill: &BillOfMaterials<'_>, lines: &Lines<'_>) -> Value {
    let mut value = json!({
        "SPDXID": IMAGE,
        "name": bill.image,
        "versionInfo": bill.digest.to_string(),
        "primaryPackagePurpose": "CONTAINER",
        "downloadLocation": NO_ASSERTION,
        "filesAnalyzed": false,
        "licenseConcluded": NO_ASSERTION,
        "licenseDeclared": NO_ASSERTION,
        "copyrightText": NO_ASSERTION,
    });
    if !lines.unlisted.is_empty() {
        let known = if lines.unknown {
            "What the image is made of is not known."
        } else {
            "This list is not complete."
        };
        let unlisted = lines.unlisted.join("; ");
        value["comment"] = json!(format!("{known} Not listed: {unlisted}"));
    }
    value
}

fn described(component: &Component<'_>, place: usize) -> Value {
    let license = component.license.and_then(licence::expression);
    let mut value = json!({
        "SPDXID": name(place),
        "name": component.name,
        "versionInfo": component.version,
        "primaryPackagePurpose": purpose(component.kind),
        "downloadLocation": download_location(component),
        "filesAnalyzed": false,
        "licenseConcluded": NO_ASSERTION,
        "licenseDeclared": license.as_deref().unwrap_or(NO_ASSERTION),
        "copyrightText": NO_ASSERTION,
    });
    // What is not known has no field.
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, field| !field.is_null());
    }
    let paths: Vec<_> = component.paths.iter().copied().collect();
    if let Some(source) = component.source {
        value["sourceInfo"] = json!(format!("built from the source package {source}"));
    } else if !paths.is_empty() {
        value["sourceInfo"] = json!(format!("listed by {}", paths.join(", ")));
    }
    if let Some(checksum) = component.checksum {
        value["checksums"] = json!([{"algorithm": "SHA256", "checksumValue": checksum}]);
    }
    if let Some(url) = &component.url {
        value["externalRefs"] = json!([{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": url,
        }]);
    }
    value
}

/// Section 7.24; a package of a system can be anything.
fn purpose(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::OperatingSystem => Some("OPERATING-SYSTEM"),
        Kind::Application => Some("APPLICATION"),
        Kind::Library => Some("LIBRARY"),
        Kind::Package => None,
    }
}

/// Section 7.7: a URL, or a repository with its revision after an `@`.
fn download_location(component: &Component<'_>) -> String {
    match component.origin {
        Some(PackageSource::CratesIo) => format!(
            "https://static.crates.io/crates/{0}/{0}-{1}.crate",
            component.name,
            component.version.unwrap_or_default()
        ),
        Some(PackageSource::Git(address)) => {
            let (repository, revision) = address.split_once('#').unwrap_or((address, ""));
            let repository = repository.split('?').next().unwrap_or(repository);
            format!("{repository}@{revision}")
        }
        _ => NO_ASSERTION.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bill::tests::{bill, compiled, hybrid};

    #[test]
    fn packages_are_related_as_what_they_are_and_located_where_they_came_from() {
        let document: Value = serde_json::from_slice(&spdx(&bill(&compiled()))).unwrap();
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
    #[test]
    fn what_is_known_of_a_dockerfile_is_described_and_the_rest_named() {
        let document: Value = serde_json::from_slice(&spdx(&bill(&hybrid()))).unwrap();
        let packages = document["packages"].as_array().unwrap();
        let comment = packages[0]["comment"].as_str().unwrap();
        assert!(comment.starts_with("This list is not complete. Not listed: what"));
        assert!(comment.ends_with("rpmdb.sqlite: databases of RPM are not read"));
        assert_eq!(packages[4]["primaryPackagePurpose"], "OPERATING-SYSTEM");
        assert_eq!(packages[5]["primaryPackagePurpose"], Value::Null);
        let url = &packages[5]["externalRefs"][0]["referenceLocator"];
        assert!(url.as_str().unwrap().starts_with("pkg:deb/debian/libc6@1:"));
        assert_eq!(packages[7]["sourceInfo"], "listed by /usr/bin/api");
        let relationships = document["relationships"].as_array().unwrap();
        let rest = relationship(IMAGE, "CONTAINS", NO_ASSERTION);
        assert!(relationships.contains(&rest));
    }
}
