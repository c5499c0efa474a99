//! Flags of `sparring train` and of the configuration.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use clap_complete::ArgValueCandidates;

use super::complete;
use super::display::View;

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
    /// Resume this run; flags may change parts of its configuration
    #[arg(
        long,
        value_name = "RUN",
        add = ArgValueCandidates::new(complete::runs),
        conflicts_with_all = ["name", "preset", "config", "resume_if_exists"]
    )]
    pub resume: Option<String>,
    /// Resume the run of --name if it exists, else start it: for jobs that get requeued
    #[arg(long, requires = "name")]
    pub resume_if_exists: bool,
    /// Train in the foreground without a dashboard
    #[arg(long)]
    pub headless: bool,
    /// Print every event as a line of JSON on stdout (implies --headless)
    #[arg(long)]
    pub json: bool,
    /// Save and stop the run when its last dashboard is closed
    #[arg(long, conflicts_with_all = ["headless", "json"])]
    pub tie: bool,
    /// The dashboard.
    #[command(flatten)]
    pub view: View,
}

/// Flags that choose a configuration.
#[derive(Debug, Default, Args)]
pub struct Choice {
    /// Preset to start from (`sparring presets` lists them)
    #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(complete::presets))]
    pub preset: Option<String>,
    /// TOML file of configuration keys
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// `mnist`, or a folder of pictures, IDX files, an .npz or .npy file, or a sprite sheet
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub data: Option<String>,
    /// What is learnt.
    #[command(flatten)]
    pub task: TaskFlags,
    /// How pictures are prepared.
    #[command(flatten)]
    pub pictures: PictureFlags,
    /// auto, cpu, cuda or cuda:N
    #[arg(long, add = ArgValueCandidates::new(complete::devices))]
    pub device: Option<String>,
    /// Seed for everything random
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
    /// Real images per step
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub batch_size: Option<String>,
    /// Learning rate of both networks
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub learning_rate: Option<String>,
    /// Any other key, such as --set generator.hidden='[128, 256]'
    #[arg(long = "set", value_name = "KEY=VALUE", add = ArgValueCandidates::new(complete::keys))]
    pub settings: Vec<String>,
}

/// Flags that decide what the generator learns.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Task")]
pub struct TaskFlags {
    /// generate pictures from noise; or repair, enlarge or translate pictures, which takes preset pix2pix
    #[arg(long, value_name = "TASK", add = ArgValueCandidates::new(|| complete::values("task")))]
    pub task: Option<String>,
    /// For repair, which pixels are missing: centre, half, strokes, random, or mixed
    #[arg(long, value_name = "MASK", add = ArgValueCandidates::new(|| complete::values("repair.mask")))]
    pub mask: Option<String>,
    /// For enlarge, by how much a side grows: 2 or 4
    #[arg(
        long,
        value_name = "N",
        add = ArgValueCandidates::new(|| complete::values("enlarge.factor")),
        allow_negative_numbers = true
    )]
    pub factor: Option<String>,
    /// Translate your own pairs: a folder with pictures in b/ and what they are to be made from in a/, matched by name
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with_all = ["data", "task", "from"])]
    pub pairs: Option<String>,
    /// Translate between two domains without pairs, both ways: two classes of the data, or two folders of pictures
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with_all = ["pairs", "task", "from"])]
    pub unpaired: Vec<String>,
    /// For translate, what pictures are made from: edges, thin, thick, or grey
    #[arg(long, value_name = "WHAT", add = ArgValueCandidates::new(|| complete::values("translate.from")))]
    pub from: Option<String>,
}

/// Flags that decide how pictures are prepared.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Pictures")]
pub struct PictureFlags {
    /// Side of the pictures: 28, 32, 48 or 64 [default: chosen from the data]
    #[arg(
        long,
        value_name = "PIXELS",
        add = ArgValueCandidates::new(|| complete::values("image_size")),
        allow_negative_numbers = true
    )]
    pub image_size: Option<String>,
    /// grey, rgb, or auto: grey if every picture is
    #[arg(long, add = ArgValueCandidates::new(|| complete::values("channels")))]
    pub channels: Option<String>,
    /// Background behind transparent pixels: black, white or a colour such as #7f7f7f
    #[arg(long, value_name = "COLOUR")]
    pub background: Option<String>,
    /// Cut a sprite sheet into tiles of this side
    #[arg(long, value_name = "PIXELS", allow_negative_numbers = true)]
    pub tile: Option<String>,
    /// Share of the pictures held out for testing, where the data has no test split
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub test_fraction: Option<String>,
}

/// `sparring config`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the configuration that these flags give, and where each value comes from
    Show(Box<Choice>),
    /// Print every key with its default and its documentation
    Keys,
    /// Print the path of your own configuration file
    Path,
}
