//! What the trainer is told to do, between two steps.

use std::fmt;
use std::ops::ControlFlow;

use sparring_contract::config::{Config, change_live};
use sparring_contract::protocol::{Command, Event, Outcome, Purpose, Reason, Sampled};

use super::keeping::save_grid;
use super::pictures;
use super::trainer::{End, Trainer};

/// Pictures of one command at most.
const MOST_PICTURES: u64 = 256;

/// What the trainer is told to do.
#[derive(Debug)]
pub(super) enum Order {
    /// Save and end; with [`Reason::Failed`], which says that the run's directory was removed, end without saving.
    End(Reason),
    /// Do what a user wishes, and answer.
    Command(Command, Answer),
}

/// The way back to whoever gave a command: told the step and the outcome, once.
pub(super) struct Answer(Box<dyn FnOnce(u64, Outcome) + Send>);

impl Answer {
    pub(super) fn new(tell: impl FnOnce(u64, Outcome) + Send + 'static) -> Self {
        Self(Box::new(tell))
    }

    pub(super) fn refuse(self, step: u64, reason: &str) {
        (self.0)(
            step,
            Outcome::Refused {
                reason: reason.to_owned(),
            },
        );
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer")
    }
}

/// What there is to say about a command that was carried out, or why it was not.
type Done = Result<Option<String>, String>;

impl Trainer<'_> {
    /// Carries out a command and answers it.
    pub(super) fn carry_out(&mut self, command: Command, answer: Answer) -> ControlFlow<End> {
        let mut end = None;
        let done = match command {
            Command::Pause => {
                self.pause();
                Ok(None)
            }
            Command::Resume => {
                self.go_on(None);
                Ok(None)
            }
            Command::Step { steps } => {
                self.go_on(Some(self.session.steps() + steps.max(1)));
                Ok(None)
            }
            Command::Sample { count, seed } => self.sample(count, seed),
            Command::Checkpoint => self.checkpoint(),
            Command::Set { key, value } => self.set(&key, &value),
            Command::Note { text } => {
                self.hub.emit(Event::Note {
                    step: self.session.steps(),
                    text,
                });
                Ok(None)
            }
            Command::Stop { save } => {
                end = Some(End {
                    save,
                    ..End::saved(Reason::Stopped)
                });
                Ok(None)
            }
            Command::Unknown => {
                Err("this worker is of an older build and does not know the command".to_owned())
            }
        };
        let outcome = match done {
            Ok(detail) => Outcome::Done { detail },
            Err(reason) => Outcome::Refused { reason },
        };
        (answer.0)(self.session.steps(), outcome);
        end.map_or(ControlFlow::Continue(()), ControlFlow::Break)
    }

    /// Draws pictures from fresh noise, shows them and saves them.
    fn sample(&mut self, count: u64, seed: Option<u64>) -> Done {
        if count == 0 || count > MOST_PICTURES {
            return Err(format!("{count} pictures: ask for 1 to {MOST_PICTURES}"));
        }
        let seed = seed.unwrap_or_else(|| self.session.fresh_seed());
        let step = self.session.steps();
        let count = count.cast_signed();
        let drawn = self.session.sample(seed, count);
        let labels = self.session.sample_labels(count);
        let drawn = pictures::pictures(Purpose::Fresh, seed, step, &drawn, labels);
        let path = self
            .run
            .samples_dir()
            .join(format!("fresh-{step:09}-{seed}.png"));
        // As square as can be; a count of at most 256 has a root of at most 16.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let columns = (count as f64).sqrt().ceil() as usize;
        save_grid(&path, &drawn, columns)
            .map_err(|error| format!("cannot save {}: {error}", path.display()))?;
        let detail = path.display().to_string();
        self.hub.emit(Event::Samples(Sampled {
            step,
            epoch: self.epoch(),
            path,
            purpose: Purpose::Fresh,
            count: drawn.count,
            columns: u32::try_from(columns).unwrap_or(u32::MAX),
        }));
        self.hub.show(drawn);
        Ok(Some(detail))
    }

    fn checkpoint(&mut self) -> Done {
        if self.save_checkpoint() {
            Ok(Some(
                self.run
                    .checkpoint_file(self.session.steps())
                    .display()
                    .to_string(),
            ))
        } else {
            Err("the checkpoint could not be saved; the log says why".to_owned())
        }
    }

    /// Changes a key while training, and in the run's own file, so that a resumed run keeps it.
    fn set(&mut self, key: &str, value: &serde_json::Value) -> Done {
        let changed = change_live(&self.config, key, value).map_err(|error| error.to_string())?;
        self.run
            .write_config(&changed)
            .map_err(|error| error.to_string())?;
        self.put_in_force(changed);
        self.hub.emit(Event::Set {
            step: self.session.steps(),
            key: key.to_owned(),
            value: value.clone(),
        });
        Ok(None)
    }

    /// Goes on with another configuration, of which the run's own file knows.
    pub(super) fn put_in_force(&mut self, config: Config) {
        self.session.set_learning_rates(
            config.generator.learning_rate,
            config.discriminator.learning_rate,
        );
        self.config = config;
        // A checkpoint of this step does not know of the change.
        self.saved = None;
        self.hub.configure(self.config.to_toml());
    }
}
