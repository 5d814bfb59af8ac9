//! Who asks: a token, claims, or a described run.

use std::io::Read;
use std::path::Path;

use audit::explain::{Evidence, KeySet, NotSigned, Signed};
use aws::{TokenError, WebIdentityToken, claims_of};
use fs_err as fs;
use github::{AWS_AUDIENCE, Caller, CallerKind, Minting, SubjectForm};
use receipts::{Problem, ProblemCode};
use serde_json::{Map, Value};

use super::{needed, not_explained};
use crate::arguments::{CallerName, Explain, Form};
use crate::commands::publish::{client, now};
use crate::project::Project;
use crate::settings::Settings;

/// What is read, and how much of it at most.
struct Input {
    name: &'static str,
    longest: u64,
    hint: &'static str,
}

const TOKEN: Input = Input {
    name: "token",
    longest: 64 * 1024,
    hint: "a token is one line of at most 20000 characters",
};

/// Two hundred keys with their certificates are less.
const KEY_SET: Input = Input {
    name: "key set",
    longest: 2 * 1024 * 1024,
    hint: "a key set is JSON with a few keys in it",
};

/// The region of a client that only asks GitHub, or STS who it is.
pub(crate) const ANY_REGION: &str = "us-east-1";

/// A caller with its claims.
pub(super) struct Asked {
    /// In words.
    pub(super) caller: String,
    pub(super) claims: Map<String, Value>,
    pub(super) evidence: Evidence,
    /// Where a key set was given.
    pub(super) signature: Option<Result<Signed, NotSigned>>,
}

/// The caller that the arguments, or the environment of a job, name.
pub(super) async fn find(
    arguments: &Explain,
    project: Result<&Project, &Problem>,
    settings: &Settings,
) -> Result<Asked, Problem> {
    let at = arguments.at.unwrap_or_else(now);
    if let Some(file) = &arguments.token_file {
        let text = read(file, &TOKEN)?;
        let token = WebIdentityToken::new(unwrapped(&text));
        let claims = token.decoded();
        let claims = claims.map_err(|error| unreadable(file, &error, "token"))?;
        return with_signature(arguments, &token, given(claims, Evidence::Token(at)));
    }
    if let Some(file) = &arguments.claims {
        let claims = claims_of(&read(file, &TOKEN)?);
        let claims = claims.map_err(|error| unreadable(file, &error, "claims"))?;
        return Ok(given(completed(claims), Evidence::Claims(at)));
    }
    let in_job = settings
        .environment
        .get("ACTIONS_ID_TOKEN_REQUEST_URL")
        .is_some();
    if arguments.caller.is_none() && in_job {
        let token = minted(settings).await?;
        let claims = token.decoded().map_err(|error| {
            Problem::new(
                ProblemCode::BadClaims,
                "nothing was explained: what GitHub sent is no token",
            )
            .caused_by(&error)
        })?;
        return with_signature(arguments, &token, given(claims, Evidence::Token(at)));
    }
    if arguments.jwks.is_some() {
        return Err(Problem::new(
            ProblemCode::BadClaims,
            "nothing was explained: `--jwks` verifies a token, and none was given",
        )
        .hint("give the token of a run with `--token-file FILE`"));
    }
    described(arguments, needed(project)?, at.as_second())
}

/// Pasted claims are often only those that a policy looks at: the issuer and the
/// audience of GitHub's tokens for AWS are filled in.
fn completed(claims: Map<String, Value>) -> Map<String, Value> {
    let mut all = Map::new();
    all.insert("iss".to_owned(), github::ISSUER.into());
    all.insert("aud".to_owned(), AWS_AUDIENCE.into());
    all.extend(claims);
    all
}

fn given(claims: Map<String, Value>, evidence: Evidence) -> Asked {
    Asked {
        caller: in_words(&claims),
        claims,
        evidence,
        signature: None,
    }
}

/// The same with its signature verified, where a key set was given.
fn with_signature(
    arguments: &Explain,
    token: &WebIdentityToken,
    asked: Asked,
) -> Result<Asked, Problem> {
    let Some(file) = &arguments.jwks else {
        return Ok(asked);
    };
    let keys = KeySet::parse(&read(file, &KEY_SET)?).map_err(|error| {
        Problem::new(
            ProblemCode::BadClaims,
            "nothing was explained: the key set cannot be read",
        )
        .caused_by(&error)
        .fact("file", file.display().to_string())
        .hint("save it as its issuer serves it: `curl -s https://token.actions.githubusercontent.com/.well-known/jwks > jwks.json`")
    })?;
    Ok(Asked {
        signature: Some(keys.verify(token.secret().expose())),
        ..asked
    })
}

/// The token of this very job.
async fn minted(settings: &Settings) -> Result<WebIdentityToken, Problem> {
    let client = client(&settings.environment, ANY_REGION).map_err(not_explained)?;
    client.github_token(AWS_AUDIENCE).await.map_err(|error| {
        Problem::new(
            ProblemCode::NoIdentity,
            "nothing was explained: GitHub gave no identity",
        )
        .caused_by(&error)
        .hint("give the job `permissions: id-token: write`")
        .hint("describe the run instead: `longshore explain --caller publisher`")
    })
}

/// A run beside the one that publishes, as GitHub would mint its token.
fn described(arguments: &Explain, project: &Project, now: i64) -> Result<Asked, Problem> {
    // No decision depends on the commit.
    let commit = "0".repeat(40);
    let job = project.publishing_job(&commit).map_err(not_explained)?;
    let kind = kind(arguments.caller.unwrap_or(CallerName::Publisher));
    let caller = Caller::beside(&job.run, kind);
    let minting = Minting {
        issuer: github::ISSUER.to_owned(),
        audience: Some(AWS_AUDIENCE.to_owned()),
        form: match arguments.form {
            Form::Name => SubjectForm::Name,
            Form::Immutable => SubjectForm::Immutable,
        },
        issued_at: now,
        token_id: String::new(),
    };
    let claims = github::claims(&caller.run, &minting);
    Ok(Asked {
        caller: format!("{kind}: {}", in_words(&claims)),
        evidence: if caller.run.gets_token() {
            Evidence::Described
        } else {
            Evidence::NoToken
        },
        claims,
        signature: None,
    })
}

fn kind(name: CallerName) -> CallerKind {
    match name {
        CallerName::Publisher => CallerKind::Publisher,
        CallerName::PullRequest => CallerKind::PullRequest,
        CallerName::ForkPullRequest => CallerKind::ForkPullRequest,
        CallerName::OtherBranch => CallerKind::OtherBranch,
        CallerName::Tag => CallerKind::Tag,
        CallerName::OtherEnvironment => CallerKind::OtherEnvironment,
        CallerName::SiblingRepository => CallerKind::SiblingRepository,
        CallerName::Stranger => CallerKind::Stranger,
        CallerName::RecycledName => CallerKind::RecycledName,
    }
}

/// `push to refs/heads/main of acme/portfolio`, as far as the claims say it.
pub(super) fn in_words(claims: &Map<String, Value>) -> String {
    let claim = |name: &str| claims.get(name).and_then(Value::as_str);
    let Some(repository) = claim("repository") else {
        return match claim("sub") {
            Some(subject) => format!("a run with the subject {subject}"),
            None => "a caller without a subject".to_owned(),
        };
    };
    let event = claim("event_name").unwrap_or("run").replace('_', " ");
    let on = claim("ref").map_or_else(String::new, |git_ref| format!(" on {git_ref}"));
    let environment =
        claim("environment").map_or_else(String::new, |name| format!(" in the environment {name}"));
    format!("{event}{on} of {repository}{environment}")
}

/// The token in what GitHub's service answers (`{"value": ..}`), or the text itself.
fn unwrapped(text: &str) -> String {
    let text = text.trim().trim_matches(['"', '\'', '`']).trim();
    let answer: Option<Value> = serde_json::from_str(text).ok();
    let value = answer.as_ref().and_then(|answer| answer["value"].as_str());
    value.unwrap_or(text).to_owned()
}

fn read(file: &Path, input: &Input) -> Result<String, Problem> {
    let io = |error: &std::io::Error| {
        Problem::new(
            ProblemCode::Io,
            "nothing was explained: the input cannot be read",
        )
        .caused_by(error)
        .fact("file", file.display().to_string())
    };
    let mut bytes = Vec::new();
    let result = if file == Path::new("-") {
        std::io::stdin()
            .take(input.longest + 1)
            .read_to_end(&mut bytes)
    } else {
        let opened = fs::File::open(file).map_err(|error| io(&error))?;
        opened.take(input.longest + 1).read_to_end(&mut bytes)
    };
    result.map_err(|error| io(&error))?;
    let wrong = |what: String| {
        Problem::new(
            ProblemCode::BadClaims,
            format!("nothing was explained: the input is {what}"),
        )
        .fact("file", file.display().to_string())
        .hint(input.hint)
    };
    if bytes.len() as u64 > input.longest {
        return Err(wrong(format!("longer than any {}", input.name)));
    }
    String::from_utf8(bytes).map_err(|_| wrong("not text".to_owned()))
}

fn unreadable(file: &Path, error: &TokenError, what: &str) -> Problem {
    let problem = Problem::new(
        ProblemCode::BadClaims,
        format!("nothing was explained: the {what} cannot be read"),
    )
    .caused_by(error)
    .fact("file", file.display().to_string());
    match (what, error) {
        ("token", TokenError::Parts(_)) => problem
            .hint("give the whole token, `header.payload.signature`")
            .hint("pass a payload or claims as `--claims FILE`"),
        ("token", _) => problem.hint("give the token as GitHub minted it, or its claims as `--claims FILE`"),
        _ => problem
            .hint("give a JSON object of claims, or the payload of a token as it stands between its two dots"),
    }
}
