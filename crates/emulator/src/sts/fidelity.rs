//! How near STS is to AWS's.

use crate::fidelity::Fidelity::{self, Documented, Inferred, NotEmulated};
use crate::fidelity::model::STS;
use crate::fidelity::{Chapter, Row, calls};

/// The chapter about STS.
pub(crate) fn fidelity() -> Chapter {
    Chapter {
        title: "STS",
        about: format!(
            "Calls of the service model {}. A call that is not here is an `InvalidAction`.",
            STS.version()
        ),
        calls: calls(STS, call),
        behaviours: BEHAVIOURS,
        deviations: &[],
    }
}

const API: Fidelity = Documented("API Reference");

fn call(operation: &str) -> Option<Fidelity> {
    Some(match operation {
        "AssumeRole" | "GetCallerIdentity" => API,
        "AssumeRoleWithWebIdentity" => Inferred(
            "the order of the checks: parameters, token, provider, audience, signature, times, \
             role and trust policy, duration",
        ),
        "DecodeAuthorizationMessage" => {
            Documented("API Reference; no message was ever encoded here, so none is valid")
        }
        "GetAccessKeyInfo" => {
            Inferred("only keys of this emulator are known; the sentence for others")
        }
        "GetSessionToken" => {
            Documented("API Reference; there are no MFA devices: a code is always wrong")
        }
        _ => return None,
    })
}

#[rustfmt::skip] // one line for each, to be read as a table
const BEHAVIOURS: &[Row] = &[
    ("audiences, thumbprints and providers by account", Documented("IAM User Guide, Create an OpenID Connect identity provider in IAM")),
    ("algorithms, and how many keys a set may have", Documented("IAM User Guide, Create an OpenID Connect identity provider in IAM")),
    ("keys of issuers other than GitHub's", NotEmulated("nothing is fetched: they are registered with `/_longshore/issuers`")),
    ("times in a token", Inferred("the clock gives no leeway")),
    ("the subject", Inferred("has at most 255 characters")),
    ("several audiences in a token", Inferred("the first that is admitted counts")),
    ("sentences for a bad signature, a missing claim, too many keys, a malformed session policy", Inferred("chosen")),
    ("session policies and their limits", Documented("API Reference, `Policy` and `PolicyArns`")),
    ("the packed size of session policies and tags", Inferred("that of the plain text: AWS packs in a form of its own")),
    ("session tags, and what a session passes on", Documented("IAM User Guide, Pass session tags in AWS STS; Monitor and control actions taken with assumed roles")),
    ("session tags and a source identity in a GitHub token", Inferred("would need `sts:TagSession` and `sts:SetSourceIdentity`, and are refused in those words")),
    ("a session of `GetSessionToken` before IAM", Inferred("is unknown, as documented for one without MFA; the error was chosen")),
    ("encoded messages of denials", NotEmulated("a denial is a sentence, never encoded")),
    ("form of tokens and keys", Inferred("those of AWS by length and prefix; they open nothing but this emulator")),
];
