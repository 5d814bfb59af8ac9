//! Policies carried out.
//!
//! Nothing runs in the background: whoever is about to look at a repository
//! calls `catch_up`, and finds it as the evaluations that were due have left it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::super::changes::Changes;
use super::super::contents::Contents;
use super::super::records::{REPOSITORIES, Repository, registry_of, repository_key};
use super::super::{EcrError, Registry};
use super::Policy;
use super::evaluation::Effect;
use super::image::Image;
use super::schedule::{Event, point_before, step, walk};
use crate::state::State;
use crate::store::Writer;

/// Up to when policies were evaluated by this process.
#[derive(Debug)]
pub(crate) struct LifecycleClock {
    /// The last evaluation, in seconds since 1970.
    last: AtomicI64,
    /// Held while policies are evaluated.
    running: Mutex<()>,
}

impl Default for LifecycleClock {
    fn default() -> Self {
        Self {
            last: AtomicI64::new(i64::MIN),
            running: Mutex::new(()),
        }
    }
}

impl LifecycleClock {
    /// Forgets what was evaluated: the records were replaced, and say it
    /// themselves.
    pub(crate) fn forget(&self) {
        let lock = self.running.lock();
        let _nobody_evaluates = lock.unwrap_or_else(PoisonError::into_inner);
        self.last.store(i64::MIN, Ordering::Release);
    }
}

/// What was done to an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) registry: Registry,
    pub(crate) repository: String,
    pub(crate) digest: oci::Digest,
    /// Whether the image was archived; otherwise it is gone.
    pub(crate) archived: bool,
}

/// Which evaluations are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Those that were due since the last ones.
    Due,
    /// One more, now.
    Now,
}

/// Whether `catch_up` has anything to do, which may take the disk.
pub(crate) fn is_due(state: &State) -> bool {
    let point = point_before(state.clock.now()).as_second();
    state.lifecycle.last.load(Ordering::Acquire) != point
}

/// Carries out the evaluations that are due by the emulator's clock. Cheap when
/// none is. A failure is logged, and the next caller tries again.
pub(crate) fn catch_up(state: &State) {
    if !is_due(state) {
        return;
    }
    let now = state.clock.now();
    let point = point_before(now).as_second();
    let last = &state.lifecycle.last;
    let lock = state.lifecycle.running.lock();
    let _running = lock.unwrap_or_else(PoisonError::into_inner);
    if last.load(Ordering::Acquire) == point {
        return;
    }
    match evaluate_all(state, now, Wanted::Due) {
        // A clock that was moved back has its evaluations before it again.
        Ok(_) => last.store(point, Ordering::Release),
        Err(error) => tracing::error!(%error, "lifecycle policies were not carried out"),
    }
}

/// Evaluates all policies now, whether that is due or not: for a control.
pub(crate) fn run(state: &State) -> Result<Vec<Done>, EcrError> {
    catch_up(state);
    let lock = state.lifecycle.running.lock();
    let _running = lock.unwrap_or_else(PoisonError::into_inner);
    evaluate_all(state, state.clock.now(), Wanted::Now)
}

fn evaluate_all(state: &State, now: Timestamp, wanted: Wanted) -> Result<Vec<Done>, EcrError> {
    let with_policy = |(key, repository): (String, Repository)| {
        let is_wanted = repository.lifecycle.as_ref().is_some_and(|lifecycle| {
            wanted == Wanted::Now || lifecycle.evaluated() < point_before(now)
        });
        Some((registry_of(&key)?, repository)).filter(|_| is_wanted)
    };
    let repositories = state
        .store
        .read::<_, EcrError>(|reader| Ok(reader.list(&REPOSITORIES, "")?))?;
    let repositories: Vec<_> = repositories.into_iter().filter_map(with_policy).collect();
    if repositories.is_empty() {
        return Ok(Vec::new());
    }
    state.store.write(|writer| {
        let mut done = Vec::new();
        for (registry, repository) in &repositories {
            done.extend(evaluate_one(writer, registry, repository, now, wanted)?);
        }
        Ok(done)
    })
}

fn evaluate_one(
    writer: &Writer,
    registry: &Registry,
    repository: &Repository,
    now: Timestamp,
    wanted: Wanted,
) -> Result<Vec<Done>, EcrError> {
    let key = repository_key(registry, &repository.name);
    // It may have changed since it was listed.
    let Some(mut repository) = writer.get(&REPOSITORIES, &key)? else {
        return Ok(Vec::new());
    };
    let Some(lifecycle) = &mut repository.lifecycle else {
        return Ok(Vec::new());
    };
    let policy = match Policy::parse(&lifecycle.text) {
        Ok(policy) => policy,
        Err(error) => {
            tracing::error!(%error, %key, "a lifecycle policy that was kept cannot be read");
            return Ok(Vec::new());
        }
    };
    let contents = Contents::in_transaction(writer, registry, &repository.name)?;
    let mut images = Image::all(&contents, now);
    let events = match wanted {
        Wanted::Due => walk(&policy, images, lifecycle.evaluated(), now),
        Wanted::Now => step(&policy, &mut images, now),
    };
    lifecycle.last_evaluated = Some(match wanted {
        Wanted::Due => point_before(now),
        Wanted::Now => now,
    });
    writer.put(&REPOSITORIES, &key, &repository)?;
    for event in &events {
        apply(writer, registry, &repository, event)?;
    }
    Ok(events
        .into_iter()
        .map(|event| Done {
            registry: registry.clone(),
            repository: repository.name.to_string(),
            digest: event.digest,
            archived: event.effect == Effect::Archive,
        })
        .collect())
}

fn apply(
    writer: &Writer,
    registry: &Registry,
    repository: &Repository,
    event: &Event,
) -> Result<(), EcrError> {
    let changes = Changes::new(writer, registry, &repository.name);
    match event.effect {
        Effect::Expire => changes.remove_image(&event.digest)?,
        Effect::Archive => {
            if let Some(mut image) = changes.lookup().image(&event.digest)? {
                image.storage.archive(event.at);
                changes.update_image(&image)?;
            }
        }
    }
    Ok(())
}
