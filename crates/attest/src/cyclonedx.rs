//! The bill of materials as CycloneDX 1.6.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

use crate::bill::{BillOfMaterials, Component, Kind, Lines};
use crate::document::Document;
use crate::licence;

/// The media type of a CycloneDX document in JSON.
pub const CYCLONEDX: &str = "application/vnd.cyclonedx+json";

/// The property that says what is in the image and on no list.
const UNLISTED: &str = "dev.longshore.not-listed";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref")]
    reference: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    /// `excluded`: was needed to build, and is not in the image.
    scope: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<&'a str>,
    /// Where in the image it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Value>,
}

/// Writes the bill; the same bill gives the same bytes.
pub fn cyclonedx(bill: &BillOfMaterials<'_>) -> Vec<u8> {
    let lines = Lines::of(bill);
    let image = format!("image:{}", bill.digest);
    let mut document = Document::new(&json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": metadata(bill, &lines, &image),
    }));
    let components = lines.components.iter();
    document.list("components", components.map(|of| json!(written(of))));
    document.list("dependencies", dependencies(&lines, &image));
    if !lines.unlisted.is_empty() {
        let aggregate = if lines.unknown {
            "unknown"
        } else {
            "incomplete"
        };
        let composition = json!([{"aggregate": aggregate, "assemblies": [image]}]);
        document.field("compositions", &composition);
    }
    let serial = format!("urn:uuid:{}", document.uuid());
    document.field("serialNumber", &json!(serial));
    document.finish()
}

fn metadata(bill: &BillOfMaterials<'_>, lines: &Lines<'_>, image: &str) -> Value {
    let mut metadata = json!({
        "timestamp": bill.created,
        "lifecycles": lifecycles(bill),
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
    });
    if !lines.unlisted.is_empty() {
        let unlisted = lines.unlisted.iter();
        let properties = unlisted.map(|what| json!({"name": UNLISTED, "value": what}));
        metadata["component"]["properties"] = properties.collect();
    }
    metadata
}

/// What cargo tells is known before the image is made, what its files tell after.
fn lifecycles(bill: &BillOfMaterials<'_>) -> Value {
    let build = bill.contents.compiled.is_some().then_some("build");
    let after = bill.contents.installed.is_some().then_some("post-build");
    let phases = build.into_iter().chain(after);
    phases.map(|phase| json!({"phase": phase})).collect()
}

/// What depends on what. A component of which that is not known is not in the graph.
fn dependencies(lines: &Lines<'_>, image: &str) -> impl Iterator<Item = Value> {
    let edge = |reference: &str, on: &BTreeSet<usize>| {
        let on = on.iter().map(|place| &*lines.components[*place].reference);
        json!({"ref": reference, "dependsOn": on.collect::<Vec<_>>()})
    };
    let whole = edge(image, &lines.top);
    let known = lines.components.iter().filter_map(move |component| {
        let on = component.dependencies.as_ref()?;
        Some(edge(&component.reference, on))
    });
    [whole].into_iter().chain(known)
}

fn written<'a>(component: &'a Component<'_>) -> Written<'a> {
    let license = |stated: &str| match licence::expression(stated) {
        Some(expression) => json!({"expression": expression}),
        None => json!({"license": {"name": stated}}),
    };
    let paths = component.paths.iter();
    let occurrences: Vec<_> = paths.map(|path| json!({"location": path})).collect();
    Written {
        kind: match component.kind {
            Kind::OperatingSystem => "operating-system",
            Kind::Application => "application",
            Kind::Library | Kind::Package => "library",
        },
        reference: &component.reference,
        name: component.name,
        version: component.version,
        scope: if component.build_only {
            "excluded"
        } else {
            "required"
        },
        hashes: component
            .checksum
            .iter()
            .map(|checksum| json!({"alg": "SHA-256", "content": checksum}))
            .collect(),
        licenses: component.license.into_iter().map(license).collect(),
        purl: component.url.as_deref(),
        evidence: (!occurrences.is_empty()).then(|| json!({"occurrences": occurrences})),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bill::Contents;
    use crate::bill::tests::{bill, compiled, hybrid};

    fn written(contents: &Contents) -> Value {
        serde_json::from_slice(&cyclonedx(&bill(contents))).unwrap()
    }

    fn document() -> Value {
        written(&compiled())
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
    }

    #[test]
    fn every_edge_ends_at_a_component_and_only_known_edges_are_told() {
        let document = written(&hybrid());
        let components = document["components"].as_array().unwrap();
        let known: BTreeSet<_> = components.iter().map(|of| of["bom-ref"].as_str()).collect();
        assert_eq!(known.len(), components.len());
        let edges = document["dependencies"].as_array().unwrap();
        for edge in edges {
            for on in edge["dependsOn"].as_array().unwrap() {
                assert!(known.contains(&on.as_str()), "{edge}");
            }
        }
        // The image and the packages of the two programs, but none of the system.
        assert_eq!(edges.len(), 1 + 3 + 2);
        assert_eq!(edges[0]["dependsOn"].as_array().unwrap().len(), 5);
    }

    #[test]
    fn what_is_not_listed_is_said_and_a_whole_list_says_nothing() {
        let whole = document();
        assert_eq!(whole["compositions"], Value::Null);
        assert_eq!(whole["metadata"]["component"]["properties"], Value::Null);
        let document = written(&hybrid());
        let composition = &document["compositions"][0];
        assert_eq!(composition["aggregate"], "incomplete");
        let image = &document["metadata"]["component"];
        assert_eq!(composition["assemblies"][0], image["bom-ref"]);
        assert_eq!(
            image["properties"][1],
            json!({
                "name": "dev.longshore.not-listed",
                "value": "/var/lib/rpm/rpmdb.sqlite: databases of RPM are not read",
            })
        );
        assert_eq!(
            document["metadata"]["lifecycles"],
            json!([{"phase": "build"}, {"phase": "post-build"}])
        );
        let found = &document["components"][6]["evidence"]["occurrences"];
        assert_eq!(found, &json!([{"location": "/usr/bin/api"}]));
        let nothing = Contents {
            compiled: None,
            installed: Some(crate::Installed::default()),
        };
        let document = written(&nothing);
        assert_eq!(document["compositions"][0]["aggregate"], "unknown");
        assert_eq!(document["components"], json!([]));
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
        let (first, mut changed) = (compiled(), compiled());
        changed.compiled.as_mut().unwrap().packages[1].version = "1.2.4".to_owned();
        let serial = |contents| written(contents)["serialNumber"].to_string();
        assert_eq!(serial(&first), serial(&first));
        assert_ne!(serial(&first), serial(&changed));
    }
}
