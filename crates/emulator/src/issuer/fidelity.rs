//! How near the issuer of tokens is to GitHub's.

use crate::fidelity::Fidelity::{Documented, Inferred, NotEmulated};
use crate::fidelity::{Chapter, Row};

/// The chapter about GitHub's issuer.
pub(crate) fn fidelity() -> Chapter {
    Chapter {
        title: "GitHub's issuer",
        about: "Under `/github`, and at the host `token.actions.githubusercontent.com`. \
                Anything else is 404."
            .to_owned(),
        calls: CALLS.to_vec(),
        behaviours: BEHAVIOURS,
        deviations: &[],
    }
}

#[rustfmt::skip] // one line for each, to be read as a table
const CALLS: &[Row] = &[
    ("GET /.well-known/openid-configuration", Documented("the document that GitHub publishes; `jwks_uri` leads to the emulator")),
    ("GET /.well-known/jwks", Documented("RFC 7517; the keys are the emulator's own")),
    ("GET ACTIONS_ID_TOKEN_REQUEST_URL&audience=AUDIENCE", Documented("GitHub Docs, OpenID Connect reference; `@actions/core`")),
];

#[rustfmt::skip] // one line for each, to be read as a table
const BEHAVIOURS: &[Row] = &[
    ("claims of a run, for every kind of event", Documented("GitHub Docs, OpenID Connect reference")),
    ("the subject, in its name form and its immutable form", Documented("GitHub Docs, OpenID Connect reference; GitHub Changelog, 23 April 2026")),
    ("the audience where none is asked for", Documented("GitHub Docs: the URL of the repository's owner")),
    ("runs that get no token", Documented("GitHub Docs, pull requests of forks")),
    ("errors", Inferred("401 and a message in the form of GitHub's REST API")),
    ("subjects of a template of the repository or organization", NotEmulated("a token with exactly the claims that are given is minted by `/_longshore/tokens`")),
    ("protection of environments and approvals", NotEmulated("a run is what its registration says")),
];
