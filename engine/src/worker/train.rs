//! Training a run, from taking its lock to its exit code.

use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use anyhow::Context as _;
use sparring_contract::exit;
use sparring_contract::launch::Voice;
use sparring_contract::protocol::{Ended, Event, Reason, Stats};
use sparring_contract::run::{CheckpointHeader, Run};
use tokio::sync::oneshot;

use super::headless::Speaker;
use super::hub::{Hub, WAITING_LINES};
use super::signals::Signals;
use super::trainer::{Order, Trainer};

/// Orders that may wait for the end of a step.
const WAITING_ORDERS: usize = 64;

/// Trains the run in this directory and returns the exit code.
pub(super) fn train(dir: &Path, from: Option<&Path>, voice: Voice, fresh: bool) -> u8 {
    match try_train(dir, from, voice, fresh) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            exit::FAILURE
        }
    }
}

fn try_train(dir: &Path, from: Option<&Path>, voice: Voice, fresh: bool) -> anyhow::Result<u8> {
    let run = Run::open(dir)
        .with_context(|| format!("{} is no run: it has no config.toml", dir.display()))?;
    let lock = run.lock()?;
    let (speaker, told) = sync_channel(WAITING_LINES);
    let hub = Hub::of(&run, speaker)
        .with_context(|| format!("cannot write {}", run.events_file().display()))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut signals = {
        let _context = runtime.enter();
        Signals::listen().context("cannot listen to signals")?
    };

    let (orders, inbox) = sync_channel(WAITING_ORDERS);
    let speech = Speaker::of(&run, voice);
    let printing = thread::Builder::new()
        .name("speaker".to_owned())
        .spawn(move || speech.speak(&told))?;
    let ended = thread::scope(|scope| -> anyhow::Result<Option<Ended>> {
        let (done, finished) = oneshot::channel();
        thread::Builder::new()
            .name("trainer".to_owned())
            .spawn_scoped(scope, || {
                let _ = done.send(guarded(&run, from, &hub, inbox));
            })?;
        Ok(runtime.block_on(async {
            tokio::select! {
                ended = finished => ended.ok(),
                _impatience = signals.pass_on(&orders) => end_at_once(),
            }
        }))
    })?;

    let Some(ended) = ended else {
        anyhow::bail!("the trainer ended without a word")
    };
    let unstarted = ended.reason == Reason::Failed && ended.stats.step == 0 && fresh;
    let code = ended.exit_code;
    if let (Reason::Failed, Some(message), true) = (
        ended.reason,
        &ended.message,
        unstarted || voice == Voice::Json,
    ) {
        eprintln!("error: {message}");
    }
    if unstarted {
        hub.close();
        drop(lock);
        run.remove()?;
        return Ok(code);
    }
    hub.emit(Event::Ended(Box::new(ended)));
    hub.close();
    // The last lines are said before the process ends, however slow their reader.
    let _ = printing.join();
    Ok(code)
}

/// Trains, and turns an error or a panic, which is how libtorch's errors arrive, into an end of the run.
fn guarded(run: &Run, from: Option<&Path>, hub: &Hub, inbox: Receiver<Order>) -> Ended {
    panic::set_hook(Box::new(|_| {}));
    let trained = panic::catch_unwind(AssertUnwindSafe(|| {
        Trainer::prepare(run, from, hub, inbox).map(Trainer::train)
    }));
    let message = match trained {
        Ok(Ok(ended)) => return ended,
        Ok(Err(error)) => format!("{error:#}"),
        Err(payload) => super::panic_message(payload.as_ref()),
    };
    let checkpoint = run.newest_checkpoint().ok();
    let header = checkpoint
        .as_ref()
        .and_then(|newest| CheckpointHeader::read(&newest.path).ok());
    Ended {
        reason: Reason::Failed,
        exit_code: exit::FAILURE,
        message: Some(message),
        stats: Stats::none_at(header.map_or(0, |header| header.step), 0, 0),
        checkpoint: checkpoint.map(|newest| newest.path),
    }
}

/// Ends the process without a further word, as the user asked twice. The threads of libtorch are in the middle of a
/// step, and their memory must not be torn down under them.
fn end_at_once() -> ! {
    // SAFETY: _exit takes the process away as it is.
    unsafe { libc::_exit(i32::from(exit::INTERRUPTED)) }
}
