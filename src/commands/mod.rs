//! What each command of the command line does.

mod config;
mod logs;
mod runs;
mod sample;
mod train;
mod wait;

use sparring_contract::config::ConfigError;
use sparring_contract::exit;
use sparring_contract::run::{Home, RunError};

use crate::cli::{Cli, Command, ConfigCommand};
use crate::client::WorkerMissing;

/// Does what the command line asks for and returns the exit code.
pub fn run(cli: Cli) -> anyhow::Result<u8> {
    let home = || Home::locate(cli.runs_dir.as_deref());
    match cli.command {
        Command::Train(train) => train::train(&home()?, &train),
        Command::Sample(sample) => sample::sample(&home()?, &sample),
        Command::Runs(runs) => runs::runs(&home()?, &runs),
        Command::Logs(logs) => logs::logs(&home()?.find(logs.run.as_deref())?, &logs),
        Command::Wait { run } => wait::wait(&home()?.find(run.as_deref())?),
        Command::Presets => config::presets(),
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
    let wrong_words = matches!(
        error.downcast_ref(),
        Some(RunError::BadName { .. } | RunError::Exists { .. } | RunError::Config(_))
    );
    if wrong_words || error.is::<ConfigError>() {
        exit::USAGE
    } else if error.is::<WorkerMissing>() {
        exit::MISMATCH
    } else {
        exit::FAILURE
    }
}
