//! Waiting for the answer of a worker with a task that takes a while.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use sparring_contract::protocol::TaskReply;
use sparring_contract::text::printable;

use crate::client::{TaskWorker, read_reply};

/// Waits for the one answer of a worker, and tells on stderr, where that is a terminal, what it is doing.
pub(super) fn answer(mut worker: TaskWorker) -> anyhow::Result<TaskReply> {
    let bar = ProgressBar::new_spinner().with_message("loading libtorch");
    style(&bar, "{spinner} {msg}");
    bar.enable_steady_tick(Duration::from_millis(120));
    let answer = loop {
        match worker.read(read_reply) {
            Ok(TaskReply::Progress { doing }) => bar.set_message(printable(&doing)),
            Ok(TaskReply::Counted { doing, done, total }) => {
                if bar.length().is_none() {
                    style(&bar, "{spinner} [{bar:30}] {msg}");
                }
                bar.set_length(total);
                bar.set_position(done);
                bar.set_message(printable(&doing));
            }
            answer => break answer,
        }
    };
    bar.finish_and_clear();
    let answer = answer?;
    worker.finish();
    Ok(answer)
}

fn style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.tick_chars("|/-\\ ").progress_chars("=> "));
    }
}
