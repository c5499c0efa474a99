//! The best checkpoint of a run that goes on.

use sparring_contract::protocol::{Best, FeatureKind};
use sparring_contract::run::{Run, RunError};

/// What is known of the best checkpoint so far, if there is one whose quick distance compares with those in `features`,
/// else a warning that it will give way.
pub(super) fn best_so_far(run: &Run, features: FeatureKind) -> (Option<Best>, Option<String>) {
    let header = match run.best_checkpoint() {
        Ok((_, header)) => header,
        Err(RunError::NoBest { .. }) => return (None, None),
        Err(error) => {
            let warning = format!("{error}; another best checkpoint will take its place");
            return (None, Some(warning));
        }
    };
    let Some(quick_distance) = header.quick_distance else {
        return (None, None);
    };
    if header.features == Some(features) {
        let best = Best {
            step: header.step,
            quick_distance,
        };
        return (Some(best), None);
    }
    let (then, now) = match features {
        FeatureKind::Judge => ("without a judge", "with one"),
        FeatureKind::Unlabelled => ("with a judge", "without one"),
    };
    let warning = format!(
        "the best checkpoint, of step {}, was chosen {then}: its quick distance does not compare with those measured \
         {now}, so another will take its place",
        header.step
    );
    (None, Some(warning))
}
