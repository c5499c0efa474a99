//! Translating between two domains without pairs.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sparring_contract::protocol::Event;

use crate::data::pictures::write_pixels;
use crate::lab::{Lab, SMALL_UNET, Said, tensors};

fn train(lab: &Lab, name: &str, arguments: &[&str]) -> Said {
    let mut all = vec!["train", "--json", "--name", name];
    all.extend(SMALL_UNET);
    all.extend(["--seed", "1", "--set", "output.sample_every_steps=20"]);
    all.extend(arguments);
    lab.sparring(&all)
}

/// Folders of squares on a dark and on a bright ground, `counts` of them.
fn grounds(lab: &Lab, counts: [u8; 2]) -> [PathBuf; 2] {
    [("dark", 20, counts[0]), ("bright", 210, counts[1])].map(|(name, ground, count)| {
        let folder = lab.path().join(name);
        fs::create_dir(&folder).unwrap();
        for number in 0..count {
            let place = usize::from(number) % 16;
            let pixels: Vec<u8> = (0..28 * 28)
                .map(|pixel| {
                    let (row, column) = (pixel / 28, pixel % 28);
                    let is_square = (place..place + 10).contains(&row) && (9..19).contains(&column);
                    if is_square { 120 } else { ground + number % 8 }
                })
                .collect();
            write_pixels(&folder.join(format!("{number:02}.png")), 28, 28, &pixels);
        }
        folder
    })
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The mean pixel of each picture of an IDX file.
fn means(path: &Path) -> Vec<f64> {
    let bytes = fs::read(path).unwrap();
    bytes[16..]
        .chunks(28 * 28)
        .map(|picture| picture.iter().map(|pixel| f64::from(*pixel)).sum::<f64>() / 784.0)
        .collect()
}

#[test]
fn two_folders_are_translated_both_ways() {
    let lab = Lab::new();
    let [dark, bright] = grounds(&lab, [60, 50]);
    let domains = ["--unpaired", text(&dark), text(&bright), "--steps", "200"];
    let said = train(&lab, "grounds", &domains);
    assert_eq!(said.code, 0, "{said:?}");
    let started = said.started();
    assert_eq!(started.class_names, ["dark", "bright"]);
    // A tenth of each is held out, and the smaller folder is taken as often as the larger one.
    assert_eq!(started.images, 2 * 54);
    let keys: Vec<_> = started.metrics.iter().map(|spec| &spec.key).collect();
    assert!(keys.iter().any(|key| *key == "there_and_back"), "{keys:?}");
    assert!(said.ended().stats.metrics.get("there_and_back") < 0.2);
    let grid = said.events().into_iter().find_map(|event| match event {
        Event::Samples(saved) => Some(saved),
        _ => None,
    });
    assert!(grid.is_some(), "a grid every 20 steps");

    let out = lab.path().join("made.idx3-ubyte");
    let made = |from: &Path, to: &[&str]| {
        let mut all = vec![
            "translate",
            "grounds",
            text(from),
            "-f",
            "--out",
            text(&out),
        ];
        all.extend(to);
        let said = lab.sparring(&all);
        assert_eq!(said.code, 0, "{said:?}");
        means(&out)
    };
    let brightened = made(&dark, &[]);
    assert_eq!(brightened.len(), 60);
    assert!(
        brightened.iter().all(|mean| *mean > 140.0),
        "{brightened:?}"
    );
    let darkened = made(&bright, &["--to", "dark"]);
    assert_eq!(darkened.len(), 50);
    assert!(darkened.iter().all(|mean| *mean < 100.0), "{darkened:?}");

    let shown = lab.sparring(&["translate", "grounds", text(&dark), "--render", "ascii"]);
    assert_eq!((shown.code, shown.err.as_str()), (0, ""), "{shown:?}");
    assert_eq!(shown.out.lines().next(), Some("from, made, back"));

    lab.sparring(&["translate", "grounds", text(&dark), "--to", "red"])
        .refused(
            1,
            "error: the run has no domain red: it translates between dark and bright",
        );
    lab.sparring(&["translate", "grounds", text(&dark), "--from-whole"])
        .refused(
            1,
            "error: the run makes pictures of one domain from pictures of another, which cannot be made of whole \
             pictures: leave --from-whole out",
        );
    let eval = lab.sparring(&["eval", "grounds"]);
    assert_eq!(eval.code, 0, "{eval:?}");
    assert!(
        eval.out
            .contains("left out: the share taken for the other domain needs"),
        "{eval:?}"
    );
}

#[test]
fn two_classes_are_translated_and_judged() {
    let lab = Lab::new();
    let said = train(&lab, "swapped", &["--unpaired", "0", "6", "--steps", "8"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(said.started().class_names, ["0", "6"]);
    let eval = lab.sparring(&["eval", "swapped", "--json"]);
    assert_eq!(eval.code, 0, "{eval:?}");
    let told: Value = serde_json::from_str(&eval.out).unwrap();
    for (direction, [from, to, pictures]) in
        [["0", "6", "980"], ["6", "0", "958"]].iter().enumerate()
    {
        let told = &told["directions"][direction];
        assert_eq!(
            (told["from"].as_str(), told["to"].as_str()),
            (Some(*from), Some(*to))
        );
        assert_eq!(told["pictures"].to_string(), *pictures);
        let methods = told["methods"].as_array().unwrap();
        let names: Vec<_> = methods
            .iter()
            .map(|method| method["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["run", "unchanged", "nearest", "real"]);
        let taken = |method: usize| methods[method]["taken"].as_f64().unwrap();
        assert!(taken(1) < 0.02, "zeros are no sixes: {told}");
        assert!(taken(2) > 0.8 && taken(3) > 0.98, "{told}");
        assert!(
            (methods[3]["frechet"].as_f64().unwrap() - 1.0).abs() < 1e-9,
            "{told}"
        );
        assert!(methods[0]["back"].as_f64().unwrap() > 0.0);
        assert!(
            methods[1]["back"].is_null(),
            "what is unchanged returns without an error"
        );
    }
}

#[test]
fn a_translation_without_pairs_that_was_stopped_goes_on_to_the_same_bits() {
    let [whole, halves] = ["40", "20"].map(|steps| {
        let lab = Lab::new();
        let [dark, bright] = grounds(&lab, [24, 33]);
        let noise = ["--set", "latent_dim=2"];
        let domains = ["--unpaired", text(&dark), text(&bright), "--steps", steps];
        let said = train(&lab, "run", &[&domains[..], &noise].concat());
        assert_eq!(said.code, 0, "{said:?}");
        lab
    });
    let other = halves.sparring(&["train", "--json", "--resume", "run", "--unpaired", "0", "6"]);
    let refused = "error: translate.domains = [\"0\", \"6\"] (from --unpaired): a resumed run keeps its translate.domains";
    assert!(other.err.starts_with(refused), "{other:?}");
    let resumed = halves.sparring(&["train", "--json", "--resume", "run", "--steps", "40"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    let [a, b] = [&whole, &halves].map(|lab| tensors(&lab.run("run"), 40));
    assert!(a == b);
}

#[test]
fn domains_that_there_are_not_are_refused_in_one_line() {
    let lab = Lab::new();
    let [dark, _] = grounds(&lab, [24, 24]);
    let data = lab.data();
    let not_there = lab.path().join("none");
    let within = dark.join("within");
    fs::create_dir(&within).unwrap();
    let digits = lab.path().join("digits.toml");
    fs::write(&digits, "data = \"mnist\"\n").unwrap();
    for (arguments, code, why) in [
        (
            &["--unpaired", "0", "x"][..],
            1,
            "cannot take pictures from mnist: it has no class x, and no folder of that name was given: its classes are 0, 1, \
             2, 3, 4, 5, 6, 7, 8, 9"
                .to_owned(),
        ),
        (
            &["--unpaired", "0", "1", "--data", text(&data)],
            1,
            format!(
                "cannot take pictures from {}: its pictures have no labels, so 0 and 1 are no classes of it: give two \
                 folders instead",
                data.display()
            ),
        ),
        (
            &["--unpaired", text(&dark), text(&not_there)],
            1,
            format!(
                "--unpaired: cannot find the folder {}: No such file or directory (os error 2)",
                not_there.display()
            ),
        ),
        (
            &["--unpaired", "6", "6"],
            2,
            "translate.domains = [\"6\", \"6\"] (from --unpaired): expected a list of two different texts, such as \
             [\"0\", \"6\"], or []"
                .to_owned(),
        ),
        (
            &["--unpaired", text(&dark), "6", "--data", "mnist"],
            1,
            format!(
                "--unpaired {} 6: folders are data themselves: leave --data out",
                dark.display()
            ),
        ),
        (
            &["--unpaired", text(&dark), "6", "--config", text(&digits)],
            1,
            format!(
                "--unpaired {} 6: folders are data themselves: leave --data out",
                dark.display()
            ),
        ),
        (
            &["--unpaired", text(&dark), text(&within)],
            1,
            format!(
                "--unpaired {} {}: one folder is in the other, so its pictures would be in both: give two apart",
                dark.display(),
                within.display()
            ),
        ),
        (
            &["--unpaired", "0", "6", "--set", "batch_size=1"],
            1,
            "translate.from = \"unpaired\" needs two pictures a step or more, one of each domain, and batch_size = 1: \
             choose another batch_size"
                .to_owned(),
        ),
        (
            &["--task", "translate", "--from", "unpaired"],
            1,
            "translate.from = \"unpaired\" needs two domains in translate.domains: two classes of the data, or two folders; \
             give them with --unpaired"
                .to_owned(),
        ),
    ] {
        let said = train(&lab, "none", arguments);
        assert_eq!(
            (said.code, said.err.trim_end()),
            (code, format!("error: {why}").as_str())
        );
    }
}

#[test]
fn an_evaluation_says_which_domain_has_too_few_pictures() {
    let lab = Lab::new();
    let [dark, bright] = grounds(&lab, [60, 30]);
    let domains = ["--unpaired", text(&dark), text(&bright), "--steps", "2"];
    let said = train(&lab, "few", &domains);
    assert_eq!(said.code, 0, "{said:?}");
    lab.sparring(&["eval", "few"]).refused(
        1,
        "error: domain bright: the data has 13 pictures to train on or to compare with: at least 20 of either are needed",
    );
}

#[test]
fn a_generator_without_anything_to_learn_is_refused() {
    let lab = Lab::new();
    for (task, other) in [
        (&["--unpaired", "0", "6"][..], "cycle"),
        (&["--task", "repair"], "l1"),
    ] {
        let none = format!("loss_weights.{other}=0");
        let weights = ["--set", "loss_weights.adversarial=0", "--set", &none];
        train(&lab, "none", &[task, &weights].concat()).refused(
            1,
            &format!(
                "error: loss_weights.adversarial and loss_weights.{other} are 0, so the generator has nothing to learn: \
                 set one of them to more"
            ),
        );
    }
}
