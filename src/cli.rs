//! The command line: raw flags, as typed.
//!
//! The comments of flags are the help that clap shows, so they have no Markdown.
#![allow(clippy::doc_markdown)]

mod complete;
mod display;
mod latent;
mod parse;
mod pictures;
mod runs;
mod shells;
mod training;
mod translate;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::ArgValueCandidates;

pub use self::complete::Shell;
pub use self::display::{Background, Drawing, Render, Scale, View, When};
pub use self::latent::{Edit, Interpolate, Model, Project};
pub use self::parse::parse;
pub use self::pictures::{
    DataCommand, DataInfo, DatasetFormat, Eval, JudgeCommand, Sample, Truncation,
};
pub use self::runs::{Attach, Doctor, Logs, OfRun, Runs, RunsCommand};
pub use self::shells::{answer, script};
pub use self::training::{Choice, ConfigCommand, PictureFlags, Train};
pub use self::translate::{FromPart, FromPictures, Repair, Translate};

/// Below the help, and in the manual.
const EXIT_CODES: &str = "\
Exit codes:
  0    all that was asked for is done
  1    it failed; one line says why
  2    the command line or the configuration is wrong; nothing was started
  3    the worker program or its libtorch is missing, or of another build
  4    training went wrong again and again, and was stopped; what it learnt before is saved
  129  the terminal went away
  130  ended by Ctrl-C, after saving
  143  ended by SIGTERM, after saving";

/// Two networks spar in your terminal until the pictures look real.
///
/// A GAN lab for headless machines: train on MNIST or on your own pictures, watch and steer over SSH, sample and judge, all
/// in the terminal.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100, after_long_help = EXIT_CODES)]
pub struct Cli {
    /// Folder of the runs [default: runs in $SPARRING_HOME or in the user's data directory]
    #[arg(long, global = true, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub runs_dir: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a generator and a discriminator
    Train(Box<Train>),
    /// Show pictures of a trained generator in the scrollback, or save them
    Sample(Sample),
    /// Fill in missing pixels of pictures, with a run that was trained with --task repair
    Repair(Repair),
    /// Make small pictures larger, with a run that was trained with --task enlarge
    Enlarge(FromPart),
    /// Make pictures from edges, sketches or others, with a run that was trained with --task translate
    Translate(Translate),
    /// Show or save pictures on the way from one seed, class or point to another
    Interpolate(Interpolate),
    /// Change one property of a picture at a time, such as slant, thickness or brightness
    Edit(Edit),
    /// Find the noise whose picture comes closest to yours
    Project(Project),
    /// Measure how good the pictures of a trained generator are, or pictures in files
    Eval(Eval),
    /// Train a judge, the classifier that `eval` uses for a labelled data set; list or remove judges
    Judge {
        /// What to do with judges.
        #[command(subcommand)]
        command: JudgeCommand,
    },
    /// Show what a data set holds, or the cache of decoded pictures
    Data {
        /// What to show.
        #[command(subcommand)]
        show: DataCommand,
    },
    /// Open the dashboard of a run, from any terminal and as often as wanted
    Attach(Attach),
    /// Pause a run
    Pause(OfRun),
    /// Continue a paused run; `train --resume` continues one that has ended
    #[command(alias = "resume")]
    Unpause(OfRun),
    /// Run a few steps, then pause
    Step {
        /// Name or directory of the run [default: the one that is training]
        #[arg(add = ArgValueCandidates::new(complete::live_runs))]
        run: Option<String>,
        /// How many steps [default: 1]
        #[arg(value_name = "N")]
        steps: Option<String>,
    },
    /// Save a checkpoint now
    Checkpoint(OfRun),
    /// Change a configuration value while training
    #[command(allow_missing_positional = true)]
    Set {
        /// Name or directory of the run [default: the one that is training]
        #[arg(add = ArgValueCandidates::new(complete::live_runs))]
        run: Option<String>,
        /// The key and its new value, such as learning_rate=1e-4 (of both networks)
        #[arg(value_name = "KEY=VALUE", add = ArgValueCandidates::new(complete::live_keys))]
        setting: String,
    },
    /// Add a note to the log of a run
    #[command(allow_missing_positional = true)]
    Note {
        /// Name or directory of the run [default: the one that is training]
        #[arg(add = ArgValueCandidates::new(complete::live_runs))]
        run: Option<String>,
        /// The text of the note
        text: String,
    },
    /// Save a run and stop it
    Stop {
        /// Which run.
        #[command(flatten)]
        of: OfRun,
        /// Stop at once; what it learnt since its last checkpoint is lost
        #[arg(long)]
        no_save: bool,
    },
    /// List the runs, or remove some
    Runs(Runs),
    /// Show what happened in a run
    Logs(Logs),
    /// Wait until a run ends, and exit with its exit code
    Wait {
        /// Name or directory of the run [default: the latest]
        #[arg(add = ArgValueCandidates::new(complete::runs))]
        run: Option<String>,
    },
    /// Say what training would find on this machine: libtorch, devices, terminal, folders
    ///
    /// Tries each CUDA device. Exits with 1 if training would fail.
    Doctor(Doctor),
    /// List the presets
    Presets,
    /// Print the script with which a shell completes commands, flags, runs and values
    ///
    /// bash: add `source <(sparring completions bash)` to ~/.bashrc.
    ///
    /// zsh: add `source <(sparring completions zsh)` to ~/.zshrc, after compinit.
    ///
    /// fish: add `sparring completions fish | source` to ~/.config/fish/config.fish.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Write the manual pages into a folder
    #[command(hide = true)]
    Manual {
        /// The folder.
        folder: PathBuf,
    },
    /// Show the configuration
    Config {
        /// What to show.
        #[command(subcommand)]
        show: ConfigCommand,
    },
}
