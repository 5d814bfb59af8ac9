use std::net::{IpAddr, Ipv4Addr};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A moment that is no whole minute.
const START: i64 = 1_764_000_017;

fn address(number: u32) -> ClientAddress {
    ClientAddress(IpAddr::V4(Ipv4Addr::from_bits(number)))
}

#[test]
fn a_full_allowance_at_the_end_of_an_hour_is_followed_by_none_at_its_beginning() {
    let mut limits = Limits::new(10, 300);
    let end = START - START.rem_euclid(3600) + 3599;
    for _ in 0..10 {
        assert_eq!(limits.take(address(1), end, false), Ok(()));
    }
    let pause = limits
        .take(address(1), end + 1, false)
        .expect_err("a pause");
    assert!((3599..=3660).contains(&pause), "{pause}");
    assert!(limits.take(address(1), end + 3599, false).is_err());
    assert_eq!(limits.take(address(1), end + 3660, false), Ok(()));
}

#[test]
fn what_is_trapped_counts_for_its_address_only() {
    let mut limits = Limits::new(10, 5);
    for number in 0..5 {
        for _ in 0..10 {
            assert_eq!(limits.take(address(number), START, true), Ok(()));
        }
        assert!(limits.take(address(number), START, false).is_err());
    }
    for _ in 0..5 {
        assert_eq!(limits.take(address(9), START, false), Ok(()));
    }
    assert!(limits.take(address(9), START, false).is_err());
}

#[test]
fn what_could_not_be_kept_does_not_count() {
    let mut limits = Limits::new(1, 1);
    for _ in 0..5 {
        assert_eq!(limits.take(address(1), START, false), Ok(()));
        limits.give_back(address(1), START);
    }
    assert_eq!(limits.take(address(2), START, false), Ok(()));
    // Forgotten in the meantime.
    limits.give_back(address(1), START - 7200);
    assert!(limits.take(address(3), START, false).is_err());
}

#[test]
fn addresses_from_which_nothing_is_kept_take_only_so_much_memory_and_are_forgotten() {
    let mut limits = Limits::new(10, 300);
    for number in 0..20_000 {
        assert_eq!(limits.take(address(number), START, true), Ok(()));
    }
    assert_eq!(limits.by_address.len(), MOST_TRAPPED);
    assert_eq!(limits.take(address(0), START + 3700, false), Ok(()));
    assert_eq!(limits.by_address.len(), 1);
}

#[test]
fn a_clock_that_was_wrong_is_forgiven() {
    let mut limits = Limits::new(1, 1);
    assert_eq!(limits.take(address(1), START + 86_400, false), Ok(()));
    assert_eq!(limits.take(address(1), START, false), Ok(()));
    assert!(limits.take(address(1), START - 1, false).is_err());
}

/// Seconds since the one before, an address, and whether it is trapped.
fn messages() -> impl Strategy<Value = Vec<(i64, u32, bool)>> {
    vec((0..900_i64, 0..3_u32, any::<bool>()), 0..120)
}

proptest! {
    #[test]
    fn no_hour_has_more_than_it_may(messages in messages(), per_address in 0..5_u32, per_hour in 0..9_u32) {
        let mut limits = Limits::new(per_address, per_hour);
        let mut now = START;
        let mut taken: Vec<(i64, u32, bool)> = Vec::new();
        for (pause, number, is_trapped) in messages {
            now += pause;
            let of_hour = |with: &dyn Fn(&(i64, u32, bool)) -> bool| -> usize {
                taken.iter().filter(|message| now - message.0 < 3600 && with(message)).count()
            };
            let mine = of_hour(&|message| message.1 == number);
            let all = of_hour(&|message| !message.2);
            match limits.take(address(number), now, is_trapped) {
                Ok(()) => {
                    prop_assert!(mine < per_address as usize && all < per_hour as usize);
                    taken.push((now, number, is_trapped));
                }
                Err(pause) => {
                    prop_assert!((1..=3660).contains(&pause), "{pause}");
                    // Whoever waits so long, with nobody in between, is taken.
                    let later = now + i64::try_from(pause).expect("a pause");
                    if per_address > 0 && per_hour > 0 {
                        let taken = limits.take(address(number), later, true);
                        prop_assert_eq!(taken, Ok(()));
                        break;
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_given_back_was_never_there(messages in messages(), extra in 0..3_u32) {
        let (mut with, mut without) = (Limits::new(3, 5), Limits::new(3, 5));
        let mut now = START;
        for (pause, number, _) in messages {
            now += pause;
            if with.take(address(extra), now, false).is_ok() {
                with.give_back(address(extra), now);
            }
            let taken = with.take(address(number), now, false);
            prop_assert_eq!(taken, without.take(address(number), now, false));
        }
    }

    #[test]
    fn what_is_trapped_changes_nothing_for_others(messages in messages()) {
        let (mut with, mut without) = (Limits::new(3, 5), Limits::new(3, 5));
        let mut now = START;
        for (pause, number, is_trapped) in messages {
            now += pause;
            if is_trapped {
                let _ = with.take(address(9), now, true);
            } else {
                let taken = with.take(address(number), now, false);
                prop_assert_eq!(taken, without.take(address(number), now, false));
            }
        }
    }
}
