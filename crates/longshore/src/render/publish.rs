//! A publish as people and GitHub's step summary show it.

use receipts::{LayerOrigin, PublishReceipt, PublishReceipts, TagOutcome};

use super::quantity::{bytes, duration};

/// The summary of a publish, for a terminal.
pub(crate) fn text(receipt: &PublishReceipt) -> String {
    let headline = if receipt.unchanged {
        "unchanged"
    } else {
        "published"
    };
    let mut lines = vec![format!("{headline}  {}", receipt.reference)];
    lines.push(format!(
        "as         {} ({})",
        receipt.identity.principal, receipt.identity.source
    ));
    if let Some(subject) = &receipt.identity.subject {
        lines.push(format!("subject    {subject}"));
    }
    for image in &receipt.platforms {
        lines.push(format!("image      {}  {}", image.digest, image.platform));
    }
    for layer in &receipt.layers {
        let origin = match layer.origin {
            Some(LayerOrigin::New) => "new",
            Some(LayerOrigin::Reused) | None => "reused",
        };
        lines.push(format!(
            "layer      {}  {}  {origin}",
            layer.digest,
            bytes(layer.size_bytes)
        ));
    }
    if !receipt.attestations.is_empty() {
        let mut names: Vec<_> = Vec::new();
        for said in &receipt.attestations {
            if !names.contains(&said.name.as_str()) {
                names.push(&said.name);
            }
        }
        lines.push(format!("attested   {}", names.join(", ")));
    }
    lines.extend(receipt.advisories.iter().map(|of| {
        let (kind, name) = (of.informational.as_deref(), &of.package);
        let kind = kind.unwrap_or("vulnerability");
        let place = match of.programs.as_slice() {
            [] => String::new(),
            programs => format!(" in {}", programs.join(", ")),
        };
        format!(
            "advisory   {}  {name} {}{place}  {kind}: {}",
            of.id, of.version, of.title
        )
    }));
    lines.extend(
        receipt
            .tags
            .iter()
            .map(|tag| format!("tag        {}", tag_text(tag))),
    );
    let (sent, time) = (bytes(receipt.sent_bytes), duration(receipt.milliseconds));
    lines.push(format!("sent       {sent} in {time}"));
    lines.join("\n")
}

/// The summary of a publish, for GitHub's step summary.
pub(crate) fn markdown(receipt: &PublishReceipt) -> String {
    let headline = if receipt.unchanged {
        "Unchanged"
    } else {
        "Published"
    };
    let tags: Vec<_> = receipt
        .tags
        .iter()
        .map(|tag| format!("`{}`", tag.tag))
        .collect();
    let new = receipt
        .layers
        .iter()
        .filter(|layer| layer.origin == Some(LayerOrigin::New))
        .count();
    format!(
        "### {headline}\n\n`{}`\n\n| | |\n|---|---|\n| tags | {} |\n| revision | `{}` |\n\
         | identity | `{}` |\n| layers | {new} new of {} |\n| sent | {} in {} |\n",
        receipt.reference,
        tags.join(", "),
        receipt.revision.as_deref().unwrap_or("unknown"),
        receipt.identity.principal,
        receipt.layers.len(),
        bytes(receipt.sent_bytes),
        duration(receipt.milliseconds),
    )
}

/// The summaries of several publishes, for a terminal.
pub(crate) fn texts(receipts: &PublishReceipts) -> String {
    let texts = receipts.images.iter().map(|(name, receipt)| {
        let text = text(receipt);
        format!("image      {name}\n{text}")
    });
    texts.collect::<Vec<_>>().join("\n\n")
}

/// The summary of several publishes, for GitHub's step summary.
pub(crate) fn table(receipts: &PublishReceipts) -> String {
    let row = |(name, receipt): (&String, &PublishReceipt)| {
        let state = if receipt.unchanged {
            "unchanged"
        } else {
            "published"
        };
        let tags = receipt.tags.iter().map(|tag| format!("`{}`", tag.tag));
        format!(
            "| {name} | {state} | `{}` | {} | {} |\n",
            receipt.reference,
            tags.collect::<Vec<_>>().join(", "),
            bytes(receipt.sent_bytes),
        )
    };
    let rows: String = receipts.images.iter().map(row).collect();
    let identity = receipts.images.values().next();
    let identity = identity.map_or("", |receipt| &receipt.identity.principal);
    format!(
        "### {} images\n\n| image | | reference | tags | sent |\n|---|---|---|---|---|\n{rows}\nAs `{identity}`.\n",
        receipts.images.len(),
    )
}

fn tag_text(tag: &TagOutcome) -> String {
    match (&tag.previous, tag.moved) {
        (Some(previous), _) => format!("{} moved from {previous}", tag.tag),
        (None, true) => format!("{} set", tag.tag),
        (None, false) => format!("{} already there", tag.tag),
    }
}
