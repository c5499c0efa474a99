//! `sparring wait`

use std::thread;
use std::time::Duration;

use anyhow::bail;
use sparring_contract::run::{Run, State};

/// How often to look at the run.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Waits until no worker has the run, and returns the exit code with which it ended.
pub(super) fn wait(run: &Run) -> anyhow::Result<u8> {
    while run.holder().is_some() {
        thread::sleep(LOOK_EVERY);
    }
    let name = run.name();
    let status = run.status();
    match (status.state, status.timeline.ended) {
        (State::Ended, Some(ended)) => Ok(ended.exit_code),
        (State::New, _) => {
            bail!("run {name} was never trained; start it with `sparring train --resume {name}`")
        }
        _ => bail!(
            "run {name} crashed: its worker is gone without an end; go on with `sparring train --resume {name}`"
        ),
    }
}
