//! The configuration that counts, and where each value of it comes from.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::{self, Write as _};
use std::path::PathBuf;

use super::Config;
use super::mistake::Mistake;
use super::settings::{self, Setting};

/// A configuration without mistakes. Its `Display` is a configuration file that
/// says the same, secrets excepted.
#[derive(Debug, Default)]
pub struct Effective {
    /// The values.
    pub config: Config,
    /// Variables of OpenTelemetry that cannot be what they are: the default counts.
    pub ignored: Vec<Mistake>,
    /// The file that was read.
    pub(super) file: Option<PathBuf>,
    /// Where the values come from that are not the default, by key.
    origins: BTreeMap<&'static str, Origin>,
}

#[derive(Debug, Clone, Copy)]
enum Origin {
    File,
    Variable,
}

impl Effective {
    /// Takes a line of the file over. Lines come before variables.
    pub(super) fn take_line(&mut self, key: &str, value: Option<String>) -> Result<(), Mistake> {
        let setting = settings::of_key(key).ok_or_else(|| Mistake::UnknownKey(key.to_owned()))?;
        let value = value.ok_or_else(|| Mistake::Value {
            place: self.place_of_line(setting),
            expected: setting.expected,
            value: "a number with a fraction, a table or a list of such".to_owned(),
        })?;
        (setting.take)(&value, &mut self.config).ok_or_else(|| {
            Mistake::value(
                self.place_of_line(setting),
                setting.expected,
                &value,
                setting.hides(&value),
            )
        })?;
        self.origins.insert(setting.key, Origin::File);
        Ok(())
    }

    /// Takes a variable over.
    pub(super) fn take_variable(&mut self, name: &OsStr, value: &OsStr) -> Result<(), Mistake> {
        let name = name.to_string_lossy();
        let setting = settings::of_variable(&name)
            .ok_or_else(|| Mistake::UnknownVariable(name.into_owned()))?;
        value
            .to_str()
            .and_then(|value| (setting.take)(value, &mut self.config))
            .ok_or_else(|| {
                let value = value.to_string_lossy();
                Mistake::value(
                    setting.variable.to_owned(),
                    setting.expected,
                    &value,
                    setting.hides(&value),
                )
            })?;
        self.origins.insert(setting.key, Origin::Variable);
        Ok(())
    }

    fn place_of_line(&self, setting: &Setting) -> String {
        let file = self.file.as_deref().unwrap_or("the file".as_ref());
        format!("{} in {}", setting.key, file.display())
    }

    fn origin(&self, setting: &Setting) -> String {
        match (self.origins.get(setting.key), &self.file) {
            (None, _) => "default".to_owned(),
            (Some(Origin::File), Some(file)) => file.display().to_string(),
            (Some(_), _) => setting.variable.to_owned(),
        }
    }
}

impl fmt::Display for Effective {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for setting in settings::all() {
            let line = match (setting.show)(&self.config) {
                None => format!("# {} is not set", setting.key),
                Some(_) if setting.is_secret => format!("{} = \"***\"", setting.key),
                Some(value) => format!("{} = {}", setting.key, literal(&value)?),
            };
            let origin = self.origin(setting);
            writeln!(formatter, "{line:<48} # {origin}")?;
        }
        for mistake in &self.ignored {
            writeln!(formatter, "# the default counts: {mistake}")?;
        }
        Ok(())
    }
}

/// The value as TOML has it.
fn literal(value: &str) -> Result<String, fmt::Error> {
    if value.parse::<i64>().is_ok() {
        return Ok(value.to_owned());
    }
    let mut literal = String::from('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => write!(literal, "\\{character}")?,
            _ if character.is_control() => write!(literal, "\\u{:04X}", u32::from(character))?,
            _ => literal.push(character),
        }
    }
    literal.push('"');
    Ok(literal)
}
