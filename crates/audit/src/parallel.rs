//! The same work on many values, on every core.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// What a thread gets, as the main thread has it: parsers recurse.
const STACK: usize = 8 * 1024 * 1024;

/// `work` done on each of `items`; results in their order.
pub fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    map_with(items, || (), |(), item| work(item))
}

/// The same with something of its own for each thread, which `make` makes.
pub fn map_with<T: Sync, S, R: Send>(
    items: &[T],
    make: impl Fn() -> S + Sync,
    work: impl Fn(&S, &T) -> R + Sync,
) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(items.len()));
    let run = || {
        let state = make();
        let mut own = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(number) else { break };
            own.push((number, work(&state, item)));
        }
        results
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(own);
    };
    thread::scope(|scope| {
        for _ in 1..threads.min(items.len()) {
            // Where the machine gives no thread, the others do its share.
            let _ = thread::Builder::new()
                .stack_size(STACK)
                .spawn_scoped(scope, run);
        }
        run();
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_unstable_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_come_in_the_order_of_their_items() {
        let items: Vec<usize> = (0..1000).collect();
        let doubled = super::map(&items, |item| item * 2);
        assert!(
            doubled
                .iter()
                .enumerate()
                .all(|(number, it)| *it == number * 2)
        );
        assert!(super::map(&[] as &[usize], |item| *item).is_empty());
    }
}
