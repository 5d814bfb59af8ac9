//! The entry that a transparency log made of a signature: Rekor, API version 1,
//! entries of kind `dsse`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::key::KeyError;

/// What the log says of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    body: String,
    integrated_time: u64,
    #[serde(rename = "logID")]
    log_id: String,
    log_index: u64,
    verification: Verification,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verification {
    signed_entry_timestamp: String,
    inclusion_proof: InclusionProof,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct InclusionProof {
    checkpoint: String,
    hashes: Vec<String>,
    log_index: u64,
    root_hash: String,
    tree_size: u64,
}

impl LogEntry {
    /// Reads the answer to a new entry: an object with the entry under its id.
    pub fn parse(answer: &[u8]) -> Result<Self, KeyError> {
        let entries = serde_json::from_slice::<BTreeMap<String, Self>>(answer);
        let entry = entries
            .ok()
            .and_then(|entries| entries.into_values().next());
        entry.ok_or(KeyError::LogEntry)
    }

    /// The entry as a bundle has it (`sigstore_rekor.proto`, `TransparencyLogEntry`).
    pub(crate) fn in_bundle(&self) -> Result<Value, KeyError> {
        let base64_of = |hex: &String| {
            let bytes = hex::decode(hex).map_err(|_| KeyError::LogEntry)?;
            Ok(STANDARD.encode(bytes))
        };
        let proof = &self.verification.inclusion_proof;
        let hashes = proof.hashes.iter().map(base64_of);
        Ok(json!({
            "logIndex": self.log_index.to_string(),
            "logId": {"keyId": base64_of(&self.log_id)?},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": self.integrated_time.to_string(),
            "inclusionPromise": {
                "signedEntryTimestamp": self.verification.signed_entry_timestamp,
            },
            "inclusionProof": {
                "logIndex": proof.log_index.to_string(),
                "rootHash": base64_of(&proof.root_hash)?,
                "treeSize": proof.tree_size.to_string(),
                "hashes": hashes.collect::<Result<Vec<_>, _>>()?,
                "checkpoint": {"envelope": proof.checkpoint},
            },
            "canonicalizedBody": self.body,
        }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ANSWER: &str = r#"{"24296fb2": {"body": "e30=", "integratedTime": 7, "logID": "c0d2",
        "logIndex": 8, "verification": {"signedEntryTimestamp": "MEUC", "inclusionProof":
        {"checkpoint": "note", "hashes": ["ff00"], "logIndex": 5, "rootHash": "ab", "treeSize": 9}}}}"#;

    #[test]
    fn numbers_become_texts_and_hexadecimal_becomes_base64() {
        let entry = LogEntry::parse(ANSWER.as_bytes())
            .unwrap()
            .in_bundle()
            .unwrap();
        assert_eq!(entry["logIndex"], "8");
        assert_eq!(entry["logId"]["keyId"], "wNI=");
        assert_eq!(entry["inclusionProof"]["hashes"], json!(["/wA="]));
        assert_eq!(entry["inclusionProof"]["logIndex"], "5");
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        let broken = ANSWER.replace("ff00", "no hex");
        let entry = LogEntry::parse(broken.as_bytes()).unwrap();
        assert_eq!(entry.in_bundle(), Err(KeyError::LogEntry));
        for answer in ["", "{}", r#"{"a": {}}"#] {
            assert_eq!(LogEntry::parse(answer.as_bytes()), Err(KeyError::LogEntry));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_without_panic(bytes: Vec<u8>) {
            prop_assert!(LogEntry::parse(&bytes).is_err());
        }
    }
}
