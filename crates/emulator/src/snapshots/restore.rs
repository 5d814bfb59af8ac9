//! Back to a snapshot, or to the beginning.
//!
//! 1. The trail that is to be is laid out beside the present one.
//! 2. The gate closes: no request is under way from here on.
//! 3. All records are replaced in one transaction, which also notes that the
//!    trail is to be replaced. This is the moment at which the state changes.
//! 4. The trail is replaced, then the note goes. A kill between leaves the note,
//!    and the next start does this again (`settle`).
//! 5. What lives in memory follows: clock, faults, uploads. A kill ends that.

use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::Deserialize;

use super::{Snapshot, SnapshotError, SnapshotName, TRAIL, remove_all};
use crate::accounts;
use crate::activity;
use crate::clock::machine_time;
use crate::durable::sync_entries;
use crate::ecr::{self, Registry};
use crate::emulator::EmulatorError;
use crate::faults::Rules;
use crate::format::{self, FACTS, Upgrade};
use crate::garbage::collect;
use crate::seed::seed;
use crate::state::State;
use crate::store::{Store, StoreError, Writer};
use crate::trail::{Lengths, bring_back};

/// The fact that the trail is to be replaced.
const UNSETTLED: &str = "unsettled";
/// The directory that takes the place of the trail's.
const NEXT_TRAIL: &str = "trail.next";

/// What a reset takes away beside the state.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Reset {
    /// The snapshots too.
    snapshots: bool,
}

/// Goes back to a snapshot: all of it, or nothing has changed. Blocks.
pub(crate) fn restore(state: &State, name: &SnapshotName) -> Result<Snapshot, SnapshotError> {
    let snapshots = &state.snapshots;
    let _one_at_a_time = snapshots.lock();
    let kept = snapshots.read(name)?;
    let place = snapshots.place(name);
    // Who collects garbage has the records of all snapshots open.
    let _nothing_is_removed = state.collector.hold();
    let records = snapshots.open_records(name)?;
    let mut needed = ecr::tally(&records)?.blobs.into_iter();
    let missing = needed.find(|(digest, size)| !state.blobs.is_whole(digest, *size));
    if let Some((missing, _)) = missing {
        return Err(SnapshotError::BlobMissing(missing));
    }
    lay_out(state, &place.join(TRAIL), &kept.trail)?;
    let _nobody_is_under_way = state.gate.close();
    replace(state, Some(&records), |writer| {
        let upgrade = Upgrade {
            writer,
            data: &state.settings.data,
            default: &Registry::default_of(&state.settings),
            now: machine_time(),
        };
        upgrade.run()
    })?;
    let settled = finish(state);
    follow(state, kept.snapshot.offset_seconds, kept.faults);
    settled.map(|()| kept.snapshot)
}

/// Makes the state what it was at the first start with these settings: all of
/// it, or nothing has changed. The keys of root users stay. Blocks.
pub(crate) fn reset(state: &State, reset: Reset) -> Result<(), SnapshotError> {
    {
        let _one_at_a_time = state.snapshots.lock();
        lay_out(state, Path::new(""), &Lengths::new())?;
        let _nobody_is_under_way = state.gate.close();
        replace(state, None, |writer| {
            format::mark(writer)?;
            seed(writer, &state.settings, machine_time())
        })?;
        let settled = finish(state);
        follow(state, 0, Rules::default());
        settled?;
        if reset.snapshots {
            let _nobody_reads_their_records = state.collector.hold();
            for name in state.snapshots.names()? {
                state.snapshots.take_away(&name)?;
            }
        }
    }
    // What was there is garbage now. What cannot be removed goes later.
    if let Err(error) = collect(state) {
        tracing::error!(%error, "garbage stays");
    }
    Ok(())
}

/// Ends what a kill interrupted. `data` is in nobody's hands but the caller's.
pub(crate) fn settle(data: &Path, store: &Store) -> Result<(), EmulatorError> {
    let is_unsettled = store.read::<_, StoreError>(|reader| reader.get(&FACTS, UNSETTLED))?;
    if is_unsettled.is_some() {
        swap(data)?;
        forget(store)?;
    }
    Ok(remove_all(&data.join(NEXT_TRAIL))?)
}

/// Lays the trail of a snapshot out beside the present one.
fn lay_out(state: &State, kept: &Path, lengths: &Lengths) -> io::Result<()> {
    let data = &state.settings.data;
    let next = data.join(NEXT_TRAIL);
    remove_all(&next)?;
    bring_back(kept, lengths, &next)?;
    sync_entries(data)
}

/// Replaces all records. What is true of the emulator in every state is put
/// back: its account, and the keys of root users.
fn replace(
    state: &State,
    records: Option<&Store>,
    fill: impl FnOnce(&Writer) -> Result<(), EmulatorError>,
) -> Result<(), SnapshotError> {
    let account = &state.settings.account;
    let keys = state.store.read(accounts::root_keys)?;
    let replaced = state.store.replace(records, |writer| {
        fill(writer)?;
        writer.put(&FACTS, "account", account)?;
        accounts::put_back(writer, &keys)?;
        Ok::<_, EmulatorError>(writer.put(&FACTS, UNSETTLED, &String::new())?)
    });
    Ok(replaced?)
}

/// Puts the trail that was laid out in place.
fn finish(state: &State) -> Result<(), SnapshotError> {
    let data: PathBuf = state.settings.data.clone();
    let replaced = state.trail.replace(move || swap(&data));
    replaced.map_err(SnapshotError::Trail)?;
    Ok(forget(&state.store)?)
}

/// What is there only while the emulator runs becomes what goes with the records.
fn follow(state: &State, clock_offset: i64, faults: Rules) {
    state.clock.set_offset(clock_offset);
    state.faults.replace(faults);
    state.lifecycle.forget();
    state.blobs.forget();
    activity::keep(state);
}

/// Can be done again, wherever it was interrupted.
fn swap(data: &Path) -> io::Result<()> {
    let (trail, next) = (data.join(TRAIL), data.join(NEXT_TRAIL));
    if next.exists() {
        remove_all(&trail)?;
        fs::rename(&next, &trail)?;
        sync_entries(data)?;
    }
    Ok(())
}

fn forget(store: &Store) -> Result<(), StoreError> {
    store.write(|writer| writer.remove(&FACTS, UNSETTLED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kill_between_the_records_and_the_trail_is_mended_at_the_next_start() {
        let data = tempfile::tempdir().unwrap();
        let at = |path: &str| data.path().join(path);
        let is_old = || at("trail/old").exists();
        let store = Store::open(&at("state.redb")).unwrap();
        for directory in ["trail", NEXT_TRAIL] {
            fs::create_dir(at(directory)).unwrap();
        }
        fs::write(at("trail/old"), "").unwrap();
        // The kill came before the records changed.
        settle(data.path(), &store).unwrap();
        assert!(is_old() && !at(NEXT_TRAIL).exists());

        // It came after they had.
        fs::create_dir(at(NEXT_TRAIL)).unwrap();
        let note = |writer: &Writer| writer.put(&FACTS, UNSETTLED, &String::new());
        store.write::<_, StoreError>(note).unwrap();
        settle(data.path(), &store).unwrap();
        assert!(!is_old() && !at(NEXT_TRAIL).exists());

        // It came after the trail had changed too, or before its last part.
        fs::write(at("trail/old"), "").unwrap();
        store.write::<_, StoreError>(note).unwrap();
        settle(data.path(), &store).unwrap();
        assert!(is_old());
        fs::remove_dir_all(at("trail")).unwrap();
        fs::create_dir(at(NEXT_TRAIL)).unwrap();
        store.write::<_, StoreError>(note).unwrap();
        settle(data.path(), &store).unwrap();
        assert!(at("trail").exists());
        let fact = store.read::<_, StoreError>(|reader| reader.get(&FACTS, UNSETTLED));
        assert_eq!(fact.unwrap(), None);
    }
}
