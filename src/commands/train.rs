//! `sparring train`

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::thread::available_parallelism;

use sparring_contract::config::{Config, resolve_for_resume};
use sparring_contract::launch::{Launch, Voice};
use sparring_contract::output::tell;
use sparring_contract::run::{Home, Run, RunError, secure_socket_dir};

use super::chosen::{Look, chosen, request};
use super::{dashboard, data};
use crate::attach::has_terminal;
use crate::cli::{Choice, Train};
use crate::client::{Leaving, Surroundings, start, worker};

/// Starts or resumes a run: behind a dashboard in a terminal, else in the foreground.
pub(super) fn train(home: &Home, flags: &Train) -> anyhow::Result<u8> {
    // Looked for before a run is made, so that what is missing leaves nothing behind.
    worker(&Launch::Task)?;
    secure_socket_dir()?;
    if flags.headless || flags.json || !has_terminal() {
        return in_foreground(prepare(home, flags)?, flags);
    }
    let mut options = dashboard::options(&flags.view, false)?;
    let leaving = Leaving::of(&Surroundings::look());
    let tied = flags.tie || leaving.ties();
    let prepared = prepare(home, flags)?;
    options.notes.extend(prepared.notes.iter().cloned());
    if let Some(words) = leaving.words() {
        tell(&words);
        // The dashboard covers the line.
        options.notes.push(words);
    }
    let launch = prepared.launch(Voice::Log, tied);
    let child = match start(&prepared.run, &launch, leaving.scope()) {
        Ok(child) => child,
        Err(error) => return Err(prepared.given_up(error)),
    };
    dashboard::watch(prepared.run, child, &options, tied, prepared.fresh)
}

/// This process becomes the worker: one process, one exit code, and signals go where they should.
fn in_foreground(prepared: Prepared, flags: &Train) -> anyhow::Result<u8> {
    let voice = if flags.json {
        Voice::Json
    } else {
        Voice::Progress
    };
    let launch = prepared.launch(voice, false);
    let error = worker(&launch)?.exec();
    Err(prepared.given_up(error.into()))
}

/// A run that is ready for a worker.
struct Prepared {
    run: Run,
    /// The checkpoint to go on from.
    from: Option<PathBuf>,
    /// Whether nothing has happened in the run yet.
    fresh: bool,
    /// What a new run's user should know: which preset was chosen, and why; and how to get more figures.
    notes: Vec<String>,
}

fn prepare(home: &Home, flags: &Train) -> anyhow::Result<Prepared> {
    let (run, from, notes) = if let Some(run) = existing(home, flags)? {
        let (run, from) = resume(run, &flags.choice)?;
        (run, from, Vec::new())
    } else {
        let look = if flags.json {
            Look::BeforeRun
        } else {
            Look::Closely
        };
        let (resolved, notes) = chosen(&flags.choice, look)?;
        let mut config = with_threads(resolved.config);
        // A worker may run in another folder.
        config.data = data::source(&config).data;
        (home.create(flags.name.as_deref(), &config)?, None, notes)
    };
    let fresh = from.is_none() && !run.events_file().exists();
    for note in &notes {
        tell(note);
    }
    Ok(Prepared {
        run,
        from,
        fresh,
        notes,
    })
}

impl Prepared {
    /// Removes a new run whose worker could not be started, and returns why it could not.
    fn given_up(self, error: anyhow::Error) -> anyhow::Error {
        if self.fresh
            && let Err(left) = self.run.remove()
        {
            return error.context(left);
        }
        error
    }

    fn launch(&self, voice: Voice, tied: bool) -> Launch {
        Launch::Train {
            run: self.run.dir().to_owned(),
            from: self.from.clone(),
            voice,
            fresh: self.fresh,
            tied,
        }
    }
}

/// The run to go on with, if the flags ask for one.
fn existing(home: &Home, flags: &Train) -> Result<Option<Run>, RunError> {
    match (&flags.resume, &flags.name) {
        (Some(name), _) => home.find(Some(name)).map(Some),
        (None, Some(name)) if flags.resume_if_exists => match home.find(Some(name)) {
            Err(RunError::NoRuns { .. } | RunError::NoSuchRun { .. }) => Ok(None),
            found => found.map(Some),
        },
        _ => Ok(None),
    }
}

/// Prepares a run to go on from its newest checkpoint that is intact; one without any begins anew. Those that are not
/// intact are kept under other names.
fn resume(run: Run, choice: &Choice) -> anyhow::Result<(Run, Option<PathBuf>)> {
    // No worker may take the run while it is being prepared.
    let lock = run.lock()?;
    let (newest, broken) = run.newest_intact_checkpoint();
    let instead = match newest {
        Some(_) => "an older one is taken",
        None => "there is no older one",
    };
    for (checkpoint, error) in broken {
        match run.set_aside(&checkpoint) {
            Ok(name) => tell(&format!(
                "warning: {error}; {instead}, and it is kept as {name}"
            )),
            Err(left) => tell(&format!("warning: {error}; {instead} ({left})")),
        }
    }
    let wanted = run.config()?;
    let (stored, from) = if let Some((checkpoint, header)) = newest {
        (continued(header.config, wanted), Some(checkpoint.path))
    } else {
        tell(&format!(
            "run {} has no checkpoint: it begins anew",
            run.name()
        ));
        (wanted, None)
    };
    let config = resolve_for_resume(&stored, &request(choice)?.settings)?.config;
    run.write_config(&with_threads(config))?;
    drop(lock);
    Ok((run, from))
}

/// The configuration to go on with: the checkpoint's, which knows what was changed while training up to its step; but
/// how long to train, on what and what to keep is the user's latest word, which the run's own file has.
fn continued(checkpoint: Config, wanted: Config) -> Config {
    Config {
        epochs: wanted.epochs,
        steps: wanted.steps,
        minutes: wanted.minutes,
        device: wanted.device,
        threads: wanted.threads,
        output: wanted.output,
        health: wanted.health,
        ..checkpoint
    }
}

/// A run records its number of threads, so 0 becomes the number that this process may use.
fn with_threads(mut config: Config) -> Config {
    if config.threads == 0 {
        config.threads = usable_cores();
    }
    config
}

/// The cores that this process may keep busy: affinity and cgroup limits count.
pub(super) fn usable_cores() -> u32 {
    available_parallelism().map_or(1, |count| u32::try_from(count.get()).unwrap_or(1))
}
