//! Flags of the commands on pictures: `data`, `sample`, `eval` and `judge`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use clap_complete::{ArgValueCandidates, ArgValueCompleter};

use super::complete;
use super::display::Drawing;
use super::parse::above_zero;
use super::training::PictureFlags;

/// `sparring data`
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Show what a data set holds and draw some of its pictures
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
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub data: String,
    /// How pictures are prepared.
    #[command(flatten)]
    pub pictures: PictureFlags,
    /// How many pictures to draw; 0 draws none
    #[arg(short = 'n', long = "count", default_value_t = 16, value_parser = clap::value_parser!(u32).range(..=1024))]
    pub count: u32,
    /// How pictures are drawn.
    #[command(flatten)]
    pub drawing: Drawing,
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
    #[arg(value_name = "RUN|FILE", add = ArgValueCompleter::new(complete::run_or_file))]
    pub source: Option<String>,
    /// Use the run's best checkpoint (by its quick distance) instead of the newest
    #[arg(long, conflicts_with = "live")]
    pub best: bool,
    /// Ask the worker of a run that is training: with fresh noise, also shown in its dashboards and saved in samples/
    #[arg(long, conflicts_with_all = ["out", "device", "truncation", "tails"])]
    pub live: bool,
    /// How many pictures
    #[arg(short = 'n', long = "count", default_value_t = 16, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub count: u64,
    /// Seed of the noise: what torch.manual_seed takes [default: another one every time]
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// Draw only this class of a conditional model, by its name or number [default: all classes in turn]
    #[arg(long, value_name = "NAME")]
    pub class: Option<String>,
    /// Draw the same number of pictures of each class; fails if the model has no classes
    #[arg(long, conflicts_with_all = ["class", "live"])]
    pub balanced: bool,
    /// Draw these points instead: names of points kept in the dashboard's explorer, or JSON files of
    /// `sparring project --json`
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "POINT,POINT…",
        conflicts_with_all = ["live", "count", "seed", "class", "balanced", "truncation", "tails", "format"]
    )]
    pub point: Vec<String>,
    /// What noise is drawn.
    #[command(flatten)]
    pub truncation: Truncation,
    /// Save instead of showing: one file (.png for a grid, .gif or .apng for an animation, .npz or .idx3-ubyte), or a folder
    /// for a data set
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
    /// Replace the file --out if it is there already
    #[arg(short, long, requires = "out")]
    pub force: bool,
    /// Layout of the data set in the folder --out [default: png]
    #[arg(long, value_enum, requires = "out")]
    pub format: Option<DatasetFormat>,
    /// How pictures are drawn.
    #[command(flatten)]
    pub drawing: Drawing,
    /// Leave out the names of classes under the pictures of a conditional model
    #[arg(long)]
    pub no_labels: bool,
    /// auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "cpu", add = ArgValueCandidates::new(complete::devices))]
    pub device: String,
}

/// What is done to the noise, to trade variety for quality.
#[derive(Clone, Copy, Debug, Args)]
pub struct Truncation {
    /// Scale the noise by this factor, above 0 and up to 1: less varied, more typical pictures
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub truncation: Option<f64>,
    /// Draw noise values beyond plus or minus this number again; from 0.1 on
    #[arg(long, value_name = "NUMBER", conflicts_with = "truncation", value_parser = tails)]
    pub tails: Option<f64>,
}

fn share(text: &str) -> Result<f64, String> {
    above_zero(text, 1.0)
}

/// Narrower tails would be drawn again for ever.
fn tails(text: &str) -> Result<f64, String> {
    above_zero(text, 100.0).and_then(|number| {
        (number >= 0.1)
            .then_some(number)
            .ok_or_else(|| "give a number from 0.1 to 100".to_owned())
    })
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

/// `sparring eval`
#[derive(Debug, Args)]
pub struct Eval {
    /// Name or directory of a run, or a checkpoint file [default: the latest run]
    #[arg(value_name = "RUN|FILE", add = ArgValueCompleter::new(complete::run_or_file))]
    pub source: Option<String>,
    /// Use the run's best checkpoint (by its quick distance) instead of the newest
    #[arg(long, conflicts_with = "samples")]
    pub best: bool,
    /// Evaluate these pictures instead: an IDX file, FILE.npz, or a folder, such as `sparring sample --out` writes
    #[arg(long, value_name = "PATH", conflicts_with_all = ["source", "seed", "device"])]
    pub samples: Option<PathBuf>,
    /// What to compare those pictures with: `mnist`, or a folder of pictures, IDX files, an .npz or .npy file, or a sprite
    /// sheet
    #[arg(
        long,
        value_name = "PATH",
        default_value = "mnist",
        requires = "samples",
        value_hint = ValueHint::AnyPath
    )]
    pub data: String,
    /// Seed of the noise, as for `sparring sample` [default: another one every time]
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// What noise is drawn.
    #[command(flatten)]
    pub truncation: Truncation,
    /// Evaluate how a run that makes pictures from noise repairs pictures: centre, half, strokes, random or mixed
    #[arg(
        long,
        value_name = "MASK",
        add = ArgValueCandidates::new(|| complete::values("repair.mask")),
        conflicts_with_all = ["samples", "augmentation", "truncation", "tails"]
    )]
    pub mask: Option<String>,
    /// Device that draws: auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "cpu", add = ArgValueCandidates::new(complete::devices))]
    pub device: String,
    /// Also measure how much the pictures help a classifier that has 50 real ones of each class: a minute or more;
    /// conditional models only
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
        #[arg(value_name = "DATA", value_hint = ValueHint::AnyPath)]
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
        /// Print a line of JSON for each judge
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
