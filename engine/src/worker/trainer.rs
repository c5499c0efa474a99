//! The training loop: it owns every tensor, makes steps, and between two steps does what was ordered and what is due.

use std::fs::File;
use std::io::BufWriter;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use anyhow::Context as _;
use sparring_contract::config::Config;
use sparring_contract::exit;
use sparring_contract::picture::write_png_grid;
use sparring_contract::protocol::{
    Checkpointed, Ended, Event, Parameters, Phase, Pictures, Purpose, Reason, Sampled, Started,
    Stats,
};
use sparring_contract::run::{CheckpointHeader, Run, write_whole};
use tch::Device;

use super::clock::Clock;
use super::hub::Hub;
use super::{checkpoint, pictures};
use crate::data::{Dataset, Images};
use crate::gan::Session;
use crate::native;

/// Pictures in a grid from fixed noise, and its columns: the tutorial's 4×4.
const GRID: (i64, usize) = (16, 4);

/// What the trainer is told to do, between two steps.
#[derive(Debug)]
pub(super) enum Order {
    /// Save and end.
    End(Reason),
}

/// A run in training.
pub(super) struct Trainer<'a> {
    run: &'a Run,
    hub: &'a Hub,
    inbox: Receiver<Order>,
    config: Config,
    session: Session,
    clock: Clock,
    last_step: u64,
    /// The latest report, and the training time at which it was made.
    reported: (Stats, Duration),
    /// Step of the newest checkpoint.
    saved: Option<u64>,
}

impl<'a> Trainer<'a> {
    /// Loads data and libtorch, builds the networks or reads them from a checkpoint.
    pub(super) fn prepare(
        run: &'a Run,
        from: Option<&Path>,
        hub: &'a Hub,
        inbox: Receiver<Order>,
    ) -> anyhow::Result<Self> {
        let config = run.config()?;
        let device = native::device(&config.device)?;
        tch::set_num_threads(i32::try_from(config.threads).unwrap_or(1).max(1));
        let images = Images::load(&config.data)?;
        let mut session = Session::new(&config, Dataset::on(device, &images));

        let mut clock = Clock::after(0.0);
        let mut saved = None;
        if let Some(path) = from {
            let header = CheckpointHeader::read(path)?;
            let broken = || format!("cannot go on from {}", path.display());
            session
                .restore(&checkpoint::load(path, &header).with_context(broken)?)
                .with_context(broken)?;
            clock = Clock::after(header.training_seconds);
            saved = Some(header.step);
        }

        let steps = session.steps();
        let last_step = last_step(&config, session.batches().steps_per_epoch());
        let trainer = Self {
            run,
            hub,
            inbox,
            reported: (
                Stats {
                    training_seconds: clock.total().as_secs_f64(),
                    ..none(&session)
                },
                Duration::ZERO,
            ),
            config,
            session,
            clock,
            last_step,
            saved,
        };
        trainer.hub.emit(Event::Started(Box::new(
            trainer.introduction(&images, device),
        )));
        trainer.hub.emit(Event::Phase {
            phase: Phase::Training,
            step: steps,
        });
        Ok(trainer)
    }

    /// Trains until the run is done or an order ends it.
    pub(super) fn train(mut self) -> Ended {
        let reason = loop {
            if let ControlFlow::Break(reason) = self.obey() {
                break reason;
            }
            if self.is_done() {
                break Reason::Finished;
            }
            self.clock.start();
            self.session.step();
            if self.is_report_due() {
                self.report();
            }
            self.keep();
        };
        self.clock.stop();
        self.end(reason)
    }

    /// Does what was ordered.
    fn obey(&mut self) -> ControlFlow<Reason> {
        match self.inbox.try_recv() {
            Ok(Order::End(reason)) => ControlFlow::Break(reason),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => ControlFlow::Continue(()),
        }
    }

    fn is_done(&self) -> bool {
        let minutes = self.config.minutes;
        self.session.steps() >= self.last_step
            || (minutes > 0.0 && self.clock.own().as_secs_f64() >= minutes * 60.0)
    }

    fn is_report_due(&self) -> bool {
        self.clock
            .own()
            .saturating_sub(self.reported.1)
            .as_secs_f64()
            >= self.config.output.report_every_seconds
    }

    /// Reads the figures of the steps since the last report and tells them.
    fn report(&mut self) {
        let (last, at) = self.reported;
        let steps = self.session.steps();
        if steps == last.step {
            return;
        }
        let figures = self.session.figures();
        // After the figures, since reading them waits for the device to be done with its steps.
        let now = self.clock.own();
        let images_seen = self.session.batches().images_before(steps);
        let stats = Stats {
            step: steps,
            epoch: self.epoch(),
            images_seen,
            d_loss: figures.d_loss,
            g_loss: figures.g_loss,
            d_real: figures.d_real,
            d_fake: figures.d_fake,
            d_grad_norm: figures.d_grad_norm,
            g_grad_norm: figures.g_grad_norm,
            images_per_second: (images_seen - last.images_seen) as f64
                / now.saturating_sub(at).as_secs_f64(),
            training_seconds: self.clock.total().as_secs_f64(),
        };
        self.reported = (stats, now);
        self.hub.emit(Event::Stats(stats));
    }

    /// Saves pictures and checkpoints that are due after this step.
    fn keep(&mut self) {
        let steps = self.session.steps();
        let output = &self.config.output;
        let every = |cadence: u64, count: u64| cadence > 0 && count.is_multiple_of(cadence);
        let epoch = steps
            .is_multiple_of(self.session.batches().steps_per_epoch())
            .then(|| self.epoch());

        let first = output.sample_every_epochs > 0 && epoch == Some(1);
        let sample_epoch = epoch.filter(|epoch| first || every(output.sample_every_epochs, *epoch));
        let sample_step = every(output.sample_every_steps, steps);
        let save = epoch.is_some_and(|epoch| every(output.checkpoint_every_epochs, epoch))
            || every(output.checkpoint_every_steps, steps);

        if sample_epoch.is_none() && !sample_step && !save {
            return;
        }
        self.clock.stop();
        if let Some(epoch) = sample_epoch {
            self.save_pictures(&format!("epoch-{epoch:04}.png"));
        }
        if sample_step {
            self.save_pictures(&format!("step-{steps:09}.png"));
        }
        if save {
            self.save_checkpoint();
        }
    }

    /// Saves a grid of pictures from the fixed noise.
    fn save_pictures(&mut self, name: &str) {
        let steps = self.session.steps();
        let grid = pictures::pictures(
            Purpose::Fixed,
            self.config.seed,
            steps,
            &self.session.sample_fixed(GRID.0),
        );
        let path = self.run.samples_dir().join(name);
        match save_grid(&path, &grid) {
            Ok(()) => self.hub.emit(Event::Samples(Sampled {
                step: steps,
                epoch: self.epoch(),
                path,
            })),
            Err(error) => self.warn(format!(
                "cannot save {}: {error}; training goes on",
                path.display()
            )),
        }
    }

    /// Saves a checkpoint of this step, unless there is one. Returns whether there is one now.
    fn save_checkpoint(&mut self) -> bool {
        let step = self.session.steps();
        if self.saved == Some(step) {
            return true;
        }
        let path = self.run.checkpoint_file(step);
        let header = CheckpointHeader {
            step,
            shape: self.session.batches().data().shape(),
            training_seconds: self.clock.total().as_secs_f64(),
            config: self.config.clone(),
        };
        match checkpoint::save(&path, &header, &self.session.snapshot()) {
            Ok(bytes) => {
                self.saved = Some(step);
                self.hub.emit(Event::Checkpoint(Checkpointed {
                    step,
                    epoch: self.epoch(),
                    path,
                    bytes,
                }));
            }
            Err(error) => {
                self.warn(format!(
                    "cannot save {}: {error}; make room, training goes on",
                    path.display()
                ));
                return false;
            }
        }
        let keep = usize::try_from(self.config.output.keep_checkpoints).unwrap_or(usize::MAX);
        if let Err(error) = self.run.prune_checkpoints(keep) {
            self.warn(error.to_string());
        }
        true
    }

    fn end(mut self, reason: Reason) -> Ended {
        self.report();
        let untouched = self.session.steps() == 0;
        let saved = untouched || self.save_checkpoint();
        let exit_code = match reason {
            _ if !saved => exit::FAILURE,
            Reason::Interrupted => exit::INTERRUPTED,
            Reason::Terminated => exit::TERMINATED,
            _ => exit::SUCCESS,
        };
        let message = (!saved).then(|| "the last steps could not be saved".to_owned());
        let checkpoint = self.run.newest_checkpoint().ok().map(|newest| newest.path);
        Ended {
            reason,
            exit_code,
            message,
            checkpoint,
            stats: self.reported.0,
        }
    }

    fn warn(&self, message: String) {
        self.hub.emit(Event::Warning {
            step: self.session.steps(),
            message,
        });
    }

    /// The epoch that the latest step was part of, from 1.
    fn epoch(&self) -> u64 {
        epoch_of(&self.session)
    }

    fn introduction(&self, images: &Images, device: Device) -> Started {
        let (generator, discriminator) = self.session.sizes();
        Started {
            run: self.run.name().to_owned(),
            directory: self.run.dir().to_owned(),
            preset: self.config.preset.clone(),
            data: images.origin.clone(),
            images: images.count as u64,
            device: device_name(device),
            threads: self.config.threads,
            parameters: Parameters {
                generator,
                discriminator,
            },
            batch_size: self.config.batch_size,
            steps_per_epoch: self.session.batches().steps_per_epoch(),
            epochs: self.config.epochs,
            last_step: self.last_step,
            step: self.session.steps(),
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
        .div_ceil(session.batches().steps_per_epoch())
        .max(1)
}

fn none(session: &Session) -> Stats {
    let images_seen = session.batches().images_before(session.steps());
    Stats::none_at(session.steps(), epoch_of(session), images_seen)
}

fn save_grid(path: &Path, grid: &Pictures) -> std::io::Result<()> {
    write_whole(path, |file: &mut File| {
        write_png_grid(&mut BufWriter::new(file), grid, GRID.1)
    })
    .map(drop)
}

fn device_name(device: Device) -> String {
    match device {
        Device::Cuda(index) => format!("cuda:{index}"),
        _ => "cpu".to_owned(),
    }
}
