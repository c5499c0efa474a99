//! The way to the trainer: a bounded queue of instructions, which it looks into between two steps.

use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use sparring_contract::protocol::Reason;
use tokio::time::sleep;

use crate::trainer::Instruction;

/// How often to try again while the queue is full.
const AGAIN: Duration = Duration::from_millis(20);

/// Tells the trainer to end, as soon as the queue has room. A trainer that is gone is ending already.
pub(super) async fn end(orders: &SyncSender<Instruction>, reason: Reason) {
    while let Err(TrySendError::Full(_)) = orders.try_send(Instruction::End(reason)) {
        sleep(AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    #[tokio::test]
    async fn the_wish_to_end_outlasts_a_full_queue() {
        let (orders, queue) = sync_channel(1);
        orders.send(Instruction::End(Reason::Stopped)).unwrap();
        let waiting = tokio::spawn(async move { end(&orders, Reason::Terminated).await });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        let next = || match queue.recv().unwrap() {
            Instruction::End(reason) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(next(), Reason::Stopped);
        waiting.await.unwrap();
        assert_eq!(next(), Reason::Terminated);
    }
}
