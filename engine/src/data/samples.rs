//! Pictures that somebody made, in the formats that `sparring sample --out` writes, and as they are.

use std::path::{Path, PathBuf};

use sparring_contract::config::{Background, Channels};

use super::sources::{self, Limits, Square, collate, decode, is_picture_name, walk};
use super::{DataError, Images};

impl Images {
    /// Reads pictures that somebody made: an IDX file, plain or gzipped, the first array of pictures in a `.npz`, or a
    /// folder with one of these, as `sparring sample` names it, or with picture files of one size, in sub-folders or not, in
    /// the order of their names.
    pub fn load_samples(path: &Path) -> Result<Self, DataError> {
        if path.is_dir() {
            return load_folder(path);
        }
        let ending = path.extension().and_then(|ending| ending.to_str());
        match ending {
            Some("npz") => sources::read_samples(path),
            Some("png") => Err(DataError::unusable(
                path,
                "one PNG is one picture, or a grid: give IDX, .npz or a folder of pictures",
            )),
            _ => sources::read_idx_images(path),
        }
    }
}

/// Pictures with what each is called: its file without the ending, or its number.
#[derive(Debug)]
pub struct NamedImages {
    /// The pictures.
    pub images: Images,
    /// As many names.
    pub names: Vec<String>,
}

impl NamedImages {
    /// Reads what [`Images::load_samples`] reads, or a single picture file.
    pub fn load(path: &Path) -> Result<Self, DataError> {
        if path.is_dir() && array_of(path)?.is_none() {
            let mut found = walk(path)?;
            found
                .pictures
                .sort_by(|a, b| a.path.file_name().cmp(&b.path.file_name()));
            let names = found.pictures.iter().map(|file| stem(&file.path));
            return Ok(Self {
                names: names.collect(),
                images: load_folder(path)?,
            });
        }
        if is_picture_name(path) {
            let flat = decode(path, Background::BLACK, &Limits::default())
                .map_err(|why| DataError::unusable(path, why))?
                .reduced(Channels::Auto);
            return Ok(Self {
                images: Images {
                    count: 1,
                    channels: flat.channels,
                    height: flat.height as usize,
                    width: flat.width as usize,
                    pixels: flat.planes(),
                },
                names: vec![stem(path)],
            });
        }
        let images = Images::load_samples(path)?;
        Ok(Self {
            names: (0..images.count)
                .map(|number| format!("{number:05}"))
                .collect(),
            images,
        })
    }
}

/// A file's name without its ending.
fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

/// The file in a folder that holds all its pictures, if it is IDX or has the name of a data set of `sparring sample`.
fn array_of(folder: &Path) -> Result<Option<PathBuf>, DataError> {
    if sources::has_idx_files(folder)? {
        return sources::find_idx_images(folder).map(Some);
    }
    let npz = folder.join("dataset.npz");
    Ok(npz.is_file().then_some(npz))
}

fn load_folder(folder: &Path) -> Result<Images, DataError> {
    if let Some(array) = array_of(folder)? {
        return Images::load_samples(&array);
    }
    let mut found = walk(folder)?;
    // Whatever folder they are in: `sparring sample` numbers pictures through all classes, and so the first ones are of
    // every class, as they were drawn.
    found
        .pictures
        .sort_by(|a, b| a.path.file_name().cmp(&b.path.file_name()));
    let limits = Limits::default();
    let mut squares = Vec::new();
    let mut size = None;
    for file in &found.pictures {
        let unusable = |why: String| DataError::unusable(&file.path, why);
        let flat = decode(&file.path, Background::BLACK, &limits)
            .map_err(unusable)?
            .reduced(Channels::Auto);
        let own = [flat.height as usize, flat.width as usize];
        if *size.get_or_insert(own) != own {
            return Err(unusable("it has another size than the others".to_owned()));
        }
        squares.push(Square {
            channels: flat.channels,
            pixels: flat.planes(),
        });
    }
    match (size, found.bad.into_iter().next()) {
        (_, Some((relative, why))) => Err(DataError::unusable(&folder.join(relative), why)),
        (None, None) => Err(DataError::NoImages {
            path: folder.to_owned(),
        }),
        (Some(size), None) => Ok(collate(squares, Channels::Auto, size)),
    }
}
