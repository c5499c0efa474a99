//! `labels.csv`: the class of each picture of a folder.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};
use sparring_contract::regular::open_regular;

use crate::data::DataError;

/// Names of columns, as the first line may have them.
const FILE: [&str; 7] = [
    "file",
    "filename",
    "file_name",
    "path",
    "image",
    "name",
    "id",
];
const LABEL: [&str; 6] = ["label", "labels", "class", "category", "breed", "target"];

/// Bytes of a label at most.
const LONGEST: usize = 200;

/// Bytes of the file at most: enough for millions of pictures.
const MOST_BYTES: u64 = 256 << 20;

/// The label of each file that is named, by its path within the folder or that path without its ending; `Err` with a
/// reason for a file whose label is of no use.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Labels(HashMap<Vec<u8>, Result<String, &'static str>>);

impl Labels {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self, DataError> {
        let unreadable = |error| DataError::unreadable(path, error);
        let file = open_regular(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.len() > MOST_BYTES {
            let limit = MOST_BYTES / 1_000_000;
            return Err(DataError::unusable(
                path,
                format!("it is larger than {limit} MB: take fewer pictures"),
            ));
        }
        // It may grow meanwhile.
        Self::parse(file.take(MOST_BYTES)).map_err(|why| DataError::unusable(path, why))
    }

    fn parse(from: impl Read) -> Result<Self, String> {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(from);
        let mut labels = Self::default();
        let mut columns = [0, 1];
        for (line, record) in reader.byte_records().enumerate() {
            let record = record.map_err(|error| error.to_string())?;
            if line == 0
                && let Some(named) = header(&record)
            {
                columns = named;
                continue;
            }
            let [Some(file), Some(label)] = columns.map(|column| record.get(column)) else {
                let at = record.position().map_or(0, csv::Position::line);
                return Err(format!(
                    "line {at} has no label: expected a file name, a comma and a label, under a first line \
                     \"file,label\" or without one"
                ));
            };
            labels.add(file, label);
        }
        Ok(labels)
    }

    fn add(&mut self, file: &[u8], label: &[u8]) {
        let label = match str::from_utf8(label) {
            Err(_) => Err("its label is no UTF-8 text"),
            Ok("") => Err("its label is empty"),
            Ok(text) if text.len() > LONGEST => Err("its label is longer than 200 bytes"),
            Ok(text) => Ok(text.to_owned()),
        };
        let file = file.strip_prefix(b"./").unwrap_or(file).to_owned();
        self.0
            .entry(file)
            .and_modify(|known| {
                if *known != label {
                    *known = Err("labels.csv gives it two labels");
                }
            })
            .or_insert(label);
    }

    /// The label of the file at this path within the folder, or why it has none.
    pub(super) fn of(&self, relative: &Path) -> Result<&str, &'static str> {
        let bytes = |path: &Path| path.as_os_str().as_encoded_bytes().to_owned();
        let found = self
            .0
            .get(&bytes(relative))
            .or_else(|| self.0.get(&bytes(&relative.with_extension(""))));
        match found {
            None => Err("labels.csv does not name it"),
            Some(label) => label.as_deref().map_err(|reason| *reason),
        }
    }

    /// How many files are named.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// The columns of files and labels if this line names them.
fn header(line: &ByteRecord) -> Option<[usize; 2]> {
    let column = |names: &[&str]| {
        line.iter().position(|field| {
            let field = String::from_utf8_lossy(field).to_lowercase();
            names.contains(&field.as_str())
        })
    };
    Some([column(&FILE)?, column(&LABEL)?])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn label<'a>(labels: &'a Labels, file: &str) -> Result<&'a str, &'static str> {
        labels.of(Path::new(file))
    }

    #[test]
    fn columns_are_found_by_their_names_or_are_the_first_two() {
        let named = "\u{feff}split,Label,Filename\ntrain,cat,\"a, b.png\"\ntest,dog,in/c.png\n";
        let labels = Labels::parse(named.as_bytes()).unwrap();
        assert_eq!(label(&labels, "a, b.png"), Ok("cat"));
        assert_eq!(label(&labels, "in/c.png"), Ok("dog"));
        let bare = Labels::parse("a.png,cat\n./b.png , dog\n".as_bytes()).unwrap();
        assert_eq!(label(&bare, "a.png"), Ok("cat"));
        assert_eq!(label(&bare, "b.png"), Ok("dog"));
    }

    #[test]
    fn a_file_may_be_named_without_its_ending() {
        let labels = Labels::parse("id,breed\n00ab,beagle\n".as_bytes()).unwrap();
        assert_eq!(label(&labels, "00ab.jpg"), Ok("beagle"));
    }

    #[test]
    fn a_label_that_is_of_no_use_costs_its_file() {
        let long = "x".repeat(201);
        let text = format!("a,cat\na,dog\na,cat\nb,\nc,{long}\n");
        let mut bytes = text.into_bytes();
        bytes.extend(b"d,\xff\n");
        let labels = Labels::parse(bytes.as_slice()).unwrap();
        assert_eq!(label(&labels, "a"), Err("labels.csv gives it two labels"));
        assert_eq!(label(&labels, "b"), Err("its label is empty"));
        assert_eq!(
            label(&labels, "c"),
            Err("its label is longer than 200 bytes")
        );
        assert_eq!(label(&labels, "d"), Err("its label is no UTF-8 text"));
        assert_eq!(label(&labels, "e"), Err("labels.csv does not name it"));
    }

    #[test]
    fn a_line_without_a_label_is_named() {
        let error = Labels::parse("file,label\na.png,cat\nb.png\n".as_bytes()).unwrap_err();
        assert!(
            error.starts_with("line 3 has no label: expected "),
            "{error}"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_labels_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Labels::parse(bytes.as_slice());
        }

        #[test]
        fn names_and_labels_with_any_letters_read_back(
            rows in proptest::collection::btree_map("[^\u{0}-\u{1f} .\u{85}\u{a0}\u{feff}][^\u{0}]{0,8}[a-z,\"\n]x", "[a-z,\"\n犬]{1,9}x", 1..6),
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["file", "label"]).unwrap();
            for (file, label) in &rows {
                writer.write_record([file, label]).unwrap();
            }
            let bytes = writer.into_inner().unwrap();
            let labels = Labels::parse(bytes.as_slice()).unwrap();
            for (file, written) in &rows {
                prop_assert_eq!(label(&labels, file), Ok(written.trim()));
            }
        }
    }
}
