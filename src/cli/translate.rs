//! Flags of the commands that make pictures from pictures: `repair`, `enlarge` and `translate`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::{ArgValueCandidates, ArgValueCompleter};

use super::complete;
use super::display::Drawing;

/// `sparring repair`
#[derive(Debug, Args)]
pub struct Repair {
    /// What all three have in common.
    #[command(flatten)]
    pub common: FromPictures,
    /// Which pixels are missing: centre, half, strokes, random, mixed, or a picture that is white where they are
    /// [default: what the run was trained on]
    #[arg(long, value_name = "MASK|FILE", add = ArgValueCompleter::new(complete::mask_or_file))]
    pub mask: Option<String>,
}

/// `sparring translate`
#[derive(Debug, Args)]
pub struct Translate {
    /// What it has in common with `sparring enlarge`.
    #[command(flatten)]
    pub part: FromPart,
    /// With a run that learnt without pairs, the domain to make pictures of, by its name [default: the second]
    #[arg(long, value_name = "NAME", conflicts_with = "from_whole")]
    pub to: Option<String>,
}

/// `sparring enlarge` and `sparring translate`
#[derive(Debug, Args)]
pub struct FromPart {
    /// What all three have in common.
    #[command(flatten)]
    pub common: FromPictures,
    /// The pictures are whole: reduce them, or take their edges, as in training, and show the originals too
    #[arg(long)]
    pub from_whole: bool,
}

/// What the commands that make pictures from pictures have in common.
#[derive(Debug, Args)]
pub struct FromPictures {
    /// Name or directory of a run that has learnt it, or a checkpoint file
    #[arg(value_name = "RUN|FILE", add = ArgValueCompleter::new(complete::run_or_file))]
    pub source: String,
    /// Pictures, folders of pictures, IDX files, or .npz files; pictures of another size are cropped and resized as for
    /// training, except to be enlarged
    #[arg(required = true, value_name = "IN")]
    pub inputs: Vec<PathBuf>,
    /// Use the run's best checkpoint (by its quick distance) instead of the newest
    #[arg(long)]
    pub best: bool,
    /// How many answers to make for each picture; they differ if the run was trained with noise
    #[arg(short = 'n', long = "answers", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub answers: u32,
    /// Seed of random masks and noise [default: another one every time]
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// Save instead of showing: one file (.png for a grid, .npz or .idx3-ubyte), or a folder of PNG files
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
    /// Replace files that are there already
    #[arg(short, long, requires = "out")]
    pub force: bool,
    /// How pictures are drawn.
    #[command(flatten)]
    pub drawing: Drawing,
    /// auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "cpu", add = ArgValueCandidates::new(complete::devices))]
    pub device: String,
}
