//! What is kept, what leaves no trace, and who waits for whom.

use std::sync::Barrier;

use proptest::prelude::*;

use super::*;

const NUMBERS: Table<u32> = Table::new("numbers");
const NAMES: Table<String> = Table::new("names");

fn open() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("state.redb")).unwrap();
    (directory, store)
}

fn put(store: &Store, key: &str, number: u32) -> Result<(), StoreError> {
    store.write(|writer| writer.put(&NUMBERS, key, &number))
}

fn listed(store: &Store, prefix: &str) -> Vec<(String, u32)> {
    let listed = store.read::<_, StoreError>(|reader| reader.list(&NUMBERS, prefix));
    listed.unwrap()
}

/// An error that a change may end with.
fn refusal() -> StoreError {
    StoreError::Full {
        path: "refused".into(),
    }
}

#[test]
fn a_failed_write_leaves_no_trace_and_a_good_one_survives_a_restart() {
    let (directory, store) = open();
    put(&store, "a/1", 1).unwrap();
    let failed: Result<(), StoreError> = store.write(|writer| {
        writer.put(&NUMBERS, "a/2", &2)?;
        Err(refusal())
    });
    assert!(failed.is_err());
    drop(store);

    let reopened = Store::open(&directory.path().join("state.redb")).unwrap();
    assert_eq!(listed(&reopened, "a/"), [("a/1".to_owned(), 1)]);
}

#[test]
fn a_list_ends_where_its_prefix_ends() {
    let (_directory, store) = open();
    store
        .write::<_, StoreError>(|writer| {
            for (key, number) in [("a/1", 1), ("a/2", 2), ("b/1", 3)] {
                writer.put(&NUMBERS, key, &number)?;
            }
            writer.remove(&NUMBERS, "a/1")
        })
        .unwrap();
    assert_eq!(listed(&store, "a/"), [("a/2".to_owned(), 2)]);
}

#[test]
fn a_second_opening_is_refused_as_locked() {
    let (directory, _first) = open();
    let path = directory.path().join("state.redb");
    assert!(matches!(Store::open(&path), Err(StoreError::Locked { .. })));
}

/// Holds a turn until `others` changes wait for theirs, runs all of them, and
/// returns how many commits that took.
fn commits_of(store: &Store, others: &(dyn Fn(usize) + Sync), count: usize) -> usize {
    let before = store.group.commits();
    let in_turn = Barrier::new(count + 1);
    std::thread::scope(|scope| {
        for number in 0..count {
            let in_turn = &in_turn;
            scope.spawn(move || {
                in_turn.wait();
                others(number);
            });
        }
        store
            .write::<_, StoreError>(|writer| {
                in_turn.wait();
                while store.group.waiting() < count {
                    std::thread::yield_now();
                }
                writer.put(&NUMBERS, "first", &0)
            })
            .unwrap();
    });
    store.group.commits() - before
}

#[test]
fn changes_that_come_together_share_a_commit() {
    let (_directory, store) = open();
    let change = |number: usize| put(&store, &format!("{number:02}"), 1).unwrap();
    assert_eq!(commits_of(&store, &change, 40), 1);
    assert_eq!(listed(&store, "").len(), 41);
}

#[test]
fn a_change_that_fails_or_panics_among_others_takes_none_with_it() {
    let (directory, store) = open();
    let change = |number: usize| {
        let key = format!("{number:02}");
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            store.write(|writer| {
                writer.put(&NUMBERS, &key, &1)?;
                assert!(!number.is_multiple_of(3), "a panic on purpose");
                if number % 3 == 1 {
                    Err(refusal())
                } else {
                    Ok(())
                }
            })
        }));
        match number % 3 {
            0 => assert!(done.is_err()),
            1 => assert!(done.unwrap().is_err()),
            _ => done.unwrap().unwrap(),
        }
    };
    assert_eq!(commits_of(&store, &change, 30), 1);
    drop(store);
    let store = Store::open(&directory.path().join("state.redb")).unwrap();
    let keys: Vec<String> = listed(&store, "").into_iter().map(|(key, _)| key).collect();
    let good = (0..30).filter(|number| number % 3 == 2);
    let mut expected: Vec<String> = good.map(|number| format!("{number:02}")).collect();
    expected.push("first".to_owned());
    assert_eq!(keys, expected);
}

#[test]
fn a_change_that_leaves_everything_as_it_is_is_not_committed() {
    let (_directory, store) = open();
    put(&store, "a", 1).unwrap();
    let before = store.group.commits();
    let change = |number| {
        store
            .write::<_, StoreError>(|writer| {
                writer.remove(&NUMBERS, "a")?;
                writer.put(&NUMBERS, "a", &number)?;
                writer.remove(&NUMBERS, "b")?;
                writer.leave_out_unchanged()
            })
            .unwrap();
        store.group.commits() - before
    };
    assert_eq!(change(1), 0);
    assert_eq!(change(2), 1);
    assert_eq!(listed(&store, ""), [("a".to_owned(), 2)]);
}

#[test]
fn readers_see_what_was_committed_and_wait_for_nobody() {
    let (_directory, store) = open();
    put(&store, "a", 1).unwrap();
    store
        .write::<_, StoreError>(|writer| {
            writer.put(&NUMBERS, "a", &2)?;
            assert_eq!(listed(&store, ""), [("a".to_owned(), 1)]);
            Ok(())
        })
        .unwrap();
    assert_eq!(listed(&store, ""), [("a".to_owned(), 2)]);
}

#[test]
fn counting_from_many_threads_loses_nothing() {
    let (_directory, store) = open();
    put(&store, "sum", 0).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    store
                        .write::<_, StoreError>(|writer| {
                            let sum = writer.get(&NUMBERS, "sum")?.unwrap();
                            writer.put(&NUMBERS, "sum", &(sum + 1))
                        })
                        .unwrap();
                }
            });
        }
    });
    assert_eq!(listed(&store, ""), [("sum".to_owned(), 400)]);
}

#[test]
fn after_a_failure_of_the_disk_the_next_change_opens_the_file_again() {
    let (_directory, store) = open();
    put(&store, "kept", 1).unwrap();
    let lost = store.write(|writer| {
        writer.put(&NUMBERS, "lost", &2)?;
        let broken = std::io::Error::from(std::io::ErrorKind::StorageFull);
        Err::<(), _>(store.database.error(redb::Error::Io(broken)))
    });
    assert!(matches!(lost, Err(StoreError::Full { .. })), "{lost:?}");
    put(&store, "next", 3).unwrap();
    let expected = [("kept".to_owned(), 1), ("next".to_owned(), 3)];
    assert_eq!(listed(&store, ""), expected);
}

#[test]
fn a_file_that_is_no_database_is_called_damaged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    fs_err::write(&path, vec![7; 100_000]).unwrap();
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(
        error.to_string().contains("state.redb is damaged"),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))] // each syncs the disk twice

    /// Within a change, reading gives what the change has made of the state.
    #[test]
    fn a_change_sees_its_own_writes(
        before in prop::collection::btree_map("[ab]{1,3}", any::<u32>(), 0..6),
        changes in prop::collection::vec(("[ab]{1,3}", prop::option::of(any::<u32>())), 0..12),
        prefix in "[ab]{0,2}",
        (after, limit) in ("[ab]{0,3}", 1..4_usize),
    ) {
        let (_directory, store) = open();
        let mut model = before.clone();
        store.write::<_, StoreError>(|writer| {
            before.iter().try_for_each(|(key, number)| writer.put(&NUMBERS, key, number))
        }).unwrap();
        let (seen, page, one) = store.write::<_, StoreError>(|writer| {
            for (key, change) in &changes {
                match change {
                    Some(number) => writer.put(&NUMBERS, key, number)?,
                    None => writer.remove(&NUMBERS, key)?,
                }
                writer.put(&NAMES, key, key)?;
            }
            Ok((
                writer.list(&NUMBERS, &prefix)?,
                writer.page(&NUMBERS, &prefix, &after, limit)?,
                writer.get(&NUMBERS, "a")?,
            ))
        }).unwrap();
        for (key, change) in changes {
            match change {
                Some(number) => model.insert(key, number),
                None => model.remove(&key),
            };
        }
        prop_assert_eq!(one, model.get("a").copied());
        let of_prefix = |(key, _): &(String, u32)| key.starts_with(&prefix);
        let expected: Vec<_> = model.clone().into_iter().filter(of_prefix).collect();
        let behind = expected.iter().filter(|(key, _)| *key > after);
        prop_assert_eq!(page, behind.take(limit).cloned().collect::<Vec<_>>());
        prop_assert_eq!(seen, expected);
        prop_assert_eq!(listed(&store, ""), model.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_copy_is_of_one_moment_and_a_replacement_is_whole_or_not_at_all() {
    let (directory, store) = open();
    put(&store, "a", 1).unwrap();
    let copy = store.copy_to(&directory.path().join("copy.redb")).unwrap();
    put(&store, "a", 2).unwrap();
    let name = |writer: &Writer| writer.put(&NAMES, "n", &"new".to_owned());
    store.write::<_, StoreError>(name).unwrap();
    assert_eq!(listed(&copy, ""), [("a".to_owned(), 1)]);

    let failed: Result<(), StoreError> = store.replace(Some(&copy), |writer| {
        assert_eq!(writer.get(&NUMBERS, "a")?, Some(1));
        Err(refusal())
    });
    assert!(failed.is_err());
    assert_eq!(listed(&store, ""), [("a".to_owned(), 2)]);

    let work = |writer: &Writer| writer.put(&NUMBERS, "b", &3);
    store.replace::<_, StoreError>(Some(&copy), work).unwrap();
    drop(store);
    let store = Store::open(&directory.path().join("state.redb")).unwrap();
    let expected = [("a".to_owned(), 1), ("b".to_owned(), 3)];
    assert_eq!(listed(&store, ""), expected);
    let name = store.read::<_, StoreError>(|reader| reader.get(&NAMES, "n"));
    assert_eq!(name.unwrap(), None);
    store.replace::<_, StoreError>(None, |_| Ok(())).unwrap();
    assert_eq!(listed(&store, ""), []);
}

#[test]
fn who_shares_the_transaction_of_a_replacement_that_fails_is_told() {
    let (directory, store) = open();
    put(&store, "kept", 1).unwrap();
    let copy = store.copy_to(&directory.path().join("copy.redb")).unwrap();
    let store = &store;
    let has_turn = &Barrier::new(2);
    std::thread::scope(|scope| {
        // It keeps its turn until the other waits, so that both share a transaction.
        let shared = scope.spawn(move || {
            store.write(|writer| {
                has_turn.wait();
                while store.group.waiting() == 0 {
                    std::thread::yield_now();
                }
                writer.put(&NUMBERS, "shared", &2)
            })
        });
        has_turn.wait();
        let failed = store.replace(Some(&copy), |_| Err::<(), _>(refusal()));
        assert!(failed.is_err());
        let told = shared.join().unwrap();
        assert!(
            matches!(told, Err(StoreError::NotReplaced { .. })),
            "{told:?}"
        );
    });
    assert_eq!(listed(store, ""), [("kept".to_owned(), 1)]);
}
