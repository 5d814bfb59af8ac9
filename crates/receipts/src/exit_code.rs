//! The exit codes of `longshore`. They are a contract: a code keeps its meaning.

/// How a run of `longshore` ended. Documented for users in `docs/exit-codes.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Everything asked for was done.
    Success = 0,
    /// A rehearsal ran to its end, and somebody got in who should not, or the
    /// publisher did not.
    RehearsalFailed = 1,
    /// The command line was not understood.
    Usage = 2,
    /// `longshore.toml`, the workflow or the Terraform root is missing, wrong or
    /// does not say enough.
    Configuration = 3,
    /// The source could not be read or compiled, or gave no usable binary.
    Build = 4,
    /// GitHub or AWS gave no identity, or refused the one offered.
    Identity = 5,
    /// The registry refused, failed or lied.
    Push = 6,
    /// A layout is damaged, or is not the one expected.
    Layout = 7,
    /// This machine: a full disk, a port in use, a file that cannot be read.
    Machine = 8,
    /// A check ran to its end, and found something at or above the severity
    /// that fails it.
    CheckFailed = 9,
    /// The program that `longshore emulator -- PROGRAM` ran failed, or was
    /// stopped.
    ProgramFailed = 10,
}

impl ExitCode {
    /// Every code, for the documentation.
    pub const ALL: [Self; 11] = [
        Self::Success,
        Self::RehearsalFailed,
        Self::Usage,
        Self::Configuration,
        Self::Build,
        Self::Identity,
        Self::Push,
        Self::Layout,
        Self::Machine,
        Self::CheckFailed,
        Self::ProgramFailed,
    ];

    /// One sentence for the documentation.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Success => "everything asked for was done",
            Self::RehearsalFailed => {
                "a rehearsal ended with somebody in who should not be, or the publisher out"
            }
            Self::Usage => "the command line was not understood",
            Self::Configuration => {
                "`longshore.toml`, the workflow or the Terraform root is missing, wrong or says too little"
            }
            Self::Build => "the source could not be read or compiled, or gave no usable binary",
            Self::Identity => "GitHub or AWS gave no identity, or refused the one offered",
            Self::Push => "the registry refused, failed or lied",
            Self::Layout => "a layout is damaged, or is not the one expected",
            Self::Machine => "this machine: a full disk, a port in use, an unreadable file",
            Self::CheckFailed => {
                "a check found something at or above the severity that fails it (`--fail-on`)"
            }
            Self::ProgramFailed => "the program that was run beside the emulator failed",
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
