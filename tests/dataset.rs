//! Data sets that `sparring sample` writes: in each layout, interrupted, and refused.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use sparring_contract::config::{Request, resolve};
use sparring_contract::run::CheckpointHeader;

use crate::lab::{Lab, Said, idx_header};

/// A home with a conditional run `ten` of ten classes, and an unconditional run `none`, that have learnt a little.
fn trained() -> Lab {
    let lab = Lab::new();
    let labels: Vec<u8> = (0..200_u8).map(|image| image % 10).collect();
    fs::write(
        lab.data().join("train-labels-idx1-ubyte"),
        [idx_header(0x801, &[200]), labels].concat(),
    )
    .unwrap();
    let ten = lab.train(&[
        "--name",
        "ten",
        "--steps",
        "20",
        "--set",
        "conditional=true",
    ]);
    assert_eq!(ten.code, 0, "{ten:?}");
    assert_eq!(lab.train(&["--name", "none", "--steps", "20"]).code, 0);
    lab
}

fn arguments<'a>(run: &'a str, format: &'a str, count: &'a str, out: &'a Path) -> Vec<&'a str> {
    let out = out.to_str().unwrap();
    vec![
        "sample", run, "-n", count, "--seed", "7", "--format", format, "--out", out,
    ]
}

fn write(lab: &Lab, run: &str, format: &str, count: &str, name: &str) -> PathBuf {
    let path = lab.path().join(name);
    let said = lab.sparring(&arguments(run, format, count, &path));
    assert_eq!(said.code, 0, "{said:?}");
    path
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn png(path: &Path) -> (png::ColorType, Vec<u8>) {
    let file = std::io::BufReader::new(fs::File::open(path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    (info.color_type, pixels)
}

/// The bytes of an array in a `.npz`, and the end of its header.
fn array(file: &Path, name: &str) -> (String, Vec<u8>) {
    let mut zip = zip::ZipArchive::new(fs::File::open(file).unwrap()).unwrap();
    let mut bytes = Vec::new();
    zip.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
    let data = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = String::from_utf8(bytes[10..data].to_vec()).unwrap();
    (header.trim().to_owned(), bytes[data..].to_vec())
}

/// Every file below a folder, by its path within it. Of the manifest, the command is left out: it names the folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            let inside = files(&path).into_iter();
            found.extend(inside.map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
        } else if name == "manifest.json" {
            let mut manifest = json(&path);
            manifest.as_object_mut().unwrap().remove("command").unwrap();
            found.insert(name, manifest.to_string().into_bytes());
        } else {
            found.insert(name, fs::read(path).unwrap());
        }
    }
    found
}

#[test]
fn every_layout_holds_the_same_pictures_with_the_same_labels() {
    let lab = trained();
    // More than one batch, and a last one that is not full.
    let count = 523;
    let idx = write(&lab, "ten", "idx", "523", "idx");
    let images = fs::read(idx.join("train-images-idx3-ubyte")).unwrap();
    let labels = fs::read(idx.join("train-labels-idx1-ubyte")).unwrap();
    assert_eq!(images[..16], idx_header(0x803, &[523, 8, 8]));
    assert_eq!(labels[..8], idx_header(0x801, &[523]));
    let (images, labels) = (&images[16..], &labels[8..]);
    assert_eq!((images.len(), labels.len()), (count * 64, count));
    let in_turn: Vec<u8> = (0..523_u32).map(|number| (number % 10) as u8).collect();
    assert_eq!(labels, in_turn);

    let npz = write(&lab, "ten", "npz", "523", "npz").join("dataset.npz");
    let (header, pixels) = array(&npz, "train_images.npy");
    assert!(header.contains("'shape': (523, 8, 8)"), "{header}");
    assert_eq!(pixels, images);
    let (header, pixels) = array(&npz, "train_labels.npy");
    assert!(header.contains("'shape': (523, 1)"), "{header}");
    assert_eq!(pixels, labels);

    let folders = write(&lab, "ten", "png", "523", "png");
    for (number, picture) in images.chunks(64).enumerate() {
        let file = folders.join(format!("{}/{number:05}.png", number % 10));
        assert_eq!(png(&file), (png::ColorType::Grayscale, picture.to_vec()));
    }

    let manifest = json(&folders.join("manifest.json"));
    let checkpoint = lab.run("ten").checkpoint_file(20);
    assert_eq!(manifest["run"], "ten");
    assert_eq!(manifest["checkpoint"], checkpoint.to_str().unwrap());
    let sum = std::process::Command::new("sha256sum")
        .arg(&checkpoint)
        .output()
        .unwrap();
    let sum = Said::from(sum).out;
    assert_eq!(
        manifest["checkpoint_sha256"],
        sum.split(' ').next().unwrap()
    );
    assert_eq!(manifest["classes"][2]["count"], 53);
    assert_eq!(manifest["classes"][3]["count"], 52);
    assert_eq!(manifest["command"][1], "sample");
}

#[test]
fn without_classes_a_data_set_has_no_labels_and_cannot_be_balanced() {
    let lab = trained();
    let flat = write(&lab, "none", "png", "3", "flat");
    assert_eq!(
        files(&flat).keys().collect::<Vec<_>>(),
        ["00000.png", "00001.png", "00002.png", "manifest.json"]
    );
    let idx = write(&lab, "none", "idx", "3", "idx");
    assert_eq!(
        files(&idx).keys().collect::<Vec<_>>(),
        ["manifest.json", "train-images-idx3-ubyte"]
    );
    let never = lab.path().join("never");
    let mut balanced = arguments("none", "idx", "3", &never);
    balanced.push("--balanced");
    lab.sparring(&balanced).refused(
        1,
        "error: this model is unconditional: drop --balanced, or train a conditional preset such as cgan",
    );
    assert!(!never.exists());
}

#[test]
fn a_balanced_data_set_has_equal_counts_and_the_rest_goes_to_the_first_classes() {
    let lab = trained();
    let out = lab.path().join("set");
    let mut balanced = arguments("ten", "idx", "64", &out);
    balanced.push("--balanced");
    assert_eq!(lab.sparring(&balanced).code, 0);
    let labels = fs::read(out.join("train-labels-idx1-ubyte")).unwrap();
    let mut counts = [0; 10];
    for label in &labels[8..] {
        counts[usize::from(*label)] += 1;
    }
    assert_eq!(counts, [7, 7, 7, 7, 6, 6, 6, 6, 6, 6]);
}

/// Starts to write a data set and signals the face once some pictures are in `file`, but not all of them.
fn signalled(
    lab: &Lab,
    arguments: &[&str],
    file: &Path,
    is_begun: fn(&Path) -> bool,
    signal: Signal,
) -> Said {
    let mut face = lab
        .command(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !is_begun(file) {
        assert_eq!(face.try_wait().unwrap(), None, "it ended before the signal");
        std::thread::yield_now();
    }
    send(&face, signal);
    Said::from(face.wait_with_output().unwrap())
}

fn send(to: &Child, signal: Signal) {
    kill_process(Pid::from_child(to), signal).unwrap();
}

fn has_pictures(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|file| file.len() > 20_000)
}

#[test]
fn ctrl_c_keeps_the_pictures_and_the_same_command_goes_on_with_the_next() {
    let lab = trained();
    let whole = files(&write(&lab, "ten", "idx", "60000", "whole"));
    let out = lab.path().join("broken");
    let command = arguments("ten", "idx", "60000", &out);
    let file = out.join(".partial/train-images-idx3-ubyte");
    let said = signalled(&lab, &command, &file, has_pictures, Signal::INT);
    assert_eq!(said.code, 130, "{said:?}");
    let kept = said
        .err
        .strip_prefix("interrupted by signal 2; ")
        .and_then(|rest| {
            rest.strip_suffix(" pictures are kept, and the same command goes on with the next\n")
        })
        .unwrap_or_else(|| panic!("{said:?}"));
    assert_eq!(
        fs::read_dir(&out).unwrap().count(),
        1,
        "a final name before the end"
    );

    let again = lab.sparring(&command);
    assert_eq!(again.code, 0, "{again:?}");
    let next = kept.parse::<u64>().unwrap() + 1;
    assert_eq!(
        again.err,
        format!("going on with picture {next} of 60000\n")
    );
    assert_eq!(files(&out), whole);

    let third = lab.sparring(&command);
    assert_eq!(
        (third.code, third.out),
        (
            0,
            format!(
                "{} has these 60000 pictures of 8×8 already\n",
                out.display()
            )
        )
    );
}

#[test]
fn a_killed_data_set_goes_on_to_the_same_bytes() {
    let lab = trained();
    for (format, count, file, is_begun) in [
        (
            "npz",
            "60000",
            ".partial/train_images.npy",
            has_pictures as fn(&Path) -> bool,
        ),
        ("png", "1500", ".partial/5/00105.png", Path::exists),
    ] {
        let whole = files(&write(
            &lab,
            "ten",
            format,
            count,
            &format!("whole-{format}"),
        ));
        let out = lab.path().join(format!("broken-{format}"));
        let command = arguments("ten", format, count, &out);
        let said = signalled(&lab, &command, &out.join(file), is_begun, Signal::KILL);
        assert_eq!(said.code, -1, "{said:?}");
        assert_eq!(
            fs::read_dir(&out).unwrap().count(),
            1,
            "a final name before the end"
        );
        let again = lab.sparring(&command);
        assert!(again.err.starts_with("going on with picture "), "{again:?}");
        assert!(files(&out) == whole, "{format} differs");
    }
}

#[test]
fn a_seed_that_nobody_chose_is_kept_by_the_command_that_goes_on() {
    let lab = trained();
    let out = lab.path().join("set");
    let command = [
        "sample",
        "ten",
        "-n",
        "30000",
        "--format",
        "idx",
        "--out",
        out.to_str().unwrap(),
    ];
    let file = out.join(".partial/train-images-idx3-ubyte");
    signalled(&lab, &command, &file, has_pictures, Signal::KILL);
    let seed = json(&out.join(".partial/manifest.json"))["seed"].clone();
    assert_eq!(lab.sparring(&command).code, 0);
    assert_eq!(json(&out.join("manifest.json"))["seed"], seed);
    let seed = seed.to_string();
    let same = lab.path().join("same");
    let mut command = arguments("ten", "idx", "30000", &same);
    command[5] = &seed;
    assert_eq!(lab.sparring(&command).code, 0);
    assert!(files(&out) == files(&same));
}

#[test]
fn a_folder_with_something_else_in_it_is_refused_and_nothing_is_lost() {
    let lab = trained();
    let thesis = lab.path().join("thesis");
    fs::create_dir(&thesis).unwrap();
    fs::write(thesis.join("chapter"), "It was").unwrap();
    for format in ["idx", "png", "npz"] {
        lab.sparring(&arguments("ten", format, "5", &thesis))
            .refused(
                1,
                &format!(
                    "error: the folder {} is not empty; name a new one",
                    thesis.display()
                ),
            );
    }
    assert_eq!(fs::read(thesis.join("chapter")).unwrap(), b"It was");
    assert_eq!(fs::read_dir(&thesis).unwrap().count(), 1);

    let set = write(&lab, "ten", "idx", "5", "set");
    let before = files(&set);
    lab.sparring(&arguments("ten", "idx", "6", &set)).refused(
        1,
        &format!(
            "error: {} holds another data set: --count was 5 and is now 6; repeat its command to go on with it, or name \
             another folder",
            set.display()
        ),
    );
    assert_eq!(files(&set), before);

    lab.sparring(&arguments("ten", "npz", "5", &lab.path().join("x.npz"))).refused(
        1,
        &format!(
            "error: {} names a file, and --format is for the folder of a data set; name a folder, or leave --format out",
            lab.path().join("x.npz").display()
        ),
    );
}

#[test]
fn classes_are_drawn_and_filed_by_their_names() {
    let lab = trained();
    let names = [
        "T-shirt/top",
        "Trouser",
        "../up",
        "con",
        "",
        "Sandal",
        "Shirt",
        "sandal",
        "Bag",
        "é\u{1b}[2J",
    ];
    let checkpoint = lab.path().join("named.safetensors");
    name_classes(&lab.run("ten").checkpoint_file(20), &names, &checkpoint);
    let source = checkpoint.to_str().unwrap();

    let out = write(&lab, source, "png", "20", "set");
    let mut folders: Vec<_> = fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    assert_eq!(
        folders,
        [
            "Bag",
            "Sandal",
            "Shirt",
            "T-shirt_top",
            "Trouser",
            "_",
            "___up",
            "con_",
            "manifest.json",
            "sandal_2",
            "é__2J"
        ]
    );
    let manifest = json(&out.join("manifest.json"));
    assert_eq!(manifest["classes"][0]["name"], "T-shirt/top");
    assert_eq!(manifest["classes"][0]["folder"], "T-shirt_top");
    assert_eq!(manifest["run"], serde_json::Value::Null);

    let shown = lab.sparring(&[
        "sample", source, "-n", "10", "--seed", "1", "--render", "ascii",
    ]);
    assert!(
        shown.out.contains("Trouser  ") && shown.out.contains("T-shir"),
        "{}",
        shown.out
    );
    assert!(!shown.out.contains('\u{1b}'));
    let bare = lab.sparring(&[
        "sample",
        source,
        "-n",
        "10",
        "--seed",
        "1",
        "--render",
        "ascii",
        "--no-labels",
    ]);
    assert!(!bare.out.contains("Trouser"));

    // Picture 5 of all is a sandal, and so is picture 5 of sandals alone.
    let all = write(&lab, source, "idx", "20", "all").join("train-images-idx3-ubyte");
    let sandals = lab.path().join("sandals");
    let mut command = arguments(source, "idx", "20", &sandals);
    command.extend(["--class", "Sandal"]);
    assert_eq!(lab.sparring(&command).code, 0);
    let labels = fs::read(sandals.join("train-labels-idx1-ubyte")).unwrap();
    assert_eq!(labels[8..], [5; 20]);
    let picture = |file: &Path| fs::read(file).unwrap()[16 + 5 * 64..][..64].to_vec();
    assert_eq!(
        picture(&all),
        picture(&sandals.join("train-images-idx3-ubyte"))
    );

    lab.sparring(&["sample", source, "--class", "trousers"]).refused(
        1,
        "error: there is no class trousers (did you mean Trouser?); the model has T-shirt/top, Trouser, ../up, con, , \
         Sandal, Shirt, sandal, Bag, é\\u{1b}[2J",
    );
}

/// Copies a checkpoint and names its classes.
fn name_classes(from: &Path, names: &[&str], to: &Path) {
    let bytes = fs::read(from).unwrap();
    let length = usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
    let mut header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let names = serde_json::to_string(names).unwrap();
    header["__metadata__"]["class_names"] = names.into();
    // As a checkpoint of an older build, which had no digest.
    header["__metadata__"]
        .as_object_mut()
        .unwrap()
        .remove("digest");
    write_safetensors(to, &header, &bytes[8 + length..]);
}

fn write_safetensors(to: &Path, header: &serde_json::Value, tensors: &[u8]) {
    let header = header.to_string();
    let length = (header.len() as u64).to_le_bytes();
    fs::write(to, [&length, header.as_bytes(), tensors].concat()).unwrap();
}

/// A checkpoint of a generator for RGB pictures of 64×64, with weights that make stripes and noise.
fn colour_checkpoint(to: &Path) {
    let request = Request {
        preset: Some("tutorial".to_owned()),
        ..Request::default()
    };
    let mut config = resolve(&request).unwrap().config;
    config.generator.hidden = vec![4];
    let header = CheckpointHeader {
        step: 1,
        shape: [3, 64, 64],
        training_seconds: 0.0,
        attempt: 0,
        quick_distance: None,
        features: None,
        class_names: Vec::new(),
        data_fingerprint: String::new(),
        config,
    };
    let pixels = 3 * 64 * 64;
    let sizes = [
        ("generator.model.0.weight", vec![4, 100]),
        ("generator.model.0.bias", vec![4]),
        ("generator.model.2.weight", vec![pixels, 4]),
        ("generator.model.2.bias", vec![pixels]),
    ];
    let (mut tensors, mut entries) = (Vec::new(), serde_json::Map::new());
    for (name, shape) in sizes {
        let start = tensors.len();
        for number in 0..shape.iter().product::<usize>() {
            let value = ((number * 7919) % 997) as f32 / 500.0 - 1.0;
            tensors.extend(value.to_le_bytes());
        }
        let entry = serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [start, tensors.len()]});
        entries.insert(name.to_owned(), entry);
    }
    entries.insert(
        "__metadata__".to_owned(),
        serde_json::json!(without_digest(header.to_metadata().unwrap())),
    );
    write_safetensors(to, &entries.into(), &tensors);
}

#[test]
fn hundreds_of_large_pictures_in_colour_are_shown_and_written() {
    let lab = Lab::new();
    let checkpoint = lab.path().join("colour.safetensors");
    colour_checkpoint(&checkpoint);
    let source = checkpoint.to_str().unwrap();

    let mut show = lab.command(&[
        "sample", source, "-n", "256", "--seed", "1", "--color", "always",
    ]);
    let shown = Said::by(show.env("COLORTERM", "truecolor").env("COLUMNS", "131"));
    assert_eq!((shown.code, shown.err.as_str()), (0, ""));
    // Sixty-four rows of four pictures at half scale, which are 32×16 cells each.
    assert_eq!(shown.out.lines().count(), 64 * 16 + 63);
    assert!(shown.out.contains("\x1b[38;2;"));

    let npz = write(&lab, source, "npz", "300", "npz").join("dataset.npz");
    let (header, pixels) = array(&npz, "train_images.npy");
    assert!(header.contains("'shape': (300, 64, 64, 3)"), "{header}");
    let folder = write(&lab, source, "png", "300", "png");
    for number in [0, 41, 42, 255, 256, 299] {
        let (color, picture) = png(&folder.join(format!("{number:05}.png")));
        assert_eq!(color, png::ColorType::Rgb);
        assert!(picture == pixels[number * 12_288..][..12_288], "{number}");
    }
    lab.sparring(&arguments(source, "idx", "3", &lab.path().join("idx"))).refused(
        1,
        "error: readers of IDX expect grey pictures, and these have colours; use --format png or npz",
    );
}

/// The metadata of a checkpoint of an older build, which had no digest.
fn without_digest(
    mut metadata: std::collections::HashMap<String, String>,
) -> std::collections::HashMap<String, String> {
    metadata.remove("digest").unwrap();
    metadata
}
