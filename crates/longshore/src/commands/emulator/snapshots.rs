//! `longshore emulator snapshot`, `snapshots`, `restore` and `reset`.

use receipts::{ExitCode, Problem, Snapshot, Snapshots};
use reqwest::Method;
use serde_json::json;

use super::controls::Controls;
use crate::arguments::{Format, NamedSnapshot, Reset, TakenSnapshot};
use crate::printer;
use crate::render::snapshots as render;
use crate::settings::Settings;

/// Makes a snapshot, or deletes one.
pub(super) async fn take(
    arguments: &TakenSnapshot,
    settings: &Settings,
) -> Result<ExitCode, Problem> {
    let NamedSnapshot { name, address } = &arguments.snapshot;
    let url = address.url.as_deref();
    if arguments.delete {
        let controls = Controls::of(url, settings, "no snapshot was deleted")?;
        let name = controls.snapshot_name(name)?;
        let deletion = controls.request(Method::DELETE, &format!("snapshots/{name}"));
        controls.ask::<()>(deletion).await?;
        return show_all(settings, &all(&controls).await?);
    }
    let controls = Controls::of(url, settings, "no snapshot was made")?;
    let made = controls.request(Method::POST, "snapshots");
    let made: Snapshot = controls.ask(made.json(&json!({ "name": name }))).await?;
    show(settings, &made)
}

/// Lists snapshots.
pub(super) async fn list(url: Option<&str>, settings: &Settings) -> Result<ExitCode, Problem> {
    let controls = Controls::of(url, settings, "nothing was listed")?;
    show_all(settings, &all(&controls).await?)
}

/// Goes back to a snapshot.
pub(super) async fn restore(
    arguments: &NamedSnapshot,
    settings: &Settings,
) -> Result<ExitCode, Problem> {
    let url = arguments.address.url.as_deref();
    let controls = Controls::of(url, settings, "nothing was restored")?;
    let restored = controls.request(Method::POST, "restore");
    let restored = restored.json(&json!({ "name": arguments.name }));
    show(settings, &controls.ask(restored).await?)
}

/// Goes back to the beginning.
pub(super) async fn reset(arguments: &Reset, settings: &Settings) -> Result<ExitCode, Problem> {
    let url = arguments.address.url.as_deref();
    let controls = Controls::of(url, settings, "nothing was reset")?;
    let reset = controls.request(Method::POST, "reset");
    let wanted = json!({ "snapshots": arguments.snapshots });
    controls.ask::<()>(reset.json(&wanted)).await?;
    show_all(settings, &all(&controls).await?)
}

async fn all(controls: &Controls<'_>) -> Result<Snapshots, Problem> {
    let snapshots = controls.ask(controls.request(Method::GET, "snapshots"));
    Ok(Snapshots {
        snapshots: snapshots.await?,
    })
}

fn show(settings: &Settings, snapshot: &Snapshot) -> Result<ExitCode, Problem> {
    match settings.format {
        Format::Json => printer::json(snapshot),
        Format::Text | Format::Sarif => printer::data(&render::one(snapshot)),
    }
    Ok(ExitCode::Success)
}

fn show_all(settings: &Settings, snapshots: &Snapshots) -> Result<ExitCode, Problem> {
    match settings.format {
        Format::Json => printer::json(snapshots),
        Format::Text | Format::Sarif => printer::data(&render::all(snapshots)),
    }
    Ok(ExitCode::Success)
}
