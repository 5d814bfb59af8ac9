//! What a data directory is: the number of its format, and the way from older
//! formats to this one.

mod lookups;
mod pushes;
mod registries;

use std::path::Path;

use jiff::Timestamp;

use crate::blobs::UPLOADS;
use crate::ecr::Registry;
use crate::emulator::EmulatorError;
use crate::store::{StoreError, Table, Writer};

/// What a data directory is: `format`, `account` (the default one), and the ids
/// of the root keys, `administrator/ACCOUNT`; each a text.
pub(crate) const FACTS: Table<String> = Table::new("emulator/facts");

/// The steps, oldest first: the first one makes format 2 of format 1. A step
/// stays as it was written: it names tables and keys itself and reads records as
/// JSON, so that what the code calls them today does not matter.
const STEPS: [Step; 3] = [
    registries::add_to_keys,
    lookups::add,
    pushes::order_references,
];

type Step = fn(&Upgrade<'_, '_>) -> Result<(), EmulatorError>;

/// The format that this version reads and writes.
const FORMAT: usize = STEPS.len() + 1;

/// An upgrade under way: one change, so that it is whole or has not happened.
pub(crate) struct Upgrade<'a, 'w> {
    pub(crate) writer: &'a Writer<'w>,
    /// The data directory. Files may be read; they are written by nobody.
    pub(crate) data: &'a Path,
    /// The registry of the default account in the default region.
    pub(crate) default: &'a Registry,
    pub(crate) now: Timestamp,
}

/// Says that the records are of this format.
pub(crate) fn mark(writer: &Writer) -> Result<(), StoreError> {
    writer.put(&FACTS, "format", &FORMAT.to_string())
}

impl Upgrade<'_, '_> {
    /// Whether an emulator has worked here before: uploads have their place only
    /// after the first records are on disk, so these were there.
    fn is_not_new(&self) -> bool {
        self.data.join(UPLOADS).exists()
    }

    /// Makes the directory one of this format, or refuses one that a later
    /// version wrote.
    pub(crate) fn run(&self) -> Result<(), EmulatorError> {
        let found = match (
            self.writer.get(&FACTS, "format")?,
            self.writer.get(&FACTS, "account")?,
        ) {
            (Some(number), _) => number,
            (None, Some(_)) => "1".to_owned(),
            (None, None) if self.is_not_new() => return Err(EmulatorError::lost(self.data)),
            (None, None) => FORMAT.to_string(),
        };
        let Ok(number @ 1..=FORMAT) = found.parse::<usize>() else {
            let known = FORMAT;
            return Err(EmulatorError::Format { found, known });
        };
        let steps = &STEPS[number - 1..];
        steps.iter().try_for_each(|step| step(self))?;
        Ok(mark(self.writer)?)
    }
}
