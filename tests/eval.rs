//! How good pictures are, as a user is told, and the judges that say so.

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
    assert_eq!(
        lab.train_on(&lab.data(), &["--name", "one", "--steps", "40"])
            .code,
        0
    );
    let said = lab.sparring(&["eval", "one", "--seed", "3"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    assert!(
        said.out
            .contains("seed 3: 10000 pictures against 90 of the training pictures")
    );
    assert!(said.out.contains("nearest training picture") && said.out.contains("recall"));
    assert!(!said.out.contains("of each class"));
    assert!(said.out.contains(
        "left out: figures of the classes need labels; the fine Fréchet distance needs 1000 real pictures"
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

/// Writes 1200 images of 24x24 pixels of noise, of which all principal components have a clear variance: rounding errors
/// would decide the figures of images without any.
fn write_noise(file: &Path, seed: u32) {
    let mut bytes = idx_header(0x803, &[1200, 24, 24]);
    let mut state = seed;
    for _ in 0..1200 * 24 * 24 {
        // The quick generator of Numerical Recipes, with Knuth's multiplier.
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
    let trained = lab.train_on(
        &lab.data(),
        &["--name", "one", "--steps", "20", "--set", hidden],
    );
    assert_eq!(trained.code, 0, "{trained:?}");
    let figures = |arguments: &[&str]| -> Value {
        let said = lab.sparring(&[&["eval", "--json"], arguments].concat());
        assert_eq!(said.code, 0, "{said:?}");
        let told: Value = serde_json::from_str(&said.out).unwrap();
        told["found"].clone()
    };
    let drawn = figures(&["one", "--seed", "5"]);
    assert!(drawn["frechet"].as_f64().unwrap() > 0.0);
    assert!(drawn["classes"].is_null());
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
fn a_data_set_is_judged_like_a_file_of_the_same_pictures() {
    let lab = Lab::new();
    write_corners(&lab);
    let flags = ["--name", "one", "--steps", "20"];
    let conditional = [&flags[..], &["--set", "conditional=true"]].concat();
    assert_eq!(lab.train_on(&lab.data(), &conditional).code, 0);
    let data = lab.data();
    let data = data.to_str().unwrap();
    let figures = |name: &str, format: &[&str]| -> Value {
        let path = lab.path().join(name);
        let path = path.to_str().unwrap();
        // They are compared in groups as large as the training pictures: one of a single class would stand out.
        let sample = ["sample", "one", "-n", "900", "--seed", "5", "--out", path];
        let saved = lab.sparring(&[&sample, format].concat());
        assert_eq!(saved.code, 0, "{saved:?}");
        let said = lab.sparring(&["eval", "--json", "--samples", path, "--data", data]);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
        let told: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(told["pictures"], 900);
        told["found"].clone()
    };
    let expected = figures("one.npz", &[]);
    for format in ["png", "idx", "npz"] {
        let found = figures(format, &["--format", format]);
        assert!(are_near(&found, &expected), "{found}, not {expected}");
    }
    let folders = lab.path().join("png");
    assert!(folders.join("3/00003.png").exists() && folders.join("manifest.json").exists());
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
        "error: 3 pictures are too few to be judged: at least 90 are needed",
    );
    fs::write(&file, [idx_header(0x803, &[3, 4, 4]), vec![0; 48]].concat()).unwrap();
    eval(data).refused(
        1,
        "error: the pictures are 4x4 and the real ones 8x8: name what they were learnt from with --data",
    );
    let empty = lab.path().join("empty");
    fs::create_dir(&empty).unwrap();
    lab.sparring(&["eval", "--samples", empty.to_str().unwrap()]).refused(
        1,
        &format!(
            "error: no pictures in {}: expected PNG, JPEG, WebP, BMP or GIF files, with or without a sub-folder per class, \
             or IDX files such as train-images-idx3-ubyte",
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

/// Pictures of 8×8 pixels, of four classes: a bright square in one of the corners, of a size and brightness of its own.
fn corners(count: u32, seed: u32) -> (Vec<u8>, Vec<u8>) {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for index in 0..count {
        let random = (index + seed).wrapping_mul(2_654_435_761) >> 8;
        let (class, side, bright) = (index % 4, 3 + random % 2, 150 + random / 3 % 100);
        let (left, top) = ((class % 2) * 4, (class / 2) * 4);
        for pixel in 0..64 {
            let (x, y) = (pixel % 8, pixel / 8);
            let inside = (left..left + side).contains(&x) && (top..top + side).contains(&y);
            let grain = (pixel * 7 + random) % 20;
            pixels.push(u8::try_from(if inside { bright } else { grain }).unwrap());
        }
        labels.push(u8::try_from(class).unwrap());
    }
    (pixels, labels)
}

/// Writes a labelled data set with test pictures into the lab's data folder.
pub fn write_corners(lab: &Lab) {
    for (name, count, seed) in [("train", 400, 0), ("t10k", 120, 7000)] {
        let (pixels, labels) = corners(count, seed);
        let write = |what: &str, header: Vec<u8>, body: Vec<u8>| {
            let file = lab.data().join(format!("{name}-{what}-ubyte"));
            fs::write(file, [header, body].concat()).unwrap();
        };
        write("images-idx3", idx_header(0x803, &[count, 8, 8]), pixels);
        write("labels-idx1", idx_header(0x801, &[count]), labels);
    }
}

#[test]
fn a_judge_is_trained_once_and_found_by_the_content_of_the_data() {
    let lab = Lab::new();
    write_corners(&lab);
    let data = lab.data();
    let data = data.to_str().unwrap();
    let samples = lab.path().join("samples.idx3-ubyte");
    let (pixels, _) = corners(400, 9000);
    let header = idx_header(0x803, &[400, 8, 8]);
    fs::write(&samples, [header, pixels].concat()).unwrap();
    let samples = samples.to_str().unwrap();
    let eval = |data: &str| -> Value {
        let said = lab.sparring(&["eval", "--samples", samples, "--data", data, "--json"]);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
        serde_json::from_str(&said.out).unwrap()
    };
    let none = lab.sparring(&["judge", "list"]);
    assert!(none.out.starts_with("no judges in "), "{none:?}");
    let told = eval(data);
    assert_eq!(told["features"], "unlabelled");
    assert!(
        told["left_out"]
            .as_str()
            .unwrap()
            .contains("`sparring judge train`")
    );

    let said = lab.sparring(&["judge", "train", data, "--json"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    let judge: Value = serde_json::from_str(&said.out).unwrap();
    assert!(judge["accuracy"].as_f64().unwrap() > 0.95, "{judge}");
    assert_eq!(
        judge["class_names"],
        serde_json::json!(["0", "1", "2", "3"])
    );
    assert_eq!(judge["controls"].as_array().unwrap().len(), 10);
    let file = Path::new(judge["path"].as_str().unwrap());
    assert!(file.starts_with(lab.path()) && file.exists());

    // The same pictures elsewhere are the same data.
    let moved = lab.path().join("moved");
    fs::rename(lab.data(), &moved).unwrap();
    let told = eval(moved.to_str().unwrap());
    assert_eq!(
        (&told["features"], &told["against"]),
        (&"judge".into(), &"120 test pictures".into())
    );
    assert_eq!(told["class_names"], judge["class_names"]);
    let shares = told["found"]["classes"].as_array().unwrap();
    assert!(
        shares
            .iter()
            .all(|share| (share.as_f64().unwrap() - 0.25).abs() < 0.02),
        "{told}"
    );
    assert!(!told["left_out"].as_str().unwrap().contains("judge"));

    let fingerprint = judge["fingerprint"].as_str().unwrap();
    let listed = lab.sparring(&["judge", "list"]).out;
    assert!(
        listed.starts_with(&fingerprint[..12]) && listed.contains("4 classes  1x8x8"),
        "{listed}"
    );

    // Half a file is no judge: eval says so in one line, and the judge can be removed.
    let bytes = fs::read(file).unwrap();
    fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
    let broken = lab.sparring(&[
        "eval",
        "--samples",
        samples,
        "--data",
        moved.to_str().unwrap(),
    ]);
    assert_eq!(
        (broken.code, broken.err.lines().count()),
        (1, 1),
        "{broken:?}"
    );
    assert!(
        broken.err.contains("cannot be used: it is damaged"),
        "{broken:?}"
    );
    lab.sparring(&["judge", "remove", "nothing"]).refused(
        1,
        &format!(
            "error: there is no judge `nothing` in {}: `sparring judge list` shows them",
            file.parent().unwrap().display()
        ),
    );
    assert_eq!(
        lab.sparring(&["judge", "remove", &fingerprint[..6]]).code,
        0
    );
    assert!(!file.exists());
}

#[test]
fn what_cannot_have_a_judge_is_said() {
    let lab = Lab::new();
    let data = lab.data();
    lab.sparring(&["judge", "train", data.to_str().unwrap()]).refused(
        1,
        "error: the data has no labels, so no judge can learn its classes: `sparring eval` compares such pictures without one",
    );
    lab.sparring(&["judge", "train", "mnist"]).refused(
        1,
        "error: MNIST has two judges inside the program already: `sparring eval` uses them",
    );
    let nowhere = lab.sparring(&["judge", "train", "nowhere"]);
    assert!(nowhere.code == 1 && nowhere.err.starts_with("error: cannot read "));
}

#[test]
fn a_conditional_model_is_told_what_its_pictures_are_worth() {
    let lab = Lab::new();
    write_corners(&lab);
    let conditional = ["--set", "conditional=true"];
    let trained = lab.train_on(
        &lab.data(),
        &[&["--name", "one", "--steps", "30"], &conditional[..]].concat(),
    );
    assert_eq!(trained.code, 0, "{trained:?}");
    let said = lab.sparring(&["eval", "one", "--seed", "3", "--augmentation", "--json"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    let told: Value = serde_json::from_str(&said.out).unwrap();
    let share = |value: &Value| {
        let share = value.as_f64().unwrap();
        assert!((0.0..=1.0).contains(&share), "{told}");
        share
    };
    // Real pictures teach the classes; class Gaussians stand beside them.
    assert!(share(&told["floor"]["accuracy_score"]) > 0.9, "{told}");
    share(&told["found"]["accuracy_score"]);
    let controls = told["controls"].as_array().unwrap();
    let gaussians = controls
        .iter()
        .find(|control| control["name"] == "class_gaussians")
        .unwrap();
    share(&gaussians["figures"]["accuracy_score"]);
    let augmentation = &told["augmentation"];
    let gain = share(&augmentation["with_generated"]) - share(&augmentation["real"]);
    assert!((augmentation["gain"].as_f64().unwrap() - gain).abs() < 1e-12);
    assert_eq!(augmentation["per_class"], 50);

    assert_eq!(
        lab.train_on(&lab.data(), &["--name", "two", "--steps", "5"])
            .code,
        0
    );
    lab.sparring(&["eval", "two", "--augmentation"]).refused(
        1,
        "error: the gain from augmentation needs a model that is told which class to draw",
    );
}
