//! A failure as machines read it, and the stable codes of all failures.

use std::fmt;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::{ExitCode, Explanation};

/// A failure: what happened, what did not, why, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Problem {
    /// The stable code, such as `E021`.
    pub code: ProblemCode,
    /// What did not happen, then what did: `nothing was pushed: AWS refused ...`.
    pub summary: String,
    /// The chain of causes, nearest first.
    pub causes: Vec<String>,
    /// What was known when it happened, as name and value. Never a secret.
    pub facts: Vec<(String, String)>,
    /// What to do next, most likely first.
    pub hints: Vec<String>,
    /// Where AWS refused an identity: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Box<Explanation>>,
}

impl Problem {
    /// A problem with nothing but its code and summary.
    pub fn new(code: ProblemCode, summary: impl Into<String>) -> Self {
        let (causes, facts, hints) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            code,
            summary: summary.into(),
            causes,
            facts,
            hints,
            explanation: None,
        }
    }

    /// Adds the error and the chain of its sources as causes.
    #[must_use]
    pub fn caused_by(mut self, error: &dyn std::error::Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            // Transparent wrappers repeat the text of what they wrap.
            if self.causes.last().is_none_or(|last| !last.ends_with(&text)) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    /// Adds something that was known.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl Into<String>) -> Self {
        self.facts.push((name.to_owned(), value.into()));
        self
    }

    /// Adds advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

macro_rules! problem_codes {
    ($($variant:ident = $code:literal, $exit:ident, $meaning:literal;)*) => {
        /// The stable codes. A code keeps its meaning; `docs/errors.md` has a
        /// paragraph on each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ProblemCode {
            $(#[doc = $meaning] $variant,)*
        }

        impl ProblemCode {
            /// Every code, for the documentation and its test.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The code as it is printed.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The exit code that goes with it.
            pub fn exit_code(self) -> ExitCode {
                match self { $(Self::$variant => ExitCode::$exit,)* }
            }

            /// What the code means, one sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

problem_codes! {
    NoConfiguration = "E001", Configuration, "There is no `longshore.toml` here or above.";
    BadConfiguration = "E002", Configuration, "`longshore.toml`, a flag or a variable has a wrong value.";
    BadTerraform = "E003", Configuration, "The Terraform root cannot be read.";
    TerraformSilent = "E004", Configuration, "The Terraform root does not say what a command needs, or says it in a way that cannot be known before an apply.";
    BadWorkflow = "E005", Configuration, "The workflow cannot be read, or has no job that could publish.";
    RoleUnknown = "E006", Configuration, "The role that was asked about cannot be found where it was looked for.";
    BadClaims = "E007", Usage, "A token, claims or a key set that were given cannot be read.";
    BadTrustPolicy = "E008", Usage, "A trust policy that was given cannot be read.";
    NothingUsed = "E009", Configuration, "The trail shows nothing that a policy of the role would have to allow.";
    NoSource = "E010", Build, "This is no git checkout with a commit.";
    DirtySource = "E011", Build, "The checkout has changes that are not committed.";
    CompileFailed = "E012", Build, "Cargo could not build the package.";
    UnusableBinary = "E013", Build, "The package gave no binary that runs in an empty image.";
    NotReproduced = "E014", Build, "The source was built again and gave another image than the one published.";
    BadSigningKey = "E015", Configuration, "The key that is to sign cannot be read, or did not sign.";
    Vulnerable = "E016", Build, "Packages that were compiled are known to be vulnerable.";
    NoAdvisories = "E017", Build, "What is known of packages that were compiled could not be read.";
    BaseNotPinned = "E018", Configuration, "The base image is not pinned in `longshore.lock`.";
    BaseUnusable = "E019", Build, "The base image cannot be read, or is not what was pinned.";
    NotReproducible = "E063", Build, "The program holds something of the machine or of the moment of its compile.";
    NoPlatform = "E064", Build, "This machine cannot compile for a platform of the image.";
    NoIdentity = "E020", Identity, "There is no identity to ask AWS or a registry with.";
    IdentityRefused = "E021", Identity, "AWS refused the GitHub identity.";
    IdentityInvalid = "E022", Identity, "AWS did not accept the token: its provider, audience, time or signature.";
    WrongAccount = "E023", Identity, "The identity belongs to another AWS account than the one configured.";
    AwsFailed = "E024", Identity, "AWS could not be reached, or failed.";
    RepositoryMissing = "E030", Push, "The repository does not exist in the registry.";
    PushDenied = "E031", Push, "The registry denied a request of the push.";
    TagTaken = "E032", Push, "An immutable tag already holds another digest.";
    RegistryLied = "E033", Push, "The registry answered with a digest that is not that of the bytes.";
    RegistryFailed = "E034", Push, "The registry could not be reached, or kept failing.";
    BadLayout = "E040", Layout, "The layout is incomplete, or its files are not what their digests say.";
    UnexpectedDigest = "E041", Layout, "The layout holds another image than the one expected.";
    DiskFull = "E050", Machine, "There is no space left on the disk.";
    PortInUse = "E051", Machine, "The address to listen on is taken or not of this machine.";
    Io = "E052", Machine, "A file or directory cannot be read or written.";
    EmulatorFailed = "E053", Machine, "The emulator could not open its data directory.";
    EmulatorSilent = "E054", Machine, "An emulator could not be asked, or its trail could not be read.";
    ProgramNotStarted = "E055", Machine, "The program that was to have the emulator did not start.";
    SnapshotUnusable = "E056", Machine, "The emulator has no such snapshot, has one of that name already, or cannot use it.";
    DockerfileFailed = "E060", Build, "The Dockerfile could not be built.";
    NoBuilder = "E061", Build, "There is no program that builds the Dockerfile, or it lacks a secret.";
    SecretInImage = "E062", Build, "A secret of the build is in the image.";
}

impl fmt::Display for ProblemCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for ProblemCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl JsonSchema for ProblemCode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ProblemCode".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let codes: Vec<_> = Self::ALL.iter().map(|code| code.as_str()).collect();
        schemars::json_schema!({ "type": "string", "enum": codes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique() {
        let mut codes: Vec<_> = ProblemCode::ALL.iter().map(|code| code.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ProblemCode::ALL.len());
    }

    #[test]
    fn the_chain_of_sources_becomes_the_causes() {
        #[derive(Debug)]
        struct Outer(std::io::Error);
        impl fmt::Display for Outer {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("outer")
            }
        }
        impl std::error::Error for Outer {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                Some(&self.0)
            }
        }
        let error = Outer(std::io::Error::other("inner"));
        let problem = Problem::new(ProblemCode::Io, "s").caused_by(&error);
        assert_eq!(problem.causes, ["outer", "inner"]);
    }
}
