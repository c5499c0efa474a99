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
            return match array_of(path)? {
                Some(array) => Self::load_samples(&array),
                None => Ok(load_folder(path, None)?.images),
            };
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
    /// Reads what [`Images::load_samples`] reads, or a single picture file. With a `side`, picture files are cropped to a
    /// square and resized, as for training; arrays stay as they are.
    pub fn load(path: &Path, side: Option<u32>) -> Result<Self, DataError> {
        if path.is_dir() && array_of(path)?.is_none() {
            return load_folder(path, side);
        }
        if is_picture_name(path) {
            let file = [(path.to_owned(), stem(path))];
            return load_pictures(path, &file, side);
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

/// The pictures of a folder, in the order of their names.
fn load_folder(folder: &Path, side: Option<u32>) -> Result<NamedImages, DataError> {
    let mut found = walk(folder)?;
    // Whatever folder they are in: `sparring sample` numbers pictures through all classes, and so the first ones are of
    // every class, as they were drawn.
    found
        .pictures
        .sort_by(|a, b| a.path.file_name().cmp(&b.path.file_name()));
    if let Some((relative, why)) = found.bad.into_iter().next() {
        return Err(DataError::unusable(&folder.join(relative), why));
    }
    let files: Vec<_> = found
        .pictures
        .into_iter()
        .map(|file| (file.path.clone(), stem(&file.path)))
        .collect();
    load_pictures(folder, &files, side)
}

/// Picture files of one size, or brought to one; `from` is where they were found.
fn load_pictures(
    from: &Path,
    files: &[(PathBuf, String)],
    side: Option<u32>,
) -> Result<NamedImages, DataError> {
    let limits = Limits::default();
    let mut squares = Vec::new();
    let mut sizes = None;
    for (path, _) in files {
        let unusable = |why: String| DataError::unusable(path, why);
        let flat = decode(path, Background::BLACK, &limits)
            .map_err(unusable)?
            .reduced(Channels::Auto);
        let (own, square) = match side {
            Some(side) => ([side as usize; 2], flat.square(side)),
            None => (
                [flat.height as usize, flat.width as usize],
                Square {
                    channels: flat.channels,
                    pixels: flat.planes(),
                },
            ),
        };
        if *sizes.get_or_insert(own) != own {
            return Err(unusable("it has another size than the others".to_owned()));
        }
        squares.push(square);
    }
    let sizes = sizes.ok_or_else(|| DataError::NoImages {
        path: from.to_owned(),
    })?;
    Ok(NamedImages {
        images: collate(squares, Channels::Auto, sizes),
        names: files.iter().map(|(_, name)| name.clone()).collect(),
    })
}
