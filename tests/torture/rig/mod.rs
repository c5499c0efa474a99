//! What the cases of the torture share: a job that is disturbed, the shim that disturbs it, and what must be true of its
//! run afterwards.

mod held;
mod job;
mod library;
mod no_locks;
mod process;
mod promise;
mod shadow;
mod shim;
mod site;

pub use held::held;
pub use job::Rig;
#[allow(unused_imports)] // for tests/races.rs, not for the torture
pub use no_locks::without_locks;
pub use process::{Ran, end_of, run_to_the_end};
pub use promise::{Told, check_end, check_exit, check_goes_on, check_told};
pub use shadow::Survives;
pub use shim::{Call, Disturbance, Mode, Shim};
pub use site::{LAST_STEP, NAME, Site};
