//! The Security Token Service: web identities and roles become sessions.
//!
//! Source: AWS Security Token Service API Reference, version 2011-06-15.

mod assume_role;
mod authorization_message;
mod caller_identity;
mod credentials;
mod fidelity;
mod key_set;
mod parameters;
mod session_policies;
mod session_tags;
mod session_token;
pub(crate) mod sessions;
mod token;
mod web_identity;

pub(crate) use fidelity::fidelity;
pub(crate) use key_set::{KeySet, register as register_keys};

use crate::caller::Caller;
use crate::error::AwsError;
use crate::query::Parameters;
use crate::state::State;
use crate::trail::{Note, of_query};
use crate::xml::Xml;

/// Whether STS can read a token; nothing in it is proven.
#[cfg(fuzzing)]
pub(crate) fn reads_token(text: &str) -> bool {
    token::Token::read(text)
        .is_ok_and(|token| token.check_times(jiff::Timestamp::UNIX_EPOCH).is_ok())
}

/// The version that requests name.
pub(crate) const VERSION: &str = "2011-06-15";
/// Namespace of the answers.
pub(crate) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// An operation that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    AssumeRole,
    AssumeRoleWithWebIdentity,
    DecodeAuthorizationMessage,
    GetAccessKeyInfo,
    GetCallerIdentity,
    GetFederationToken,
    GetSessionToken,
}

impl Operation {
    /// The operation of this name; `None` for those that are not here.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "AssumeRole" => Some(Self::AssumeRole),
            "AssumeRoleWithWebIdentity" => Some(Self::AssumeRoleWithWebIdentity),
            "DecodeAuthorizationMessage" => Some(Self::DecodeAuthorizationMessage),
            "GetAccessKeyInfo" => Some(Self::GetAccessKeyInfo),
            "GetCallerIdentity" => Some(Self::GetCallerIdentity),
            "GetFederationToken" => Some(Self::GetFederationToken),
            "GetSessionToken" => Some(Self::GetSessionToken),
            _ => None,
        }
    }

    /// Whether requests must be signed; the others bring a token.
    pub(crate) fn is_signed(self) -> bool {
        self != Self::AssumeRoleWithWebIdentity
    }
}

/// Parameters that the trail keeps: all but tokens and codes.
const PARAMETERS: &[&str] = &[
    "AccessKeyId",
    "DurationSeconds",
    "ExternalId",
    "Policy",
    "PolicyArns",
    "ProviderId",
    "RoleArn",
    "RoleSessionName",
    "SerialNumber",
    "SourceIdentity",
    "Tags",
    "TransitiveTagKeys",
];

/// Answers a request that carries its own proof of identity.
pub(crate) fn handle_unsigned(
    state: &State,
    parameters: &Parameters,
    note: &Note,
) -> Result<Xml, AwsError> {
    note.parameters(of_query(parameters, PARAMETERS));
    web_identity::assume(state, parameters, note)
}

/// Answers a request of a signed caller. `AssumeRoleWithWebIdentity` takes no
/// notice of a signature.
pub(crate) fn handle(
    state: &State,
    caller: &Caller,
    operation: Operation,
    parameters: &Parameters,
    note: &Note,
) -> Result<Xml, AwsError> {
    note.parameters(of_query(parameters, PARAMETERS));
    match operation {
        Operation::AssumeRole => assume_role::assume(state, caller, parameters, note),
        Operation::AssumeRoleWithWebIdentity => handle_unsigned(state, parameters, note),
        Operation::DecodeAuthorizationMessage => {
            authorization_message::decode(state, caller, parameters, note)
        }
        Operation::GetAccessKeyInfo => {
            caller_identity::of_access_key(state, caller, parameters, note)
        }
        Operation::GetCallerIdentity => Ok(caller_identity::describe(caller)),
        Operation::GetFederationToken => {
            session_token::refuse_sessions(caller, "GetFederationToken")?;
            Err(AwsError::no_operation("GetFederationToken", Some(VERSION)))
        }
        Operation::GetSessionToken => session_token::get(state, caller, parameters, note),
    }
}
