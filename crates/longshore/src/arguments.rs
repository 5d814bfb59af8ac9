//! What can be typed.

mod named;

use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::path::PathBuf;

use ::emulator::TlsName;
use clap::builder::{StringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use oci::{Digest, Platform};
use pipeline::{Archive, RegistryAddress};

pub(crate) use named::{ExpectedDigest, GivenBinary};

/// A commit to a published image in Amazon ECR, with short-lived identities.
#[derive(Debug, Parser)]
#[command(
    name = "longshore",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
#[command(
    after_help = "Exit codes: docs/exit-codes.md. Every failure prints a code explained in docs/errors.md."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Where to look for longshore.toml: here, then in the directories above
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        default_value = ".",
        help_heading = "Global"
    )]
    pub(crate) directory: PathBuf,

    /// What to print: text for people, or one JSON document on stdout; `check` writes SARIF too
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Global"
    )]
    pub(crate) format: Format,
}

/// For whom the output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// People.
    Text,
    /// Machines: one JSON document on stdout, nothing else there.
    Json,
    /// Code scanning: SARIF 2.1.0 on stdout; `check` only.
    Sarif,
}

impl Arguments {
    /// Reads the command line; an error is clap's, help and version included.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        let arguments = Self::try_parse()?;
        if arguments.format == Format::Sarif && !matches!(arguments.command, Command::Check(_)) {
            let message = "only `check` writes SARIF: the other commands have `text` and `json`";
            return Err(Self::command().error(ErrorKind::ArgumentConflict, message));
        }
        Ok(arguments)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Build the image of this commit into an OCI layout; needs no credentials
    Build(Build),
    /// Pin the base image in longshore.lock, and tell what changed in it
    Base(BaseArguments),
    /// Push an image to ECR as this workflow run, then set its tags
    Publish(Publish),
    /// Run the repository's own workflow against the built-in AWS, for every caller
    Rehearse(Rehearse),
    /// Check workflows, Terraform and policies together: who gets in, who is kept out
    Check(Check),
    /// Explain why AWS refused a caller, or would, and what to change
    Explain(Explain),
    /// Run the built-in AWS in the foreground, for docker, aws and terraform; or ask one about roles and snapshots
    Emulator(EmulatorArguments),
}

#[derive(Debug, Args)]
pub(crate) struct Build {
    /// Only the image of this name, where longshore.toml has several; can be repeated
    #[arg(long = "image", value_name = "NAME")]
    pub(crate) images: Vec<String>,
    /// Where the layout goes
    #[arg(long, value_name = "DIR", default_value = "target/longshore/layout")]
    pub(crate) layout: PathBuf,
    /// Write the image as one file too: `oci:FILE` for skopeo and podman,
    /// `docker:FILE` for `docker load`
    #[arg(long, value_name = "FORM:FILE")]
    pub(crate) archive: Vec<Archive>,
    /// Build nothing; name every input that is not that of the published image
    #[arg(long, conflicts_with_all = ["archive", "verify"], group = "compared")]
    pub(crate) why: bool,
    /// Compile everything again, and compare the image with this published one
    #[arg(long, value_name = "DIGEST", group = "compared")]
    pub(crate) verify: Option<Digest>,
    /// What --why and --verify compare with is in this registry instead of ECR, as `longshore publish --to` has it
    #[arg(long, value_name = "HOST[:PORT]/REPOSITORY", value_parser = Unquoted, requires = "compared")]
    pub(crate) to: Option<RegistryAddress>,
    /// Only the image of this platform, of those in `image.platforms`: no index
    #[arg(long, value_name = "PLATFORM")]
    pub(crate) platform: Option<Platform>,
    /// Take this program for a platform, compiled elsewhere, instead of compiling it; of several images `NAME@linux/arm64=FILE`; can be repeated
    #[arg(long = "binary", value_name = "[NAME@]PLATFORM=FILE")]
    pub(crate) binaries: Vec<GivenBinary>,
    /// Build although files differ from the commit; the image says so
    #[arg(long)]
    pub(crate) allow_dirty: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BaseArguments {
    #[command(subcommand)]
    pub(crate) command: BaseCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BaseCommand {
    /// Look up what `image.base` names now, and write its digests to longshore.lock; builds use nothing else
    Update,
}

#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  longshore publish                                   build this commit, then push it\n  longshore publish --layout DIR --digest sha256:...  push what another job built\n  longshore publish --to localhost:5000/team/app      push to another registry; AWS is not asked\n  longshore publish --dry-run                         show the plan, push nothing"
)]
pub(crate) struct Publish {
    /// Only the image of this name, where longshore.toml has several; can be repeated
    #[arg(long = "image", value_name = "NAME")]
    pub(crate) images: Vec<String>,
    /// Push this layout instead of building; needs --digest
    #[arg(long, value_name = "DIR", requires = "digests")]
    pub(crate) layout: Option<PathBuf>,
    /// What `longshore build` printed for the layout: the digest, or `NAME@DIGEST` of each of several images, with commas between
    #[arg(
        long = "digest",
        value_name = "[NAME@]DIGEST",
        requires = "layout",
        value_delimiter = ','
    )]
    pub(crate) digests: Vec<ExpectedDigest>,
    /// Push to this registry instead of ECR, with the login that `docker login` keeps; several images go below it, each to /NAME
    #[arg(long, value_name = "HOST[:PORT]/REPOSITORY", value_parser = Unquoted)]
    pub(crate) to: Option<RegistryAddress>,
    /// Take this program for a platform, compiled elsewhere, instead of compiling it; of several images `NAME@linux/arm64=FILE`; can be repeated
    #[arg(
        long = "binary",
        value_name = "[NAME@]PLATFORM=FILE",
        conflicts_with = "layout"
    )]
    pub(crate) binaries: Vec<GivenBinary>,
    /// Print the plan and stop
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Publish although files differ from the commit; the tag says so, and no moving tag moves
    #[arg(long)]
    pub(crate) allow_dirty: bool,
    /// Write the receipt to this file too
    #[arg(long, value_name = "FILE")]
    pub(crate) receipt: Option<PathBuf>,
}

/// Reads an address without showing it again where it is wrong: people put
/// passwords into addresses.
#[derive(Debug, Clone)]
struct Unquoted;

impl TypedValueParser for Unquoted {
    type Value = RegistryAddress;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<RegistryAddress, clap::Error> {
        let text = StringValueParser::new().parse_ref(command, argument, value)?;
        text.parse().map_err(|error| {
            let name = argument.map(ToString::to_string).unwrap_or_default();
            clap::Error::raw(ErrorKind::ValueValidation, format!("{name}: {error}\n"))
                .with_cmd(command)
        })
    }
}

#[derive(Debug, Args)]
pub(crate) struct Rehearse {
    /// Only the image of this name, where longshore.toml has several; can be repeated
    #[arg(long = "image", value_name = "NAME")]
    pub(crate) images: Vec<String>,
    /// Take this program for a platform, compiled elsewhere, instead of compiling it; of several images `NAME@linux/arm64=FILE`; can be repeated
    #[arg(long = "binary", value_name = "[NAME@]PLATFORM=FILE")]
    pub(crate) binaries: Vec<GivenBinary>,
    /// Keep the emulator's data here, to look at its trail and its registry
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(
    after_long_help = "Without --directory, the nearest directory from here upwards with longshore.toml, .git or .github/workflows is checked; with it, exactly that one. docs/check.md explains findings, formats and suppressions.\n\nExamples:\n  longshore check                                     findings, worst first\n  longshore check --prove                             and who exactly can assume each role\n  longshore check --format sarif > longshore.sarif    for code scanning\n  longshore check --explain trust-name-only           what a rule means, and what to write instead"
)]
pub(crate) struct Check {
    /// Prove for each role who is admitted, and compare it with the workflows
    #[arg(long)]
    pub(crate) prove: bool,
    /// The lowest severity that fails the check
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    pub(crate) fail_on: FailOn,
    /// Write a page to look at: who may do what, with the findings beside it
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
    /// Do not run zizmor on the workflows, even where it is installed
    #[arg(long)]
    pub(crate) no_zizmor: bool,
    /// Check nothing, and print the page that explains this rule
    #[arg(long, value_name = "RULE", conflicts_with_all = ["prove", "fail_on", "report", "no_zizmor"])]
    pub(crate) explain: Option<String>,
}

/// The severities of findings, mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Anything at all.
    Note,
    /// What is weaker than it should be, and worse.
    Warning,
    /// What lets someone in, or keeps out who should come in.
    Error,
}

#[derive(Debug, Args)]
#[command(
    after_long_help = "Without options, the run that publishes is explained before the role that publishes, both read from the project; in a job with `id-token: write` its own token is. Exit code 0: admitted; 5: refused. A token is decoded here, never printed, never sent, and verified where --jwks gives the keys of its issuer. docs/explain.md lists what can stand in the way.\n\nExamples:\n  longshore explain --caller pull-request             a caller of the project, before its role\n  longshore explain --token-file token.txt            the token of a run that was refused\n  longshore explain --claims - --trust-policy t.json  pasted claims before a policy in a file\n  longshore explain --live                            before the role as AWS holds it now"
)]
pub(crate) struct Explain {
    /// The kind of run that asks
    #[arg(long, value_name = "CALLER", conflicts_with_all = ["token_file", "claims"])]
    pub(crate) caller: Option<CallerName>,
    /// The form of the subject that the repository mints
    #[arg(
        long,
        value_name = "FORM",
        default_value = "immutable",
        conflicts_with_all = ["token_file", "claims"]
    )]
    pub(crate) form: Form,
    /// Read the token of a run from this file, or from stdin with `-`
    #[arg(long, value_name = "FILE", conflicts_with = "claims")]
    pub(crate) token_file: Option<PathBuf>,
    /// Verify the token's signature with the issuer's key set (its /.well-known/jwks) in this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["caller", "claims"])]
    pub(crate) jwks: Option<PathBuf>,
    /// Read claims, or the payload of a token, from this file, or from stdin with `-`; issuer and audience are filled in
    #[arg(long, value_name = "FILE")]
    pub(crate) claims: Option<PathBuf>,
    /// The role that is asked for; a name is looked up where the trust policy is read
    #[arg(long, value_name = "NAME|ARN")]
    pub(crate) role: Option<String>,
    /// Take the role's trust policy from this JSON file instead of Terraform
    #[arg(long, value_name = "FILE.json", conflicts_with = "live")]
    pub(crate) trust_policy: Option<PathBuf>,
    /// Ask AWS for the role and its identity provider, with your own credentials
    #[arg(long)]
    pub(crate) live: bool,
    /// Judge the token as of this time, 2026-11-24T04:00:00Z, instead of now
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Timestamp>,
}

/// The callers that can be described by one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CallerName {
    /// The run that the workflow exists for
    Publisher,
    /// A pull request from a branch of the same repository
    PullRequest,
    /// A pull request from a fork
    ForkPullRequest,
    /// A push to another branch
    OtherBranch,
    /// A push of a tag
    Tag,
    /// A run of the publisher's branch in another environment
    OtherEnvironment,
    /// Another repository of the same owner
    SiblingRepository,
    /// A repository of somebody else
    Stranger,
    /// Somebody else's repository that took over the name
    RecycledName,
}

/// The forms of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// `repo:acme/api:...`, of older repositories
    Name,
    /// `repo:acme@1234/api@5678:...`, of those created, renamed or moved since 15 July 2026
    Immutable,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags are independent of each other"
)]
pub(crate) struct EmulatorArguments {
    #[command(subcommand)]
    pub(crate) command: Option<EmulatorCommand>,
    /// The address to listen on [default: 127.0.0.1:4566; with PROGRAM any free port]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where its state is kept
    #[arg(long, value_name = "DIR", default_value = "target/longshore/emulator")]
    pub(crate) data: PathBuf,
    /// Play this account too; can be given several times
    #[arg(long = "account", value_name = "ID")]
    pub(crate) accounts: Vec<String>,
    /// Start empty, for a real `terraform apply`, instead of with the resources of the Terraform root; this needs no `longshore.toml`
    #[arg(long)]
    pub(crate) empty: bool,
    /// Serve HTTPS, with a certificate of an authority of its own that clients are to trust
    #[arg(long)]
    pub(crate) tls: bool,
    /// One more name or address for the certificate; may be repeated
    #[arg(long = "tls-name", value_name = "NAME", requires = "tls")]
    pub(crate) tls_names: Vec<TlsName>,
    /// Turn on its controls: tokens for any caller, the clock, faults, snapshots, the trail; they are for this machine, and others need the secret it names
    #[arg(long)]
    pub(crate) controls: bool,
    /// Speak the plain distribution specification below `/v2/`, without ECR's deviations
    #[arg(long)]
    pub(crate) spec_registry: bool,
    /// Run this program with the variables set, and stop when it ends
    #[arg(last = true, value_name = "PROGRAM")]
    pub(crate) program: Vec<OsString>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EmulatorCommand {
    /// Tell what each role used of what it may do, and the smallest policy that suffices
    Usage(Usage),
    /// Keep the whole state of a running emulator under a name
    Snapshot(TakenSnapshot),
    /// List what was kept
    Snapshots(Address),
    /// Bring the state of a running emulator back to a snapshot
    Restore(NamedSnapshot),
    /// Bring a running emulator back to a fresh start
    Reset(Reset),
}

/// Which emulator is asked. Its controls must be on.
#[derive(Debug, Args)]
pub(crate) struct Address {
    /// The emulator's address; its controls must be on [default: `AWS_ENDPOINT_URL`, then 127.0.0.1:4566]
    #[arg(value_name = "URL")]
    pub(crate) url: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct NamedSnapshot {
    /// The snapshot's name: letters, digits, `.`, `_` and `-`
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) address: Address,
}

#[derive(Debug, Args)]
pub(crate) struct TakenSnapshot {
    #[command(flatten)]
    pub(crate) snapshot: NamedSnapshot,
    /// Delete it instead of making it
    #[arg(long)]
    pub(crate) delete: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Reset {
    #[command(flatten)]
    pub(crate) address: Address,
    /// Delete its snapshots too
    #[arg(long)]
    pub(crate) snapshots: bool,
}

#[derive(Debug, Args)]
#[command(
    after_long_help = "The trail and the roles are read from the emulator's files, while it runs and after it has stopped. docs/emulator.md explains what counts.\n\nExamples:\n  longshore emulator usage                                every role\n  longshore emulator usage --role publisher               one role\n  longshore emulator usage --role publisher --policy      its smallest policy, as JSON\n  longshore emulator usage http://127.0.0.1:4566          a running emulator with --controls"
)]
pub(crate) struct Usage {
    /// Ask a running emulator at this address, which must have its controls on, instead of reading its files
    #[arg(value_name = "URL", conflicts_with = "data")]
    pub(crate) url: Option<String>,
    /// Where the emulator keeps its state
    #[arg(long, value_name = "DIR", default_value = "target/longshore/emulator")]
    pub(crate) data: PathBuf,
    /// Only this role
    #[arg(long, value_name = "NAME|ARN")]
    pub(crate) role: Option<String>,
    /// Only calls from this time on, such as 2026-11-24T04:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Timestamp>,
    /// Write only the smallest policy that would have sufficed
    #[arg(long)]
    pub(crate) policy: bool,
}
