//! How a folder of pictures says what is for training, what for testing, and what the classes are.

use std::ffi::OsStr;
use std::path::{Component, Path};

use super::labels::Labels;
use super::loaded::About;
use super::walk::{Stamp, Walk};
use crate::data::DataError;

/// Names of folders with pictures to test with, the one to prefer first.
const TEST: [&str; 5] = ["test", "val", "valid", "validation", "dev"];
const TRAIN: [&str; 2] = ["train", "training"];

/// A picture file, what it is for and its class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) file: Stamp,
    pub(super) is_test: bool,
    /// The name of its class.
    pub(super) class: Option<String>,
}

/// Says of each picture what it is for and what its class is. Pictures that are not to be used are left out, and
/// `about` hears why.
///
/// With a `labels.csv` that gives the classes. Without it, a folder `train` splits the data; and the sub-folders are
/// classes if no picture lies beside them.
pub(super) fn items(walk: &Walk, about: &mut About) -> Result<Vec<Item>, DataError> {
    if let Some(file) = &walk.labels {
        return Ok(labelled(&Labels::read(&file.path)?, walk, about));
    }
    let has = |name: &str| walk.folders.iter().any(|folder| folder == name);
    let is_flat = walk.pictures.iter().any(|file| depth(file) == 1);
    let train = TRAIN.into_iter().find(|name| has(name));
    let Some(train) = train.filter(|_| !is_flat) else {
        return Ok(by_folders(&walk.pictures, &walk.folders_named(), 0, about));
    };
    let test = TEST.into_iter().find(|name| has(name));
    let mut items = Vec::new();
    let mut unused = Vec::new();
    let of = |name: &str| -> Vec<Stamp> {
        let files = walk.pictures.iter();
        files
            .filter(|file| part(file, 0) == Some(OsStr::new(name)))
            .cloned()
            .collect()
    };
    for folder in &walk.folders {
        if folder == train || test.is_some_and(|test| folder == test) {
            let files = of(&folder.to_string_lossy());
            let found = by_folders(&files, &[], 1, about);
            items.extend(found.into_iter().map(|item| Item {
                is_test: folder != train,
                ..item
            }));
        } else if !of(&folder.to_string_lossy()).is_empty() {
            unused.push(folder.to_string_lossy().into_owned());
        }
    }
    if !unused.is_empty() {
        about.warnings.push(format!(
            "beside {train} these folders are left out: {}",
            unused.join(", ")
        ));
    }
    let (labelled, bare): (Vec<_>, Vec<_>) = items.iter().partition(|item| item.class.is_some());
    if !labelled.is_empty() && !bare.is_empty() {
        about.warnings.push(
            "only one of the training and test folders has classes: both are taken without"
                .to_owned(),
        );
        for item in &mut items {
            item.class = None;
        }
    }
    Ok(items)
}

impl Walk {
    fn folders_named(&self) -> Vec<String> {
        let names = self.folders.iter();
        names
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }
}

fn labelled(labels: &Labels, walk: &Walk, about: &mut About) -> Vec<Item> {
    let mut items = Vec::new();
    for file in &walk.pictures {
        match labels.of(&file.relative) {
            Ok(class) => items.push(Item {
                file: file.clone(),
                is_test: false,
                class: Some(class.to_owned()),
            }),
            Err(reason) => about.skip(&file.relative, reason.to_owned()),
        }
    }
    let missing = labels.len().saturating_sub(walk.pictures.len());
    if missing > 0 {
        about.warnings.push(format!(
            "labels.csv names {missing} files or more that are not there"
        ));
    }
    items
}

/// The pictures with the folder at this depth as their class, if every one lies in a folder there and there are two or
/// more. `folders` are named if no picture is in them.
fn by_folders(files: &[Stamp], folders: &[String], at: usize, about: &mut About) -> Vec<Item> {
    let class = |file: &Stamp| {
        let name = part(file, at).filter(|_| depth(file) > at + 1)?;
        Some(name.to_string_lossy().into_owned())
    };
    let mut names: Vec<_> = files.iter().map(class).collect();
    let beside = names.iter().filter(|name| name.is_none()).count();
    let mut distinct: Vec<_> = names.iter().flatten().cloned().collect();
    distinct.dedup();
    if beside > 0 && !distinct.is_empty() {
        about.warnings.push(format!(
            "{beside} pictures lie beside the sub-folders, which are therefore not taken for classes"
        ));
    } else if !distinct.is_empty() {
        for empty in folders.iter().filter(|name| !distinct.contains(name)) {
            about
                .warnings
                .push(format!("no picture in the folder {empty}: it is no class"));
        }
    }
    if beside > 0 || distinct.len() < 2 {
        names.fill(None);
    }
    files
        .iter()
        .zip(names)
        .map(|(file, class)| Item {
            file: file.clone(),
            is_test: false,
            class,
        })
        .collect()
}

/// How many names the path of a file has within the folder.
fn depth(file: &Stamp) -> usize {
    file.relative.components().count()
}

fn part(file: &Stamp, at: usize) -> Option<&OsStr> {
    match Path::new(&file.relative).components().nth(at)? {
        Component::Normal(name) => Some(name),
        _ => None,
    }
}
