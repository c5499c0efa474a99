//! `sparring sample`
use crate::cli::Sample;
use sparring_contract::run::Home;
pub(super) fn sample(_home: &Home, _flags: &Sample) -> anyhow::Result<u8> {
    Ok(0)
}
