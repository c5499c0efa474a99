//! The command line of the torture.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::part::Part;

/// What is to be run.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// For how long.
    pub time: Duration,
    /// One part only.
    pub only: Option<String>,
    /// One case only.
    pub case: Option<String>,
    /// Decides what is random.
    pub seed: u64,
    /// Whether to only say what there is.
    pub list: bool,
}

impl Options {
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            time: Duration::from_mins(30),
            only: None,
            case: None,
            seed: fresh_seed(),
            list: false,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--minutes" => options.time = minutes(&value()?)?,
                "--only" => options.only = Some(value()?),
                "--case" => options.case = Some(value()?),
                "--seed" => {
                    options.seed = value()?
                        .parse()
                        .map_err(|_| "--seed needs a whole number")?;
                }
                "--list" => options.list = true,
                _ => {
                    return Err(format!(
                        "unknown option `{word}`; there are --minutes N, --only PART, --case CASE, --seed N and --list"
                    ));
                }
            }
        }
        if options.case.is_some() && options.only.is_none() {
            return Err("--case needs --only PART".to_owned());
        }
        Ok(options)
    }

    /// The parts that are wanted.
    pub fn parts<'a>(&self, all: &[&'a dyn Part]) -> Result<Vec<&'a dyn Part>, String> {
        let Some(only) = &self.only else {
            return Ok(all.to_vec());
        };
        let names: Vec<_> = all.iter().map(|part| part.name()).collect();
        let wanted = all.iter().find(|part| part.name() == only);
        wanted
            .map(|part| vec![*part])
            .ok_or_else(|| format!("there is no part `{only}`; there are {}", names.join(", ")))
    }
}

fn minutes(text: &str) -> Result<Duration, String> {
    let minutes: f64 = text
        .parse()
        .map_err(|_| format!("--minutes {text}: a number expected"))?;
    Duration::try_from_secs_f64(minutes * 60.0).map_err(|_| format!("--minutes {text}: too many"))
}

fn fresh_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs() % 1_000_000)
}
