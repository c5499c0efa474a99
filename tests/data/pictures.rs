//! Files for the tests to read.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::lab::Lab;

/// Writes a PNG of one colour: one byte for grey, three for RGB, four with alpha.
pub fn write_png(path: &Path, width: u32, height: u32, colour: &[u8]) {
    let pixels = colour.repeat((width * height) as usize);
    write_pixels(path, width, height, &pixels);
}

/// Writes a PNG of 8 bits a channel; how many channels there are follows from the number of bytes.
pub fn write_pixels(path: &Path, width: u32, height: u32, pixels: &[u8]) {
    let kind = match pixels.len() / (width * height) as usize {
        1 => png::ColorType::Grayscale,
        3 => png::ColorType::Rgb,
        _ => png::ColorType::Rgba,
    };
    encode(path, width, height, (kind, png::BitDepth::Eight), pixels);
}

/// Writes a PNG of any kind.
pub fn encode(
    path: &Path,
    width: u32,
    height: u32,
    (kind, depth): (png::ColorType, png::BitDepth),
    bytes: &[u8],
) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut encoder = png::Encoder::new(File::create(path).unwrap(), width, height);
    encoder.set_color(kind);
    encoder.set_depth(depth);
    if kind == png::ColorType::Indexed {
        encoder.set_palette([255, 0, 0, 0, 0, 255].as_slice());
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(bytes).unwrap();
}

/// Writes so many grey PNGs of 32×32, each of another brightness.
pub fn write_greys(folder: &Path, count: u8) {
    for index in 0..count {
        write_png(&folder.join(format!("{index:03}.png")), 32, 32, &[index]);
    }
}

/// Writes the header of a PNG that promises so many pixels and has none.
pub fn write_promise(path: &Path, width: u32, height: u32) {
    write_png(path, 1, 1, &[0]);
    let mut bytes = fs::read(path).unwrap();
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let mut checksum = flate2::Crc::new();
    checksum.update(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&checksum.sum().to_be_bytes());
    fs::write(path, bytes).unwrap();
}

/// An array of bytes as numpy saves it.
pub fn npy(shape: &str, bytes: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({shape}), }}\n");
    let length = u16::try_from(text.len()).unwrap().to_le_bytes();
    [
        b"\x93NUMPY\x01\x00",
        length.as_slice(),
        text.as_bytes(),
        bytes,
    ]
    .concat()
}

/// Writes a `.npz` of these arrays.
pub fn write_npz(path: &Path, arrays: &[(&str, Vec<u8>)]) {
    let mut zip = zip::ZipWriter::new(File::create(path).unwrap());
    for (name, bytes) in arrays {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(format!("{name}.npy"), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

/// What `data info --json` says of some data, with these flags.
pub fn info(lab: &Lab, data: &Path, flags: &[&str]) -> Value {
    let base = ["data", "info", data.to_str().unwrap(), "--json"];
    let said = lab.sparring(&[base.as_slice(), flags].concat());
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    serde_json::from_str(&said.out).unwrap()
}

/// That `data info` refuses some data in this one line.
pub fn refused(lab: &Lab, data: &Path, flags: &[&str], message: &str) {
    let base = ["data", "info", data.to_str().unwrap(), "--json"];
    let said = lab.sparring(&[base.as_slice(), flags].concat());
    said.refused(1, &format!("error: {message}"));
}

/// The grey levels or colours of the corner pixels of the pictures that `data info` draws, top left first.
pub fn drawn(lab: &Lab, data: &Path, flags: &[&str]) -> String {
    let base = ["data", "info", data.to_str().unwrap(), "--color", "always"];
    let said = lab.sparring(&[base.as_slice(), flags].concat());
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    said.out
}
