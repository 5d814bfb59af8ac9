//! From format 3 to format 4: references are in the order of the pushes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::Upgrade;
use crate::emulator::EmulatorError;
use crate::store::Table;

const IMAGES: Table<Value> = Table::new("ecr/images");
const REFERENCES: Table<()> = Table::new("ecr/references");

pub(super) fn order_references(upgrade: &Upgrade<'_, '_>) -> Result<(), EmulatorError> {
    let writer = upgrade.writer;
    let images = writer.list(&IMAGES, "")?.into_iter();
    let pushes: BTreeMap<String, Timestamp> = images
        .filter_map(|(key, image)| Some((key, image["pushed"].as_str()?.parse().ok()?)))
        .collect();
    for (key, ()) in writer.list(&REFERENCES, "")? {
        writer.remove(&REFERENCES, &key)?;
        // One of an image that is not there is of no use.
        if let Some(ordered) = ordered(&key, &pushes) {
            writer.put(&REFERENCES, &ordered, &())?;
        }
    }
    Ok(())
}

/// `REPOSITORY@TARGET<KIND<IMAGE` becomes `REPOSITORY@TARGET<KIND<PUSHED<IMAGE`.
fn ordered(key: &str, pushes: &BTreeMap<String, Timestamp>) -> Option<String> {
    let (prefix, image) = key.rsplit_once('<')?;
    let (repository, _) = key.split_once('@')?;
    let pushed = pushes.get(&format!("{repository}@{image}"))?;
    let pushed = pushed.as_microsecond().cast_unsigned() ^ (1 << 63);
    Some(format!("{prefix}<{pushed:016x}<{image}"))
}
