//! The training loop: it owns every tensor, makes steps, and between two steps does what was ordered and what is due.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use sparring_contract::config::Config;
use sparring_contract::exit;
use sparring_contract::protocol::{Ended, Event, Parameters, Phase, Reason, Started, Stats};
use sparring_contract::run::{CheckpointHeader, Run};
use tch::Device;

use super::clock::Clock;
use super::guard::Guard;
use super::health::Watch;
use super::hub::Hub;
use super::orders::Order;
use super::prepared::Prepared;
use super::{checkpoint, machine};
use crate::gan::Session;

/// A run in training.
pub(super) struct Trainer<'a> {
    pub(super) run: &'a Run,
    pub(super) hub: &'a Hub,
    pub(super) inbox: Receiver<Order>,
    /// The step that was reached, for who tells of an end that this one cannot tell of.
    reached: &'a AtomicU64,
    pub(super) config: Config,
    pub(super) session: Session,
    pub(super) clock: Clock,
    pub(super) watch: Watch,
    pub(super) guard: Guard,
    last_step: u64,
    /// The latest report, and the training time at which it was made.
    pub(super) reported: (Stats, Duration),
    /// Step of the newest checkpoint, unless something but the step has changed since.
    pub(super) saved: Option<u64>,
    paused: bool,
    /// The step after which to pause.
    pause_at: Option<u64>,
    /// When the fixed pictures were last shown.
    pub(super) shown: Instant,
}

/// Why training ends, and whether the state is to be saved first.
pub(super) struct End {
    pub(super) reason: Reason,
    pub(super) save: bool,
    /// What went wrong.
    pub(super) message: Option<String>,
}

impl End {
    pub(super) fn saved(reason: Reason) -> Self {
        Self {
            reason,
            save: true,
            message: None,
        }
    }
}

impl<'a> Trainer<'a> {
    /// Loads data and libtorch, builds the networks or reads them from a checkpoint.
    pub(super) fn prepare(
        run: &'a Run,
        from: Option<&Path>,
        hub: &'a Hub,
        inbox: Receiver<Order>,
        reached: &'a AtomicU64,
    ) -> anyhow::Result<Self> {
        let config = run.config()?;
        let Prepared {
            mut session,
            origin,
            is_mnist,
            warnings,
        } = Prepared::of(&config)?;

        let mut clock = Clock::after(0.0);
        let mut saved = None;
        let mut attempt = 0;
        if let Some(path) = from {
            let header = CheckpointHeader::read(path)?;
            let broken = || format!("cannot go on from {}", path.display());
            session
                .load_state_dict(&checkpoint::load(path, &header).with_context(broken)?)
                .with_context(broken)?;
            clock = Clock::after(header.training_seconds);
            saved = Some(header.step);
            attempt = header.attempt;
            session.set_attempt(attempt);
        }

        let steps = session.steps();
        let last_step = last_step(&config, session.loader().steps_per_epoch());
        let trainer = Self {
            run,
            hub,
            inbox,
            reached,
            reported: (
                Stats {
                    training_seconds: clock.total().as_secs_f64(),
                    ..none(&session)
                },
                Duration::ZERO,
            ),
            guard: Guard::of(&session, attempt)?,
            watch: Watch::of(run, is_mnist),
            config,
            session,
            clock,
            last_step,
            saved,
            paused: false,
            pause_at: None,
            shown: Instant::now(),
        };
        trainer.hub.configure(trainer.config.to_toml());
        let introduction = trainer.introduction(origin, from);
        trainer.hub.emit(Event::Started(Box::new(introduction)));
        for warning in warnings {
            trainer.warn(warning);
        }
        trainer.hub.emit(Event::Phase {
            phase: Phase::Training,
            step: steps,
        });
        Ok(trainer)
    }

    /// Trains until the run is done or an order ends it, and has the machine watched meanwhile.
    pub(super) fn train(self) -> Ended {
        let (hub, device) = (self.hub, self.session.device());
        thread::scope(|scope| {
            let (_stop, stopped) = channel();
            scope.spawn(move || machine::watch(hub, device, &stopped));
            self.train_on()
        })
    }

    fn train_on(mut self) -> Ended {
        self.show_fixed();
        let end = loop {
            if let ControlFlow::Break(end) = self.obey() {
                break end;
            }
            if self.is_done() {
                break End::saved(Reason::Finished);
            }
            self.clock.start();
            self.guard.inject(&self.session);
            self.session.step();
            match self.watch_over() {
                ControlFlow::Continue(true) => {}
                ControlFlow::Continue(false) => continue,
                ControlFlow::Break(end) => break end,
            }
            self.reached.store(self.session.steps(), Ordering::Relaxed);
            if self.is_report_due() {
                self.report();
                self.show_to_watchers();
            }
            if self.is_look_due() {
                self.look();
            }
            self.keep();
            if self.pause_at == Some(self.session.steps()) {
                self.pause();
            }
        };
        self.clock.stop();
        // A signal wants an end now.
        let in_time = matches!(end.reason, Reason::Finished | Reason::Stopped);
        if in_time && end.save && self.deserves_a_last_look() {
            self.look();
        }
        self.end(&end)
    }

    /// Does what was ordered; while the run is paused, waits for orders.
    fn obey(&mut self) -> ControlFlow<End> {
        loop {
            let order = if self.paused {
                self.inbox.recv().map_err(|_| TryRecvError::Disconnected)
            } else {
                self.inbox.try_recv()
            };
            match order {
                Ok(Order::End(reason)) => {
                    // A run whose directory was removed has nowhere to be saved.
                    let save = reason != Reason::Failed;
                    return ControlFlow::Break(End {
                        save,
                        ..End::saved(reason)
                    });
                }
                Ok(Order::Command(command, answer)) => self.carry_out(command, answer)?,
                // Nobody is left who could end the pause.
                Err(TryRecvError::Disconnected) if self.paused => self.paused = false,
                Err(_) => return ControlFlow::Continue(()),
            }
        }
    }

    fn is_done(&self) -> bool {
        let minutes = self.config.minutes;
        self.session.steps() >= self.last_step
            || (minutes > 0.0
                && (self.clock.own() + self.watch.spent).as_secs_f64() >= minutes * 60.0)
    }

    pub(super) fn is_report_due(&self) -> bool {
        self.clock
            .own()
            .saturating_sub(self.reported.1)
            .as_secs_f64()
            >= self.config.output.report_every_seconds
    }

    /// Reads the figures of the steps since the last report and tells them.
    fn report(&mut self) {
        let (last, at) = (&self.reported.0, self.reported.1);
        let steps = self.session.steps();
        if steps == last.step {
            return;
        }
        let metrics = self.session.metrics();
        // After the metrics, since reading them waits for the device to be done with its steps.
        let now = self.clock.own();
        let images_seen = self.session.loader().images_before(steps);
        let stats = Stats {
            step: steps,
            epoch: self.epoch(),
            images_seen,
            images_per_second: (images_seen - last.images_seen) as f64
                / now.saturating_sub(at).as_secs_f64(),
            training_seconds: self.clock.total().as_secs_f64(),
            metrics,
        };
        self.reported = (stats.clone(), now);
        self.hub.emit(Event::Stats(stats));
    }

    /// Waits from here on.
    pub(super) fn pause(&mut self) {
        self.clock.stop();
        self.report();
        self.paused = true;
        self.pause_at = None;
        self.show_fixed();
        self.hub.emit(Event::Phase {
            phase: Phase::Paused,
            step: self.session.steps(),
        });
    }

    /// Goes on, for good or up to a step.
    pub(super) fn go_on(&mut self, pause_at: Option<u64>) {
        self.pause_at = pause_at;
        if std::mem::replace(&mut self.paused, false) {
            self.hub.emit(Event::Phase {
                phase: Phase::Training,
                step: self.session.steps(),
            });
        }
    }

    fn end(mut self, end: &End) -> Ended {
        self.report();
        let wanted = end.save && self.session.steps() > 0;
        if wanted {
            self.hub.emit(Event::Phase {
                phase: Phase::Saving,
                step: self.session.steps(),
            });
        }
        let saved = !wanted || self.save_checkpoint();
        let reason = end.reason;
        let exit_code = match reason {
            _ if !saved => exit::FAILURE,
            Reason::Failed => exit::FAILURE,
            Reason::Diverged => exit::DIVERGED,
            Reason::Interrupted => exit::INTERRUPTED,
            Reason::Terminated => exit::TERMINATED,
            _ => exit::SUCCESS,
        };
        let message = match reason {
            Reason::Failed => Some(format!("{} was removed", self.run.dir().display())),
            _ if !saved => Some("the last steps could not be saved".to_owned()),
            _ => end.message.clone(),
        };
        let checkpoint = self.run.newest_checkpoint().ok().map(|newest| newest.path);
        Ended {
            reason,
            exit_code,
            message,
            checkpoint,
            stats: self.reported.0.clone(),
        }
    }

    pub(super) fn warn(&self, message: String) {
        self.hub.emit(Event::Warning {
            step: self.session.steps(),
            message,
        });
    }

    /// The epoch that the latest step was part of, from 1.
    pub(super) fn epoch(&self) -> u64 {
        epoch_of(&self.session)
    }

    fn introduction(&self, origin: String, from: Option<&Path>) -> Started {
        let (generator, discriminator) = self.session.num_parameters();
        Started {
            run: self.run.name().to_owned(),
            directory: self.run.dir().to_owned(),
            preset: self.config.preset.clone(),
            data: origin,
            images: self.session.loader().data().len(),
            device: device_name(self.session.device()),
            threads: self.config.threads,
            parameters: Parameters {
                generator,
                discriminator,
            },
            batch_size: self.config.batch_size,
            steps_per_epoch: self.session.loader().steps_per_epoch(),
            epochs: self.config.epochs,
            last_step: self.last_step,
            step: self.session.steps(),
            from: from.map(Path::to_owned),
            metrics: self.session.metric_specs(),
            class_names: self.session.loader().data().class_names().to_vec(),
            shape: self
                .session
                .loader()
                .data()
                .shape()
                .map(|size| u32::try_from(size).unwrap_or_default()),
        }
    }
}

/// The step at which epochs or steps end the training.
fn last_step(config: &Config, steps_per_epoch: u64) -> u64 {
    let by_epochs = config.epochs.saturating_mul(steps_per_epoch);
    if config.steps > 0 {
        by_epochs.min(config.steps)
    } else {
        by_epochs
    }
}

fn epoch_of(session: &Session) -> u64 {
    session
        .steps()
        .div_ceil(session.loader().steps_per_epoch())
        .max(1)
}

pub(super) fn none(session: &Session) -> Stats {
    let images_seen = session.loader().images_before(session.steps());
    Stats::none_at(session.steps(), epoch_of(session), images_seen)
}

fn device_name(device: Device) -> String {
    match device {
        Device::Cuda(index) => format!("cuda:{index}"),
        _ => "cpu".to_owned(),
    }
}
