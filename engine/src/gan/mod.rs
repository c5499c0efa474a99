//! Generative adversarial networks: two networks, the game between them, and the steps that train both.
//!
//! Start reading at [`Session::step`].

mod augment;
mod compatibility;
mod conditions;
mod generate;
mod image_to_image;
mod loss;
mod metrics;
mod models;
mod penalty;
mod sampler;
mod session;
mod task;
mod tiles;
mod trained;
mod translator;
mod unpaired;

pub use augment::diff_augmented;
pub use compatibility::{CompatibilityError, check_compatibility};
pub use generate::Generate;
pub use image_to_image::ImageToImage;
pub use loss::{AdversarialLoss, Logits};
pub use models::{PictureSpec, discriminator, generator};
pub use sampler::{Classes, Noise, Sampler};
pub use session::{Fault, Inspection, Session};
pub use task::{GeneratorLoss, GeneratorTurn, Preview, StepOutcome, Task};
pub use tiles::in_tiles;
pub use trained::{trained_discriminator, trained_generator};
pub use translator::Translator;
pub use unpaired::Unpaired;
