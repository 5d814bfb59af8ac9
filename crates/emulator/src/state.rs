//! What every request works on, shared by all of them.

use crate::admin::ControlsSecret;
use crate::blobs::Blobs;
use crate::clock::Clock;
use crate::collect::Room;
use crate::ecr::LifecycleClock;
use crate::faults::Faults;
use crate::garbage::Collector;
use crate::gate::Gate;
use crate::issuer::Issuer;
use crate::registry::Behaviour;
use crate::settings::{Settings, Transport};
use crate::snapshots::Snapshots;
use crate::store::Store;
use crate::trail::Trail;

/// The emulator's state, shared as `Arc<State>`.
#[derive(Debug)]
pub(crate) struct State {
    /// What the emulator was started with.
    pub(crate) settings: Settings,
    /// Where clients reach the emulator, `http://127.0.0.1:PORT`.
    pub(crate) base_url: String,
    /// What opens the controls to other machines; `None` where they are off.
    pub(crate) controls: Option<ControlsSecret>,
    /// Room for the bodies of calls.
    pub(crate) room: Room,
    /// Keeps requests apart from changes of the whole state.
    pub(crate) gate: Gate,
    /// Faults that are injected on purpose.
    pub(crate) faults: Faults,
    /// Records.
    pub(crate) store: Store,
    /// Layers and manifests.
    pub(crate) blobs: Blobs,
    /// The time.
    pub(crate) clock: Clock,
    /// Removes garbage.
    pub(crate) collector: Collector,
    /// What the state was.
    pub(crate) snapshots: Snapshots,
    /// When lifecycle policies were evaluated.
    pub(crate) lifecycle: LifecycleClock,
    /// GitHub's signing key and runs.
    pub(crate) issuer: Issuer,
    /// How the registry speaks.
    pub(crate) behaviour: &'static Behaviour,
    /// Who did what.
    pub(crate) trail: Trail,
}

impl State {
    /// Whether clients speak TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.settings.transport != Transport::Plain
    }
}
