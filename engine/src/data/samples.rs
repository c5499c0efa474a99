//! Pictures that somebody made, in the formats that `sparring sample --out` writes.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use tch::{Kind, Tensor};

use super::{DataError, Images, idx};

pub(super) fn load(path: &Path) -> Result<Images, DataError> {
    if path.is_dir() {
        return load_folder(path);
    }
    let ending = path.extension().and_then(|ending| ending.to_str());
    match ending {
        Some("npz") => load_npz(path),
        Some("png") => Err(no_samples(path, "one PNG is one picture, or a grid")),
        _ => idx::read_images(path),
    }
}

fn no_samples(path: &Path, why: impl Into<String>) -> DataError {
    DataError::NoSamples {
        path: path.to_owned(),
        why: why.into(),
    }
}

/// The first array of bytes with the shape of grey pictures: `[n, h, w]`, `[n, 1, h, w]` or `[n, h, w, 1]`.
fn load_npz(path: &Path) -> Result<Images, DataError> {
    File::open(path).map_err(|error| idx::unreadable(path, error))?;
    let arrays = Tensor::read_npz(path).map_err(|error| no_samples(path, error.to_string()))?;
    let sizes = |tensor: &Tensor| match *tensor.size().as_slice() {
        [count, height, width] | [count, 1, height, width] | [count, height, width, 1] => {
            Some([count, height, width].map(|size| usize::try_from(size).unwrap_or_default()))
        }
        _ => None,
    };
    let (tensor, [count, height, width]) = arrays
        .iter()
        .filter(|(_, tensor)| tensor.kind() == Kind::Uint8)
        .find_map(|(_, tensor)| Some((tensor, sizes(tensor)?)))
        .ok_or_else(|| no_samples(path, "no array of grey pictures, u8 [n, height, width]"))?;
    let mut pixels = vec![0; tensor.numel()];
    tensor.copy_data_u8(&mut pixels, tensor.numel());
    whole(path, count, height, width, pixels)
}

fn load_folder(folder: &Path) -> Result<Images, DataError> {
    let entries = fs::read_dir(folder).map_err(|error| idx::unreadable(folder, error))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "png"))
        .collect();
    files.sort();
    let mut pixels = Vec::new();
    let mut size = None;
    for file in &files {
        let (height, width) = read_png(file, &mut pixels)?;
        if *size.get_or_insert((height, width)) != (height, width) {
            return Err(no_samples(file, "it has another size than the others"));
        }
    }
    let (height, width) = size.ok_or_else(|| no_samples(folder, "no PNG is in it"))?;
    whole(folder, files.len(), height, width, pixels)
}

/// Appends the pixels of a grey PNG and returns its height and width.
fn read_png(path: &Path, pixels: &mut Vec<u8>) -> Result<(usize, usize), DataError> {
    let file = File::open(path).map_err(|error| idx::unreadable(path, error))?;
    let broken = |error: png::DecodingError| no_samples(path, error.to_string());
    let mut decoder = png::Decoder::new(BufReader::new(file));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(broken)?;
    if reader.output_color_type() != (png::ColorType::Grayscale, png::BitDepth::Eight) {
        return Err(no_samples(path, "it is not grey"));
    }
    let bytes = reader
        .output_buffer_size()
        .ok_or_else(|| no_samples(path, "it is too large"))?;
    let start = pixels.len();
    pixels.resize(start + bytes, 0);
    let info = reader.next_frame(&mut pixels[start..]).map_err(broken)?;
    Ok((info.height as usize, info.width as usize))
}

fn whole(
    path: &Path,
    count: usize,
    height: usize,
    width: usize,
    pixels: Vec<u8>,
) -> Result<Images, DataError> {
    if pixels.is_empty() {
        return Err(no_samples(path, "it holds no picture"));
    }
    Ok(Images {
        origin: path.display().to_string(),
        count,
        height,
        width,
        pixels,
    })
}
