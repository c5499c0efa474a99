//! How each format lays out a data set's files.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use sparring_contract::picture::PngGrid;

use super::arrays::{Arrays, Records};
use super::folder::WRITING;
use super::manifest::{Format, Manifest};
use crate::sample::archive::Archive;
use crate::sample::{Shape, npy};

/// Takes the pictures of a data set in order.
pub trait Layout {
    /// Adds the next picture, `[channels, height, width]`, and its label if the model has classes.
    fn add(&mut self, picture: &[u8], label: Option<u32>) -> io::Result<()>;

    /// Hands what was added to the operating system, so that it outlives this process.
    fn flush(&mut self) -> io::Result<()>;

    /// Writes everything to disk.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Opens the files of a data set in a folder, and says how many pictures are whole in it already.
pub fn open(folder: &Path, manifest: &Manifest) -> io::Result<(Box<dyn Layout>, u64)> {
    Ok(match manifest.format {
        Format::Idx => {
            let (idx, first) = Idx::open(folder, manifest)?;
            (Box::new(idx), first)
        }
        Format::Png => {
            let (png, first) = Png::open(folder, manifest);
            (Box::new(png), first)
        }
        Format::Npz => {
            let (npz, first) = Npz::open(folder, manifest)?;
            (Box::new(npz), first)
        }
    })
}

/// MNIST's files (<http://yann.lecun.com/exdb/mnist/>, «IDX file format»).
struct Idx(Arrays);

impl Idx {
    fn open(folder: &Path, manifest: &Manifest) -> io::Result<(Self, u64)> {
        // 8 for unsigned bytes, then the number of sizes.
        const IMAGES: u32 = 0x0803;
        const LABELS: u32 = 0x0801;
        let count = u32::try_from(manifest.count).map_err(io::Error::other)?;
        let header = |words: &[u32]| -> Vec<u8> {
            words.iter().flat_map(|word| word.to_be_bytes()).collect()
        };
        let images = header(&[IMAGES, count, manifest.height, manifest.width]);
        let mut arrays = Arrays {
            images: Records::open(
                &folder.join("train-images-idx3-ubyte"),
                &images,
                manifest.shape().bytes(),
            )?,
            labels: (!manifest.classes.is_empty())
                .then(|| {
                    let labels = header(&[LABELS, count]);
                    Records::open(&folder.join("train-labels-idx1-ubyte"), &labels, 1)
                })
                .transpose()?,
        };
        let first = arrays.settle()?;
        Ok((Self(arrays), first))
    }
}

impl Layout for Idx {
    fn add(&mut self, picture: &[u8], label: Option<u32>) -> io::Result<()> {
        self.0.add(picture, label)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        self.0.finish()
    }
}

/// `dataset.npz` as MedMNIST has it (<https://medmnist.com>): `train_images` `[n, height, width]` or
/// `[n, height, width, 3]`, and `train_labels` `[n, 1]`.
///
/// Half a compressed file cannot be continued, so the arrays are collected bare and compressed at the end.
struct Npz {
    folder: PathBuf,
    arrays: Arrays,
    channels: usize,
    /// A picture with its channels last.
    turned: Vec<u8>,
}

impl Npz {
    const IMAGES: &str = "train_images.npy";
    const LABELS: &str = "train_labels.npy";

    fn open(folder: &Path, manifest: &Manifest) -> io::Result<(Self, u64)> {
        let shape = manifest.shape();
        let images = npy::header(&npy::sizes(manifest.count, shape.sizes()));
        let labels = npy::header(&[manifest.count, 1]);
        let mut arrays = Arrays {
            images: Records::open(&folder.join(Self::IMAGES), &images, shape.bytes())?,
            labels: (!manifest.classes.is_empty())
                .then(|| Records::open(&folder.join(Self::LABELS), &labels, 1))
                .transpose()?,
        };
        let first = arrays.settle()?;
        let npz = Self {
            folder: folder.to_owned(),
            arrays,
            channels: shape.channels as usize,
            turned: Vec::new(),
        };
        Ok((npz, first))
    }
}

impl Layout for Npz {
    fn add(&mut self, picture: &[u8], label: Option<u32>) -> io::Result<()> {
        if self.channels == 1 {
            return self.arrays.add(picture, label);
        }
        npy::channels_last(picture, self.channels, &mut self.turned);
        self.arrays.add(&self.turned, label)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.arrays.flush()
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        let names = match self.arrays.labels {
            Some(_) => vec![Self::IMAGES, Self::LABELS],
            None => vec![Self::IMAGES],
        };
        self.arrays.finish()?;
        let file = File::create(self.folder.join("dataset.npz"))?;
        let mut zip = Archive::new(BufWriter::new(file));
        for name in &names {
            let mut array = File::open(self.folder.join(name))?;
            zip.start(name, array.metadata()?.len())?;
            io::copy(&mut array, &mut zip)?;
        }
        zip.finish()?
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()?;
        names
            .iter()
            .try_for_each(|name| fs::remove_file(self.folder.join(name)))
    }
}

/// A PNG for each picture: `00000.png`, `00001.png` and so on, numbered through all classes.
struct Png {
    folder: PathBuf,
    /// The folder of each class by its label; none for a model without classes.
    classes: Vec<String>,
    shape: Shape,
    next: u64,
    digits: usize,
}

impl Png {
    fn open(folder: &Path, manifest: &Manifest) -> (Self, u64) {
        let folders = manifest.classes.iter().map(|class| class.folder.clone());
        let mut png = Self {
            folder: folder.to_owned(),
            classes: folders.map(Option::unwrap_or_default).collect(),
            shape: manifest.shape(),
            next: 0,
            digits: manifest.count.saturating_sub(1).to_string().len().max(5),
        };
        let is_there = |number: &u64| png.file(*number, manifest.label(*number)).is_file();
        let first = (0..manifest.count).take_while(is_there).count() as u64;
        png.next = first;
        (png, first)
    }

    fn file(&self, number: u64, label: Option<u32>) -> PathBuf {
        let name = format!("{number:0digits$}.png", digits = self.digits);
        match label.and_then(|label| self.classes.get(label as usize)) {
            Some(class) => self.folder.join(class).join(name),
            None => self.folder.join(name),
        }
    }
}

impl Layout for Png {
    fn add(&mut self, picture: &[u8], label: Option<u32>) -> io::Result<()> {
        let mut grid = PngGrid::new(1, 1, self.shape.sizes())?;
        grid.add(picture)?;
        let writing = self.folder.join(WRITING);
        let mut file = BufWriter::new(File::create(&writing)?);
        grid.write(&mut file)?;
        file.into_inner().map_err(io::IntoInnerError::into_error)?;
        let place = self.file(self.next, label);
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::rename(writing, place)?;
        self.next += 1;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        // One call for all the files: an fsync for each would take longer than drawing them.
        Ok(rustix::fs::syncfs(File::open(&self.folder)?)?)
    }
}
