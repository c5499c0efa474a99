//! What a checkpoint says about itself.

use std::collections::HashMap;
use std::path::Path;

use super::RunError;
use super::tensor_file::{TensorFile, Unusable, blank_digest};
use crate::config::Config;
use crate::protocol::FeatureKind;

/// What a checkpoint says about itself: the metadata of its safetensors file.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckpointHeader {
    /// Training steps.
    pub step: u64,
    /// Shape of a picture, `[channels, height, width]`.
    pub shape: [i64; 3],
    /// Seconds of training until then.
    pub training_seconds: f64,
    /// The attempt that goes on from here: 0, or how often the run had gone back to a good state.
    pub attempt: u64,
    /// Its quick distance, if it was saved for being the best so far.
    pub quick_distance: Option<f64>,
    /// The features that its quick distance is in.
    pub features: Option<FeatureKind>,
    /// Names of the classes of the data, in the order of their labels; empty if the data has no labels or the checkpoint
    /// is of a build that did not keep them.
    pub class_names: Vec<String>,
    /// The fingerprint of the data that it was trained on; empty in checkpoints of builds that did not keep it.
    pub data_fingerprint: String,
    /// The configuration in force, with what was changed while training.
    pub config: Config,
}

/// The words for the features.
const JUDGE: &str = "judge";
const UNLABELLED: &str = "unlabelled";

/// Marks a safetensors file as a checkpoint.
const FORMAT: &str = "sparring checkpoint 1";

/// No run has more steps, or makes more attempts.
const MOST_STEPS: u64 = 1 << 53;

/// No run trains for longer, in seconds: some thirty thousand years.
const LONGEST: f64 = 1e12;

/// The most bytes of a picture.
const LARGEST_PICTURE: i64 = 1 << 24;

/// A layer that is divided into groups has fewer weights than the product of its widths.
const SLACK: u128 = 4;

impl CheckpointHeader {
    /// The header as the metadata of a safetensors file.
    pub fn to_metadata(&self) -> Result<HashMap<String, String>, RunError> {
        let quick_distance = self
            .quick_distance
            .map(|distance| ("quick_distance".to_owned(), distance.to_string()));
        let features = self.features.map(|features| {
            let word = match features {
                FeatureKind::Judge => JUDGE,
                FeatureKind::Unlabelled => UNLABELLED,
            };
            ("features".to_owned(), word.to_owned())
        });
        let class_names = (!self.class_names.is_empty()).then(|| {
            let names = serde_json::Value::from(self.class_names.clone());
            ("class_names".to_owned(), names.to_string())
        });
        let always = [
            ("format".to_owned(), FORMAT.to_owned()),
            ("step".to_owned(), self.step.to_string()),
            (
                "shape".to_owned(),
                self.shape.map(|size| size.to_string()).join("x"),
            ),
            (
                "training_seconds".to_owned(),
                self.training_seconds.to_string(),
            ),
            ("attempt".to_owned(), self.attempt.to_string()),
            ("config".to_owned(), self.config.to_toml()?),
            blank_digest(),
        ];
        let data_fingerprint = (!self.data_fingerprint.is_empty())
            .then(|| ("data_fingerprint".to_owned(), self.data_fingerprint.clone()));
        Ok(always
            .into_iter()
            .chain(quick_distance)
            .chain(features)
            .chain(class_names)
            .chain(data_fingerprint)
            .collect())
    }

    /// How many classes a conditional generator tells apart; 0 if it is not conditional.
    pub fn num_classes(&self) -> u64 {
        self.conditional_classes().len() as u64
    }

    /// The classes of a conditional generator; empty if it is not conditional.
    pub fn conditional_classes(&self) -> &[String] {
        if self.config.conditional {
            &self.class_names
        } else {
            &[]
        }
    }

    /// Reads the header of a checkpoint and checks that its tensors are where it says, without reading them.
    pub fn read(path: &Path) -> Result<Self, RunError> {
        Self::of(path, |_| Ok(()))
    }

    /// Does the same, and compares the whole file with its digest, if it has one: half a millisecond or so for each MB.
    pub fn read_intact(path: &Path) -> Result<Self, RunError> {
        Self::of(path, TensorFile::verify)
    }

    fn of(
        path: &Path,
        check: impl FnOnce(&mut TensorFile) -> Result<(), Unusable>,
    ) -> Result<Self, RunError> {
        let unusable = |why| match why {
            Unusable::Io(error) => RunError::io("read", path, error),
            Unusable::Broken(why) => RunError::BrokenCheckpoint {
                path: path.to_owned(),
                why,
            },
        };
        let mut file = TensorFile::open(path).map_err(unusable)?;
        let header = Self::from_metadata(&file, path)?;
        check(&mut file).map_err(unusable)?;
        Ok(header)
    }

    fn from_metadata(file: &TensorFile, path: &Path) -> Result<Self, RunError> {
        let broken = |why: &str| RunError::BrokenCheckpoint {
            path: path.to_owned(),
            why: why.to_owned(),
        };
        let metadata = file.metadata();
        let field = |name: &str| metadata.get(name).map(String::as_str).unwrap_or_default();
        if field("format") != FORMAT {
            return Err(broken("it is a safetensors file of another program"));
        }
        let quick_distance: Option<f64> = field("quick_distance").parse().ok();
        let features = match field("features") {
            // Older builds knew the features of a judge only.
            JUDGE | "" => quick_distance.map(|_| FeatureKind::Judge),
            UNLABELLED => Some(FeatureKind::Unlabelled),
            _ => None,
        };
        let count = |name: &str| {
            let number: Option<u64> = field(name).parse().ok();
            number.filter(|number| *number <= MOST_STEPS)
        };
        let training_seconds: f64 = field("training_seconds").parse().unwrap_or_default();
        let header = Self {
            step: count("step").ok_or_else(|| broken("its step is no number of steps"))?,
            shape: parse_shape(field("shape"))
                .ok_or_else(|| broken("the shape of its pictures is unknown"))?,
            training_seconds: Some(training_seconds)
                .filter(|seconds| (0.0..LONGEST).contains(seconds))
                .ok_or_else(|| broken("its training time is no time"))?,
            attempt: count("attempt").unwrap_or_default(),
            quick_distance,
            features,
            class_names: serde_json::from_str(field("class_names")).unwrap_or_default(),
            data_fingerprint: field("data_fingerprint").to_owned(),
            config: Config::parse(field("config"), path)?,
        };
        if header.least_elements() > u128::from(file.elements()) * SLACK {
            return Err(broken("its networks would have more weights than it holds"));
        }
        Ok(header)
    }

    /// About as many weights as the networks of the configuration have at least: those between every two hidden layers.
    /// Who builds networks for a forged header would otherwise run out of memory.
    fn least_elements(&self) -> u128 {
        [&self.config.generator, &self.config.discriminator]
            .into_iter()
            .flat_map(|network| network.hidden.windows(2))
            .map(|widths| u128::from(widths[0]) * u128::from(widths[1]))
            .chain([u128::from(self.config.latent_dim)])
            .sum()
    }
}

/// A shape written as `1x28x28`.
fn parse_shape(text: &str) -> Option<[i64; 3]> {
    let sizes: Vec<i64> = text
        .split('x')
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    sizes.try_into().ok().filter(|sizes: &[i64; 3]| {
        sizes.iter().all(|size| (1..=65536).contains(size))
            && sizes.iter().product::<i64>() <= LARGEST_PICTURE
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::seal;
    use super::*;
    use crate::config::{Request, Setting, resolve};

    /// A header of small networks.
    fn header() -> CheckpointHeader {
        let small = [
            "generator.hidden=[2]",
            "discriminator.hidden=[2]",
            "latent_dim=2",
        ];
        let request = Request {
            settings: small.map(|text| Setting::parse(text).unwrap()).to_vec(),
            ..Request::default()
        };
        CheckpointHeader {
            step: 70,
            shape: [1, 8, 8],
            training_seconds: 1.5,
            attempt: 1,
            quick_distance: None,
            features: None,
            class_names: vec!["cat".to_owned(), "dog".to_owned()],
            data_fingerprint: "c0ff".to_owned(),
            config: resolve(&request).unwrap().config,
        }
    }

    /// A checkpoint with two small tensors, of this metadata and this table.
    fn file_of(metadata: &HashMap<String, String>, table: &str) -> Vec<u8> {
        let metadata = serde_json::to_string(metadata).unwrap();
        let text = format!("{{\"__metadata__\":{metadata},{table}}}");
        let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
        bytes.extend(text.as_bytes());
        bytes.extend((0..24).collect::<Vec<u8>>());
        bytes
    }

    const TABLE: &str = r#""a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[2],"data_offsets":[16,24]}"#;

    /// A folder with a place for a checkpoint.
    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn read(&self, bytes: &[u8]) -> Result<CheckpointHeader, String> {
            let path = self.0.path().join("step-000000070.safetensors");
            fs::write(&path, bytes).unwrap();
            CheckpointHeader::read_intact(&path).map_err(|error| {
                let error = error.to_string();
                let named = format!("{} is no usable checkpoint: ", path.display());
                error.strip_prefix(&named).unwrap_or(&error).to_owned()
            })
        }
    }

    fn sealed() -> Vec<u8> {
        let mut bytes = file_of(&header().to_metadata().unwrap(), TABLE);
        seal(&mut bytes);
        bytes
    }

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(Place::new().read(&sealed()), Ok(header()));
    }

    #[test]
    fn a_checkpoint_of_an_older_build_has_no_digest_and_is_read_too() {
        let mut metadata = header().to_metadata().unwrap();
        metadata.remove("digest").unwrap();
        assert_eq!(Place::new().read(&file_of(&metadata, TABLE)), Ok(header()));
    }

    #[test]
    fn a_flipped_bit_is_found_wherever_it_is() {
        let (place, whole) = (Place::new(), sealed());
        let mut silent = 0;
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 7);
            if let Ok(read) = place.read(&flipped) {
                // Without the word `digest` the file is one of an older build, and all else in it is as it was.
                assert_eq!(read, header());
                silent += 1;
            }
        }
        assert!(silent <= "digest".len(), "{silent}");
    }

    #[test]
    fn a_checkpoint_that_is_cut_short_or_too_long_is_found_wherever() {
        let (place, whole) = (Place::new(), sealed());
        for length in 0..whole.len() {
            assert!(place.read(&whole[..length]).is_err(), "{length}");
        }
        let longer = [&whole[..], &[0]].concat();
        assert_eq!(
            place.read(&longer).unwrap_err(),
            "it is longer than its header says"
        );
    }

    #[test]
    fn a_header_that_lies_is_an_error_and_no_panic() {
        let place = Place::new();
        let metadata = header().to_metadata().unwrap();
        let table = |table: &str| place.read(&file_of(&metadata, table)).unwrap_err();
        for wrong in [
            r#""a":{"dtype":"F32","shape":[6],"data_offsets":[0,18446744073709551615]}"#,
            r#""a":{"dtype":"F32","shape":[6],"data_offsets":[18446744073709551615,0]}"#,
            r#""a":{"dtype":"F32","shape":[4611686018427387905,4],"data_offsets":[0,16]}"#,
            r#""a":{"dtype":"F33","shape":[6],"data_offsets":[0,24]}"#,
        ] {
            assert_eq!(
                table(wrong),
                "a tensor in it is not as long as its shape says",
                "{wrong}"
            );
        }
        let twice = r#""a":{"dtype":"U8","shape":[16],"data_offsets":[0,16]},"b":{"dtype":"U8","shape":[16],"data_offsets":[8,24]}"#;
        assert_eq!(
            table(twice),
            "its tensors overlap, or there is a gap between them"
        );

        let with = |key: &str, value: &str| {
            let mut metadata = metadata.clone();
            metadata.remove("digest");
            metadata.insert(key.to_owned(), value.to_owned());
            place.read(&file_of(&metadata, TABLE)).unwrap_err()
        };
        assert_eq!(
            with("step", "9223372036854775807"),
            "its step is no number of steps"
        );
        assert_eq!(with("step", "-1"), "its step is no number of steps");
        for seconds in ["NaN", "inf", "-1", "1e300"] {
            assert_eq!(
                with("training_seconds", seconds),
                "its training time is no time"
            );
        }
        assert_eq!(
            with("shape", "3x65536x65536"),
            "the shape of its pictures is unknown"
        );
        let mut wide = header().config;
        wide.generator.hidden = vec![65536, 65536];
        assert_eq!(
            with("config", &wide.to_toml().unwrap()),
            "its networks would have more weights than it holds"
        );
    }
}
