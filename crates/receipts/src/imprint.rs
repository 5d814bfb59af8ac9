//! What a program holds of the machine that compiled it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::Location;

/// Something in a program that another machine or another day would not put there:
/// the same source gives another digest then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Imprint {
    /// What it is.
    pub kind: ImprintKind,
    /// The text.
    pub text: String,
    /// The section of the program that holds it, such as `.rodata`.
    pub section: String,
    /// The text with what stands before and after it.
    pub around: String,
    /// How many of this kind come from the same package.
    pub count: usize,
    /// The package that it comes from, as `NAME VERSION`; `None` where that cannot be
    /// told.
    pub package: Option<String>,
    /// The line that most likely brings it in, where that is one of the repository.
    pub location: Option<Location>,
    /// All of that in one sentence.
    pub message: String,
    /// What to change.
    pub fix: String,
}

/// The kinds of what breaks reproducibility.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ImprintKind {
    /// A path of the machine.
    Path,
    /// The time of the compile.
    Time,
    /// The name of the machine.
    HostName,
    /// The name of who compiled.
    UserName,
    /// Code of an incremental compile, which depends on earlier ones.
    Incremental,
}
