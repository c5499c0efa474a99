use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;

use sparring_contract::protocol::{Purpose, Truncation};
use tempfile::{TempDir, tempdir};

use super::*;
use crate::sample::tests::header;

/// A checkpoint's file, of which only the hash counts here, and a place for data sets.
struct Desk {
    home: TempDir,
    draw: Draw,
}

impl Desk {
    /// Seven pictures of 2×2, of these classes in turn.
    fn new(class_names: &[&str]) -> Self {
        let home = tempdir().unwrap();
        let checkpoint = home.path().join("step-5.safetensors");
        fs::write(&checkpoint, "weights").unwrap();
        let draw = Draw {
            checkpoint,
            run: Some("otter".to_owned()),
            header: header(class_names),
            count: 7,
            seed: 3,
            class: None,
            truncation: Truncation::Off,
            device: "cpu".to_owned(),
        };
        Self { home, draw }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn open(&self, name: &str, format: Format) -> Result<Option<Dataset>> {
        Dataset::open(&self.draw, &self.path(name), format, false)
    }

    fn refused(&self, name: &str, format: Format) -> String {
        let error = self.open(name, format).err().unwrap();
        format!("{error:#}").replace(self.home.path().to_str().unwrap(), "~")
    }

    /// Draws pictures up to number `end`, as a process would that ends then.
    fn draw_until(&self, name: &str, format: Format, end: u64) -> Dataset {
        let mut dataset = self.open(name, format).unwrap().unwrap();
        for number in dataset.next()..end {
            dataset.add(&self.picture(number)).unwrap();
        }
        dataset
    }

    fn whole(&self, name: &str, format: Format) -> PathBuf {
        self.draw_until(name, format, 7).finish().unwrap();
        self.path(name)
    }

    fn picture(&self, number: u64) -> Pictures {
        let shape = self.draw.shape();
        let classes = self.draw.header.num_classes();
        let size = u8::try_from(shape.bytes()).unwrap();
        let first = u8::try_from(number).unwrap() * size;
        Pictures {
            purpose: Purpose::Fresh,
            seed: 3,
            step: 5,
            count: 1,
            channels: shape.channels,
            height: shape.height,
            width: shape.width,
            pixels: (first..first + size).collect(),
            parts: Vec::new(),
            labels: (classes > 0)
                .then(|| u32::try_from(number % classes).unwrap())
                .into_iter()
                .collect(),
        }
    }
}

/// Every file below a folder, by its path within it.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            let inside = files(&path).into_iter();
            found.extend(inside.map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
        } else {
            found.insert(name, fs::read(path).unwrap());
        }
    }
    found
}

fn names(folder: &Path) -> Vec<String> {
    files(folder).into_keys().collect()
}

fn array(file: &Path, name: &str) -> (String, Vec<u8>) {
    let mut zip = zip::ZipArchive::new(fs::File::open(file).unwrap()).unwrap();
    let mut bytes = Vec::new();
    zip.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
    let data = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert_eq!(data % 64, 0);
    let header = String::from_utf8(bytes[10..data].to_vec()).unwrap();
    let shape = header.split("'shape': ").nth(1).unwrap();
    let shape = shape[..=shape.find(')').unwrap()].to_owned();
    (shape, bytes[data..].to_vec())
}

const FORMATS: [Format; 3] = [Format::Idx, Format::Png, Format::Npz];

#[test]
fn idx_files_have_mnists_names_and_headers() {
    let desk = Desk::new(&["cat", "dog"]);
    let folder = desk.whole("set", Format::Idx);
    let found = files(&folder);
    let pixels: Vec<u8> = (0..28).collect();
    assert_eq!(
        found["train-images-idx3-ubyte"],
        [
            &[0, 0, 8, 3, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0, 2],
            pixels.as_slice()
        ]
        .concat()
    );
    assert_eq!(
        found["train-labels-idx1-ubyte"],
        [0, 0, 8, 1, 0, 0, 0, 7, 0, 1, 0, 1, 0, 1, 0]
    );
    assert_eq!(found.len(), 3);
}

#[test]
fn png_files_stand_in_a_folder_for_each_class() {
    let desk = Desk::new(&["cat/kitten", "dog"]);
    let folder = desk.whole("set", Format::Png);
    assert_eq!(
        names(&folder),
        [
            "cat_kitten/00000.png",
            "cat_kitten/00002.png",
            "cat_kitten/00004.png",
            "cat_kitten/00006.png",
            "dog/00001.png",
            "dog/00003.png",
            "dog/00005.png",
            "manifest.json",
        ]
    );
    let manifest = Manifest::read(&folder.join("manifest.json"))
        .unwrap()
        .unwrap();
    let classes = manifest.classes.iter();
    let classes: Vec<_> = classes
        .map(|class| (class.name.as_str(), class.folder.as_deref(), class.count))
        .collect();
    assert_eq!(
        classes,
        [
            ("cat/kitten", Some("cat_kitten"), 4),
            ("dog", Some("dog"), 3)
        ]
    );
}

#[test]
fn an_npz_has_medmnists_arrays() {
    let desk = Desk::new(&["cat", "dog"]);
    let folder = desk.whole("set", Format::Npz);
    assert_eq!(names(&folder), ["dataset.npz", "manifest.json"]);
    let file = folder.join("dataset.npz");
    assert_eq!(
        array(&file, "train_images.npy"),
        ("(7, 2, 2)".to_owned(), (0..28).collect())
    );
    assert_eq!(
        array(&file, "train_labels.npy"),
        ("(7, 1)".to_owned(), vec![0, 1, 0, 1, 0, 1, 0])
    );
}

#[test]
fn a_model_without_classes_has_no_labels_and_one_folder() {
    let desk = Desk::new(&[]);
    assert_eq!(
        names(&desk.whole("idx", Format::Idx)),
        ["manifest.json", "train-images-idx3-ubyte"]
    );
    assert_eq!(
        names(&desk.whole("png", Format::Png))[..2],
        ["00000.png", "00001.png"]
    );
    let npz = desk.whole("npz", Format::Npz).join("dataset.npz");
    assert_eq!(array(&npz, "train_images.npy").0, "(7, 2, 2)");
    let zip = zip::ZipArchive::new(fs::File::open(npz).unwrap()).unwrap();
    assert_eq!(zip.len(), 1);
}

#[test]
fn colours_go_last_in_an_npz_and_not_into_idx() {
    let mut desk = Desk::new(&["cat"]);
    desk.draw.header.shape = [3, 1, 2];
    assert_eq!(
        desk.refused("idx", Format::Idx),
        "readers of IDX expect grey pictures, and these have colours; use --format png or npz"
    );
    assert!(!desk.path("idx").exists());
    let (shape, pixels) = array(
        &desk.whole("npz", Format::Npz).join("dataset.npz"),
        "train_images.npy",
    );
    assert_eq!(shape, "(7, 1, 2, 3)");
    assert_eq!(pixels[..12], [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]);
}

#[test]
fn more_classes_than_a_byte_can_tell_apart_need_folders() {
    let many: Vec<_> = (0..257).map(|class| class.to_string()).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let desk = Desk::new(&many);
    for format in [Format::Idx, Format::Npz] {
        assert!(
            desk.refused("set", format)
                .starts_with("257 classes do not fit")
        );
    }
    assert_eq!(names(&desk.whole("png", Format::Png)).len(), 8);
}

#[test]
fn a_data_set_that_breaks_off_goes_on_to_the_same_bytes() {
    let desk = Desk::new(&["cat", "dog", "emu"]);
    for format in FORMATS {
        let name = |end| format!("{format:?}-{end}");
        let unbroken = files(&desk.whole(&name(7), format));
        for end in 0..7 {
            drop(desk.draw_until(&name(end), format, end));
            let folder = desk.path(&name(end));
            let begun = fs::read_dir(&folder).unwrap().count();
            assert_eq!(begun, 1, "something has a final name already");
            let again = desk.open(&name(end), format).unwrap().unwrap();
            assert_eq!(again.next(), end);
            drop(again);
            assert_eq!(
                files(&desk.whole(&name(end), format)),
                unbroken,
                "{format:?} {end}"
            );
        }
    }
}

#[test]
fn a_killed_process_leaves_nothing_that_is_taken_for_a_picture() {
    let desk = Desk::new(&["cat", "dog"]);
    let unbroken = files(&desk.whole("unbroken", Format::Png));
    drop(desk.draw_until("set", Format::Png, 3));
    let partial = desk.path("set/.partial");
    fs::write(partial.join(".writing"), "half a picture").unwrap();
    fs::write(partial.join(".writing-x7"), "half a manifest").unwrap();
    assert_eq!(desk.open("set", Format::Png).unwrap().unwrap().next(), 3);
    assert_eq!(files(&desk.whole("set", Format::Png)), unbroken);
}

#[test]
fn a_killed_process_loses_none_of_the_pictures_that_were_added() {
    let desk = Desk::new(&["cat", "dog"]);
    for format in FORMATS {
        let name = format!("{format:?}");
        let killed = desk.draw_until(&name, format, 3);
        // Nothing is flushed on the way out, as after kill -9; the lock ends with the process.
        let copy = format!("{format:?}-copy");
        copy_folder(&desk.path(&name), &desk.path(&copy));
        assert_eq!(
            desk.open(&copy, format).unwrap().unwrap().next(),
            3,
            "{name}"
        );
        drop(killed);
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry
            .map(|entry| (entry.path(), entry.file_name()))
            .unwrap();
        if path.is_dir() {
            copy_folder(&path, &to.join(name));
        } else {
            fs::copy(path, to.join(name)).unwrap();
        }
    }
}

#[test]
fn a_process_killed_before_it_wrote_a_manifest_can_begin_anew() {
    let desk = Desk::new(&["cat"]);
    fs::create_dir_all(desk.path("set/.partial")).unwrap();
    assert_eq!(desk.open("set", Format::Idx).unwrap().unwrap().next(), 0);
}

#[test]
fn a_process_killed_among_the_final_names_is_finished_by_the_next() {
    let desk = Desk::new(&["cat", "dog"]);
    let unbroken = files(&desk.whole("unbroken", Format::Png));
    for moved in ["", "cat", "cat dog", "cat dog manifest.json"] {
        let name = format!("set {moved}");
        let folder = desk.whole(&name, Format::Png);
        let drawn = folder.join(".drawn");
        fs::create_dir(&drawn).unwrap();
        for entry in ["cat", "dog", "manifest.json"] {
            if !moved.contains(entry) {
                fs::rename(folder.join(entry), drawn.join(entry)).unwrap();
            }
        }
        assert!(desk.open(&name, Format::Png).unwrap().is_none());
        assert_eq!(files(&folder), unbroken, "{moved}");
    }
}

#[test]
fn a_finished_data_set_is_recognised_and_another_is_not_touched() {
    let mut desk = Desk::new(&["cat", "dog"]);
    let folder = desk.whole("set", Format::Idx);
    let before = files(&folder);
    assert!(desk.open("set", Format::Idx).unwrap().is_none());
    assert_eq!(
        desk.refused("set", Format::Npz),
        "~/set holds another data set: --format was idx and is now npz; repeat its command to go on with it, or name \
         another folder"
    );
    desk.draw.seed = 4;
    assert!(
        desk.refused("set", Format::Idx)
            .contains("--seed was 3 and is now 4")
    );
    // A seed that nobody asked for gives way.
    let any = Dataset::open(&desk.draw, &folder, Format::Idx, true).unwrap();
    assert!(any.is_none());
    fs::write(&desk.draw.checkpoint, "other weights").unwrap();
    assert!(
        desk.refused("set", Format::Idx)
            .contains("the checkpoint was ")
    );
    assert_eq!(files(&folder), before);
}

#[test]
fn a_data_set_keeps_the_seed_that_it_was_begun_with() {
    let mut desk = Desk::new(&[]);
    drop(desk.draw_until("set", Format::Idx, 2));
    desk.draw.seed = 99;
    let again = Dataset::open(&desk.draw, &desk.path("set"), Format::Idx, true);
    assert_eq!(again.unwrap().unwrap().manifest().seed, 3);
}

#[test]
fn a_folder_with_anything_else_in_it_is_refused_and_stays_as_it_is() {
    let desk = Desk::new(&["cat"]);
    fs::create_dir(desk.path("thesis")).unwrap();
    fs::write(desk.path("thesis/chapter-1"), "It was").unwrap();
    assert_eq!(
        desk.refused("thesis", Format::Png),
        "the folder ~/thesis is not empty; name a new one"
    );
    drop(desk.draw_until("begun", Format::Png, 1));
    fs::write(desk.path("begun/notes"), "mine").unwrap();
    assert!(desk.refused("begun", Format::Png).contains("is not empty"));
    fs::create_dir(desk.path("web")).unwrap();
    fs::write(desk.path("web/manifest.json"), r#"{"name": "app"}"#).unwrap();
    assert!(
        desk.refused("web", Format::Png)
            .starts_with("~/web/manifest.json is not the manifest of a data set")
    );
    fs::write(desk.path("file"), "").unwrap();
    assert!(
        desk.refused("file", Format::Png)
            .starts_with("~/file is a file")
    );
    assert_eq!(
        desk.refused("no/where", Format::Png),
        "there is no folder ~/no for ~/no/where; make it first"
    );
    assert_eq!(names(&desk.path("thesis")), ["chapter-1"]);
    assert_eq!(names(&desk.path("web")), ["manifest.json"]);
}

#[test]
fn two_processes_do_not_write_one_data_set() {
    let desk = Desk::new(&["cat"]);
    let first = desk.draw_until("set", Format::Idx, 2);
    assert_eq!(
        desk.refused("set", Format::Idx),
        "another sparring writes to ~/set; wait for it, or name another folder"
    );
    drop(first);
    desk.whole("set", Format::Idx);
}

#[test]
fn an_empty_folder_stays_the_same_folder() {
    use std::os::unix::fs::MetadataExt as _;
    let desk = Desk::new(&[]);
    fs::create_dir(desk.path("set")).unwrap();
    let inode = || fs::metadata(desk.path("set")).unwrap().ino();
    let before = inode();
    desk.whole("set", Format::Npz);
    assert_eq!(inode(), before);
}

#[test]
fn a_checkpoint_that_was_replaced_meanwhile_is_noticed() {
    let desk = Desk::new(&["cat"]);
    let mut dataset = desk.open("set", Format::Idx).unwrap().unwrap();
    fs::write(&desk.draw.checkpoint, "newer weights").unwrap();
    let error = dataset.add(&desk.picture(0)).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("was replaced while it was read; repeat the command")
    );
}

#[test]
fn labels_that_were_not_asked_for_are_refused() {
    let desk = Desk::new(&["cat", "dog"]);
    let mut dataset = desk.open("set", Format::Idx).unwrap().unwrap();
    let error = dataset.add(&desk.picture(1)).unwrap_err();
    assert!(error.to_string().contains("picture 0 has another label"));
}

#[test]
fn a_manifest_says_how_to_draw_the_same_again() {
    let mut desk = Desk::new(&["cat", "dog"]);
    desk.draw.class = Some(1);
    let mut dataset = desk.open("set", Format::Png).unwrap().unwrap();
    for _ in 0..7 {
        dataset.add(&desk.picture(1)).unwrap();
    }
    dataset.finish().unwrap();
    let text = fs::read_to_string(desk.path("set/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(manifest["format"], "png");
    assert_eq!(manifest["run"], "otter");
    assert_eq!(
        (&manifest["count"], &manifest["seed"], &manifest["step"]),
        (&7.into(), &3.into(), &5.into())
    );
    assert_eq!(manifest["only_class"], 1);
    assert_eq!(manifest["classes"][0]["count"], 0);
    assert_eq!(manifest["classes"][1]["count"], 7);
    // printf weights | sha256sum
    assert_eq!(
        manifest["checkpoint_sha256"],
        "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c"
    );
    assert!(
        manifest["command"]
            .as_array()
            .is_some_and(|words| !words.is_empty())
    );
    assert_eq!(names(&desk.path("set")).len(), 8);
}
