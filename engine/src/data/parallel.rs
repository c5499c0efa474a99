//! Work on many items by all cores.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;

/// How far counted work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The work in words.
    pub doing: &'static str,
    /// Items done.
    pub done: usize,
    /// Items in all.
    pub total: usize,
}

/// Times that progress is told at most.
const TOLD: usize = 200;

/// Does some work on each item, on all cores this process may use, and returns the results in the order of the items.
/// The caller's thread hears of the progress.
pub(super) fn map<T: Sync, R: Send>(
    doing: &'static str,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
    progress: &mut dyn FnMut(Progress),
) -> Vec<R> {
    let total = items.len();
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    let (results, inbox) = channel();
    let mut sorted: Vec<Option<R>> = (0..total).map(|_| None).collect();
    thread::scope(|scope| {
        for _ in 0..cores.min(total) {
            let (results, next, work) = (results.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    // Nobody receives any more once the caller's thread has panicked.
                    if results.send((index, work(item))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(results);
        let stride = total.div_ceil(TOLD).max(1);
        for (done, (index, result)) in (1..).zip(inbox) {
            sorted[index] = Some(result);
            if done % stride == 0 || done == total {
                progress(Progress { doing, done, total });
            }
        }
    });
    // A worker that panicked has ended the scope with its panic, so nothing is missing here.
    sorted.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items_and_the_last_is_told() {
        let items: Vec<u64> = (0..1001).collect();
        let mut told = Vec::new();
        let squares = map("squaring", &items, |item| item * item, &mut |progress| {
            told.push(progress.done);
        });
        assert_eq!(
            squares,
            items.iter().map(|item| item * item).collect::<Vec<_>>()
        );
        assert_eq!(told.last(), Some(&1001));
        assert!(told.len() <= TOLD + 1 && told.is_sorted(), "{told:?}");
    }

    #[test]
    fn nothing_to_do_is_done() {
        let none: Vec<u8> = map("resting", &[], |item: &u8| *item, &mut |_| {
            panic!("told of nothing");
        });
        assert!(none.is_empty());
    }
}
