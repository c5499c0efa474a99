//! The command line: raw flags, as typed.
//!
//! The comments of flags are the help that clap shows, so they have no Markdown.
#![allow(clippy::doc_markdown)]

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Two networks spar in your terminal until the digits look real.
///
/// A GAN lab for people who have a shell on a (GPU) box and no display: train on MNIST, watch, steer, sample and judge,
/// all in the terminal.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// Folder of the runs [default: runs in $SPARRING_HOME or in the user's data directory]
    #[arg(long, global = true, value_name = "DIR")]
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
    /// Say how good the pictures of a trained generator are, or pictures in files
    Eval(Eval),
    /// Train the judge of a data set, by which its pictures are evaluated; list or remove judges
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
    /// Let a run wait before its next step
    Pause(OfRun),
    /// Let a paused run go on
    Resume(OfRun),
    /// Let a run make some steps and then wait
    Step {
        /// Name or directory of the run [default: the one that is training]
        run: Option<String>,
        /// How many steps [default: 1]
        #[arg(value_name = "N")]
        steps: Option<String>,
    },
    /// Save a checkpoint now
    Checkpoint(OfRun),
    /// Change a value of the configuration while training
    #[command(allow_missing_positional = true)]
    Set {
        /// Name or directory of the run [default: the one that is training]
        run: Option<String>,
        /// The key and its new value, such as learning_rate=1e-4 (of both networks)
        #[arg(value_name = "KEY=VALUE")]
        setting: String,
    },
    /// Write a note into the log of a run
    #[command(allow_missing_positional = true)]
    Note {
        /// Name or directory of the run [default: the one that is training]
        run: Option<String>,
        /// The words
        text: String,
    },
    /// End a run after saving it
    Stop {
        /// Which run.
        #[command(flatten)]
        of: OfRun,
        /// End it at once; what it learnt since its last checkpoint is lost
        #[arg(long)]
        no_save: bool,
    },
    /// List the runs, or remove some
    Runs(Runs),
    /// Show what happened in a run
    Logs(Logs),
    /// Wait until a run ends, and end with its exit code
    Wait {
        /// Name or directory of the run [default: the latest]
        run: Option<String>,
    },
    /// List the presets
    Presets,
    /// Show the configuration
    Config {
        /// What to show.
        #[command(subcommand)]
        show: ConfigCommand,
    },
}

/// `sparring train`
// Switches of a command line are truths, however many.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Args)]
pub struct Train {
    /// Configuration.
    #[command(flatten)]
    pub choice: Choice,
    /// Name of the new run [default: a readable one that is free]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Go on with a run; flags change what may change
    #[arg(long, value_name = "RUN", conflicts_with_all = ["name", "preset", "config", "resume_if_exists"])]
    pub resume: Option<String>,
    /// Go on with the run of --name if it exists, else start it: for jobs that are requeued
    #[arg(long, requires = "name")]
    pub resume_if_exists: bool,
    /// Train in the foreground without a dashboard
    #[arg(long)]
    pub headless: bool,
    /// Print every event as a line of JSON on stdout (implies --headless)
    #[arg(long)]
    pub json: bool,
    /// Save and end the run when its last dashboard is left
    #[arg(long, conflicts_with_all = ["headless", "json"])]
    pub tie: bool,
    /// The dashboard.
    #[command(flatten)]
    pub view: View,
}

/// Flags that decide how a dashboard looks.
#[derive(Debug, Args)]
#[command(next_help_heading = "Dashboard")]
pub struct View {
    /// Frames a second, at most; keys are answered at once
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=60))]
    pub fps: u16,
    /// KB a second to the terminal: beyond it, pictures come less often, then in coarser colours; 0 sets no limit
    #[arg(long, value_name = "KB", default_value_t = 8, value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub budget: u32,
    /// Background of the terminal
    #[arg(long, value_enum, default_value_t)]
    pub theme: Background,
    /// Colour in what is shown
    #[arg(long, value_enum, default_value_t)]
    pub color: When,
    /// What sh runs when the run ends or something is wrong; it finds SPARRING_RUN and SPARRING_MESSAGE set
    #[arg(long, value_name = "CMD")]
    pub notify: Option<String>,
}

/// Background of a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Background {
    /// Light letters on dark
    #[default]
    Dark,
    /// Dark letters on light
    Light,
}

/// `sparring attach`
#[derive(Debug, Args)]
pub struct Attach {
    /// Name or directory of the run [default: the one that is training]
    pub run: Option<String>,
    /// Only watch: no key gives a command
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
    pub run: Option<String>,
}

/// Flags that choose a configuration.
#[derive(Debug, Default, Args)]
pub struct Choice {
    /// Preset to start from (`sparring presets` lists them)
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,
    /// TOML file with keys of the configuration
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// `mnist`, or a folder of pictures, IDX files, an .npz or .npy file, or a sprite sheet
    #[arg(long, value_name = "PATH")]
    pub data: Option<String>,
    /// How pictures are prepared.
    #[command(flatten)]
    pub pictures: PictureFlags,
    /// auto, cpu, cuda or cuda:N
    #[arg(long)]
    pub device: Option<String>,
    /// Seed of everything random
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<String>,
    /// CPU threads; 0 takes all that this process may use
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub threads: Option<String>,
    /// Epochs to train
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub epochs: Option<String>,
    /// Steps to train; 0 sets no limit
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub steps: Option<String>,
    /// Minutes to train; 0 sets no limit
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub minutes: Option<String>,
    /// Real images a step
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub batch_size: Option<String>,
    /// Adam's step size of both networks
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub learning_rate: Option<String>,
    /// Any other key, such as --set generator.hidden='[128, 256]'
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
}

/// Flags that decide how pictures are prepared.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Pictures")]
pub struct PictureFlags {
    /// Side of the pictures: 28, 32, 48 or 64 [default: chosen from the data]
    #[arg(long, value_name = "PIXELS", allow_negative_numbers = true)]
    pub image_size: Option<String>,
    /// grey, rgb, or auto: grey if every picture is
    #[arg(long)]
    pub channels: Option<String>,
    /// What lies behind transparent pixels: black, white or a colour such as #7f7f7f
    #[arg(long, value_name = "COLOUR")]
    pub background: Option<String>,
    /// Cut a sprite sheet into tiles of this side
    #[arg(long, value_name = "PIXELS", allow_negative_numbers = true)]
    pub tile: Option<String>,
    /// Share of the pictures held out for testing, where the data has no test split
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub test_fraction: Option<String>,
}

/// `sparring data`
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Say what a data set holds and draw some of its pictures
    Info(DataInfo),
    /// Show the cache of decoded pictures
    Cache {
        /// Remove everything in it
        #[arg(long)]
        clear: bool,
    },
}

/// `sparring data info`
#[derive(Debug, Args)]
pub struct DataInfo {
    /// `mnist`, or a folder of pictures, IDX files, an .npz or .npy file, or a sprite sheet
    #[arg(value_name = "PATH")]
    pub data: String,
    /// How pictures are prepared.
    #[command(flatten)]
    pub pictures: PictureFlags,
    /// How many pictures to draw; 0 draws none
    #[arg(short = 'n', long = "count", default_value_t = 16, value_parser = clap::value_parser!(u32).range(..=1024))]
    pub count: u32,
    /// Pictures in a row [default: as many as fit]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub columns: Option<u16>,
    /// Colour in what is shown
    #[arg(long, value_enum, default_value_t)]
    pub color: When,
    /// How pictures are drawn
    #[arg(long, value_enum, default_value_t)]
    pub render: Render,
    /// Full size or half [default: full where it fits]
    #[arg(long, value_enum)]
    pub scale: Option<Scale>,
    /// Print what it holds as JSON, without pictures
    #[arg(long)]
    pub json: bool,
}

/// `sparring sample`
// Switches of a command line are truths, however many.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Args)]
pub struct Sample {
    /// Name or directory of a run, or a checkpoint file [default: the latest run]
    #[arg(value_name = "RUN|FILE")]
    pub source: Option<String>,
    /// Take the run's best checkpoint, by its quick distance, instead of the newest
    #[arg(long, conflicts_with = "live")]
    pub best: bool,
    /// Ask the worker of a run that is training: fresh noise, also shown to its dashboards and saved in samples/
    #[arg(long, conflicts_with_all = ["out", "device"])]
    pub live: bool,
    /// How many pictures
    #[arg(short = 'n', long = "count", default_value_t = 16, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub count: u64,
    /// Seed of the noise: what torch.manual_seed takes [default: another one every time]
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// Draw only this class of a conditional model, by its name or number [default: each in its turn]
    #[arg(long, value_name = "NAME")]
    pub class: Option<String>,
    /// Draw equally many pictures of each class, or fail if the model has no classes
    #[arg(long, conflicts_with_all = ["class", "live"])]
    pub balanced: bool,
    /// Pictures in a row [default: as many as fit]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub columns: Option<u16>,
    /// Save instead of showing: one file (.png for a grid, .npz or .idx3-ubyte), or a folder for a data set
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
    /// How the data set in the folder --out is laid out [default: png]
    #[arg(long, value_enum, requires = "out")]
    pub format: Option<DatasetFormat>,
    /// Colour in what is shown
    #[arg(long, value_enum, default_value_t)]
    pub color: When,
    /// How pictures are drawn
    #[arg(long, value_enum, default_value_t)]
    pub render: Render,
    /// How large pictures are drawn [default: the largest at which a row of them fits]
    #[arg(long, value_enum)]
    pub scale: Option<Scale>,
    /// Leave out the names of classes under the pictures of a conditional model
    #[arg(long)]
    pub no_labels: bool,
    /// auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "cpu")]
    pub device: String,
}

/// `sparring eval`
#[derive(Debug, Args)]
pub struct Eval {
    /// Name or directory of a run, or a checkpoint file [default: the latest run]
    #[arg(value_name = "RUN|FILE")]
    pub source: Option<String>,
    /// Take the run's best checkpoint, by its quick distance, instead of the newest
    #[arg(long, conflicts_with = "samples")]
    pub best: bool,
    /// Evaluate these pictures instead: an IDX file, FILE.npz, or a folder, such as `sparring sample --out` writes
    #[arg(long, value_name = "PATH", conflicts_with_all = ["source", "seed", "device"])]
    pub samples: Option<PathBuf>,
    /// What those pictures are compared with: `mnist`, or a folder of IDX files
    #[arg(
        long,
        value_name = "DIR",
        default_value = "mnist",
        requires = "samples"
    )]
    pub data: String,
    /// Seed of the noise, as for `sparring sample` [default: another one every time]
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// Device that draws: auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// Also measure what the pictures add to 50 real ones of each class, when a classifier is trained on them: a minute
    /// or more; for conditional models
    #[arg(long, conflicts_with = "samples")]
    pub augmentation: bool,
    /// Print the figures as JSON
    #[arg(long)]
    pub json: bool,
}

/// `sparring judge`
#[derive(Debug, Subcommand)]
pub enum JudgeCommand {
    /// Train a judge and keep it in the cache directory: some minutes; eval and health checks find it by the data's content
    Train {
        /// Labelled data: a folder of pictures with a sub-folder for each class, IDX files, or an .npz file
        #[arg(value_name = "DATA")]
        data: String,
        /// How pictures are prepared: as for the runs on this data.
        #[command(flatten)]
        pictures: PictureFlags,
        /// Seed of the training
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
        seed: u64,
        /// Print what was measured as JSON
        #[arg(long)]
        json: bool,
    },
    /// List the judges
    List {
        /// A line of JSON for each judge
        #[arg(long)]
        json: bool,
    },
    /// Remove judges
    Remove {
        /// Fingerprints as listed, or their beginnings
        #[arg(required = true, value_name = "FINGERPRINT")]
        judges: Vec<String>,
    },
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// When the output is a terminal that has colours and NO_COLOR is not set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How pictures are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Render {
    /// The best that the terminal can show
    #[default]
    Auto,
    /// Half blocks: two pixels a cell, in colour
    Half,
    /// Braille: eight dots a cell, without colour
    Braille,
    /// Characters of growing brightness
    Ascii,
}

/// Size of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scale {
    /// Every pixel
    Full,
    /// 2×2 pixels averaged to one
    Half,
    /// 3×3 pixels averaged to one
    Third,
    /// 4×4 pixels averaged to one
    Quarter,
}

/// Layout of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DatasetFormat {
    /// MNIST's files: train-images-idx3-ubyte and train-labels-idx1-ubyte (grey pictures only)
    Idx,
    /// A folder of PNG files for each class
    Png,
    /// dataset.npz with MedMNIST's arrays train_images and train_labels
    Npz,
}

/// `sparring runs`
#[derive(Debug, Args)]
pub struct Runs {
    /// What to do with runs; nothing lists them.
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
    /// A line of JSON for each run
    #[arg(long)]
    pub json: bool,
}

/// What to do with runs.
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// Remove runs with everything in them
    Rm {
        /// Names of the runs
        #[arg(required = true, value_name = "RUN")]
        runs: Vec<String>,
    },
    /// Remove all ended and crashed runs but the latest
    Prune {
        /// How many of them to keep
        #[arg(long, default_value_t = 5)]
        keep: usize,
        /// Only say what would be removed
        #[arg(long)]
        dry_run: bool,
    },
}

/// `sparring logs`
#[derive(Debug, Args)]
pub struct Logs {
    /// Name or directory of the run [default: the latest]
    pub run: Option<String>,
    /// Go on showing what happens until the run ends
    #[arg(short, long)]
    pub follow: bool,
    /// The events as they are in the log, a line of JSON each
    #[arg(long, conflicts_with = "worker")]
    pub json: bool,
    /// What the worker and libtorch said instead of the events
    #[arg(long)]
    pub worker: bool,
}

/// `sparring config`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the configuration that these flags give, and where each value is from
    Show(Box<Choice>),
    /// Print every key with its default and its documentation
    Keys,
    /// Print where your own configuration file is read from
    Path,
}
