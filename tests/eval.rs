//! How good pictures are, as a user is told.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use serde_json::Value;

use crate::lab::{Lab, idx_header};

/// Every tenth test digit of MNIST, of the file that is inside the program: they lie in the order of their writers.
fn digits() -> Vec<u8> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("engine/assets/t10k-images-idx3-ubyte.gz");
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(fs::File::open(path).unwrap())
        .read_to_end(&mut bytes)
        .unwrap();
    bytes[16..]
        .chunks(784)
        .step_by(10)
        .flatten()
        .copied()
        .collect()
}

#[test]
fn real_digits_in_a_folder_of_pngs_read_as_real_digits() {
    let lab = Lab::new();
    let folder = lab.path().join("digits");
    fs::create_dir(&folder).unwrap();
    for (index, pixels) in digits().chunks(784).enumerate() {
        let file = fs::File::create(folder.join(format!("{index:05}.png"))).unwrap();
        let mut encoder = png::Encoder::new(file, 28, 28);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(pixels).unwrap();
    }
    let said = lab.sparring(&["eval", "--samples", folder.to_str().unwrap(), "--json"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(told["against"], "10000 test digits");
    assert_eq!(told["pictures"], 1000);
    let figure = |name: &str| told["found"][name].as_f64().unwrap();
    assert!((0.9..1.1).contains(&figure("nearest")), "{told}");
    assert!(figure("class_variation") < 0.1 && figure("confidence") > 0.98);
    // A thousand digits scatter about their floor; the least of the controls would stand at twice theirs.
    let floor = told["floor"]["frechet"].as_f64().unwrap();
    assert!(figure("frechet") < 1.7 * floor, "{told}");
    let second = |name: &str| told["second"][name].as_f64().unwrap();
    assert!(second("found") < 1.7 * second("floor"), "{told}");
    assert_eq!(told["left_out"], Value::Null);
}

#[test]
fn a_run_on_other_images_is_told_what_can_be_told() {
    let lab = Lab::new();
    assert_eq!(lab.train(&["--name", "one", "--steps", "40"]).code, 0);
    let said = lab.sparring(&["eval", "one", "--seed", "3"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    assert!(
        said.out
            .contains("seed 3: 10000 pictures against 100 of the training images")
    );
    assert!(said.out.contains("nearest training image"));
    assert!(!said.out.contains("recall"));
    assert!(said.out.contains(
        "left out: the judge knows MNIST only; the fine Fréchet distance needs 1000 real images"
    ));
    // The same noise gives the same figures.
    assert_eq!(lab.sparring(&["eval", "one", "--seed", "3"]).out, said.out);
}

/// Whether two sets of figures are the same but for the order in which threads have summed them up.
fn are_near(found: &Value, expected: &Value) -> bool {
    let (found, expected) = (found.as_object().unwrap(), expected.as_object().unwrap());
    found.len() == expected.len()
        && expected.iter().all(|(name, expected)| {
            match (found.get(name).and_then(Value::as_f64), expected.as_f64()) {
                (Some(found), Some(expected)) => (found - expected).abs() <= 1e-6 * expected.abs(),
                _ => found.get(name) == Some(expected),
            }
        })
}

/// Writes 1200 images of 24x24 pixels of noise. Their components are all of some size: of those that images do not have,
/// the last bits of sums would decide.
fn write_noise(file: &Path, seed: u32) {
    let mut bytes = idx_header(0x803, &[1200, 24, 24]);
    let mut state = seed;
    for _ in 0..1200 * 24 * 24 {
        // Knuth's multiplier, as Numerical Recipes has it for a quick generator.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes.push(state.to_be_bytes()[0]);
    }
    fs::write(file, bytes).unwrap();
}

#[test]
fn what_was_saved_is_judged_like_what_was_drawn() {
    let lab = Lab::new();
    write_noise(&lab.data().join("train-images-idx3-ubyte"), 1);
    write_noise(&lab.data().join("t10k-images-idx3-ubyte"), 2);
    let hidden = "generator.hidden=[8]";
    let trained = lab.train(&["--name", "one", "--steps", "20", "--set", hidden]);
    assert_eq!(trained.code, 0, "{trained:?}");
    let figures = |arguments: &[&str]| -> Value {
        let said = lab.sparring(&[&["eval", "--json"], arguments].concat());
        assert_eq!(said.code, 0, "{said:?}");
        let told: Value = serde_json::from_str(&said.out).unwrap();
        told["found"].clone()
    };
    let drawn = figures(&["one", "--seed", "5"]);
    assert!(drawn["fine"].as_f64().unwrap() > 0.0 && drawn["frechet"].is_null());
    for name in ["all.npz", "all.idx3-ubyte.gz"] {
        let path = lab.path().join(name);
        let path = path.to_str().unwrap();
        let saved = lab.sparring(&["sample", "one", "-n", "10000", "--seed", "5", "--out", path]);
        assert_eq!(saved.code, 0, "{saved:?}");
        let data = lab.data();
        let found = figures(&["--samples", path, "--data", data.to_str().unwrap()]);
        assert!(are_near(&found, &drawn), "{found}, not {drawn}");
    }
}

#[test]
fn what_cannot_be_judged_is_said() {
    let lab = Lab::new();
    let file = lab.path().join("few.idx3-ubyte");
    let eval =
        |data: &str| lab.sparring(&["eval", "--samples", file.to_str().unwrap(), "--data", data]);
    let data = lab.data();
    let data = data.to_str().unwrap();

    fs::write(
        &file,
        [idx_header(0x803, &[3, 8, 8]), vec![0; 192]].concat(),
    )
    .unwrap();
    eval(data).refused(
        1,
        "error: 3 pictures are too few to be judged: at least 1000 are needed, better 10000",
    );
    fs::write(&file, [idx_header(0x803, &[3, 4, 4]), vec![0; 48]].concat()).unwrap();
    eval(data).refused(
        1,
        "error: the pictures are 4x4 and the real images 8x8: name what they were learnt from with --data",
    );
    let empty = lab.path().join("empty");
    fs::create_dir(&empty).unwrap();
    lab.sparring(&["eval", "--samples", empty.to_str().unwrap()]).refused(
        1,
        &format!(
            "error: no pictures in {}: expected PNG, JPEG, WebP, BMP or GIF files, with or without a sub-folder per class, or IDX files such as train-images-idx3-ubyte",
            empty.display()
        ),
    );
    fs::write(lab.path().join("no.npz"), b"PK no zip").unwrap();
    let broken = lab.sparring(&[
        "eval",
        "--samples",
        lab.path().join("no.npz").to_str().unwrap(),
    ]);
    assert_eq!(broken.code, 1);
    assert!(
        broken.err.starts_with("error: cannot take pictures from ")
            && broken.err.lines().count() == 1,
        "{broken:?}"
    );
    lab.sparring(&["eval", "--samples", "nowhere"]).refused(
        1,
        "error: cannot find nowhere: No such file or directory (os error 2)",
    );
    assert_eq!(lab.sparring(&["eval", "one", "--samples", "x"]).code, 2);
}
