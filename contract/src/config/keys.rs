//! The table of keys: one place says what a key may be and when it may change.

use toml::Value;

use super::data::Background;

/// When a key may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Fixed for the life of a run: another value makes another run.
    Never,
    /// When a run is resumed.
    OnResume,
    /// While a run trains, and when it is resumed.
    Live,
}

/// What values a key takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Any text that is not empty.
    Text,
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `auto`, `cpu`, `cuda` or `cuda:N`.
    Device,
    /// `black`, `white` or `#rrggbb`.
    Background,
    /// One of these whole numbers.
    OneOf(&'static [i64]),
    /// A whole number in this range.
    Integer(i64, i64),
    /// A number in this range, bounds included.
    Number(f64, f64),
    /// A number above zero and at most this.
    Positive(f64),
    /// A list of widths of layers, each from 1 to 65536.
    Widths,
    /// Two numbers, each from 0 up to but not 1.
    Betas,
    /// A list of two different texts, or an empty one.
    TwoTexts,
}

/// A key of the configuration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Key {
    /// Dotted name.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// When it may change.
    pub change: Change,
}

const ACTIVATIONS: Kind = Kind::Choice(&["relu", "leaky_relu", "tanh"]);
const ARCHITECTURES: Kind = Kind::Choice(&["mlp", "dcgan", "resnet"]);
const GENERATORS: Kind = Kind::Choice(&["mlp", "dcgan", "resnet", "unet"]);
const TASKS: Kind = Kind::Choice(&["generate", "repair", "enlarge", "translate"]);
const MASKS: Kind = Kind::Choice(&["centre", "half", "strokes", "random", "mixed"]);
const CONDITIONS: Kind = Kind::Choice(&["edges", "thin", "thick", "grey", "pairs", "unpaired"]);
const LOSSES: Kind = Kind::Choice(&[
    "bce",
    "hinge",
    "least_squares",
    "wasserstein",
    "relativistic",
]);
const PRECISIONS: Kind = Kind::Choice(&["float32", "tf32", "bfloat16"]);
const CHANNELS: Kind = Kind::Choice(&["auto", "grey", "rgb"]);
const COUNT: Kind = Kind::Integer(0, i64::MAX);
const SHARE: Kind = Kind::Number(0.0, 1.0);
/// A share below the whole.
const PART: Kind = Kind::Number(0.0, 0.99);
/// Blocks in a row, or a factor of widths.
const BLOCKS: Kind = Kind::Integer(1, 64);
const PATCHES: Kind = Kind::OneOf(&[1, 2]);
const WIDTH: Kind = Kind::Integer(1, 65536);
const WEIGHT: Kind = Kind::Number(0.0, 1e6);
/// Times that a network learns per step.
const TURNS: Kind = Kind::Integer(1, 1000);
/// A higher learning rate is certainly a typing error.
const RATE: Kind = Kind::Positive(10.0);

const fn key(name: &'static str, kind: Kind, change: Change) -> Key {
    Key { name, kind, change }
}

/// Every key of a resolved configuration.
pub const KEYS: &[Key] = &[
    key("preset", Kind::Text, Change::Never),
    key("data", Kind::Text, Change::Never),
    key(
        "image_size",
        Kind::OneOf(&[0, 28, 32, 48, 64]),
        Change::Never,
    ),
    key("channels", CHANNELS, Change::Never),
    key("background", Kind::Background, Change::Never),
    key("tile", Kind::Integer(0, 4096), Change::Never),
    key("test_fraction", Kind::Number(0.0, 0.5), Change::Never),
    key("test_seed", COUNT, Change::Never),
    key("task", TASKS, Change::Never),
    key("repair.mask", MASKS, Change::Never),
    key("enlarge.factor", Kind::OneOf(&[2, 4]), Change::Never),
    key("translate.from", CONDITIONS, Change::Never),
    key("translate.domains", Kind::TwoTexts, Change::Never),
    key("device", Kind::Device, Change::OnResume),
    key("seed", COUNT, Change::Never),
    key("threads", Kind::Integer(0, 1024), Change::OnResume),
    key("precision", PRECISIONS, Change::Never),
    key("deterministic", Kind::Flag, Change::OnResume),
    key("cuda_graphs", Kind::Flag, Change::OnResume),
    key("epochs", Kind::Integer(1, 1_000_000_000), Change::OnResume),
    key("steps", COUNT, Change::OnResume),
    key("minutes", Kind::Number(0.0, 1e9), Change::OnResume),
    key("batch_size", Kind::Integer(1, 65536), Change::Never),
    key("latent_dim", Kind::Integer(0, 65536), Change::Never),
    key("conditional", Kind::Flag, Change::Never),
    key("loss", LOSSES, Change::Never),
    key("loss_weights.adversarial", WEIGHT, Change::Never),
    key("loss_weights.l1", WEIGHT, Change::Never),
    key("loss_weights.diversity", WEIGHT, Change::Never),
    key("loss_weights.cycle", WEIGHT, Change::Never),
    key("label_smoothing", Kind::Number(0.0, 0.5), Change::Never),
    key("instance_noise", Kind::Number(0.0, 10.0), Change::Never),
    key("instance_noise_steps", COUNT, Change::Never),
    key("sharpening", Kind::Number(0.0, 100.0), Change::Never),
    key("discriminator_steps", TURNS, Change::Never),
    key("generator_steps", TURNS, Change::Never),
    key(
        "schedule",
        Kind::Choice(&["constant", "linear", "cosine"]),
        Change::Never,
    ),
    key("schedule_steps", Kind::Integer(1, i64::MAX), Change::Never),
    key("schedule_floor", SHARE, Change::Never),
    key("ema_decay", Kind::Number(0.0, 0.99999), Change::Never),
    key("penalty.r1", WEIGHT, Change::Never),
    key("penalty.r2", WEIGHT, Change::Never),
    key("penalty.wgan_gp", WEIGHT, Change::Never),
    key(
        "penalty.lazy_interval",
        Kind::Integer(1, 1_000_000),
        Change::Never,
    ),
    key("augment.translation", Kind::Number(0.0, 0.5), Change::Never),
    key("augment.cutout", Kind::Number(0.0, 1.0), Change::Never),
    key("augment.color", SHARE, Change::Never),
    key("augment.flip", Kind::Flag, Change::Never),
    key("generator.architecture", GENERATORS, Change::Never),
    key("generator.hidden", Kind::Widths, Change::Never),
    key("generator.blocks", BLOCKS, Change::Never),
    key("generator.expansion", BLOCKS, Change::Never),
    key("generator.group_width", WIDTH, Change::Never),
    key("generator.patch_size", PATCHES, Change::Never),
    key("generator.activation", ACTIVATIONS, Change::Never),
    key("generator.negative_slope", SHARE, Change::Never),
    key(
        "generator.normalization",
        Kind::Choice(&["none", "batch"]),
        Change::Never,
    ),
    key("generator.learning_rate", RATE, Change::Live),
    key("generator.betas", Kind::Betas, Change::Never),
    key("discriminator.architecture", ARCHITECTURES, Change::Never),
    key("discriminator.hidden", Kind::Widths, Change::Never),
    key("discriminator.blocks", BLOCKS, Change::Never),
    key("discriminator.expansion", BLOCKS, Change::Never),
    key("discriminator.group_width", WIDTH, Change::Never),
    key("discriminator.patch_size", PATCHES, Change::Never),
    key("discriminator.activation", ACTIVATIONS, Change::Never),
    key("discriminator.negative_slope", SHARE, Change::Never),
    key(
        "discriminator.normalization",
        Kind::Choice(&["none", "spectral"]),
        Change::Never,
    ),
    key("discriminator.dropout", PART, Change::Never),
    key("discriminator.learning_rate", RATE, Change::Live),
    key("discriminator.betas", Kind::Betas, Change::Never),
    key(
        "output.report_every_seconds",
        Kind::Number(0.05, 3600.0),
        Change::Live,
    ),
    key("output.sample_every_epochs", COUNT, Change::Live),
    key("output.sample_every_steps", COUNT, Change::Live),
    key("output.checkpoint_every_epochs", COUNT, Change::Live),
    key("output.checkpoint_every_steps", COUNT, Change::Live),
    key(
        "output.keep_checkpoints",
        Kind::Integer(1, 1_000_000),
        Change::Live,
    ),
    key("health.time_fraction", SHARE, Change::Live),
];

/// Keys that stand for the same key of both networks.
pub(super) const SHARED: &[&str] = &["learning_rate", "betas"];

impl Key {
    /// The key of this dotted name.
    pub fn named(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// The known name that is nearest in spelling, when one is near.
    pub(super) fn similar(name: &str) -> Option<String> {
        let leaf = |full: &'static str| full.rsplit('.').next().unwrap_or(full);
        KEYS.iter()
            .map(|key| key.name)
            .chain(SHARED.iter().copied())
            .flat_map(|known| {
                [
                    (known, strsim::jaro_winkler(name, known)),
                    (known, strsim::jaro_winkler(name, leaf(known))),
                ]
            })
            .filter(|(_, likeness)| *likeness > 0.82)
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(known, _)| known.to_owned())
    }
}

impl Kind {
    /// Brings a value into the one form that the key takes: a whole number where a number is wanted becomes a float.
    /// `None` if the value is not allowed.
    pub(super) fn accept(self, value: &Value) -> Option<Value> {
        let number = |value: &Value| match value {
            Value::Float(x) => Some(*x),
            Value::Integer(n) => Some(*n as f64),
            _ => None,
        };
        let allowed = match self {
            Self::Text => value.as_str().is_some_and(|text| !text.is_empty()),
            Self::Flag => value.is_bool(),
            Self::Choice(words) => value.as_str().is_some_and(|text| words.contains(&text)),
            Self::Device => value.as_str().is_some_and(is_device),
            Self::Background => value.as_str().and_then(Background::parse).is_some(),
            Self::OneOf(numbers) => value.as_integer().is_some_and(|n| numbers.contains(&n)),
            Self::Integer(low, high) => value
                .as_integer()
                .is_some_and(|n| (low..=high).contains(&n)),
            Self::Number(low, high) => number(value).is_some_and(|x| (low..=high).contains(&x)),
            Self::Positive(high) => number(value).is_some_and(|x| x > 0.0 && x <= high),
            Self::Widths => value.as_array().is_some_and(|widths| {
                widths.len() <= 64
                    && widths
                        .iter()
                        .all(|width| width.as_integer().is_some_and(|n| (1..=65536).contains(&n)))
            }),
            Self::Betas => value.as_array().is_some_and(|pair| {
                pair.len() == 2
                    && pair
                        .iter()
                        .all(|beta| number(beta).is_some_and(|x| (0.0..1.0).contains(&x)))
            }),
            Self::TwoTexts => value.as_array().is_some_and(|texts| {
                let has_text = |text: &Value| text.as_str().is_some_and(|text| !text.is_empty());
                texts.iter().all(has_text)
                    && match texts.as_slice() {
                        [] => true,
                        [one, other] => one != other,
                        _ => false,
                    }
            }),
        };
        if !allowed {
            return None;
        }
        Some(match self {
            Self::Number(..) | Self::Positive(_) => Value::Float(number(value)?),
            Self::Betas => Value::Array(
                value
                    .as_array()?
                    .iter()
                    .filter_map(number)
                    .map(Value::Float)
                    .collect(),
            ),
            _ => value.clone(),
        })
    }

    /// What the key takes, in words.
    pub fn expected(self) -> String {
        match self {
            Self::Text => "a text that is not empty".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Choice([one]) => format!("\"{one}\""),
            Self::Choice(words) => {
                format!(
                    "one of {}",
                    words
                        .iter()
                        .map(|word| format!("\"{word}\""))
                        .collect::<Vec<_>>()
                        .join(", ")
                )
            }
            Self::Device => "\"auto\", \"cpu\", \"cuda\" or \"cuda:N\"".to_owned(),
            Self::Background => "\"black\", \"white\" or a colour such as \"#7f7f7f\"".to_owned(),
            Self::OneOf(numbers) => {
                let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
                format!("one of {}", numbers.join(", "))
            }
            Self::Integer(low, i64::MAX) => format!("a whole number, {low} or more"),
            Self::Integer(low, high) => format!("a whole number from {low} to {high}"),
            Self::Number(low, high) => format!("a number from {low} to {high}"),
            Self::Positive(high) => format!("a number above 0 and at most {high}"),
            Self::Widths => {
                "a list of up to 64 whole numbers from 1 to 65536, such as [256, 512]".to_owned()
            }
            Self::Betas => {
                "two numbers, each at least 0 and below 1, such as [0.5, 0.999]".to_owned()
            }
            Self::TwoTexts => {
                "a list of two different texts, such as [\"0\", \"6\"], or []".to_owned()
            }
        }
    }
}

fn is_device(text: &str) -> bool {
    matches!(text, "auto" | "cpu" | "cuda")
        || text
            .strip_prefix("cuda:")
            .is_some_and(|index| index.parse::<u16>().is_ok())
}

/// Names the keys that may change on resume, for the error that refuses another.
pub(super) fn resumable_hint() -> String {
    format!(
        "keys that can change: {}",
        names(|change| change != Change::Never)
    )
}

/// Names the keys that may change while a run trains.
pub(super) fn live_names() -> String {
    names(|change| change == Change::Live)
}

fn names(may: impl Fn(Change) -> bool) -> String {
    let names: Vec<_> = KEYS
        .iter()
        .filter(|key| may(key.change))
        .map(|key| key.name)
        .collect();
    names.join(", ")
}
