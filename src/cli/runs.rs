//! Flags of the commands on runs.

use clap::{Args, Subcommand};
use clap_complete::ArgValueCandidates;

use super::complete;
use super::display::View;

/// `sparring attach`
#[derive(Debug, Args)]
pub struct Attach {
    /// Name or directory of the run [default: the one that is training]
    #[arg(add = ArgValueCandidates::new(complete::runs))]
    pub run: Option<String>,
    /// Only watch: keys cannot change the run
    #[arg(long)]
    pub read_only: bool,
    /// The dashboard.
    #[command(flatten)]
    pub view: View,
}

/// The run that a command is for.
#[derive(Debug, Args)]
pub struct OfRun {
    /// Name or directory of the run [default: the one that is training]
    #[arg(add = ArgValueCandidates::new(complete::live_runs))]
    pub run: Option<String>,
}

/// `sparring runs`
#[derive(Debug, Args)]
pub struct Runs {
    /// What to do with runs; nothing lists them.
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
    /// Print a line of JSON for each run
    #[arg(long)]
    pub json: bool,
}

/// What to do with runs.
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// Remove runs with everything in them; in a terminal, asks first
    Rm {
        /// Names of the runs
        #[arg(required = true, value_name = "RUN", add = ArgValueCandidates::new(complete::runs))]
        runs: Vec<String>,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Remove all ended and crashed runs but the latest; in a terminal, asks first
    Prune {
        /// Do not ask
        #[arg(short, long, conflicts_with = "dry_run")]
        yes: bool,
        /// How many of them to keep
        #[arg(long, default_value_t = 5)]
        keep: usize,
        /// Only print what would be removed
        #[arg(long)]
        dry_run: bool,
    },
}

/// `sparring logs`
#[derive(Debug, Args)]
pub struct Logs {
    /// Name or directory of the run [default: the latest]
    #[arg(add = ArgValueCandidates::new(complete::runs))]
    pub run: Option<String>,
    /// Keep showing what happens until the run ends
    #[arg(short, long)]
    pub follow: bool,
    /// Print the events as they are in the log, one line of JSON each
    #[arg(long, conflicts_with = "worker")]
    pub json: bool,
    /// Show what the worker and libtorch printed, instead of the events
    #[arg(long)]
    pub worker: bool,
}

/// `sparring doctor`
#[derive(Debug, Args)]
pub struct Doctor {
    /// The device that training would ask for: auto, cpu, cuda or cuda:N [default: as configured, else auto]
    #[arg(long, value_name = "DEVICE", add = ArgValueCandidates::new(complete::devices))]
    pub device: Option<String>,
    /// Print everything as one line of JSON
    #[arg(long)]
    pub json: bool,
}
