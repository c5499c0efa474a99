//! Flags of the commands that look at a generator's latent space: `interpolate`, `edit` and `project`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::{ArgValueCandidates, ArgValueCompleter};

use super::complete;
use super::display::Drawing;
use super::parse::above_zero;

/// `sparring interpolate`
#[derive(Debug, Args)]
pub struct Interpolate {
    /// What all three have in common.
    #[command(flatten)]
    pub model: Model,
    /// Seeds of the noise to go through, two or more: those of `sparring sample -n 1`
    #[arg(long, value_delimiter = ',', value_name = "SEED,SEED…", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seeds: Vec<u64>,
    /// Classes to go through, two or more, by name or number; with the same noise, or as many --seeds
    #[arg(long, value_delimiter = ',', value_name = "CLASS,CLASS…")]
    pub classes: Vec<String>,
    /// Points to go through, two or more: names of kept points, or JSON files of `sparring project --json`
    #[arg(long, value_delimiter = ',', value_name = "POINT,POINT…", conflicts_with_all = ["seeds", "classes"])]
    pub from: Vec<String>,
    /// Seed of the noise for --classes [default: another one every time]
    #[arg(long, conflicts_with_all = ["seeds", "from"], value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// The class for --seeds, by name or number [default: the first]
    #[arg(long, conflicts_with_all = ["classes", "from"])]
    pub class: Option<String>,
    /// Pictures in all [default: 8, or 24 in an animation, from each stop to the next]
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    pub frames: Option<u32>,
    /// Save instead of showing: .gif or .apng (an animation that comes back to its start), .png (a strip), .npz or
    /// .idx3-ubyte
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
    /// Replace the file --out if it is there already
    #[arg(short, long, requires = "out")]
    pub force: bool,
    /// How pictures are drawn.
    #[command(flatten)]
    pub drawing: Drawing,
}

/// `sparring edit`
#[derive(Debug, Args)]
pub struct Edit {
    /// What all three have in common.
    #[command(flatten)]
    pub model: Model,
    /// Seed of the noise to start from: that of `sparring sample -n 1` [default: another one every time]
    #[arg(long, conflicts_with = "from", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// Start from this point: the name of a kept point, or a JSON file of `sparring project --json`
    #[arg(long, value_name = "POINT")]
    pub from: Option<String>,
    /// The class, by name or number [default: that of the point, or the first]
    #[arg(long)]
    pub class: Option<String>,
    /// What to change, such as slant, thickness, size, brightness, warmth or principal-1 [default: all that the pictures have]
    #[arg(long, value_delimiter = ',', value_name = "NAME,NAME…")]
    pub property: Vec<String>,
    /// How far to go to each side, in standard deviations of the property among the run's pictures
    #[arg(long, default_value_t = 1.0, value_parser = amount)]
    pub amount: f64,
    /// Pictures to each side
    #[arg(short = 'n', long = "count", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=32))]
    pub count: u32,
    /// Number of other starts from which the same is tried, to say how often it works
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub trials: u32,
    /// Save the strips instead of showing them: .png, .npz or .idx3-ubyte
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
    /// Replace the file --out if it is there already
    #[arg(short, long, requires = "out")]
    pub force: bool,
    /// Print the figures as JSON, without pictures
    #[arg(long)]
    pub json: bool,
    /// How pictures are drawn.
    #[command(flatten)]
    pub drawing: Drawing,
}

/// `sparring project`
#[derive(Debug, Args)]
pub struct Project {
    /// Name or directory of a run, or a checkpoint file
    #[arg(value_name = "RUN|FILE", add = ArgValueCompleter::new(complete::run_or_file))]
    pub source: String,
    /// Pictures, folders of pictures, IDX files, or .npz files; pictures of another size are cropped and resized as for
    /// training
    #[arg(required = true, value_name = "PICTURE")]
    pub inputs: Vec<PathBuf>,
    /// Use the run's best checkpoint (by its quick distance) instead of the newest
    #[arg(long)]
    pub best: bool,
    /// Search in this class only, by name or number, if the run was trained with classes
    #[arg(long)]
    pub class: Option<String>,
    /// Seed of the 10,000 samples from which the search starts
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: u64,
    /// Save the strips instead of showing them: .png, .npz or .idx3-ubyte
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
    /// Replace the file --out if it is there already
    #[arg(short, long, requires = "out")]
    pub force: bool,
    /// Print a line of JSON for each picture, with its noise z, instead of showing it
    #[arg(long, conflicts_with = "out")]
    pub json: bool,
    /// auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "cpu", add = ArgValueCandidates::new(complete::devices))]
    pub device: String,
    /// How pictures are drawn.
    #[command(flatten)]
    pub drawing: Drawing,
}

/// The generator, and where it computes.
#[derive(Debug, Args)]
pub struct Model {
    /// Name or directory of a run, or a checkpoint file [default: the latest run]
    #[arg(value_name = "RUN|FILE", add = ArgValueCompleter::new(complete::run_or_file))]
    pub source: Option<String>,
    /// Use the run's best checkpoint (by its quick distance) instead of the newest
    #[arg(long)]
    pub best: bool,
    /// auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "cpu", add = ArgValueCandidates::new(complete::devices))]
    pub device: String,
}

fn amount(text: &str) -> Result<f64, String> {
    above_zero(text, 10.0)
}
