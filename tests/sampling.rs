//! Pictures in the scrollback and in single files.

use std::fs;

use crate::lab::{Lab, Said};

/// A home with a run `one` that has learnt a little.
fn trained() -> Lab {
    let lab = Lab::new();
    assert_eq!(lab.train(&["--name", "one", "--steps", "40"]).code, 0);
    lab
}

#[test]
fn what_is_piped_is_plain_text_and_what_is_asked_for_in_colour_is_not() {
    let lab = trained();
    let plain = lab.sparring(&["sample", "one", "-n", "4", "--seed", "1"]);
    assert_eq!((plain.code, plain.err.as_str()), (0, ""), "{plain:?}");
    assert!(!plain.out.contains('\x1b'));
    assert!(plain.out.lines().count() >= 2);

    let colour = lab.sparring(&[
        "sample", "one", "-n", "4", "--seed", "1", "--color", "always",
    ]);
    assert!(colour.out.contains("\x1b["));
    let mut without = lab.command(&[
        "sample", "one", "-n", "1", "--seed", "1", "--color", "always", "--render", "ascii",
    ]);
    assert_eq!(Said::by(without.env("NO_COLOR", "1")).code, 0);
}

#[test]
fn a_seed_gives_the_same_pictures_again_and_is_printed_if_nobody_chose_it() {
    let lab = trained();
    let ascii = |seed: &str| {
        lab.sparring(&["sample", "-n", "3", "--render", "ascii", "--seed", seed])
            .out
    };
    assert_eq!(ascii("7"), ascii("7"));
    assert_ne!(ascii("7"), ascii("8"));

    let fresh = lab.sparring(&["sample", "-n", "3", "--render", "ascii"]);
    let (checkpoint, seed) = fresh.err.trim().split_once(", seed ").unwrap();
    assert_eq!(
        checkpoint,
        lab.run("one").checkpoint_file(40).to_str().unwrap()
    );
    assert_eq!(ascii(seed), fresh.out);
    assert_eq!(
        lab.sparring(&[
            "sample", checkpoint, "-n", "3", "--render", "ascii", "--seed", seed
        ])
        .out,
        fresh.out
    );
}

#[test]
fn samples_are_saved_in_every_format() {
    let lab = trained();
    let save = |name: &str, count: &str| {
        let path = lab.path().join(name);
        let said = lab.sparring(&[
            "sample",
            "one",
            "-n",
            count,
            "--seed",
            "3",
            "--out",
            path.to_str().unwrap(),
        ]);
        assert_eq!(said.code, 0, "{said:?}");
        path
    };
    // More than one batch of the worker's.
    let idx = fs::read(save("many.idx3-ubyte", "300")).unwrap();
    assert_eq!(idx[..16], [0, 0, 8, 3, 0, 0, 1, 44, 0, 0, 0, 8, 0, 0, 0, 8]);
    assert_eq!(idx.len(), 16 + 300 * 64);
    assert!(
        fs::read(save("grid.png", "9"))
            .unwrap()
            .starts_with(b"\x89PNG")
    );
    assert!(fs::read(save("all.npz", "9")).unwrap().starts_with(b"PK"));
    // Nine pictures and their manifest.
    assert_eq!(fs::read_dir(save("folder/", "9")).unwrap().count(), 10);

    // What was saved can be trained on.
    let data = lab.path().join("again");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("train-images-idx3-ubyte"), idx).unwrap();
    let again = lab.sparring(&[
        "train",
        "--data",
        data.to_str().unwrap(),
        "--steps",
        "2",
        "--json",
    ]);
    assert_eq!(again.code, 0, "{again:?}");
}

#[test]
fn what_cannot_be_sampled_is_refused() {
    let lab = trained();
    let other = lab.path().join("other.safetensors");
    fs::write(&other, b"\x10\0\0\0\0\0\0\0{\"a\":{\"b\":1}}   ").unwrap();
    lab.sparring(&["sample", other.to_str().unwrap()]).refused(
        1,
        &format!(
            "error: {} is no usable checkpoint: it is no safetensors file",
            other.display()
        ),
    );
    fs::write(&other, b"short").unwrap();
    lab.sparring(&["sample", other.to_str().unwrap()]).refused(
        1,
        &format!(
            "error: {} is no usable checkpoint: it is cut short",
            other.display()
        ),
    );
    let unknown = lab.sparring(&["sample", "one", "--out", "digits.jpeg"]);
    assert_eq!(unknown.code, 1);
    assert!(
        unknown.err.contains("digits.jpeg") && unknown.err.contains(".npz"),
        "{unknown:?}"
    );
    for wrong in [
        ["-n", "0"],
        ["--seed", "x"],
        ["--columns", "0"],
        ["--render", "oil"],
    ] {
        assert_eq!(
            lab.sparring(&["sample", wrong[0], wrong[1]]).code,
            2,
            "{wrong:?}"
        );
    }
}

#[test]
fn a_conditional_generator_draws_the_class_that_is_asked_for() {
    let lab = Lab::new();
    let small = [
        "generator.hidden=[16]",
        "discriminator.hidden=[16]",
        "conditional=true",
    ];
    let settings = small.iter().flat_map(|setting| ["--set", setting]);
    let arguments = ["train", "--headless", "--steps", "20", "--name", "ten"];
    let trained = lab.sparring(&arguments.into_iter().chain(settings).collect::<Vec<_>>());
    assert_eq!(trained.code, 0, "{trained:?}");
    let saved = |name: &str, count: &str, class: &[&str]| {
        let path = lab.path().join(name);
        let fixed = [
            "sample",
            "ten",
            "--seed",
            "3",
            "-n",
            count,
            "--out",
            path.to_str().unwrap(),
        ];
        let said = lab.sparring(&[&fixed, class].concat());
        assert_eq!(said.code, 0, "{said:?}");
        fs::read(path).unwrap()[16..].to_vec()
    };
    // Without a class each comes in its turn: pictures 3 and 13 are threes.
    let all = saved("all.idx3-ubyte", "20", &[]);
    let threes = saved("threes.idx3-ubyte", "20", &["--class", "3"]);
    let picture = |of: &[u8], index: usize| of[index * 784..][..784].to_vec();
    for index in 0..20 {
        assert_eq!(
            picture(&all, index) == picture(&threes, index),
            index % 10 == 3,
            "{index}"
        );
    }
    lab.sparring(&["sample", "ten", "--class", "10"]).refused(
        1,
        "error: there is no class 10; the model has 0, 1, 2, 3, 4, 5, 6, 7, 8, 9",
    );
    assert_eq!(lab.train(&["--name", "one", "--steps", "2"]).code, 0);
    lab.sparring(&["sample", "one", "--class", "1"]).refused(
        1,
        "error: this model is unconditional: drop --class, or train a conditional preset such as cgan",
    );
}

#[test]
fn a_file_that_is_there_is_replaced_only_if_asked_to() {
    let lab = trained();
    let file = lab.path().join("digits.png");
    fs::write(&file, "a picture of my cat").unwrap();
    let save = ["sample", "one", "--out", file.to_str().unwrap()];
    lab.sparring(&save).refused(
        1,
        &format!(
            "error: {} is there already; give another name, or --force to replace it",
            file.display()
        ),
    );
    assert_eq!(fs::read(&file).unwrap(), b"a picture of my cat");
    assert_eq!(lab.sparring(&[&save[..], &["--force"]].concat()).code, 0);
    assert!(fs::read(&file).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let lab = trained();
    let mut child = lab
        .command(&["sample", "one", "-n", "5000", "--seed", "1"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
