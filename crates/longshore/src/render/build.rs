//! A build as people read it.

use receipts::BuildReceipt;

use super::quantity::{bytes, duration};

/// The summary of a build.
pub(crate) fn text(receipt: &BuildReceipt) -> String {
    let dirty = if receipt.source.dirty {
        ", with uncommitted changes"
    } else {
        ""
    };
    let mut lines = vec![
        format!("built   {}", receipt.digest),
        format!("source  {}{dirty}", receipt.source.commit),
        format!("layout  {}", receipt.layout),
    ];
    // Of one platform everything is told already.
    let platforms = receipt.platforms.iter();
    let platforms = platforms.filter(|_| receipt.platforms.len() > 1);
    lines.extend(platforms.map(|of| format!("image   {}  {}", of.digest, of.platform)));
    for layer in &receipt.layers {
        lines.push(format!(
            "layer   {}  {}",
            layer.digest,
            bytes(layer.size_bytes)
        ));
    }
    lines.push(format!(
        "size    {} compressed, binary {}",
        bytes(receipt.size_bytes),
        bytes(receipt.binary_bytes)
    ));
    lines.push(format!(
        "time    compile {}, image {}",
        duration(receipt.compile_milliseconds),
        duration(receipt.assemble_milliseconds)
    ));
    lines.join("\n")
}
