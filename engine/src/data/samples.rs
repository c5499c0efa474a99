//! Pictures that somebody made, in the formats that `sparring sample --out` writes, and as they are.

use std::path::Path;

use sparring_contract::config::{Background, Channels};

use super::sources::{self, Limits, Square, collate, decode, walk};
use super::{DataError, Images};

impl Images {
    /// Reads pictures that somebody made: an IDX file, plain or gzipped, the first array of pictures in a `.npz`, or a
    /// folder of picture files of one size in the order of their names.
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

fn load_folder(folder: &Path) -> Result<Images, DataError> {
    let found = walk(folder)?;
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
