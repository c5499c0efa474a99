//! `sparring train`

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use anyhow::{Context as _, anyhow, bail};
use sparring_contract::config::{
    Config, Request, Setting, choose_preset, resolve, resolve_for_resume, user_file,
};
use sparring_contract::launch::{Launch, Voice};
use sparring_contract::output::tell;
use sparring_contract::run::{Home, Run, RunError, secure_socket_dir};

use super::{dashboard, data, judge};
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
        let (config, notes) = configuration(&flags.choice, !flags.json)?;
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
    let config = resolve_for_resume(&stored, &settings(choice)?)?.config;
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

/// The configuration of a new run. If no preset is named, one is chosen from the data, and a line says which and why.
/// Another line says how the data gets a judge, if the user is to be told.
fn configuration(choice: &Choice, telling: bool) -> anyhow::Result<(Config, Vec<String>)> {
    let mut request = request(choice)?;
    let mut config = resolve(&request)?.config;
    let source = data::source(&config);
    let mut notes = Vec::new();
    if config.task.is_image_to_image() && !request.names_preset()? {
        request.preset = Some(PICTURE_TO_PICTURE.to_owned());
        config = resolve(&request)?.config;
    }
    let is_named = request.names_preset()?;
    // MNIST needs no look: the default preset is the one for it.
    let needs_no_look = is_named && !telling && is_idx(Path::new(&source.data));
    if !source.is_embedded() && !needs_no_look {
        let (report, _) = data::load(&source, 0)?;
        if !is_named {
            let (preset, reason) = choose_preset(&report.facts());
            notes.push(format!(
                "preset {preset}, chosen because {reason}; --preset NAME chooses another"
            ));
            request.preset = Some(preset.to_owned());
            config = resolve(&request)?.config;
        }
        // A judge of one of two folders would not be one of both.
        let can_be_judged = telling && source.domains.is_empty();
        notes.extend(judge::hint(&source, &report).filter(|_| can_be_judged));
    }
    // A worker may run in another folder.
    config.data = source.data;
    Ok((with_threads(config), notes))
}

/// The preset for tasks from picture to picture.
const PICTURE_TO_PICTURE: &str = "pix2pix";

/// Whether data is IDX files, which are read in no time: then a run with a named preset needs no look at them first.
fn is_idx(path: &Path) -> bool {
    let is_idx = |path: &Path| path.to_string_lossy().contains("idx3-ubyte");
    match path.read_dir() {
        Ok(mut entries) => entries.any(|entry| entry.is_ok_and(|entry| is_idx(&entry.path()))),
        Err(_) => !path.is_dir() && is_idx(path),
    }
}

/// What the flags ask for.
pub(super) fn request(choice: &Choice) -> anyhow::Result<Request> {
    Ok(Request {
        preset: choice.preset.clone(),
        user_file: user_file(),
        file: choice.config.clone(),
        settings: settings(choice)?,
    })
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

/// The settings of a translation between two domains: folders where there are any and no other data is named, else
/// classes.
fn domains(names: [&str; 2], has_data: bool) -> anyhow::Result<Vec<Setting>> {
    const FLAG: &str = "--unpaired";
    let text = |key: &str, value: &str| Setting::flag(FLAG, key, value);
    let mut settings = vec![
        text("task", "translate"),
        text("translate.from", "unpaired"),
    ];
    let mut domains = names.map(str::to_owned);
    if has_data && names.iter().any(|name| name.contains('/')) {
        bail!(
            "--unpaired {} {}: folders are data themselves: leave --data out",
            names[0],
            names[1]
        );
    }
    if !has_data && names.iter().any(|name| Path::new(name).is_dir()) {
        for (domain, name) in domains.iter_mut().zip(names) {
            let folder = fs::canonicalize(name)
                .with_context(|| format!("--unpaired: cannot find the folder {name}"))?;
            *domain = folder
                .into_os_string()
                .into_string()
                .map_err(|_| anyhow!("--unpaired: the path of {name} is not UTF-8: rename it"))?;
        }
        settings.push(text("data", &domains[0]));
    }
    settings.push(Setting::flag(FLAG, "translate.domains", domains.to_vec()));
    Ok(settings)
}

fn settings(choice: &Choice) -> anyhow::Result<Vec<Setting>> {
    let mut settings = choice
        .settings
        .iter()
        .map(|text| Setting::parse(text))
        .collect::<Result<Vec<_>, _>>()?;
    let words = [
        ("--task", "task", &choice.task.task),
        ("--mask", "repair.mask", &choice.task.mask),
        ("--from", "translate.from", &choice.task.from),
        ("--data", "data", &choice.data),
        ("--device", "device", &choice.device),
    ];
    if let Some(folder) = &choice.task.pairs {
        let of_pairs = [
            ("task", "translate"),
            ("translate.from", "pairs"),
            ("data", folder.as_str()),
        ];
        settings.extend(of_pairs.map(|(key, value)| Setting::flag("--pairs", key, value)));
    }
    if let [first, second] = choice.task.unpaired.as_slice() {
        let sets_data = |text: &String| {
            text.split('=')
                .next()
                .is_some_and(|key| key.trim() == "data")
        };
        let has_data = choice.data.is_some() || choice.settings.iter().any(sets_data);
        settings.extend(domains([first, second], has_data)?);
    }
    settings.extend(data::picture_settings(&choice.pictures));
    settings.extend(words.into_iter().filter_map(|(flag, key, value)| {
        value
            .as_ref()
            .map(|value| Setting::flag(flag, key, value.as_str()))
    }));
    let numbers = [
        ("--seed", "seed", &choice.seed),
        ("--threads", "threads", &choice.threads),
        ("--epochs", "epochs", &choice.epochs),
        ("--steps", "steps", &choice.steps),
        ("--minutes", "minutes", &choice.minutes),
        ("--batch-size", "batch_size", &choice.batch_size),
        ("--learning-rate", "learning_rate", &choice.learning_rate),
        ("--factor", "enlarge.factor", &choice.task.factor),
    ];
    settings.extend(numbers.into_iter().filter_map(|(flag, key, value)| {
        value
            .as_ref()
            .map(|value| Setting::number(flag, key, value))
    }));
    Ok(settings)
}
