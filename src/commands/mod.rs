//! What each command of the command line does.

mod answer;
mod chosen;
mod config;
mod dashboard;
mod data;
mod doctor;
mod eval;
mod flags;
mod judge;
mod latent;
mod live;
mod logs;
mod runs;
mod sample;
mod source;
mod train;
mod translate;
mod wait;

use sparring_contract::config::ConfigError;
use sparring_contract::exit;
use sparring_contract::output::tell;
use sparring_contract::run::{Home, Run, RunError};

use crate::cli::{Cli, Command, ConfigCommand, DataCommand};
use crate::client::NoWorker;
use crate::dashboard::KeymapError;
use dashboard::NeverBegan;

/// The run of this name. Without a name it is the latest, and the user is told which that is.
fn meant(home: &Home, name: Option<&str>) -> anyhow::Result<Run> {
    let run = home.find(name)?;
    if name.is_none() {
        tell(&format!("the latest run: {}", run.name()));
    }
    Ok(run)
}

/// Does what the command line asks for and returns the exit code.
pub fn run(cli: Cli) -> anyhow::Result<u8> {
    let home = || Home::locate(cli.runs_dir.as_deref());
    match cli.command {
        Command::Train(train) => train::train(&home()?, &train),
        Command::Sample(sample) if !sample.point.is_empty() => {
            latent::sample_points(&home()?, &sample)
        }
        Command::Sample(sample) => sample::sample(&home()?, &sample),
        Command::Repair(flags) => translate::repair(&home()?, &flags),
        Command::Enlarge(flags) => translate::enlarge(&home()?, &flags),
        Command::Translate(flags) => translate::translate(&home()?, &flags),
        Command::Interpolate(flags) => latent::interpolate(&home()?, &flags),
        Command::Edit(flags) => latent::edit(&home()?, &flags),
        Command::Project(flags) => latent::project(&home()?, &flags),
        Command::Eval(eval) => eval::eval(&home()?, &eval),
        Command::Data {
            show: DataCommand::Info(info),
        } => data::info(&info),
        Command::Data {
            show: DataCommand::Cache { clear },
        } => data::cache(clear),
        Command::Judge { command } => judge::judge(&command),
        Command::Attach(attach) => dashboard::attach(&home()?, &attach),
        Command::Pause(of) => live::pause(&home()?, of.run.as_deref()),
        Command::Unpause(of) => live::unpause(&home()?, of.run.as_deref()),
        Command::Step { run, steps } => live::step(&home()?, run.as_deref(), steps.as_deref()),
        Command::Checkpoint(of) => live::checkpoint(&home()?, of.run.as_deref()),
        Command::Set { run, setting } => live::set(&home()?, run.as_deref(), &setting),
        Command::Note { run, text } => live::note(&home()?, run.as_deref(), &text),
        Command::Stop { of, no_save } => live::stop(&home()?, of.run.as_deref(), !no_save),
        Command::Runs(runs) => runs::runs(&home()?, &runs),
        Command::Logs(logs) => logs::logs(&meant(&home()?, logs.run.as_deref())?, &logs),
        Command::Wait { run } => wait::wait(&meant(&home()?, run.as_deref())?),
        Command::Doctor(flags) => doctor::doctor(&home()?, &flags),
        Command::Presets => config::presets(),
        Command::Completions { shell } => config::completions(shell),
        Command::Manual { folder } => config::manual(&folder),
        Command::Config {
            show: ConfigCommand::Show(choice),
        } => config::show(&choice),
        Command::Config {
            show: ConfigCommand::Keys,
        } => config::keys(),
        Command::Config {
            show: ConfigCommand::Path,
        } => config::path(),
    }
}

/// The exit code for an error that [`run`] returned.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if let Some(never_began) = error.downcast_ref::<NeverBegan>() {
        return never_began.code;
    }
    let wrong_words = match error.downcast_ref() {
        // A run's own configuration that the disk does not give is nobody's mistake.
        Some(RunError::Config(ConfigError::Unreadable { .. })) => false,
        Some(RunError::BadName { .. } | RunError::Exists { .. } | RunError::Config(_)) => true,
        _ => false,
    };
    if wrong_words || error.is::<ConfigError>() || error.is::<KeymapError>() {
        exit::USAGE
    } else if error.is::<NoWorker>() {
        exit::MISMATCH
    } else {
        exit::FAILURE
    }
}
