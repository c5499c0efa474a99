//! What the trainer lends to whoever explores the latent space, and what it is given to keep.

use std::sync::mpsc::SyncSender;

use sparring_contract::config::Config;
use sparring_contract::protocol::{Exploration, Pictures};
use tch::Device;

use crate::gan::{PictureSpec, Session, generator};
use crate::latent::LatentSpace;

/// Asks the trainer for a copy of the generator.
#[derive(Debug)]
pub(crate) struct CopyRequest {
    /// An older copy whose weights may be overwritten.
    pub(crate) spare: Option<GeneratorCopy>,
    /// Takes the copy, or why there is none.
    pub(crate) reply: SyncSender<Result<GeneratorCopy, String>>,
}

/// A generator, on the CPU, as it was after a step.
#[derive(Debug)]
pub(crate) struct GeneratorCopy {
    pub(crate) space: LatentSpace,
    pub(crate) step: u64,
    /// Numbers of a picture.
    pub(crate) numbers: i64,
}

/// A point that is to be kept.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) step: u64,
    pub(crate) place: Exploration,
    /// Its noise.
    pub(crate) z: Vec<f32>,
    pub(crate) picture: Pictures,
}

impl CopyRequest {
    /// Answers with a copy of the session's generator.
    pub(crate) fn answer(self, session: &Session, config: &Config) {
        let copy = copy_of(session, config, self.spare);
        // Nobody waits for it any more when the explorer has ended.
        let _ = self.reply.send(copy);
    }
}

fn copy_of(
    session: &Session,
    config: &Config,
    spare: Option<GeneratorCopy>,
) -> Result<GeneratorCopy, String> {
    let data = session.loader().data();
    let spec = PictureSpec::new(config, data.shape(), data.class_names());
    if spec.degradation.is_some() {
        return Err(
            "this run makes pictures from pictures: it has no latent space to explore".to_owned(),
        );
    }
    let lent = spare.map_or_else(
        || {
            let latent_dim = config.latent_dim.cast_signed();
            LatentSpace::new(
                generator(config, spec, Device::Cpu),
                latent_dim,
                spec.num_classes,
            )
        },
        |spare| spare.space,
    );
    session.copy_generator(lent.generator());
    Ok(GeneratorCopy {
        space: lent,
        step: session.steps(),
        numbers: data.shape().iter().product(),
    })
}
