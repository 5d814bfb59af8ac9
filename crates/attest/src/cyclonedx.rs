//! The bill of materials as CycloneDX 1.6.

use serde::Serialize;
use serde_json::{Value, json};

use crate::dependencies::{BillOfMaterials, Package, uuid};
use crate::licence;

/// The media type of a CycloneDX document in JSON.
pub const CYCLONEDX: &str = "application/vnd.cyclonedx+json";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref")]
    reference: String,
    name: String,
    version: String,
    /// `excluded`: was needed to build, and is not in the image.
    scope: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
}

/// Writes the bill; the same bill gives the same bytes.
pub fn cyclonedx(bill: &BillOfMaterials<'_>) -> Vec<u8> {
    let packages = &bill.dependencies.packages;
    let components: Vec<_> = packages
        .iter()
        .enumerate()
        .map(|(place, package)| component(package, place == bill.dependencies.root))
        .collect();
    let image = format!("image:{}", bill.digest);
    let root = packages.get(bill.dependencies.root);
    let mut dependencies = vec![json!({
        "ref": image,
        "dependsOn": root.iter().map(|root| root.reference()).collect::<Vec<_>>(),
    })];
    dependencies.extend(packages.iter().map(|package| {
        let on = package
            .dependencies
            .iter()
            .filter_map(|place| packages.get(*place));
        json!({
            "ref": package.reference(),
            "dependsOn": on.map(Package::reference).collect::<Vec<_>>(),
        })
    }));
    let mut document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": bill.created,
            "lifecycles": [{"phase": "build"}],
            "tools": {"components": [{
                "type": "application",
                "name": "longshore",
                "version": bill.tool_version,
            }]},
            "component": {
                "type": "container",
                "bom-ref": image,
                "name": bill.image,
                "version": bill.digest.to_string(),
            },
        },
        "components": components,
        "dependencies": dependencies,
    });
    let serial = uuid(document.to_string().as_bytes());
    document["serialNumber"] = json!(format!("urn:uuid:{serial}"));
    document.to_string().into_bytes()
}

fn component(package: &Package, is_root: bool) -> Component {
    let license = |stated: &String| match licence::expression(stated) {
        Some(expression) => json!({"expression": expression}),
        None => json!({"license": {"name": stated}}),
    };
    let hash = |checksum: &String| json!({"alg": "SHA-256", "content": checksum});
    Component {
        kind: if is_root { "application" } else { "library" },
        reference: package.reference(),
        name: package.name.clone(),
        version: package.version.clone(),
        scope: if package.build_only {
            "excluded"
        } else {
            "required"
        },
        hashes: package.checksum.iter().map(hash).collect(),
        licenses: package.license.iter().map(license).collect(),
        purl: package.url(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dependencies::tests::{bill, dependencies};

    fn document() -> Value {
        serde_json::from_slice(&cyclonedx(&bill(&dependencies()))).unwrap()
    }

    #[test]
    fn the_image_depends_on_the_program_and_the_program_on_its_packages() {
        let document = document();
        let edges = document["dependencies"].as_array().unwrap();
        assert_eq!(edges[0]["dependsOn"], json!(["local:api@1.2.3+meta"]));
        assert_eq!(
            edges[1]["dependsOn"][0],
            json!("pkg:cargo/bytes@1.2.3%2Bmeta")
        );
        // Every edge ends at a component that is there.
        let known: Vec<_> = document["components"]
            .as_array()
            .unwrap()
            .iter()
            .map(|component| &component["bom-ref"])
            .collect();
        for edge in edges
            .iter()
            .flat_map(|edge| edge["dependsOn"].as_array().unwrap())
        {
            assert!(known.contains(&edge), "{edge}");
        }
    }

    #[test]
    fn what_only_builds_is_excluded_and_odd_licences_are_names() {
        let components = &document()["components"];
        assert_eq!(components[1]["scope"], "required");
        assert_eq!(
            components[1]["licenses"][0]["expression"],
            "MIT OR Apache-2.0"
        );
        assert_eq!(components[2]["scope"], "excluded");
        assert_eq!(
            components[2]["licenses"][0]["license"]["name"],
            "house rules"
        );
    }

    #[test]
    fn the_serial_number_follows_from_the_content() {
        let (first, mut changed) = (dependencies(), dependencies());
        changed.packages[1].version = "1.2.4".to_owned();
        let serial = |dependencies| {
            let document: Value = serde_json::from_slice(&cyclonedx(&bill(dependencies))).unwrap();
            document["serialNumber"].to_string()
        };
        assert_eq!(serial(&first), serial(&first));
        assert_ne!(serial(&first), serial(&changed));
    }
}
