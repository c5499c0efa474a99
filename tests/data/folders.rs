//! Folders of pictures, good and bad.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use png::{BitDepth, ColorType};
use serde_json::{Value, json};
use sparring_contract::protocol::Event;

use super::pictures::{
    drawn, encode, info, refused, write_greys, write_pixels, write_png, write_promise,
};
use crate::lab::{Lab, Said};

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn reasons(told: &Value) -> Vec<(&str, &str)> {
    let files = told["skipped_files"].as_array().unwrap().iter();
    files
        .map(|file| {
            (
                file["name"].as_str().unwrap(),
                file["reason"].as_str().unwrap(),
            )
        })
        .collect()
}

#[test]
fn bad_files_are_named_counted_and_skipped() {
    let lab = Lab::new();
    let folder = lab.path().join("pictures");
    write_greys(&folder, 40);
    fs::write(folder.join("empty.png"), []).unwrap();
    fs::write(folder.join("words.png"), "no picture at all").unwrap();
    let whole = fs::read(folder.join("001.png")).unwrap();
    fs::write(folder.join("cut.png"), &whole[..whole.len() / 2]).unwrap();
    write_promise(&folder.join("bomb.png"), 100_000, 100_000);
    write_promise(&folder.join("wide.png"), u32::from(u16::MAX), 3000);
    symlink(folder.join("nothing"), folder.join("dangling.png")).unwrap();
    let pipe = folder.join("pipe.png");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );

    let told = info(&lab, &folder, &[]);
    assert_eq!((&told["images"], &told["skipped"]), (&json!(40), &json!(7)));
    let reasons = reasons(&told);
    let reason = |name: &str| reasons.iter().find(|(file, _)| *file == name).unwrap().1;
    assert_eq!(reason("empty.png"), "it is empty");
    assert_eq!(
        reason("words.png"),
        "it is no PNG, JPEG, WebP, BMP or GIF that can be decoded"
    );
    assert!(reason("cut.png").starts_with("it is broken: "));
    assert_eq!(
        reason("bomb.png"),
        "it is 100000x100000, and the limit is 134 million pixels"
    );
    assert_eq!(
        reason("wide.png"),
        "it is 65535x3000, and the limit is 134 million pixels"
    );
    assert_eq!(
        reason("dangling.png"),
        "No such file or directory (os error 2)"
    );
    assert_eq!(reason("pipe.png"), "it is no regular file");
}

#[test]
fn a_folder_of_which_more_than_a_quarter_is_bad_is_refused() {
    let lab = Lab::new();
    let folder = lab.path().join("pictures");
    write_greys(&folder, 8);
    for index in 0..3 {
        fs::write(folder.join(format!("bad{index}.png")), []).unwrap();
    }
    let at = folder.display();
    refused(
        &lab,
        &folder,
        &[],
        &format!(
            "3 of 11 files in {at} cannot be used, more than a quarter; the first is bad0.png: it is empty"
        ),
    );
    fs::remove_file(folder.join("bad2.png")).unwrap();
    assert_eq!(info(&lab, &folder, &[])["skipped"], 2);
}

#[test]
fn a_folder_with_nothing_but_bad_files_is_refused() {
    let lab = Lab::new();
    let folder = lab.path().join("pictures");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a.png"), []).unwrap();
    let at = folder.display();
    let message = format!(
        "1 of 1 files in {at} cannot be used, more than a quarter; the first is a.png: it is empty"
    );
    refused(&lab, &folder, &[], &message);
}

fn warnings(said: &Said) -> Vec<String> {
    said.events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Warning { message, .. } => Some(message),
            _ => None,
        })
        .collect()
}

#[test]
fn a_run_that_goes_on_with_other_pictures_says_so() {
    let lab = Lab::new();
    let folder = lab.path().join("pictures");
    write_greys(&folder, 20);
    let said = lab.train_on(&folder, &["--steps", "2", "--name", "grown"]);
    assert_eq!(said.code, 0, "{said:?}");
    let resume = |steps| lab.sparring(&["train", "--json", "--resume", "grown", "--steps", steps]);
    assert_eq!(warnings(&resume("4")), [""; 0]);

    write_greys(&folder, 30);
    let said = resume("6");
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(
        warnings(&said),
        [
            "the data has changed since the checkpoint was saved: other pictures, labels or test pictures; the run goes on with \
             what is there now"
        ]
    );
}

#[test]
fn a_skipped_file_is_told_in_the_log_of_the_run() {
    let lab = Lab::new();
    let folder = lab.path().join("pictures");
    write_greys(&folder, 20);
    fs::write(folder.join("bad\x1b[31m.png"), []).unwrap();
    let said = lab.train_on(&folder, &["--steps", "2", "--name", "told"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(
        warnings(&said),
        [
            r"1 file of the data cannot be used and was skipped, first bad\u{1b}[31m.png: it is empty; `sparring data info` names more"
        ]
    );
}

#[test]
fn sub_folders_are_classes_sorted_by_name() {
    let lab = Lab::new();
    let folder = lab.path().join("pets");
    write_greys(&folder.join("dogs"), 3);
    write_greys(&folder.join("cats/young"), 4);
    write_greys(&folder.join("cats/old"), 1);
    fs::create_dir(folder.join("ants")).unwrap();
    let told = info(&lab, &folder, &[]);
    assert_eq!(
        told["classes"],
        json!([{"name": "cats", "count": 5}, {"name": "dogs", "count": 3}])
    );
    assert_eq!(
        told["notes"],
        json!(["no picture in the folder ants: it is no class"])
    );
    assert_eq!(told["preset"], "few");
}

#[test]
fn pictures_beside_sub_folders_make_them_no_classes() {
    let lab = Lab::new();
    let folder = lab.path().join("pets");
    write_greys(&folder.join("dogs"), 3);
    write_greys(&folder.join("cats"), 3);
    write_greys(&folder, 2);
    let told = info(&lab, &folder, &[]);
    assert_eq!((&told["images"], &told["classes"]), (&json!(8), &json!([])));
    assert_eq!(
        told["notes"],
        json!(["2 pictures lie beside the sub-folders, which are therefore not taken for classes"])
    );
}

#[test]
fn folders_for_training_and_testing_split_the_data() {
    let lab = Lab::new();
    let folder = lab.path().join("pets");
    for (part, each) in [("train", 6), ("val", 2), ("test", 3)] {
        write_greys(&folder.join(part).join("cats"), each);
        write_greys(&folder.join(part).join("dogs"), each);
    }
    let told = info(&lab, &folder, &[]);
    assert_eq!(
        (&told["images"], &told["test_images"]),
        (&json!(18), &json!(6))
    );
    assert_eq!(told["held_out"], false);
    assert_eq!(told["classes"][0], json!({"name": "cats", "count": 9}));
    assert_eq!(
        told["notes"],
        json!(["beside train these folders are left out: val"])
    );
    fs::remove_dir_all(folder.join("test")).unwrap();
    assert_eq!(info(&lab, &folder, &[])["test_images"], 4);
}

#[test]
fn a_file_of_labels_gives_the_classes() {
    let lab = Lab::new();
    let folder = lab.path().join("pets");
    write_greys(&folder, 10);
    let row = |index: usize| format!("{index:03}.png,{}", ["cat", "dog\u{1b}"][index % 2]);
    let rows = (0..9).map(row).collect::<Vec<_>>().join("\n");
    fs::write(
        folder.join("labels.csv"),
        format!("file,label\n{rows}\ngone.png,cat\ngone2.png,cat\n"),
    )
    .unwrap();
    let told = info(&lab, &folder, &[]);
    assert_eq!(
        told["classes"],
        json!([{"name": "cat", "count": 5}, {"name": "dog\u{1b}", "count": 4}])
    );
    assert_eq!(reasons(&told), [("009.png", "labels.csv does not name it")]);
    let shown = drawn(&lab, &folder, &["-n", "0"]);
    assert!(
        shown.contains(r"dog\u{1b}  ") && !shown.contains('\u{1b}'),
        "{shown}"
    );

    fs::write(folder.join("labels.csv"), "file,label\n000.png\n").unwrap();
    let at = folder.join("labels.csv");
    refused(
        &lab,
        &folder,
        &[],
        &format!(
            "cannot take pictures from {}: line 2 has no label: expected a file name, a comma and a label, under a \
             first line \"file,label\" or without one",
            at.display()
        ),
    );
}

#[test]
fn pictures_of_mixed_sizes_are_brought_to_one() {
    let lab = Lab::new();
    let folder = lab.path().join("pictures");
    for (index, (width, height)) in [(40, 90), (50, 50), (300, 61)].into_iter().enumerate() {
        write_png(
            &folder.join(format!("{index}.png")),
            width,
            height,
            &[9, 80, 200],
        );
    }
    let told = info(&lab, &folder, &[]);
    assert_eq!(
        (&told["height"], &told["width"], &told["channels"]),
        (&json!(48), &json!(48), &json!(3))
    );
    assert_eq!(
        told["source_sizes"],
        json!({"smallest": [50, 50], "largest": [300, 61], "median_side": 50})
    );
    let told = info(&lab, &folder, &["--image-size", "28", "--channels", "grey"]);
    assert_eq!(
        (&told["height"], &told["channels"]),
        (&json!(28), &json!(1))
    );
}

#[test]
fn a_single_picture_is_data_without_a_test_split() {
    let lab = Lab::new();
    let folder = lab.path().join("one");
    write_png(&folder.join("only.png"), 20, 20, &[1, 2, 3]);
    let told = info(&lab, &folder, &[]);
    assert_eq!(
        (&told["images"], &told["test_images"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(told["height"], 28);
    let said = lab.train_on(&folder, &["--steps", "2"]);
    assert_eq!(said.code, 0, "{said:?}");
}

#[test]
fn a_picture_of_ten_thousand_pixels_a_side_is_read() {
    let lab = Lab::new();
    let folder = lab.path().join("large");
    let kind = (ColorType::Grayscale, BitDepth::One);
    encode(
        &folder.join("large.png"),
        10_000,
        10_000,
        kind,
        &vec![255; 10_000 * 1250],
    );
    let told = info(&lab, &folder, &[]);
    assert_eq!((&told["images"], &told["height"]), (&json!(1), &json!(64)));
    assert_eq!(told["source_sizes"]["largest"], json!([10_000, 10_000]));
}

#[test]
fn names_that_are_no_text_or_would_be_obeyed_are_read_and_shown_escaped() {
    let lab = Lab::new();
    let folder = lab.path().join("odd");
    write_greys(&folder, 6);
    fs::rename(
        folder.join("000.png"),
        folder.join(OsStr::from_bytes(b"\xff\xfe.png")),
    )
    .unwrap();
    fs::write(folder.join("evil\x1b]0;title\x07.png"), []).unwrap();
    let told = info(&lab, &folder, &[]);
    assert_eq!((&told["images"], &told["skipped"]), (&json!(6), &json!(1)));
    let shown = drawn(&lab, &folder, &["-n", "0"]);
    assert!(
        shown.contains(r"evil\u{1b}]0;title\u{7}.png: it is empty"),
        "{shown}"
    );
    assert!(
        !shown.contains('\u{1b}') && !shown.contains('\u{7}'),
        "{shown}"
    );
}

#[test]
fn links_are_followed_once_and_never_in_a_circle() {
    let lab = Lab::new();
    let folder = lab.path().join("links");
    write_greys(&folder.join("a"), 4);
    write_greys(&lab.path().join("elsewhere"), 3);
    symlink(&folder, folder.join("a/loop")).unwrap();
    symlink(lab.path().join("elsewhere"), folder.join("b")).unwrap();
    symlink("self", folder.join("self")).unwrap();
    let told = info(&lab, &folder, &[]);
    assert_eq!(
        told["classes"],
        json!([{"name": "a", "count": 4}, {"name": "b", "count": 3}])
    );
    assert_eq!(
        reasons(&told),
        [("self", "Too many levels of symbolic links (os error 40)")]
    );
    assert_eq!(
        told["notes"],
        json!(["a/loop is a link to a folder that was read already: it is passed over"])
    );
}

#[test]
fn other_files_among_pictures_are_passed_over() {
    let lab = Lab::new();
    let folder = lab.path().join("pictures");
    write_greys(&folder, 3);
    fs::write(folder.join("readme.txt"), "words").unwrap();
    fs::write(folder.join(".hidden.png"), "words").unwrap();
    fs::write(folder.join("Thumbs.db"), "words").unwrap();
    let told = info(&lab, &folder, &[]);
    assert_eq!((&told["images"], &told["skipped"]), (&json!(3), &json!(0)));
    assert_eq!(
        told["notes"],
        json!(["2 files that are no pictures by their names were passed over, first Thumbs.db"])
    );
}

#[test]
fn an_unreadable_file_or_folder_is_skipped() {
    use std::os::unix::fs::PermissionsExt as _;
    let lab = Lab::new();
    if rustix::process::geteuid().is_root() {
        println!("skipped: nothing is unreadable to root");
        return;
    }
    let folder = lab.path().join("pictures");
    write_greys(&folder, 20);
    fs::create_dir(folder.join("shut")).unwrap();
    for name in ["003.png", "shut"] {
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o000)).unwrap();
    }
    let told = info(&lab, &folder, &[]);
    let denied = "Permission denied (os error 13)";
    assert_eq!(reasons(&told), [("003.png", denied), ("shut", denied)]);
}

/// The escape sequence of a cell of two pixels of this colour.
fn cell([red, green, blue]: [u8; 3]) -> String {
    format!("\x1b[48;2;{red};{green};{blue}m ")
}

#[test]
fn transparent_pixels_show_the_background() {
    let lab = Lab::new();
    let folder = lab.path().join("clear");
    write_png(&folder.join("clear.png"), 28, 28, &[200, 0, 0, 0]);
    let truecolour = |flags: &[&str]| {
        let base = [
            "data",
            "info",
            folder.to_str().unwrap(),
            "--color",
            "always",
        ];
        let command = &mut lab.command(&[base.as_slice(), flags].concat());
        let output = command.env("COLORTERM", "truecolor").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let shown = truecolour(&["--background", "#102030"]);
    assert!(shown.contains(&cell([16, 32, 48])), "{shown:?}");
    assert!(truecolour(&["--background", "white"]).contains(&cell([255; 3])));
    assert_eq!(info(&lab, &folder, &[])["channels"], 1);
    assert_eq!(
        info(&lab, &folder, &["--background", "#102030"])["channels"],
        3
    );
}

#[test]
fn every_kind_of_picture_gives_its_colours() {
    let lab = Lab::new();
    let colours = |write: &dyn Fn(&Path)| {
        let folder = tempfile::tempdir_in(lab.path()).unwrap();
        write(folder.path());
        let base = [
            "data",
            "info",
            folder.path().to_str().unwrap(),
            "--color",
            "always",
        ];
        let command = &mut lab.command(&[base.as_slice(), &["--scale", "full"]].concat());
        let output = command.env("COLORTERM", "truecolor").output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
        let shown = String::from_utf8(output.stdout).unwrap();
        let pictures: Vec<_> = shown
            .lines()
            .skip_while(|line| !line.is_empty())
            .skip(1)
            .collect();
        let (first, last) = (
            pictures[0].to_owned(),
            (*pictures.last().unwrap()).to_owned(),
        );
        [first, last]
    };
    let red = cell([255, 0, 0]);
    let [top, _] = colours(&|folder| {
        let kind = (ColorType::Indexed, BitDepth::One);
        encode(&folder.join("palette.png"), 32, 32, kind, &[0; 32 * 4]);
    });
    assert!(top.starts_with(&red), "{top:?}");
    let [top, _] = colours(&|folder| {
        let kind = (ColorType::Rgb, BitDepth::Sixteen);
        let pixel = [255, 255, 0, 0, 0, 0];
        encode(
            &folder.join("deep.png"),
            32,
            32,
            kind,
            &pixel.repeat(32 * 32),
        );
    });
    assert!(top.starts_with(&red), "{top:?}");
    let [top, _] = colours(&|folder| {
        fs::copy(fixture("cmyk.jpg"), folder.join("cmyk.jpg")).unwrap();
    });
    // JPEG loses a little.
    assert!(
        top.starts_with("\x1b[48;2;25") && top.contains(";0;0m"),
        "{top:?}"
    );
    let [top, bottom] = colours(&|folder| {
        fs::copy(fixture("sideways.jpg"), folder.join("sideways.jpg")).unwrap();
    });
    assert!(
        top.starts_with(&cell([255; 3])) && bottom.starts_with(&cell([0; 3])),
        "{top:?} {bottom:?}"
    );
}

#[test]
fn a_colour_picture_makes_the_data_colour() {
    let lab = Lab::new();
    let folder = lab.path().join("pictures");
    write_greys(&folder, 30);
    assert_eq!(info(&lab, &folder, &[])["channels"], 1);
    let pixels: Vec<u8> = (0..32 * 32 * 3).map(|at| u8::from(at == 0)).collect();
    write_pixels(&folder.join("colour.png"), 32, 32, &pixels);
    assert_eq!(info(&lab, &folder, &[])["channels"], 3);
    assert_eq!(info(&lab, &folder, &["--channels", "grey"])["channels"], 1);
}
