//! Progress of long work: bars where somebody watches, lines where a log is
//! kept, nothing where a machine reads.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use oci::Digest;
use pipeline::{Event, Stage};

use crate::arguments::Format;
use crate::printer;
use crate::settings::Settings;

/// Listens to a pipeline and shows how far it is.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    lines: bool,
    /// Size and bytes sent so far of each upload of this push.
    uploads: Mutex<BTreeMap<Digest, (u64, u64)>>,
}

impl Progress {
    pub(crate) fn new(settings: &Settings) -> Self {
        let people = settings.format == Format::Text;
        let watched = people && !settings.in_ci() && std::io::stderr().is_terminal();
        let bar = watched.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self {
            bar,
            lines: people && !watched,
            uploads: Mutex::default(),
        }
    }

    /// Shows one event.
    pub(crate) fn show(&self, event: &Event<'_>) {
        match event {
            Event::Stage(stage) => self.stage(*stage),
            Event::Compiled(progress) => self.compiled(progress),
            Event::Builder(line) => self.say(&format!("  {line}")),
            Event::NoReferrers => self.say(
                "the registry takes no referrers: bills of materials and provenance were left out",
            ),
            Event::Registry(event) => self.registry(event),
        }
    }

    /// Says one thing above the bar, or on a line.
    pub(crate) fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| printer::message(text)),
            None if self.lines => printer::message(text),
            None => {}
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn stage(&self, stage: Stage) {
        if let Some(bar) = &self.bar {
            bar.set_style(style("{spinner} {prefix} {wide_msg}"));
            bar.set_prefix(stage.title());
            bar.set_message("");
        } else if self.lines {
            printer::message(stage.title());
        }
    }

    fn compiled(&self, progress: &build::Progress<'_>) {
        if let Some(bar) = &self.bar {
            bar.set_style(style(
                "{spinner} {prefix} [{bar:30}] {pos}/{len} {wide_msg}",
            ));
            bar.set_length(progress.total as u64);
            bar.set_position(progress.finished as u64);
            bar.set_message(progress.package.to_owned());
        } else if self.lines && progress.finished.is_multiple_of(25) {
            let (finished, total) = (progress.finished, progress.total);
            printer::message(&format!("  {finished} of {total} packages"));
        }
    }

    fn registry(&self, event: &registry::Event) {
        if let registry::Event::Retrying { what, attempt, why } = event {
            self.say(&format!(
                "  {what}: attempt {attempt} failed, trying again: {why}"
            ));
        }
        let Some(bar) = &self.bar else { return };
        let mut uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            registry::Event::Started { digest, size } => {
                uploads.insert(*digest, (*size, 0));
                bar.set_style(style(
                    "{spinner} {prefix} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}",
                ));
            }
            registry::Event::Sent { digest, bytes } => {
                // A retry counts from zero again.
                uploads
                    .entry(*digest)
                    .and_modify(|(_, sent)| *sent = *bytes);
            }
            _ => return,
        }
        bar.set_length(uploads.values().map(|(size, _)| size).sum());
        bar.set_position(uploads.values().map(|(_, sent)| sent).sum());
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
