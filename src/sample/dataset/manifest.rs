//! The manifest of a data set: what is in it, and how to draw it again.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sparring_contract::protocol::Truncation;

use super::class_folders;
use crate::sample::{Draw, Shape};

/// The manifest's file.
pub const MANIFEST: &str = "manifest.json";

/// How a data set lies in its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// MNIST's files: `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`. Grey pictures only.
    Idx,
    /// One PNG per picture, in one folder per class; without classes, all in one folder.
    Png,
    /// `dataset.npz` with the arrays `train_images` and `train_labels`, as in MedMNIST.
    Npz,
}

/// A class of a data set. Its label is its place in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// Its name, as the training data had it.
    pub name: String,
    /// Its folder, in a data set of PNG files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// How many pictures were asked to be of this class.
    pub count: u64,
}

/// What is in a data set, and how to draw it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// How the data set lies in its folder.
    pub format: Format,
    /// How many pictures.
    pub count: u64,
    /// 1 for grey, 3 for RGB.
    pub channels: u32,
    /// Pixels down.
    pub height: u32,
    /// Pixels across.
    pub width: u32,
    /// The model's classes in the order of their labels; none for a model without classes.
    pub classes: Vec<Class>,
    /// The label of the one class that was drawn, if `--class` chose one.
    pub only_class: Option<u64>,
    /// What was done to the noise; nothing if it is not said.
    #[serde(default)]
    pub truncation: Truncation,
    /// The run, if the checkpoint was found through one.
    pub run: Option<String>,
    /// The checkpoint's file.
    pub checkpoint: String,
    /// SHA-256 of that file, in hexadecimal.
    pub checkpoint_sha256: String,
    /// Steps the model had learnt.
    pub step: u64,
    /// Seed of the noise.
    pub seed: u64,
    /// The device that was asked for. Another kind of device rounds differently.
    pub device: String,
    /// The command line.
    pub command: Vec<String>,
    /// Version of sparring.
    pub sparring_version: String,
}

impl Manifest {
    /// The manifest of a data set that is about to be drawn. Reads the checkpoint for its hash.
    pub fn new(draw: &Draw, format: Format, shape: Shape) -> io::Result<Self> {
        let names = draw.header.conditional_classes();
        let folders = class_folders::names(names);
        let classes = (0..)
            .zip(names.iter().zip(folders))
            .map(|(label, (name, folder))| Class {
                name: name.clone(),
                folder: (format == Format::Png).then_some(folder),
                count: count_of_class(draw, label, names.len() as u64),
            });
        Ok(Self {
            format,
            count: draw.count,
            channels: shape.channels,
            height: shape.height,
            width: shape.width,
            classes: classes.collect(),
            only_class: draw.class,
            truncation: draw.truncation,
            run: draw.run.clone(),
            checkpoint: draw.checkpoint.display().to_string(),
            checkpoint_sha256: sha256(&draw.checkpoint)?,
            step: draw.header.step,
            seed: draw.seed,
            device: draw.device.clone(),
            command: std::env::args_os()
                .map(|argument| argument.to_string_lossy().into_owned())
                .collect(),
            sparring_version: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }

    /// Reads a manifest; `None` if there is no such file.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.with_context(|| format!("cannot read {}", path.display()))?,
        };
        serde_json::from_str(&text).map(Some).with_context(|| {
            format!(
                "{} is not the manifest of a data set of sparring's; name another folder",
                path.display()
            )
        })
    }

    /// What keeps pictures of this manifest from going on with those of another, in words; `None` if nothing does.
    /// Where and by which command the same checkpoint was named does not matter.
    pub fn difference(&self, begun: &Self) -> Option<String> {
        let Self {
            format,
            count,
            only_class,
            truncation,
            checkpoint_sha256,
            seed,
            device,
            sparring_version,
            ..
        } = self;
        if *checkpoint_sha256 != begun.checkpoint_sha256 {
            return Some(format!("the checkpoint was {}", begun.checkpoint));
        }
        let class = |label: Option<u64>| {
            label.map_or_else(
                || "every class".to_owned(),
                |label| format!("class {label}"),
            )
        };
        [
            ("--format", word(*format), word(begun.format)),
            ("--count", count.to_string(), begun.count.to_string()),
            ("--class", class(*only_class), class(begun.only_class)),
            (
                "the noise",
                truncation.in_words(),
                begun.truncation.in_words(),
            ),
            ("--seed", seed.to_string(), begun.seed.to_string()),
            ("--device", device.clone(), begun.device.clone()),
            (
                "sparring's version",
                sparring_version.clone(),
                begun.sparring_version.clone(),
            ),
        ]
        .into_iter()
        .find(|(_, now, then)| now != then)
        .map(|(what, now, then)| format!("{what} was {then} and is now {now}"))
    }

    /// The label of a picture by its number, from 0: what the worker is asked for. `None` for a model without classes.
    pub fn label(&self, number: u64) -> Option<u32> {
        let classes = self.classes.len() as u64;
        (classes > 0)
            .then(|| self.only_class.unwrap_or(number % classes))
            .and_then(|label| u32::try_from(label).ok())
    }

    /// The shape of each picture.
    pub fn shape(&self) -> Shape {
        Shape {
            channels: self.channels,
            height: self.height,
            width: self.width,
        }
    }
}

fn word(format: Format) -> String {
    match format {
        Format::Idx => "idx",
        Format::Png => "png",
        Format::Npz => "npz",
    }
    .to_owned()
}

/// How many of the pictures have this label: all of the one class, or an equal share, and one more for the first
/// classes if the count cannot be divided.
fn count_of_class(draw: &Draw, label: u64, classes: u64) -> u64 {
    match draw.class {
        Some(only) if only == label => draw.count,
        Some(_) => 0,
        None => draw.count / classes + u64::from(label < draw.count % classes),
    }
}

/// SHA-256 of a file, in hexadecimal.
pub fn sha256(path: &Path) -> io::Result<String> {
    use std::fmt::Write as _;
    let mut hash = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hash)?;
    Ok(hash
        .finalize()
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }))
}
