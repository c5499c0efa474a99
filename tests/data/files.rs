//! Data in one file: arrays of NumPy and sprite sheets.

use std::fs;

use serde_json::json;

use super::pictures::{info, npy, refused, write_npz, write_pixels, write_png};
use crate::lab::Lab;

#[test]
fn the_layout_of_medmnist_is_read() {
    let lab = Lab::new();
    let file = lab.path().join("medmnist.npz");
    let pictures = |count: usize| {
        npy(
            &format!("{count}, 28, 28, 3"),
            &[5, 6, 7].repeat(count * 784),
        )
    };
    let labels = |labels: &[u8]| npy(&format!("{}, 1", labels.len()), labels);
    write_npz(
        &file,
        &[
            ("train_images", pictures(4)),
            ("train_labels", labels(&[0, 2, 2, 0])),
            ("val_images", pictures(1)),
            ("val_labels", labels(&[0])),
            ("test_images", pictures(2)),
            ("test_labels", labels(&[2, 2])),
        ],
    );
    let told = info(&lab, &file, &[]);
    assert_eq!(
        (&told["images"], &told["test_images"]),
        (&json!(6), &json!(2))
    );
    assert_eq!(
        (&told["channels"], &told["height"]),
        (&json!(3), &json!(28))
    );
    assert_eq!(
        told["classes"],
        json!([{"name": "0", "count": 2}, {"name": "2", "count": 4}])
    );
    assert_eq!(
        told["notes"],
        json!(["the validation pictures (val_images) are left out"])
    );
    assert_eq!(told["preset"], "few");
    assert_eq!(info(&lab, &file, &["--image-size", "32"])["width"], 32);
}

#[test]
fn several_labels_a_picture_are_none() {
    let lab = Lab::new();
    let file = lab.path().join("chest.npz");
    let images = npy("3, 28, 28", &[0; 3 * 784]);
    write_npz(
        &file,
        &[
            ("train_images", images),
            ("train_labels", npy("3, 14", &[1; 42])),
        ],
    );
    let told = info(&lab, &file, &[]);
    assert_eq!(told["classes"], json!([]));
    assert_eq!(
        told["notes"],
        json!(["train_labels has 14 labels for each picture: they are taken without labels"])
    );
}

#[test]
fn arrays_that_are_no_pictures_are_refused() {
    let lab = Lab::new();
    let file = lab.path().join("odd.npz");
    let says = |arrays: &[(&str, Vec<u8>)], why: &str| {
        write_npz(&file, arrays);
        refused(
            &lab,
            &file,
            &[],
            &format!("cannot take pictures from {}: {why}", file.display()),
        );
    };
    let pictures = || ("train_images", npy("2, 28, 28", &[0; 2 * 784]));
    says(
        &[("weights", npy("2", &[1, 2]))],
        "it has no array train_images, x_train, images or arr_0",
    );
    says(
        &[("train_images", npy("1, 28, 28, 28", &vec![0; 28 * 28 * 28]))],
        "its shape [1, 28, 28, 28] is none of pictures, such as [n, 28, 28] or [n, 28, 28, 3]",
    );
    says(
        &[("train_images", npy("9, 28, 28", &[0; 784]))],
        "its header promises 7056 bytes, and there are 784 at most",
    );
    says(
        &[pictures(), ("train_labels", npy("3", &[0; 3]))],
        "train_labels: its shape [3] is not that of a label for each of 2 pictures",
    );
    fs::write(&file, "no archive").unwrap();
    let said = lab.sparring(&["data", "info", file.to_str().unwrap()]);
    assert_eq!(said.code, 1);
    assert!(said.err.starts_with(&format!(
        "error: cannot take pictures from {}: ",
        file.display()
    )));
    assert_eq!(said.err.lines().count(), 1);
}

#[test]
fn an_array_of_floats_is_pictures() {
    let lab = Lab::new();
    let file = lab.path().join("faces.npy");
    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (12, 25, 25), }\n";
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    let pixels = 0.5_f64.to_le_bytes().repeat(12 * 625);
    let start = [b"\x93NUMPY\x01\x00", length.as_slice(), header.as_bytes()].concat();
    fs::write(&file, [start.clone(), pixels].concat()).unwrap();
    let told = info(&lab, &file, &[]);
    assert_eq!(
        (&told["images"], &told["height"], &told["preset"]),
        (&json!(12), &json!(28), &json!("few"))
    );
    fs::write(
        &file,
        [start, 7.5_f64.to_le_bytes().repeat(12 * 625)].concat(),
    )
    .unwrap();
    let message = format!(
        "cannot take pictures from {}: a pixel is 7.5: floats must lie between 0 and 1",
        file.display()
    );
    refused(&lab, &file, &[], &message);
}

#[test]
fn a_sprite_sheet_is_cut_into_tiles() {
    let lab = Lab::new();
    let file = lab.path().join("sheet.png");
    // 3 by 2 tiles of 32, the last of them blank, and a margin of 5 pixels on the right.
    let (width, height) = (101, 64);
    let pixels: Vec<u8> = (0..width * height)
        .flat_map(|at| {
            let (x, y) = (at % width, at / width);
            let blank = x >= 64 && y >= 32;
            if blank {
                [0; 3]
            } else {
                [x.try_into().unwrap(), y.try_into().unwrap(), 99]
            }
        })
        .collect();
    write_pixels(&file, width, height, &pixels);
    let told = info(&lab, &file, &["--tile", "32"]);
    assert_eq!(
        (&told["images"], &told["height"], &told["channels"]),
        (&json!(5), &json!(32), &json!(3))
    );
    assert_eq!(
        told["notes"],
        json!([
            "tiles of 32 do not fill the sheet of 101x64: 5 pixels on the right and 0 at the bottom are left out",
            "1 tiles of one colour alone were left out",
        ])
    );
    let at = file.display();
    refused(
        &lab,
        &file,
        &["--tile", "500"],
        &format!(
            "cannot take pictures from {at}: the sheet is 101x64, smaller than a tile of 500x500: set tile to the side of \
             its tiles"
        ),
    );
    refused(
        &lab,
        &file,
        &[],
        &format!(
            "cannot take pictures from {at}: it is one picture: name a folder, or set tile to the side of its tiles if it is \
             a sprite sheet"
        ),
    );
    let folder = lab.path().join("folder");
    write_png(&folder.join("a.png"), 9, 9, &[1]);
    refused(
        &lab,
        &folder,
        &["--tile", "3"],
        &format!(
            "cannot take pictures from {}: tile is for a sprite sheet, and this is a folder: name the picture file, or set \
             tile to 0",
            folder.display()
        ),
    );
}
