//! What a program holds of the machine and of the moment of its compile.
//!
//! The same source gives the same program only if nothing of that enters it. The
//! flags of the engine keep out what the compiler would put there; what build
//! scripts and macros bring along is seen in the finished program alone.

mod cause;
mod machine;
mod origin;
mod scan;
mod sources;
mod stamp;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::BuildError;
use cause::Cause;
use machine::Machine;
use origin::Origins;
use sources::Sources;

pub(crate) use origin::Compile;

/// So many are told apart; of a program that is full of them, these are enough.
const TOLD: usize = 20;

/// Something in a program that another machine or another day would not put there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imprint {
    /// What it is.
    pub kind: ImprintKind,
    /// The text.
    pub text: String,
    /// The section of the ELF file, such as `.rodata`.
    pub section: String,
    /// What stands around the text, with the text.
    pub around: String,
    /// How many of this kind come from the same package.
    pub count: usize,
    /// The package that it comes from, as `NAME VERSION`, where that can be told.
    pub package: Option<String>,
    /// The line that most likely brings it in: a file relative to the workspace, and
    /// a number from 1.
    pub place: Option<(String, usize)>,
    /// What to change.
    pub fix: String,
}

/// The kinds of what breaks reproducibility.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImprintKind {
    /// A path of this machine.
    Path,
    /// The time of the compile.
    Time,
    /// The name of this machine.
    HostName,
    /// The name of who compiled.
    UserName,
    /// Code of an incremental compile, which depends on earlier ones.
    Incremental,
}

impl ImprintKind {
    /// What people read: `a path of this machine`.
    pub fn title(self) -> &'static str {
        match self {
            Self::Path => "a path of this machine",
            Self::Time => "the time of the compile",
            Self::HostName => "the name of this machine",
            Self::UserName => "the name of the user",
            Self::Incremental => "code of an incremental compile",
        }
    }
}

/// What the program of `compile` at `path` holds, the first of each kind and package.
pub(crate) fn imprints(path: &Path, compile: &Compile<'_>) -> Result<Vec<Imprint>, BuildError> {
    let program = fs_err::read(path)?;
    let mut found = scan::scan(&program, &Machine::of(compile));
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let sources = Sources::of(compile);
    sources.remove_their_own(&mut found);
    let mut origins = Origins::new(compile);
    let mut told: BTreeMap<_, Imprint> = BTreeMap::new();
    for (found, count) in found {
        let origin = origins.of(&found);
        let name = origin.as_ref().map(|package| package.name.clone());
        let imprint = told.entry((found.kind, name.clone())).or_insert_with(|| {
            let Cause { place, fix } = Cause::of(&found, origin.as_ref(), &sources);
            Imprint {
                kind: found.kind,
                text: found.text,
                section: found.section,
                around: found.around,
                count: 0,
                package: name,
                place,
                fix,
            }
        });
        imprint.count += count;
    }
    Ok(told.into_values().take(TOLD).collect())
}

#[cfg(test)]
mod tests;
