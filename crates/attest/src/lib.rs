//! What is said about an image: bills of materials, provenance, signatures.
//!
//! Documents are values in, bytes out; nothing here reads a file, a socket or
//! the clock. Each becomes a *referrer*: a manifest of its own that names the
//! image as its subject, so that the image's tag stays a plain manifest and its
//! digest does not change.
//!
//! Sources: [CycloneDX] 1.6, [SPDX] 2.3, [in-toto Statement] v1, [SLSA
//! provenance] v1, [DSSE] v1, [Sigstore bundle] v0.3, image-spec v1.1
//! (manifest.md, "Guidelines for Artifact Usage").
//!
//! [CycloneDX]: https://cyclonedx.org/docs/1.6/json/
//! [SPDX]: https://spdx.github.io/spdx-spec/v2.3/
//! [in-toto Statement]: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
//! [SLSA provenance]: https://slsa.dev/spec/v1.2/build-provenance
//! [DSSE]: https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
//! [Sigstore bundle]: https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto

mod advisory;
mod audit_list;
mod bill;
mod bundle;
mod certificate;
mod cosign_key;
mod cyclonedx;
mod dependencies;
mod document;
mod envelope;
pub mod installed;
mod key;
mod licence;
mod log_entry;
mod provenance;
mod referrer;
mod spdx;
mod statement;

pub use advisory::{Advisory, Finding, findings};
pub use audit_list::{LONGEST_LIST, audit_list};
pub use bill::{BillOfMaterials, Contents};
pub use bundle::{BUNDLE, Envelope, SIGNATURE_PREDICATE};
pub use certificate::Certificate;
pub use cyclonedx::{CYCLONEDX, cyclonedx};
pub use dependencies::{Dependencies, Package, PackageSource};
pub use installed::Installed;
pub use key::{KeyError, SigningKey};
pub use log_entry::LogEntry;
pub use provenance::{Builder, PROVENANCE_PREDICATE, Provenance, Workflow};
pub use referrer::Referrer;
pub use spdx::{SPDX, spdx};
pub use statement::{IN_TOTO, Statement};
