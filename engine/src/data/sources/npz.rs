//! Arrays of pictures in the files of numpy: `.npz` in the layout of `MedMNIST` or Keras, and `.npy`.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufReader, Read, Take};
use std::path::Path;

use sparring_contract::config::{Channels, DataSource};
use sparring_contract::regular::open_regular;
use zip::ZipArchive;
use zip::read::ZipFile;

use super::array::PictureArray;
use super::classes::{self, index};
use super::loaded::{About, Loaded, check_bytes, unpacked_at_most};
use super::npy::Header;
use super::shrink::{Square, collate};
use crate::data::parallel::Progress;
use crate::data::{DataError, Images, Part};

/// Names of arrays: pictures and their labels, to train on and to test with.
type Layout = [[&'static str; 2]; 2];

/// Layouts of `MedMNIST`, of Keras, of `sparring sample --out`, and of arrays that numpy named.
const LAYOUTS: [Layout; 5] = [
    [
        ["train_images", "train_labels"],
        ["test_images", "test_labels"],
    ],
    [
        ["train_images", "train_labels"],
        ["val_images", "val_labels"],
    ],
    [["x_train", "y_train"], ["x_test", "y_test"]],
    [["images", "labels"], ["", ""]],
    [["arr_0", "arr_1"], ["", ""]],
];

/// Pictures that are read between two words on progress.
const TOLD: usize = 1000;

/// A `.npz`.
pub(super) fn load(
    path: &Path,
    source: &DataSource,
    progress: &mut dyn FnMut(Progress),
) -> Result<Loaded, DataError> {
    let mut archive = Archive::open(path)?;
    let mut about = About::of("npz");
    let [[train, train_labels], [test, test_labels]] = archive.layout()?;
    if archive.has("val_images") && test != "val_images" {
        about
            .notes
            .push("the validation pictures (val_images) are left out".to_owned());
    }
    let of_train = archive.pictures(train, source, progress)?;
    let of_test = if archive.has(test) {
        Some(archive.pictures(test, source, progress)?)
    } else {
        None
    };
    let mut labels =
        |name: &str, pictures: &Pictures| archive.labels(name, pictures.squares.len(), &mut about);
    let train_labels = labels(train_labels, &of_train)?;
    let test_labels = match &of_test {
        Some(pictures) => labels(test_labels, pictures)?,
        None => None,
    };
    let test = of_test.map(|test| (test, test_labels));
    assemble(path, source, about, (of_train, train_labels), test)
}

/// A `.npy`: pictures without labels.
pub(super) fn load_npy(
    path: &Path,
    source: &DataSource,
    progress: &mut dyn FnMut(Progress),
) -> Result<Loaded, DataError> {
    let file = open(path)?;
    let length = file
        .get_ref()
        .metadata()
        .map_err(|error| DataError::unreadable(path, error))?
        .len();
    let pictures = read(path, &mut file.take(length), source, progress)?;
    assemble(path, source, About::of("npy"), (pictures, None), None)
}

/// The first array of a `.npz` that has the shape of pictures, as they are.
pub(in crate::data) fn read_samples(path: &Path) -> Result<Images, DataError> {
    let unusable = |why: String| DataError::unusable(path, why);
    let mut archive = Archive::open(path)?;
    let names = archive.zip.file_names().filter_map(Result::ok);
    let names: Vec<_> = names.map(Cow::into_owned).collect();
    let mut why = "it has no array".to_owned();
    for name in &names {
        let mut entry = archive.file(name)?;
        match Header::read(&mut entry).and_then(PictureArray::of) {
            Ok(array) => {
                let [height, width] = array.size();
                check_bytes(path, array.count, [array.channels, height, width])?;
                check_length(array.bytes(), &entry).map_err(unusable)?;
                let squares = array.read(&mut entry, None, Channels::Auto, &mut |_| {});
                let squares = squares.map_err(unusable)?;
                return Ok(collate(squares, Channels::Auto, [height, width]));
            }
            Err(reason) => why = format!("{name}: {reason}"),
        }
    }
    Err(unusable(why))
}

fn open(path: &Path) -> Result<BufReader<File>, DataError> {
    let file = open_regular(path).map_err(|error| DataError::unreadable(path, error))?;
    Ok(BufReader::new(file))
}

/// The pictures of an array, each grey or RGB, and their height and width.
struct Pictures {
    squares: Vec<Square>,
    size: [usize; 2],
}

/// Pictures, and the label of each if they have any.
type Labelled = (Pictures, Option<Vec<u64>>);

/// Refuses an array that cannot lie in what is left of its file, before memory is taken for it.
fn check_length(bytes: u64, from: &Take<impl Read>) -> Result<(), String> {
    if bytes > from.limit() {
        return Err(format!(
            "its header promises {bytes} bytes, and there are {} at most",
            from.limit()
        ));
    }
    Ok(())
}

/// Reads an array of pictures and brings them to the size that a source asks for.
fn read(
    path: &Path,
    from: &mut Take<impl Read>,
    source: &DataSource,
    progress: &mut dyn FnMut(Progress),
) -> Result<Pictures, DataError> {
    let unusable = |why: String| DataError::unusable(path, why);
    let array = Header::read(from)
        .and_then(PictureArray::of)
        .map_err(unusable)?;
    let wanted = array.side(source.image_size);
    let size = wanted.map_or(array.size(), |side| [side as usize; 2]);
    check_bytes(path, array.count, [array.channels, size[0], size[1]])?;
    check_length(array.bytes(), from).map_err(unusable)?;
    let total = array.count;
    let mut each = |done: usize| {
        if done.is_multiple_of(TOLD) || done == total {
            progress(Progress {
                doing: "reading pictures",
                done,
                total,
            });
        }
    };
    let squares = array
        .read(from, wanted, source.channels, &mut each)
        .map_err(unusable)?;
    Ok(Pictures { squares, size })
}

/// A file in a `.npz`.
type Entry<'a> = Take<ZipFile<'a, BufReader<File>>>;

/// A `.npz` that is open.
struct Archive<'a> {
    path: &'a Path,
    zip: ZipArchive<BufReader<File>>,
}

impl<'a> Archive<'a> {
    fn open(path: &'a Path) -> Result<Self, DataError> {
        let zip = ZipArchive::new(open(path)?)
            .map_err(|error| DataError::unusable(path, error.to_string()))?;
        Ok(Self { path, zip })
    }

    fn has(&self, name: &str) -> bool {
        self.zip.index_for_name(&format!("{name}.npy")).is_some()
    }

    /// The layout that the names fit, best one with pictures to test with.
    fn layout(&self) -> Result<Layout, DataError> {
        let fits = |layout: &&Layout| self.has(layout[0][0]);
        let with_test = LAYOUTS
            .iter()
            .filter(fits)
            .find(|layout| self.has(layout[1][0]));
        with_test
            .or_else(|| LAYOUTS.iter().find(fits))
            .copied()
            .ok_or_else(|| {
                let why = "it has no array train_images, x_train, images or arr_0";
                DataError::unusable(self.path, why)
            })
    }

    fn entry(&mut self, name: &str) -> Result<Entry<'_>, DataError> {
        self.file(&format!("{name}.npy"))
    }

    /// A file, and as much of it as it can hold.
    fn file(&mut self, name: &str) -> Result<Entry<'_>, DataError> {
        let file = self
            .zip
            .by_name(name)
            .map_err(|error| DataError::unusable(self.path, format!("{name}: {error}")))?;
        let length = file.size().min(unpacked_at_most(file.compressed_size()));
        Ok(file.take(length))
    }

    fn pictures(
        &mut self,
        name: &str,
        source: &DataSource,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Pictures, DataError> {
        let path = self.path;
        read(path, &mut self.entry(name)?, source, progress)
    }

    /// The labels of so many pictures: one whole number each. `None` if there are none, or several for each.
    fn labels(
        &mut self,
        name: &str,
        count: usize,
        about: &mut About,
    ) -> Result<Option<Vec<u64>>, DataError> {
        if !self.has(name) {
            return Ok(None);
        }
        let path = self.path;
        let unusable = |why: String| DataError::unusable(path, format!("{name}: {why}"));
        let mut entry = self.entry(name)?;
        let header = Header::read(&mut entry).map_err(unusable)?;
        match *header.shape.as_slice() {
            [labels] | [labels, 1] if labels == count => {}
            [labels, several] if labels == count => {
                about.warnings.push(format!(
                    "{name} has {several} labels for each picture: they are taken without labels"
                ));
                return Ok(None);
            }
            ref shape => {
                return Err(unusable(format!(
                    "its shape {shape:?} is not that of a label for each of {count} pictures"
                )));
            }
        }
        let bytes = count * header.bytes;
        check_length(bytes as u64, &entry).map_err(unusable)?;
        let mut bytes = vec![0; bytes];
        entry
            .read_exact(&mut bytes)
            .map_err(|error| unusable(error.to_string()))?;
        let labels = header.integers(&bytes);
        labels
            .map(Some)
            .ok_or_else(|| unusable("labels must be whole numbers, 0 or more".to_owned()))
    }
}

/// Parts of pictures and labels as a data set.
fn assemble(
    path: &Path,
    source: &DataSource,
    mut about: About,
    (train, train_labels): Labelled,
    test: Option<Labelled>,
) -> Result<Loaded, DataError> {
    if let Some((test, _)) = &test
        && test.size != train.size
    {
        return Err(DataError::TestDiffers {
            path: path.to_owned(),
            train: train.size,
            test: test.size,
        });
    }
    let has_colour = |pictures: &Pictures| pictures.squares.iter().any(|one| one.channels == 3);
    let channels = if has_colour(&train) || test.as_ref().is_some_and(|(test, _)| has_colour(test))
    {
        Channels::Rgb
    } else {
        source.channels
    };
    let (test, test_labels) = test.map_or((None, Some(Vec::new())), |(test, labels)| {
        (Some(test), labels)
    });
    let indexed = train_labels
        .zip(test_labels)
        .map(|(train, test)| index(&train, &test));
    let (names, train_labels, test_labels) = match indexed {
        Some(Some(indexed)) => (indexed.labels, Some(indexed.train), Some(indexed.test)),
        Some(None) => {
            about.warnings.push(classes::too_many());
            (Vec::new(), None, None)
        }
        None => (Vec::new(), None, None),
    };
    let part = |pictures: Pictures, labels| Part {
        partners: None,
        images: collate(pictures.squares, channels, pictures.size),
        labels,
    };
    Ok(Loaded {
        train: part(train, train_labels),
        test: test.map(|test| part(test, test_labels)),
        class_names: names.iter().map(u64::to_string).collect(),
        about,
    })
}
