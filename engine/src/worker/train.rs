//! Training a run, from taking its lock to its exit code.

use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use sparring_contract::exit;
use sparring_contract::launch::Voice;
use sparring_contract::protocol::{Ended, Event, Reason, Stats};
use sparring_contract::run::{CheckpointHeader, Lock, Run};
use tokio::sync::oneshot;

use super::fitting::advised;
use super::headless::Speaker;
use super::hub::{Hub, WAITING_LINES};
use super::orders::Order;
use super::server::Server;
use super::signals::Signals;
use super::trainer::Trainer;

/// Orders that may wait for the end of a step.
const WAITING_ORDERS: usize = 64;

/// What a worker is to train, and for whom.
pub(super) struct Assignment {
    pub(super) dir: PathBuf,
    pub(super) from: Option<PathBuf>,
    pub(super) voice: Voice,
    /// Whether the directory goes when training fails before its first step.
    pub(super) fresh: bool,
    /// Whether the run ends with its last face.
    pub(super) tied: bool,
}

/// Trains a run and returns the exit code.
pub(super) fn train(assignment: &Assignment) -> u8 {
    if assignment.voice == Voice::Log {
        // Out of the session of whoever started it: the end of a terminal is none of its business. It fails only
        // where the process leads a session already.
        let _ = rustix::process::setsid();
    }
    match try_train(assignment) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            exit::FAILURE
        }
    }
}

fn try_train(assignment: &Assignment) -> anyhow::Result<u8> {
    let dir = &assignment.dir;
    let run = Run::open(dir)
        .with_context(|| format!("{} is no run: it has no config.toml", dir.display()))?;
    let lock = Arc::new(run.lock()?);
    let from = assignment.from.as_deref();
    let step = from
        .map(CheckpointHeader::read)
        .transpose()?
        .map_or(0, |header| header.step);
    let (speaker, told) = sync_channel(WAITING_LINES);
    let hub = Hub::of(&run, step, speaker)
        .with_context(|| format!("cannot write {}", run.events_file().display()))?;
    let hub = Arc::new(hub);
    let speech = Speaker::of(&run, assignment.voice);
    let printing = thread::Builder::new()
        .name("speaker".to_owned())
        .spawn(move || speech.speak(&told))?;

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(attended(assignment, &run, &lock, &hub, printing))?;
    let unstarted = is_unstarted(&ended);
    if ended.reason == Reason::Failed && (unstarted || assignment.voice == Voice::Json) {
        eprintln!("error: {}", ended.message.unwrap_or_default());
    }
    // A directory of the same name that is there instead of this run's is somebody else's.
    let own = lock.is_in_place();
    drop(lock);
    // In the foreground the error was said; otherwise whoever started the worker still wants to read it.
    if unstarted && own && assignment.fresh && assignment.voice != Voice::Log {
        run.remove()?;
    }
    Ok(ended.exit_code)
}

/// Trains on a thread of its own, while this one attends to signals and faces.
async fn attended(
    assignment: &Assignment,
    run: &Run,
    lock: &Arc<Lock>,
    hub: &Arc<Hub>,
    printing: JoinHandle<()>,
) -> anyhow::Result<Ended> {
    let mut signals = Signals::listen().context("cannot listen to signals")?;
    let (orders, inbox) = sync_channel(WAITING_ORDERS);
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64();
    let mut server = Server::bind(run, lock, hub, orders.clone(), assignment.tied, since)?;

    let (done, finished) = oneshot::channel();
    let training = {
        let (run, from, hub) = (run.clone(), assignment.from.clone(), Arc::clone(hub));
        move || drop(done.send(guarded(&run, from.as_deref(), &hub, inbox)))
    };
    thread::Builder::new()
        .name("trainer".to_owned())
        .spawn(training)?;
    let ended = tokio::select! {
        ended = finished => ended.context("the trainer ended without a word")?,
        _impatience = signals.pass_on(&orders) => end_at_once(),
        () = server.serve() => unreachable!("a server serves until it is closed"),
    };
    if !is_unstarted(&ended) {
        hub.emit(Event::Ended(Box::new(ended.clone())));
    }
    hub.close();
    server.close().await;
    // The last lines are said before the process ends, however slow their reader.
    let _ = printing.join();
    Ok(ended)
}

/// Whether a run failed before its first step, and so has nothing to tell.
fn is_unstarted(ended: &Ended) -> bool {
    ended.reason == Reason::Failed && ended.stats.step == 0
}

/// Trains, and turns an error or a panic, which is how libtorch's errors arrive, into an end of the run.
fn guarded(run: &Run, from: Option<&Path>, hub: &Hub, inbox: Receiver<Order>) -> Ended {
    panic::set_hook(Box::new(|_| {}));
    let reached = AtomicU64::new(0);
    let trained = panic::catch_unwind(AssertUnwindSafe(|| {
        Trainer::prepare(run, from, hub, inbox, &reached).map(Trainer::train)
    }));
    let message = match trained {
        Ok(Ok(ended)) => return ended,
        Ok(Err(error)) => format!("{error:#}"),
        Err(payload) => {
            let message = super::panic_message(payload.as_ref());
            match run.config() {
                // What the steps held is free again by now. The batch of a run that goes on is what it was.
                Ok(config) if from.is_none() => advised(message, &config),
                _ => message,
            }
        }
    };
    let checkpoint = run.newest_checkpoint().ok();
    let saved = checkpoint
        .as_ref()
        .and_then(|newest| CheckpointHeader::read(&newest.path).ok())
        .map_or(0, |header| header.step);
    Ended {
        reason: Reason::Failed,
        exit_code: exit::FAILURE,
        message: Some(message),
        stats: Stats::none_at(saved.max(reached.into_inner()), 0, 0),
        checkpoint: checkpoint.map(|newest| newest.path),
    }
}

/// Ends the process without a further word, as the user asked twice. The threads of libtorch are in the middle of a
/// step, and their memory must not be torn down under them.
fn end_at_once() -> ! {
    // SAFETY: _exit takes the process away as it is.
    unsafe { libc::_exit(i32::from(exit::INTERRUPTED)) }
}
