//! What a signature is bound to: a key, a day, a region, a service.

use super::{Scope, SignatureError};
use crate::ecr::is_region;

const TERMINATOR: &str = "aws4_request";

/// The scope in a credential, each part as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CredentialScope<'a> {
    pub(super) access_key_id: &'a str,
    /// `YYYYMMDD`.
    pub(super) day: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    terminator: &'a str,
}

impl<'a> CredentialScope<'a> {
    /// Takes a credential apart.
    pub(super) fn read(credential: &'a str) -> Result<Self, SignatureError> {
        let parts: Vec<&str> = credential.split('/').collect();
        let [access_key_id, day, region, service, terminator] = parts[..] else {
            return Err(SignatureError::Incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
            )));
        };
        Ok(Self {
            access_key_id,
            day,
            region,
            service,
            terminator,
        })
    }

    /// Refuses a scope that is not of `wanted` and of the request's `date`. AWS
    /// names everything that is wrong at once.
    pub(super) fn check(&self, wanted: Scope<'_>, date: &str) -> Result<(), SignatureError> {
        let mut wrong = Vec::new();
        if !is_region(self.region) {
            let region = self.region;
            wrong.push(format!(
                "Credential should be scoped to a valid region, not '{region}'. "
            ));
        }
        if self.service != wanted.service {
            let service = wanted.service;
            wrong.push(format!(
                "Credential should be scoped to correct service: '{service}'. "
            ));
        }
        if self.terminator != TERMINATOR {
            let terminator = self.terminator;
            wrong.push(format!(
                "Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{terminator}'. "
            ));
        }
        let day = date.get(..8).unwrap_or_default();
        if self.day != day {
            wrong.push(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{day}', from '{date}'.",
                self.day
            ));
        }
        if wrong.is_empty() {
            return Ok(());
        }
        Err(SignatureError::Mismatch(wrong.concat()))
    }
}
