//! Dialogues over the panels.

use sparring_contract::config;

use super::explorer::Explorer;
use crate::dashboard::words::rate;

/// The longest note, in letters.
const NOTE: usize = 300;
/// The longest number that is worth typing.
const NUMBER: usize = 12;

/// What lies over the panels.
#[derive(Clone, Debug, PartialEq)]
pub enum Dialog {
    /// The keys, and what the focused panel shows.
    Help,
    /// How to end the run.
    Stop,
    /// Whether to end it without saving, really.
    Discard,
    /// The learning rates.
    Rates(Rates),
    /// A line for a note.
    Note(String),
    /// A line for words to look for in the log.
    Search(String),
    /// A walk through the latent space.
    Explore(Box<Explorer>),
    /// The worker died.
    Died,
}

/// One of the two networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// The generator.
    Generator,
    /// The discriminator.
    Discriminator,
}

impl Network {
    /// Both, in the order they are shown.
    pub const BOTH: [Self; 2] = [Self::Discriminator, Self::Generator];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Generator => "generator",
            Self::Discriminator => "discriminator",
        }
    }

    /// The key of its learning rate in the configuration.
    pub fn rate_key(self) -> &'static str {
        match self {
            Self::Generator => "generator.learning_rate",
            Self::Discriminator => "discriminator.learning_rate",
        }
    }
}

/// The learning rates in force, as far as they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct InForce {
    /// Of the generator.
    pub generator: Option<f64>,
    /// Of the discriminator.
    pub discriminator: Option<f64>,
}

impl InForce {
    /// The learning rate of a network.
    pub fn of(&self, network: Network) -> Option<f64> {
        match network {
            Network::Generator => self.generator,
            Network::Discriminator => self.discriminator,
        }
    }

    /// Takes a changed value of the configuration, if it is one of the two.
    pub fn set(&mut self, key: &str, value: Option<f64>) {
        match key {
            "generator.learning_rate" => self.generator = value,
            "discriminator.learning_rate" => self.discriminator = value,
            _ => {}
        }
    }
}

/// New learning rates being typed.
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    /// The network that typing is for.
    pub chosen: Network,
    /// What is wrong with what was typed.
    pub problem: Option<String>,
    /// Whether the first letter begins the number anew, as it does where nothing was typed yet.
    untouched: bool,
    generator: String,
    discriminator: String,
}

impl Rates {
    /// Begins with the rates in force.
    pub fn new(in_force: &InForce) -> Self {
        let text = |network| in_force.of(network).map(rate).unwrap_or_default();
        Self {
            chosen: Network::Discriminator,
            problem: None,
            untouched: true,
            generator: text(Network::Generator),
            discriminator: text(Network::Discriminator),
        }
    }

    /// What is typed for a network.
    pub fn typed(&self, network: Network) -> &str {
        match network {
            Network::Generator => &self.generator,
            Network::Discriminator => &self.discriminator,
        }
    }

    fn field(&mut self) -> &mut String {
        self.problem = None;
        match self.chosen {
            Network::Generator => &mut self.generator,
            Network::Discriminator => &mut self.discriminator,
        }
    }

    /// Goes to the other network.
    pub fn choose_other(&mut self) {
        self.untouched = true;
        self.chosen = match self.chosen {
            Network::Generator => Network::Discriminator,
            Network::Discriminator => Network::Generator,
        };
    }

    /// Takes a letter that can be part of a number; ignores others.
    pub fn type_letter(&mut self, letter: char) {
        let letter = letter.to_ascii_lowercase();
        if !letter.is_ascii_digit() && !matches!(letter, '.' | 'e' | '-') {
            return;
        }
        if std::mem::take(&mut self.untouched) {
            self.clear();
        }
        let field = self.field();
        if field.len() < NUMBER {
            field.push(letter);
        }
    }

    /// Takes the last letter back.
    pub fn erase(&mut self) {
        self.untouched = false;
        self.field().pop();
    }

    /// Clears the number.
    pub fn clear(&mut self) {
        self.field().clear();
    }

    /// Multiplies the number, if there is one, and rounds it to four digits, so that halving undoes doubling.
    pub fn scale(&mut self, factor: f64) {
        let field = self.field();
        if let Ok(value) = field.parse::<f64>() {
            let scaled = format!("{:.3e}", value * factor);
            if let Ok(value) = scaled.parse::<f64>() {
                *field = rate(value);
            }
        }
    }

    /// The rates that differ from those in force, or what is wrong with one.
    pub fn changes(&self, in_force: &InForce) -> Result<Vec<(Network, f64)>, String> {
        let mut changes = Vec::new();
        for network in Network::BOTH {
            let typed = self.typed(network);
            let unchanged = in_force.of(network).map(rate).unwrap_or_default();
            if typed == unchanged {
                continue;
            }
            let value = typed
                .parse()
                .ok()
                .filter(|value| is_allowed(network, *value))
                .ok_or_else(|| format!("{}: {}", network.name(), expected(network)))?;
            changes.push((network, value));
        }
        Ok(changes)
    }
}

fn kind(network: Network) -> Option<config::Kind> {
    config::Key::named(network.rate_key()).map(|key| key.kind)
}

fn is_allowed(network: Network, value: f64) -> bool {
    match kind(network) {
        Some(config::Kind::Positive(high)) => value > 0.0 && value <= high,
        _ => value.is_finite(),
    }
}

fn expected(network: Network) -> String {
    kind(network).map_or_else(|| "a number".to_owned(), config::Kind::expected)
}

/// Adds typed or pasted text to a note, as far as it has room.
pub fn extend_note(note: &mut String, text: &str) {
    let room = NOTE.saturating_sub(note.chars().count());
    note.extend(super::journal::plain(text).chars().take(room));
}
