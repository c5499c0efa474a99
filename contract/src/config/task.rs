//! What a generator learns: to make pictures, or to make pictures of other pictures.

use serde::{Deserialize, Serialize};

/// What a generator learns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// To make pictures from noise.
    #[default]
    Generate,
    /// To fill in missing pixels.
    Repair,
    /// To make small pictures larger.
    Enlarge,
    /// To make one kind of picture from another.
    Translate,
}

impl TaskKind {
    /// Its name on the command line and in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Repair => "repair",
            Self::Enlarge => "enlarge",
            Self::Translate => "translate",
        }
    }

    /// Whether the generator starts from pictures.
    pub fn is_image_to_image(self) -> bool {
        self != Self::Generate
    }
}

/// How [`TaskKind::Repair`] damages pictures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repair {
    /// Which pixels are missing.
    pub mask: Mask,
}

/// Which pixels of a picture are missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mask {
    /// A square in the middle with half the picture's side.
    Centre,
    /// The lower half.
    Half,
    /// A few thick straight strokes.
    Strokes,
    /// A few rectangles.
    Random,
    /// Each of the others in turn, by chance.
    #[default]
    Mixed,
}

/// How [`TaskKind::Enlarge`] reduces pictures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enlarge {
    /// By how much a side grows: 2 or 4.
    pub factor: u32,
}

impl Default for Enlarge {
    fn default() -> Self {
        Self { factor: 4 }
    }
}

/// What [`TaskKind::Translate`] starts from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Translate {
    /// What pictures are made from.
    pub from: TranslateFrom,
    /// For [`TranslateFrom::Unpaired`], the two domains: the names of two classes of the data, or the absolute paths of two
    /// folders of pictures; otherwise empty.
    #[serde(default)]
    pub domains: Vec<String>,
}

/// What a picture is made from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TranslateFrom {
    /// Its edges.
    #[default]
    Edges,
    /// The same with thinner bright strokes.
    Thin,
    /// The same with thicker bright strokes.
    Thick,
    /// The same without its colours.
    Grey,
    /// A partner of the same name, from the user.
    Pairs,
    /// Any picture of the other of two domains: there are no pairs.
    Unpaired,
}

/// The weights of the terms of a picture-to-picture generator's loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LossWeights {
    /// Of the adversarial loss.
    pub adversarial: f64,
    /// Of the mean absolute difference from the true picture, where pixels go from -1 to 1.
    pub l1: f64,
    /// Of the term that makes the noise matter (mode seeking: Mao et al. 2019).
    pub diversity: f64,
    /// Without pairs: of the mean absolute difference between a picture and what comes back from the other domain (cycle
    /// consistency: Zhu et al. 2017).
    #[serde(default = "default_cycle")]
    pub cycle: f64,
}

fn default_cycle() -> f64 {
    10.0
}

impl Default for LossWeights {
    fn default() -> Self {
        Self {
            adversarial: 1.0,
            l1: 100.0,
            diversity: 0.0,
            cycle: default_cycle(),
        }
    }
}
