//! Pictures from pictures: repairing, enlarging, translating.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use serde_json::Value;
use sparring_contract::protocol::Event;

use crate::data::pictures::{write_pixels, write_png};
use crate::lab::{Lab, SMALL_UNET, Said, idx_header, tensors, write_images};

/// Trains on 200 images of 8×8 pixels.
fn train(lab: &Lab, arguments: &[&str]) -> Said {
    let data = lab.data();
    let mut all = vec!["train", "--json", "--data", data.to_str().unwrap()];
    all.extend(SMALL_UNET);
    all.extend(["--set", "output.checkpoint_every_steps=20"]);
    all.extend(arguments);
    Said::by(&mut lab.command(&all))
}

/// A run that has learnt a task for some steps.
fn learnt(name: &str, steps: &str, task: &[&str]) -> Lab {
    let lab = Lab::new();
    let said = train(&lab, &[&["--name", name, "--steps", steps], task].concat());
    assert_eq!(said.code, 0, "{said:?}");
    lab
}

/// The pixels of an IDX file of pictures.
fn pixels(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()[16..].to_vec()
}

/// Height and width of a PNG.
fn size_of(path: &Path) -> (u32, u32) {
    let file = std::io::BufReader::new(fs::File::open(path).unwrap());
    let reader = png::Decoder::new(file).read_info().unwrap();
    (reader.info().height, reader.info().width)
}

#[test]
fn a_run_that_repairs_reports_how_near_it_comes_beside_a_plain_method() {
    let lab = Lab::new();
    let said = train(
        &lab,
        &[
            "--name",
            "mended",
            "--steps",
            "60",
            "--task",
            "repair",
            "--mask",
            "centre",
            "--set",
            "health.time_fraction=1",
        ],
    );
    assert_eq!(said.code, 0, "{said:?}");
    let specs = said.started().metrics;
    let psnr = specs.iter().find(|spec| spec.key == "psnr").unwrap();
    let plain = psnr.reference.as_ref().unwrap();
    assert!(plain.value.is_finite() && !plain.label.is_empty());
    // These images have no labels, so nothing is said of them.
    assert!(!specs.iter().any(|spec| spec.key == "label_kept"));
    let last = said.ended().stats;
    assert!(last.metrics.get("l1") > 0.0);
    assert!(last.metrics.get("psnr").is_finite(), "{last:?}");
    // Pictures of 8×8 are smaller than the window of structural similarity.
    assert!(!specs.iter().any(|spec| spec.key == "ssim"));

    // There would be a grid every 500 steps; this is the one of the end.
    let grids = said.events().into_iter().filter_map(|event| match event {
        Event::Samples(saved) => Some(saved.step),
        _ => None,
    });
    assert_eq!(grids.collect::<Vec<_>>(), [60]);
    let eval = lab.sparring(&["eval", "mended", "--seed", "1", "--json"]);
    assert_eq!(eval.code, 0, "{eval:?}");
    let told: Value = serde_json::from_str(&eval.out).unwrap();
    let names: Vec<_> = told["methods"]
        .as_array()
        .unwrap()
        .iter()
        .map(|method| method["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["run", "mean_of_16_nearest", "nearest", "original"]);
    assert_eq!(told["methods"][3]["l1"], 0.0);
    assert_eq!(told["missing_only"], true);
    let words = lab.sparring(&["eval", "mended", "--seed", "1"]).out;
    assert!(
        words.contains("PSNR and L1 are of the missing pixels"),
        "{words}"
    );
}

#[test]
fn a_task_that_was_stopped_goes_on_to_the_same_bits() {
    for task in [
        &["--task", "repair", "--set", "latent_dim=2"][..],
        &["--task", "enlarge", "--factor", "2"],
        &["--task", "translate", "--from", "thin"],
    ] {
        let whole = learnt("run", "40", task);
        let halves = learnt("run", "20", task);
        let resumed = halves.sparring(&["train", "--json", "--resume", "run", "--steps", "40"]);
        assert_eq!(resumed.code, 0, "{resumed:?}");
        let [a, b] = [&whole, &halves].map(|lab| tensors(&lab.run("run"), 40));
        assert!(a == b, "{task:?}");
    }
}

#[test]
fn a_repair_keeps_what_is_known_and_answers_in_several_ways() {
    let lab = learnt(
        "mended",
        "20",
        &[
            "--task",
            "repair",
            "--set",
            "latent_dim=2",
            "--set",
            "loss_weights.diversity=0.5",
        ],
    );
    let out = lab.path().join("mended.idx3-ubyte");
    let [data, path] = [lab.data(), out.clone()].map(|path| path.to_str().unwrap().to_owned());
    let said = lab.sparring(&[
        "repair", "mended", &data, "--mask", "half", "-n", "3", "--seed", "1", "--out", &path,
    ]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.out.starts_with("wrote 600 pictures of 8×8 to "),
        "{said:?}"
    );
    let given = pixels(&lab.data().join("train-images-idx3-ubyte"));
    let made = pixels(&out);
    let (mut filled, mut answers_differ) = (0, false);
    for (given, made) in given.chunks(64).zip(made.chunks(3 * 64)) {
        for answer in made.chunks(64) {
            assert_eq!(answer[..32], given[..32], "the upper half is known");
            filled += usize::from(answer[32..].iter().any(|pixel| *pixel > 0));
        }
        answers_differ |= made[..64] != made[64..128];
    }
    assert!(filled > 300 && answers_differ, "{filled}");
    // The same seed gives the same answers.
    let again = lab.path().join("again.idx3-ubyte");
    let again_path = again.to_str().unwrap();
    lab.sparring(&[
        "repair", "mended", &data, "--mask", "half", "-n", "3", "--seed", "1", "--out", again_path,
    ]);
    assert!(pixels(&again) == made);
}

#[test]
fn before_and_after_stand_side_by_side_in_the_scrollback() {
    let lab = learnt("mended", "20", &["--task", "repair", "--mask", "centre"]);
    let one = lab.path().join("one");
    write_images(&one, 2, 8);
    let said = lab.sparring(&[
        "repair",
        "mended",
        one.to_str().unwrap(),
        "--render",
        "ascii",
    ]);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    let mut lines = said.out.lines();
    assert_eq!(lines.next(), Some("damaged, repaired"));
    // Two pictures of eight columns and a blank between them, more than once.
    assert!(lines.next().unwrap().len() >= 17, "{said:?}");

    // A picture of another size is cropped and resized, as for training.
    let photo = lab.path().join("photo.png");
    write_png(&photo, 40, 30, &[200, 100, 50]);
    let mask = lab.path().join("mask.png");
    write_pixels(&mask, 16, 16, &[[255; 128], [0; 128]].concat());
    let out = lab.path().join("mended.png");
    let [photo, mask, path] = [&photo, &mask, &out].map(|path| path.to_str().unwrap());
    let said = lab.sparring(&["repair", "mended", photo, "--mask", mask, "--out", path]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(size_of(&out), (8, 8));
}

#[test]
fn pictures_of_any_size_are_enlarged_into_a_folder_under_their_names() {
    let lab = learnt("larger", "20", &["--task", "enlarge", "--factor", "2"]);
    let folder = lab.path().join("small");
    fs::create_dir(&folder).unwrap();
    for (name, side) in [("one", 4), ("two", 4)] {
        write_png(&folder.join(format!("{name}.png")), side, side, &[90]);
    }
    let out = lab.path().join("large");
    let paths = [&folder, &out].map(|path| path.to_str().unwrap());
    let said = lab.sparring(&["enlarge", "larger", paths[0], "--out", paths[1]]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(size_of(&out.join("one.png")), (8, 8));
    assert_eq!(size_of(&out.join("two.png")), (8, 8));
    let again = lab.sparring(&["enlarge", "larger", paths[0], "--out", paths[1]]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("is there already"), "{again:?}");

    // Larger than it was trained on, and not square.
    let wide = lab.path().join("wide");
    let picture = wide.join("wide.png");
    write_png(&picture, 11, 6, &[200, 200, 200]);
    let said = lab.sparring(&[
        "enlarge",
        "larger",
        picture.to_str().unwrap(),
        "--out",
        paths[1],
    ]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(size_of(&out.join("wide.png")), (12, 22));
}

#[test]
fn whole_pictures_are_translated_and_so_are_conditions() {
    let lab = learnt("drawn", "20", &["--task", "translate", "--from", "edges"]);
    let data = lab.data();
    let data = data.to_str().unwrap();
    let whole = lab.sparring(&[
        "translate",
        "drawn",
        data,
        "--from-whole",
        "--render",
        "ascii",
    ]);
    assert_eq!(whole.out.lines().next(), Some("edges, made, original"));
    let out = lab.path().join("made.npz");
    let said = lab.sparring(&["translate", "drawn", data, "--out", out.to_str().unwrap()]);
    assert_eq!(said.code, 0, "{said:?}");
    let mut bytes = Vec::new();
    fs::File::open(&out)
        .unwrap()
        .read_to_end(&mut bytes)
        .unwrap();
    assert!(bytes.starts_with(b"PK"));
}

#[test]
fn pairs_of_ones_own_are_matched_by_name() {
    let lab = Lab::new();
    let pairs = lab.path().join("pairs");
    for side in ["a", "b"] {
        fs::create_dir_all(pairs.join(side)).unwrap();
        for number in 0..24_u8 {
            let path = pairs.join(side).join(format!("{number:02}.png"));
            let grey = if side == "a" {
                number * 10
            } else {
                255 - number * 10
            };
            write_png(&path, 28, 28, &[grey]);
        }
    }
    let folder = pairs.to_str().unwrap().to_owned();
    let mut all = vec![
        "train", "--json", "--name", "own", "--steps", "6", "--pairs", &folder,
    ];
    all.extend(SMALL_UNET);
    let said = lab.sparring(&all);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(said.started().images + 2, 24, "a tenth is held out");
    let eval = lab.sparring(&["eval", "own", "--json"]);
    assert_eq!(eval.code, 1, "20 pictures have no distribution: {eval:?}");

    fs::remove_file(pairs.join("a/07.png")).unwrap();
    lab.sparring(&all.iter().map(|text| if *text == "own" { "less" } else { text }).collect::<Vec<_>>())
        .refused(
            1,
            &format!(
                "error: cannot take pictures from {folder}/b/07: it has no partner of the same name in a/"
            ),
        );
}

#[test]
fn what_does_not_fit_is_refused_in_one_line() {
    let lab = learnt("mended", "4", &["--task", "repair"]);
    let checkpoint = lab.run("mended").checkpoint_file(4);
    let larger = lab.path().join("larger");
    write_images(&larger, 3, 12);
    let larger = larger.to_str().unwrap();
    lab.sparring(&["repair", "mended", larger]).refused(
        1,
        &format!(
            "error: cannot use {larger}: its pictures are 12x12, and the run was trained on 8x8: resize them first"
        ),
    );
    let data = lab.data();
    let data = data.to_str().unwrap();
    lab.sparring(&["enlarge", "mended", data]).refused(
        1,
        &format!(
            "error: {} has learnt to repair, not to enlarge: use `sparring repair`, or train with --task enlarge",
            checkpoint.display()
        ),
    );
    lab.sparring(&["sample", "mended"]).refused(
        1,
        &format!(
            "error: {} makes pictures from pictures: use `sparring repair`",
            checkpoint.display()
        ),
    );
    lab.sparring(&["repair", "mended", data, "--mask", "edge"]).refused(
        1,
        "error: --mask edge is neither centre, half, strokes, random or mixed, nor a picture: No such file or directory (os error 2)",
    );
    let mask = lab.path().join("mask.png");
    for (white, why) in [
        (
            255,
            "all of it is white, so nothing is known: leave some of it black",
        ),
        (0, "nothing in it is white, so nothing is missing"),
    ] {
        write_png(&mask, 8, 8, &[white]);
        lab.sparring(&["repair", "mended", data, "--mask", mask.to_str().unwrap()])
            .refused(
                1,
                &format!("error: cannot use the mask {}: {why}", mask.display()),
            );
    }
    for (arguments, why) in [
        (
            &["--task", "repair", "--preset", "dcgan"][..],
            "task = \"repair\" needs generator.architecture = \"unet\", and it is \"dcgan\": choose another preset",
        ),
        (
            &["--preset", "pix2pix", "--task", "generate"],
            "task = \"generate\" needs generator.architecture = \"mlp\", \"dcgan\" or \"resnet\", and it is \"unet\": choose another preset",
        ),
        (
            &["--task", "translate", "--from", "grey"],
            "translate.from = \"grey\" needs pictures in colour, and the data is grey: choose another translate.from",
        ),
        (
            &["--task", "translate", "--from", "pairs"],
            "translate.from = \"pairs\" needs a folder with a/ and b/, and the data is another: give it with --pairs",
        ),
        (
            &["--task", "repair", "--set", "conditional=true"],
            "task = \"repair\" has no place for conditional = true: take it out",
        ),
        (
            &["--task", "repair", "--set", "loss_weights.diversity=1"],
            "latent_dim = 0 leaves the generator without noise: set it to 1 or more, or loss_weights.diversity = 0",
        ),
    ] {
        let said = train(&lab, arguments);
        assert_eq!(
            (said.code, said.err.lines().last()),
            // Before it stands which preset was chosen.
            (1, Some(format!("error: {why}").as_str()))
        );
    }
    let odd = lab.path().join("odd");
    fs::create_dir(&odd).unwrap();
    let mut bytes = idx_header(0x803, &[40, 6, 6]);
    bytes.extend([9; 40 * 36]);
    fs::write(odd.join("train-images-idx3-ubyte"), bytes).unwrap();
    let said = lab.sparring(&[
        "train",
        "--json",
        "--task",
        "enlarge",
        "--data",
        odd.to_str().unwrap(),
    ]);
    assert_eq!(
        said.err.lines().last(),
        Some(
            "error: enlarge.factor = 4 needs sides that it divides, and the pictures are 6x6: choose another image_size"
        )
    );
}

#[test]
fn an_evaluation_of_a_task_refuses_what_is_for_noise() {
    let lab = learnt("mended", "4", &["--task", "repair"]);
    let checkpoint = lab.run("mended").newest_checkpoint().unwrap().path;
    lab.sparring(&["eval", "mended", "--mask", "half"]).refused(
        1,
        &format!(
            "error: {} has learnt to repair: --mask, --truncation and --tails are for runs that make pictures from noise",
            checkpoint.canonicalize().unwrap().display()
        ),
    );
}
