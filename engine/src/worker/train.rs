//! Training a run, from taking its lock to its exit code.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use sparring_contract::exit;
use sparring_contract::launch::Voice;
use sparring_contract::output::tell;
use sparring_contract::protocol::{Ended, Event, Phase, Reason, Stats};
use sparring_contract::run::{CheckpointHeader, Lock, Run};
use tokio::sync::oneshot;

use super::clock::MonotonicClock;
use super::explorer::{Explorer, Question};
use super::face::Desk;
use super::fitting::advised;
use super::headless::Speaker;
use super::hub::{Hub, WAITING_LINES};
use super::machine;
use super::prepared::Prepared;
use super::server::Server;
use super::signals::{Cut, Signals};
use crate::panics::{Panic, caught};
use crate::trainer::{Assignment, Injection, Instruction, Trainer, load_checkpoint};

/// Instructions that may wait for the end of a step.
const WAITING_INSTRUCTIONS: usize = 64;

/// The variable that makes a step go wrong (docs/HEALTH.md).
const INJECTION: &str = "SPARRING_FAULT";

/// What faces ask for.
struct Faces {
    /// Of the trainer.
    instructions: Receiver<Instruction>,
    /// Answers what they ask about the latent space.
    explorer: Explorer,
    /// The way to the explorer.
    ask: SyncSender<Question>,
}

/// Ends the explorer.
struct EndOfExploring(SyncSender<Question>);

impl Drop for EndOfExploring {
    fn drop(&mut self) {
        // An explorer that has panicked is gone already.
        let _ = self.0.send(Question::End);
    }
}

/// What a worker is to train, and for whom.
pub(super) struct Job {
    pub(super) dir: PathBuf,
    pub(super) from: Option<PathBuf>,
    pub(super) voice: Voice,
    /// Whether to remove the directory if training fails before its first step.
    pub(super) fresh: bool,
    /// Whether the run ends with its last face.
    pub(super) tied: bool,
}

/// Trains a run and returns the exit code.
pub(super) fn train(job: &Job) -> u8 {
    if job.voice == Voice::Log {
        // Leaves the session of the process that started it, so that the end of a terminal does not matter. It fails
        // only if this process leads a session already.
        let _ = rustix::process::setsid();
    }
    match try_train(job) {
        Ok(code) => code,
        Err(error) => {
            let message = format!("{error:#}");
            if let Some(run) = Run::open(&job.dir) {
                leave_failure(&run, job.voice, &message);
                if run.status().timeline.started.is_none() && run.checkpoints().is_empty() {
                    remove_unstarted(job, run);
                }
            }
            tell(&format!("error: {message}"));
            exit::FAILURE
        }
    }
}

fn try_train(job: &Job) -> anyhow::Result<u8> {
    let dir = &job.dir;
    let run = Run::open(dir)
        .with_context(|| format!("{} is no run: it has no config.toml", dir.display()))?;
    let lock = Arc::new(run.lock()?);
    // What cannot be removed is in nobody's way.
    let _ = run.remove_half_written();
    let from = job.from.as_deref();
    let step = from
        .map(CheckpointHeader::read)
        .transpose()?
        .map_or(0, |header| header.step);
    let (speaker, told) = sync_channel(WAITING_LINES);
    let hub = Hub::of(&run, step, speaker)
        .with_context(|| format!("cannot write {}", run.events_file().display()))?;
    let hub = Arc::new(hub);
    let speech = Speaker::of(&run, job.voice);
    let printing = thread::Builder::new()
        .name("speaker".to_owned())
        .spawn(move || speech.speak(&told))?;

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (ended, is_trainer_done) = runtime.block_on(attended(job, &run, &lock, &hub, printing))?;
    if !is_trainer_done {
        end_at_once(ended.exit_code);
    }
    let unstarted = is_unstarted(&ended);
    if unstarted || (ended.exit_code == exit::FAILURE && job.voice == Voice::Json) {
        let message = ended.message.unwrap_or_default();
        if unstarted {
            leave_failure(&run, job.voice, &message);
        }
        tell(&format!("error: {message}"));
    }
    // A directory of the same name that has taken this one's place belongs to somebody else.
    let place = lock.place();
    drop(lock);
    if unstarted && let Some(run) = place {
        remove_unstarted(job, run);
    }
    Ok(ended.exit_code)
}

/// Removes a new run that made no step, so that the same command can start it again.
fn remove_unstarted(job: &Job, run: Run) {
    // Whoever started the worker in the background still wants to read what it left.
    if job.fresh && job.voice != Voice::Log {
        // What stays is a run without a checkpoint, which `--resume-if-exists` begins anew.
        let _ = run.remove();
    }
}

/// Leaves an error for the face that started this worker in the background, which cannot see its stderr.
fn leave_failure(run: &Run, voice: Voice, message: &str) {
    if voice == Voice::Log {
        // Without it the face still has the end of worker.log.
        let _ = run.write_failure(message);
    }
}

/// Trains on a thread of its own, while this one serves signals and faces. Returns the end, and whether the thread is done.
async fn attended(
    job: &Job,
    run: &Run,
    lock: &Arc<Lock>,
    hub: &Arc<Hub>,
    printing: JoinHandle<()>,
) -> anyhow::Result<(Ended, bool)> {
    let mut signals = Signals::listen().context("cannot listen to signals")?;
    let (instruct, instructions) = sync_channel(WAITING_INSTRUCTIONS);
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64();
    let (ask, questions) = sync_channel(WAITING_INSTRUCTIONS);
    let desk = Desk::new(run.name(), hub, instruct.clone(), ask.clone(), job.tied);
    let mut server = Server::bind(run, lock, desk, since)?;

    let (done, finished) = oneshot::channel();
    let training = {
        let (lock, from, hub) = (Arc::clone(lock), job.from.clone(), Arc::clone(hub));
        let explorer = Explorer::new(questions, instruct.clone());
        let faces = Faces {
            instructions,
            explorer,
            ask,
        };
        move || drop(done.send(guarded(&lock, from.as_deref(), &hub, faces)))
    };
    thread::Builder::new()
        .name("trainer".to_owned())
        .spawn(training)?;
    let (ended, is_trainer_done) = tokio::select! {
        ended = finished => (ended.context("the trainer ended without a report")?, true),
        cut = signals.pass_on(&instruct, || hub.has_begun()) => match cut {
            Cut::Impatience => end_at_once(exit::INTERRUPTED),
            Cut::Unbegun(reason) => (unbegun(reason, &lock.run()), false),
        },
        () = server.serve() => unreachable!("a server serves until it is closed"),
    };
    if !is_unstarted(&ended) {
        hub.emit(Event::Ended(Box::new(ended.clone())));
    }
    hub.close();
    server.close().await;
    // The last lines are printed before the process ends, however slow their reader is.
    let _ = printing.join();
    Ok((ended, is_trainer_done))
}

/// The end of a run whose training had not begun.
fn unbegun(reason: Reason, run: &Run) -> Ended {
    let newest = run.newest_checkpoint().ok();
    Ended {
        reason,
        exit_code: match reason {
            Reason::Interrupted => exit::INTERRUPTED,
            _ => exit::TERMINATED,
        },
        message: Some("training had not begun".to_owned()),
        stats: Stats::none_at(newest.as_ref().map_or(0, |newest| newest.step), 0, 0),
        checkpoint: newest.map(|newest| newest.path),
    }
}

/// Whether a run failed before its first step, and so has nothing to report.
fn is_unstarted(ended: &Ended) -> bool {
    ended.reason == Reason::Failed && ended.stats.step == 0
}

/// Trains, and turns an error or a panic into an end of the run. libtorch's errors arrive as panics.
fn guarded(lock: &Lock, from: Option<&Path>, hub: &Hub, faces: Faces) -> Ended {
    let completed = AtomicU64::new(0);
    let message = match caught(|| try_training(lock, from, hub, faces, &completed)) {
        Ok(Ok(Ok(ended))) => return ended,
        Ok(Err(error)) => format!("{error:#}"),
        Ok(Ok(Err(panic))) | Err(panic) => {
            let run = lock.run();
            log_panic(&run, &panic);
            let message = panic.to_string();
            match run.config() {
                // The memory of the steps is free again by now. A run that continues has to keep its batch size.
                Ok(config) if from.is_none() => advised(message, &config),
                _ => message,
            }
        }
    };
    let checkpoint = lock.run().newest_checkpoint().ok();
    let saved = checkpoint
        .as_ref()
        .and_then(|newest| CheckpointHeader::read(&newest.path).ok())
        .map_or(0, |header| header.step);
    Ended {
        reason: Reason::Failed,
        exit_code: exit::FAILURE,
        message: Some(message),
        stats: Stats::none_at(saved.max(completed.into_inner()), 0, 0),
        checkpoint: checkpoint.map(|newest| newest.path),
    }
}

/// Builds or restores the session and trains it. A panic while training comes back when the run's last good state was
/// saved.
fn try_training(
    lock: &Lock,
    from: Option<&Path>,
    hub: &Hub,
    faces: Faces,
    completed: &AtomicU64,
) -> anyhow::Result<Result<Ended, Panic>> {
    let injection = injection()?;
    let resumed = from.map(CheckpointHeader::read_intact).transpose()?;
    let config = lock.run().config()?;
    let mut prepared = Prepared::of(&config)?;
    if let Some(header) = &resumed {
        prepared.compare_data(header);
    }
    hub.emit(Event::Phase {
        phase: Phase::WarmingUp,
        step: resumed.as_ref().map_or(0, |header| header.step),
    });
    let judge = prepared.judge();
    let references = prepared.references(&config, judge.as_ref());
    let origin = prepared.origin.clone();
    let warnings = prepared.warnings.clone();
    let mut session = prepared.session(&config);
    if let (Some(path), Some(header)) = (from, &resumed) {
        let unusable = || format!("cannot go on from {}", path.display());
        let state = load_checkpoint(path, header).with_context(unusable)?;
        session.load_state_dict(&state).with_context(unusable)?;
        session.set_attempt(header.attempt);
    }
    let device = session.device();
    let clock = MonotonicClock::new();
    let assignment = Assignment {
        lock,
        config,
        session,
        origin,
        warnings,
        judge,
        references,
        resumed_from: from.map(Path::to_owned),
        resumed,
        is_fault_check_free: !device.is_cuda(),
        injection,
    };
    let Faces {
        instructions,
        explorer,
        ask,
    } = faces;
    let trainer = Trainer::new(assignment, hub, &clock, instructions, completed);
    Ok(thread::scope(|scope| {
        let _end = EndOfExploring(ask);
        // Without it the run goes on.
        scope.spawn(move || drop(caught(|| explorer.serve(hub))));
        let (_stop, stopped) = channel();
        // Without its readings the run goes on.
        scope.spawn(move || drop(caught(|| machine::watch(hub, device, &stopped))));
        trainer.train()
    }))
}

/// The step that the environment wants to go wrong.
fn injection() -> anyhow::Result<Option<Injection>> {
    let Ok(text) = std::env::var(INJECTION) else {
        return Ok(None);
    };
    let expected = || {
        format!(
            "{INJECTION}={text}: expected nan@STEP, panic@STEP or panic-check@STEP (also -pictures, -command, -checkpoint), with + \
             behind it for every attempt"
        )
    };
    Injection::parse(&text).with_context(expected).map(Some)
}

/// Writes where the trainer panicked, and all that it said, into worker.log.
fn log_panic(run: &Run, panic: &Panic) {
    if let Ok(mut log) = run.append_to_worker_log() {
        // The error itself is reported anyway; a full disk costs only its details.
        let _ = writeln!(log, "{}", panic.details());
    }
}

/// Ends the process without another word. The trainer is in the middle of something, and the memory of libtorch's threads
/// must not be torn down under them.
fn end_at_once(code: u8) -> ! {
    // SAFETY: _exit takes the process away as it is.
    unsafe { libc::_exit(i32::from(code)) }
}
