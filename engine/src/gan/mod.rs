//! Generative adversarial networks: two networks, the game between them, and the steps that train both.
//!
//! Start reading at [`Session::step`].

mod augment;
mod compatibility;
mod generate;
mod loss;
mod metrics;
mod models;
mod penalty;
mod sampler;
mod session;
mod task;

pub use augment::diff_augmented;
pub use compatibility::{CompatibilityError, check_compatibility};
pub use generate::Generate;
pub use loss::{AdversarialLoss, Logits};
pub use models::{PictureSpec, discriminator, generator};
pub use sampler::{Classes, Noise, Sampler};
pub use session::{Fault, Inspection, Session};
pub use task::{GeneratorInput, StepOutcome, Task};
