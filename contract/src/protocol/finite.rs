//! Numbers that may be NaN or infinite, in JSON, which has neither: such a number travels as `null` and comes back
//! as NaN, a gap in a chart.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[allow(clippy::trivially_copy_pass_by_ref)] // the signature that serde asks for
pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    value.is_finite().then_some(*value).serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// What a field is when a message lacks it.
pub(super) fn nan() -> f64 {
    f64::NAN
}
