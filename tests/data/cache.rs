//! The cache of decoded pictures, the test split, and the choice of a preset.

use std::fs;
use std::time::SystemTime;

use super::pictures::{info, write_greys, write_png};
use crate::lab::{Lab, Said};

#[test]
fn pictures_are_decoded_once_until_one_changes() {
    let lab = Lab::new();
    let folder = lab.path().join("pictures");
    write_greys(&folder, 5);
    let cached = || info(&lab, &folder, &[])["cached"].as_bool().unwrap();
    assert!(!cached());
    assert!(cached());

    // The same size and the same time of its contents, but other contents.
    let file = folder.join("002.png");
    let before = fs::metadata(&file).unwrap();
    write_png(&file, 32, 32, &[77]);
    assert_eq!(fs::metadata(&file).unwrap().len(), before.len());
    let handle = fs::File::options().write(true).open(&file).unwrap();
    handle.set_modified(before.modified().unwrap()).unwrap();
    assert!(!cached());
    assert!(cached());
    write_greys(&folder, 6);
    assert!(!cached());
    // Another size is another set, and the first is still there.
    assert_eq!(
        info(&lab, &folder, &["--image-size", "28"])["cached"],
        false
    );
    assert!(cached());
}

#[test]
fn what_comes_from_the_cache_is_what_was_decoded() {
    let lab = Lab::new();
    let folder = lab.path().join("pictures");
    write_greys(&folder.join("a"), 9);
    write_greys(&folder.join("b"), 9);
    fs::write(folder.join("b/bad.png"), []).unwrap();
    let (mut first, second) = (info(&lab, &folder, &[]), info(&lab, &folder, &[]));
    assert_eq!(
        (&first["cached"], &second["cached"]),
        (&false.into(), &true.into())
    );
    first["cached"] = true.into();
    assert_eq!(first, second);
}

#[test]
fn a_run_uses_what_the_look_at_the_data_left_in_the_cache() {
    let lab = Lab::new();
    let folder = lab.path().join("pictures");
    write_greys(&folder, 30);
    info(&lab, &folder, &[]);
    let cache = lab.path().join("cache/sparring/data");
    let files = || {
        fs::read_dir(&cache)
            .unwrap()
            .map(|file| file.unwrap().path())
    };
    let long_ago = SystemTime::UNIX_EPOCH;
    for file in files() {
        fs::File::open(file)
            .unwrap()
            .set_modified(long_ago)
            .unwrap();
    }
    let said = lab.train_on(&folder, &["--steps", "1"]);
    assert_eq!(said.code, 0, "{said:?}");
    let used: Vec<_> = files()
        .map(|file| file.metadata().unwrap().modified().unwrap())
        .collect();
    assert!(used.len() == 1 && used[0] > long_ago, "{used:?}");
}

#[test]
fn a_damaged_file_of_the_cache_is_made_again() {
    let lab = Lab::new();
    let folder = lab.path().join("pictures");
    write_greys(&folder, 5);
    let first = info(&lab, &folder, &[]);
    let cache = lab.path().join("cache/sparring/data");
    let file = fs::read_dir(cache).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&file, bytes).unwrap();
    assert_eq!(info(&lab, &folder, &[]), first);
    assert_eq!(info(&lab, &folder, &[])["cached"], true);
}

#[test]
fn the_cache_is_shown_and_cleared() {
    let lab = Lab::new();
    let at = lab.path().join("cache/sparring/data");
    let cache = |flags: &[&str]| {
        let said = lab.sparring(&[&["data", "cache"], flags].concat());
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
        said.out
    };
    assert_eq!(
        cache(&[]),
        format!("{}: 0 data sets, 0 B of at most 4.3 GB\n", at.display())
    );
    for name in ["one", "two"] {
        let folder = lab.path().join(name);
        write_greys(&folder, 5);
        info(&lab, &folder, &[]);
    }
    let shown = cache(&[]);
    assert!(
        shown.starts_with(&format!("{}: 2 data sets, ", at.display())),
        "{shown}"
    );
    assert_eq!(shown.lines().count(), 3);
    let cleared = cache(&["--clear"]);
    assert!(cleared.starts_with("removed 2 data sets, "), "{cleared}");
    assert_eq!(fs::read_dir(&at).unwrap().count(), 0);
}

#[test]
fn a_split_depends_on_its_own_seed_alone_and_stands_in_the_run() {
    let lab = Lab::new();
    let folder = lab.path().join("pictures");
    write_greys(&folder, 50);
    let fingerprint = |flags: &[&str]| {
        let told = info(&lab, &folder, flags);
        (
            told["fingerprint"].clone(),
            told["test_images"].as_u64().unwrap(),
        )
    };
    let (usual, held_out) = fingerprint(&[]);
    assert_eq!(held_out, 5);
    assert_eq!(fingerprint(&[]).0, usual);
    let (other, held_out) = fingerprint(&["--test-fraction", "0.2"]);
    assert_eq!(held_out, 10);
    assert_ne!(other, usual);
    assert_eq!(fingerprint(&["--test-fraction", "0"]).1, 0);

    let path = folder.to_str().unwrap();
    let said = lab.train_on(&folder, &["--seed", "9", "--steps", "1", "--name", "split"]);
    let started = said.started();
    assert_eq!(
        (started.images, started.data),
        (45, format!("{path}, 5 held out"))
    );
    let config = lab.run("split").config().unwrap();
    assert_eq!((config.test_fraction, config.test_seed), (0.1, 0));
}

/// A short training in which no preset is named.
fn unnamed(lab: &Lab, flags: &[&str]) -> Said {
    let all = [
        &[
            "train",
            "--json",
            "--steps",
            "1",
            "--set",
            "health.time_fraction=0",
        ],
        flags,
    ]
    .concat();
    lab.sparring(&all)
}

fn preset(said: &Said) -> String {
    said.started().preset
}

#[test]
fn a_preset_is_chosen_from_the_data_and_the_reason_is_told() {
    let lab = Lab::new();
    let folder = lab.path().join("pictures");
    for index in 0..12 {
        let name = format!("{}/{index}.png", ["cat", "dog"][index % 2]);
        write_png(&folder.join(name), 28, 28, &[u8::try_from(index).unwrap()]);
    }
    let path = folder.to_str().unwrap();
    let said = unnamed(&lab, &["--data", path]);
    assert_eq!(preset(&said), "few");
    assert_eq!(
        said.err,
        "preset few, chosen because the pictures are 28x28 in grey, of 2 classes, and there are only 12; --preset NAME chooses another\n"
    );
    let named = unnamed(&lab, &["--data", path, "--preset", "mlp"]);
    assert_eq!((preset(&named), named.err.as_str()), ("mlp".to_owned(), ""));
}

#[test]
fn bad_data_is_refused_before_a_run_is_made() {
    let lab = Lab::new();
    let nothing = lab.path().join("nothing");
    let said = unnamed(&lab, &["--data", nothing.to_str().unwrap()]);
    said.refused(
        1,
        &format!(
            "error: cannot read {}: No such file or directory (os error 2)",
            nothing.display()
        ),
    );
    assert!(!lab.path().join("runs").exists());
}
