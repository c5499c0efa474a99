use std::fs;
use std::io::{Cursor, Read};
use std::os::unix::fs::PermissionsExt as _;

use tempfile::{TempDir, tempdir};

use super::*;

const GREY: Shape = Shape {
    channels: 1,
    height: 2,
    width: 3,
};
const RGB: Shape = Shape {
    channels: 3,
    height: 1,
    width: 2,
};

/// Writes pictures of one shape whose bytes count up, and returns the folder that holds them.
fn written(name: &str, count: u8, shape: Shape) -> (TempDir, PathBuf) {
    let home = tempdir().unwrap();
    let path = home.path().join(name);
    let size = u8::try_from(shape.bytes()).unwrap();
    let pixels: Vec<u8> = (0..count * size).collect();
    let format = Format::of(&path).unwrap().unwrap();
    let destination = Destination::new(&path, format, Existing::Keep, count.into(), shape).unwrap();
    let mut sink = destination.open(count.into(), None, shape).unwrap();
    for picture in pixels.chunks(size.into()) {
        sink.add(picture).unwrap();
    }
    assert!(!path.is_file(), "half a file has its name already");
    let bytes = sink.finish().unwrap();
    assert_eq!(bytes, fs::metadata(&path).unwrap().len());
    (home, path)
}

fn png(path: &Path) -> (u32, u32, Vec<u8>) {
    let file = io::BufReader::new(fs::File::open(path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    (info.width, info.height, pixels)
}

fn npy(path: &Path) -> (String, Vec<u8>) {
    let mut zip = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
    assert_eq!(zip.len(), 1);
    let mut bytes = Vec::new();
    zip.by_name("images.npy")
        .unwrap()
        .read_to_end(&mut bytes)
        .unwrap();
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let data = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert_eq!((data % 64, bytes[data - 1]), (0, b'\n'));
    let header = String::from_utf8(bytes[10..data].to_vec()).unwrap();
    (header.trim().to_owned(), bytes[data..].to_vec())
}

#[test]
fn a_png_is_one_grid_as_square_as_can_be() {
    let (_home, path) = written("grid.png", 3, GREY);
    let (width, height, pixels) = png(&path);
    assert_eq!((width, height), (8, 6));
    assert_eq!(pixels[..8], [0, 1, 2, 0, 0, 6, 7, 8]);
    assert_eq!(pixels[32..40], [12, 13, 14, 0, 0, 0, 0, 0]);
}

#[test]
fn an_npz_holds_grey_pictures_as_they_are() {
    let (_home, path) = written("images.npz", 2, GREY);
    let (header, data) = npy(&path);
    assert_eq!(
        header,
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 3), }"
    );
    assert_eq!(data, (0..12).collect::<Vec<u8>>());
}

#[test]
fn an_npz_holds_colours_last() {
    let (_home, path) = written("images.NPZ", 2, RGB);
    let (header, data) = npy(&path);
    assert!(header.contains("'shape': (2, 1, 2, 3)"));
    assert_eq!(data, [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]);
}

#[test]
fn idx_is_what_mnist_is() {
    let expected = [
        [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3].as_slice(),
        &(0..12).collect::<Vec<u8>>(),
    ]
    .concat();
    let (_home, path) = written("train-images-idx3-ubyte", 2, GREY);
    assert_eq!(fs::read(path).unwrap(), expected);

    let (_home, path) = written("x.idx3-ubyte.gz", 2, GREY);
    let mut bytes = Vec::new();
    let packed = fs::read(path).unwrap();
    flate2::read::GzDecoder::new(Cursor::new(packed))
        .read_to_end(&mut bytes)
        .unwrap();
    assert_eq!(bytes, expected);
}

#[test]
fn a_name_without_an_ending_is_a_folders() {
    let home = tempdir().unwrap();
    for folder in ["digits", "digits/", "digits.v2/"] {
        assert_eq!(Format::of(Path::new(folder)).unwrap(), None, "{folder}");
    }
    assert_eq!(Format::of(home.path()).unwrap(), None);
}

#[test]
fn files_are_as_readable_as_the_users_other_files() {
    let (home, path) = written("grid.png", 1, GREY);
    let plain = home.path().join("plain");
    fs::write(&plain, "").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&path), mode(&plain));
}

#[test]
fn animations_have_a_frame_for_each_picture_with_its_colours() {
    let (_home, path) = written("way.apng", 2, RGB);
    let file = io::BufReader::new(fs::File::open(&path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    assert_eq!(reader.info().animation_control.unwrap().num_frames, 2);
    let mut frame = vec![0; reader.output_buffer_size().unwrap()];
    for first in [0, 6] {
        let info = reader.next_frame(&mut frame).unwrap();
        assert_eq!((info.width, info.height), (448, 224));
        // Channels lie one after the other in a picture: its first pixel is (0, 2, 4).
        assert_eq!(frame[..3], [first, first + 2, first + 4]);
        assert_eq!(frame[3 * 447..3 * 448], [first + 1, first + 3, first + 5]);
    }

    let (_home, path) = written("way.gif", 2, GREY);
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut reader = options.read_info(fs::File::open(&path).unwrap()).unwrap();
    for first in [0, 6] {
        let frame = reader.read_next_frame().unwrap().unwrap();
        assert_eq!((frame.width, frame.height), (336, 224));
        assert_eq!(frame.buffer[..4], [first, first, first, 255]);
    }
    assert!(reader.read_next_frame().unwrap().is_none());
    let (_home, path) = written("way.gif", 2, RGB);
    let mut reader = gif::DecodeOptions::new()
        .read_info(fs::File::open(&path).unwrap())
        .unwrap();
    assert!(reader.read_next_frame().unwrap().is_some());
    assert!(reader.read_next_frame().unwrap().is_some());
}

#[test]
fn what_cannot_work_is_refused_before_a_worker_starts() {
    let refused = |path: &str, count, shape| {
        let path = Path::new(path);
        let destination = Format::of(path).and_then(|format| {
            Destination::new(path, format.unwrap(), Existing::Keep, count, shape)
        });
        destination.unwrap_err().to_string()
    };
    assert_eq!(
        refused("/tmp/digits.jpeg", 1, GREY),
        "/tmp/digits.jpeg has an ending that sparring cannot write; use .png (one grid), .gif or .apng (an animation), \
         .npz, .idx3-ubyte, .idx3-ubyte.gz, or a folder, with / at its end"
    );
    assert_eq!(
        refused("/tmp/digits.png", 10_001, GREY),
        "10001 pictures are too many for the grid /tmp/digits.png, which takes up to 10000; write them to .npz, \
         .idx3-ubyte or a folder"
    );
    assert_eq!(
        refused("/tmp/digits.gif", 10_001, RGB),
        "10001 pictures are too many for the animation /tmp/digits.gif, which takes up to 10000; write them to .npz, \
         .idx3-ubyte or a folder"
    );
    assert_eq!(
        refused("/nowhere/digits.png", 1, GREY),
        "there is no folder /nowhere for /nowhere/digits.png; make it first"
    );
    assert_eq!(
        refused("/tmp/x.idx3-ubyte", 1, RGB),
        "/tmp/x.idx3-ubyte cannot hold pictures in colour; write them to .npz, .png or a folder"
    );
}
