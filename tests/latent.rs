//! The latent space of a trained generator: ways through it, edits, and where a picture lies in it.

use std::fs;
use std::io::BufReader;
use std::path::Path;

use serde_json::Value;
use sparring_contract::protocol::Event;
use sparring_contract::run::read_records;

use crate::data::pictures::write_pixels;
use crate::lab::Lab;
use crate::terminal::Terminal;

/// A laboratory with a run that has made a few steps.
fn trained(arguments: &[&str]) -> Lab {
    let lab = Lab::new();
    let said = lab.train(&[&["--name", "run", "--steps", "30"], arguments].concat());
    assert_eq!(said.code, 0, "{said:?}");
    lab
}

/// The pictures of 8×8 pixels that a command writes to an IDX file.
fn drawn(lab: &Lab, arguments: &[&str]) -> Vec<Vec<u8>> {
    let path = lab.path().join("drawn.idx3-ubyte");
    let out = ["--force", "--out", path.to_str().unwrap()];
    let said = lab.sparring(&[arguments, &out].concat());
    assert_eq!(said.code, 0, "{said:?}");
    let bytes = fs::read(&path).unwrap();
    bytes[16..].chunks(64).map(<[u8]>::to_vec).collect()
}

fn mean_difference(a: &[u8], b: &[u8]) -> f64 {
    let apart = a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b)));
    apart.sum::<f64>() / a.len() as f64
}

fn frames_of_gif(path: &Path) -> usize {
    let mut decoder = gif::DecodeOptions::new()
        .read_info(BufReader::new(fs::File::open(path).unwrap()))
        .unwrap();
    assert_eq!((decoder.width(), decoder.height()), (224, 224));
    std::iter::from_fn(|| decoder.read_next_frame().unwrap().map(drop)).count()
}

fn frames_of_png(path: &Path) -> u32 {
    let file = BufReader::new(fs::File::open(path).unwrap());
    let reader = png::Decoder::new(file).read_info().unwrap();
    assert_eq!((reader.info().width, reader.info().height), (224, 224));
    reader.info().animation_control.unwrap().num_frames
}

#[test]
fn a_way_leads_from_one_seeds_picture_to_anothers() {
    let lab = trained(&[]);
    let way = drawn(
        &lab,
        &["interpolate", "run", "--seeds", "3,8", "--frames", "5"],
    );
    let [first, last] =
        ["3", "8"].map(|seed| drawn(&lab, &["sample", "run", "-n", "1", "--seed", seed]));
    assert_eq!(way.len(), 5);
    assert_eq!([&way[0], &way[4]], [&first[0], &last[0]]);
    let whole = mean_difference(&way[0], &way[4]);
    for step in way.windows(2) {
        let apart = mean_difference(&step[0], &step[1]);
        assert!(apart > 0.0 && apart < whole, "{apart} of {whole}");
    }

    let animation = |name: &str| {
        let path = lab.path().join(name);
        let out = path.to_str().unwrap();
        let said = lab.sparring(&["interpolate", "run", "--seeds", "3,8", "--out", out]);
        assert_eq!(said.code, 0, "{said:?}");
        path
    };
    // From the first to the second and back.
    assert_eq!(frames_of_gif(&animation("way.gif")), 48);
    assert_eq!(frames_of_png(&animation("way.apng")), 48);
}

#[test]
fn an_edit_changes_one_property_and_says_how_often_that_works() {
    let lab = trained(&[]);
    let edit = ["edit", "run", "--seed", "3", "--trials", "20"];
    let said = lab.sparring(&[&edit[..], &["--json"]].concat());
    assert_eq!(said.code, 0, "{said:?}");
    let told: Vec<Value> = said
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let brightness = told
        .iter()
        .find(|edited| edited["property"] == "brightness")
        .unwrap();
    let values: Vec<_> = brightness["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_f64().unwrap())
        .collect();
    assert_eq!(values.len(), 7);
    assert!(values.is_sorted(), "{values:?}");
    assert!(values[0] < values[6]);
    assert_eq!(brightness["trials"]["count"], 20);
    assert!(brightness["trials"]["monotone"].as_f64().unwrap() > 0.5);
    assert!(told.iter().any(|edited| edited["is_principal"] == true));

    let strips = drawn(&lab, &[&edit[..], &["--property", "brightness"]].concat());
    let means: Vec<_> = strips
        .iter()
        .map(|picture| mean_difference(picture, &[0; 64]))
        .collect();
    assert!(means.len() == 7 && means.is_sorted(), "{means:?}");
    let own = drawn(&lab, &["sample", "run", "-n", "1", "--seed", "3"]);
    assert_eq!(strips[3], own[0]);
}

#[test]
fn a_picture_is_found_again_and_can_be_gone_on_from() {
    let lab = trained(&[]);
    let own = drawn(&lab, &["sample", "run", "-n", "1", "--seed", "77"]);
    let picture = lab.path().join("own.png");
    write_pixels(&picture, 8, 8, &own[0]);
    let picture = picture.to_str().unwrap();
    let said = lab.sparring(&["project", "run", picture, "--json"]);
    assert_eq!(said.code, 0, "{said:?}");
    let told: Value = serde_json::from_str(&said.out).unwrap();
    let mse = |of: &Value| of["mse"].as_f64().unwrap();
    assert!(mse(&told) < mse(&told["nearest_sample"]) / 2.0, "{told}");
    assert_eq!(told["name"], "own");

    let point = lab.path().join("point.json");
    fs::write(&point, &said.out).unwrap();
    let point = point.to_str().unwrap();
    let found = drawn(&lab, &["sample", "run", "--point", point]);
    let squares = found[0].iter().zip(&own[0]).map(|(a, b)| {
        let apart = f64::from(a.abs_diff(*b)) / 255.0;
        apart * apart
    });
    assert!((squares.sum::<f64>() / 64.0 - mse(&told)).abs() < 1e-6);
    let way = drawn(
        &lab,
        &["interpolate", "run", "--from", &format!("{point},{point}")],
    );
    assert!(way.iter().all(|picture| *picture == found[0]));
    // Every part of a strip: the picture, the nearest sample, three places on the way, and what was found.
    let strip = drawn(&lab, &["project", "run", picture]);
    assert_eq!(strip.len(), 6);
    assert_eq!([&strip[0], &strip[5]], [&own[0], &found[0]]);
}

#[test]
fn truncated_noise_gives_pictures_that_differ_less() {
    let lab = trained(&[]);
    let spread = |how: &[&str]| {
        let sample = ["sample", "run", "-n", "32", "--seed", "5"];
        let pictures = drawn(&lab, &[&sample[..], how].concat());
        pictures
            .windows(2)
            .map(|two| mean_difference(&two[0], &two[1]))
            .sum::<f64>()
    };
    let whole = spread(&[]);
    assert!(spread(&["--truncation", "0.3"]) < 0.6 * whole);
    assert!(spread(&["--tails", "0.5"]) < 0.6 * whole);
    assert_eq!(spread(&["--truncation", "1"]), whole);
    lab.sparring(&["sample", "run", "--tails", "0.01"]).refused(
        2,
        "error: invalid value '0.01' for '--tails <NUMBER>': give a number from 0.1 to 100\n\nFor more information, try \
         '--help'.",
    );
}

#[test]
fn a_run_that_makes_pictures_from_noise_repairs_and_keeps_what_is_known() {
    let lab = trained(&[]);
    let data = lab.data().join("train-images-idx3-ubyte");
    let data = data.to_str().unwrap();
    let some = lab.path().join("some.idx3-ubyte");
    // The header, with 12 as the number of pictures.
    let mut bytes = fs::read(data).unwrap()[..16 + 12 * 64].to_vec();
    bytes[7] = 12;
    fs::write(&some, &bytes).unwrap();
    let some = some.to_str().unwrap();
    let repaired = drawn(
        &lab,
        &["repair", "run", some, "--mask", "half", "--seed", "1"],
    );
    for (repaired, given) in repaired.iter().zip(bytes[16..].chunks(64)) {
        assert_eq!(repaired[..32], given[..32]);
    }
    assert!(
        repaired
            .iter()
            .any(|picture| picture[32..].iter().any(|pixel| *pixel > 0))
    );
    lab.sparring(&["repair", "run", some]).refused(
        1,
        &format!(
            "error: {} makes pictures from noise; to repair with it, say what is missing: --mask centre, half, strokes, \
             random, mixed or a picture",
            checkpoint(&lab)
        ),
    );
    let told = lab.sparring(&["eval", "run", "--mask", "half", "--json"]);
    assert_eq!(told.code, 0, "{told:?}");
    let told: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(
        told["task"],
        "repair, the lower half, by searching the latent space"
    );
    assert!(told["methods"].as_array().unwrap().len() > 2);
}

#[test]
fn what_cannot_be_done_is_told_in_a_line() {
    let lab = trained(&[]);
    let refused = |arguments: &[&str], why: &str| {
        let said = lab.sparring(arguments);
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.err.starts_with(&format!("error: {why}")), "{said:?}");
        assert_eq!(said.err.lines().count(), 1, "{said:?}");
    };
    refused(
        &["interpolate", "run", "--classes", "1,2"],
        "this model is unconditional: drop --class, or train a conditional preset such as cgan",
    );
    refused(
        &["interpolate", "run", "--seeds", "1"],
        "an interpolation needs two stops or more, such as --seeds 3,8 or --classes 3,8",
    );
    refused(
        &["edit", "run", "--property", "smile"],
        "the run's pictures have no property \"smile\"; they have ",
    );
    refused(
        &["sample", "run", "--point", "nowhere"],
        "there is no point nowhere, neither kept in the run nor a file",
    );
    let other = lab.path().join("other.json");
    fs::write(&other, "{\"z\": [1, 2, 3]}").unwrap();
    let other = other.to_str().unwrap();
    refused(
        &["sample", "run", "--point", other],
        "the noise has 3 numbers, and the run's has ",
    );
    fs::write(other, "[]").unwrap();
    refused(
        &["edit", "run", "--from", other],
        &format!("{other} is no point: give a file with a line of `sparring project --json`"),
    );
    let folder = lab.path().join("folder/");
    refused(
        &[
            "interpolate",
            "run",
            "--seeds",
            "1,2",
            "--out",
            folder.to_str().unwrap(),
        ],
        &format!("{}", folder.display()),
    );
}

#[test]
fn a_dashboard_walks_through_the_latent_space_and_keeps_a_point() {
    let lab = Lab::new();
    let (live, run) = lab.endless("run");
    let mut terminal = Terminal::with(lab.command(&["attach", "run"]));
    terminal.shows("● training");
    terminal.types("e");
    terminal.shows("seed 0");
    // The directions are known, and the first pictures are there.
    terminal.shows("←→ brightness");
    terminal.until(|screen| !screen.contents().contains("measuring the directions"));
    terminal.types("\x1b[C");
    terminal.shows("+0.5");
    terminal.types("s");
    terminal.shows("seed 1");
    terminal.types("\x1b[A\x1b[A");
    terminal.shows("+1.0");
    terminal.types("\r");
    terminal.shows("kept as point-1");
    terminal.types("\x1b");
    terminal.until(|screen| !screen.contents().contains("latent space"));
    terminal.types("d");
    assert_eq!(terminal.ends().code(), Some(0));

    let kept: Vec<_> = read_records(&run.events_file())
        .into_iter()
        .filter_map(|record| match record.event {
            Event::Kept(point) => Some(*point),
            _ => None,
        })
        .collect();
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].name.as_str(), kept[0].place.seed), ("point-1", 1));
    assert_eq!(kept[0].place.coordinates[0].amount, 1.0);
    assert!(run.samples_dir().join("point-1.png").exists());
    assert_eq!(lab.sparring(&["checkpoint", "run"]).code, 0);
    assert_eq!(live.terminated(), 143);
    assert_eq!(
        drawn(&lab, &["sample", "run", "--point", "point-1"]).len(),
        1
    );
}

/// The newest checkpoint of the run.
fn checkpoint(lab: &Lab) -> String {
    let newest = lab.run("run").newest_checkpoint().unwrap();
    newest.path.canonicalize().unwrap().display().to_string()
}
