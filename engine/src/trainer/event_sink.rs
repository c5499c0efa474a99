//! Where the trainer sends what happens.

use std::io;

use sparring_contract::protocol::{Event, Pictures};

/// Receives what happens in a run. The trainer never waits for whoever reads it.
pub(crate) trait EventSink {
    /// Reports something that happened now.
    fn emit(&self, event: Event);

    /// Reports something that happened now and that must be kept. After an error it is not, and nobody was told of it.
    fn record(&self, event: Event) -> io::Result<()>;

    /// Shows the latest pictures of their purpose.
    fn show(&self, pictures: Pictures);

    /// Announces the configuration in force, as TOML.
    fn configure(&self, config: String);

    /// Whether any face is watching. If none is, nothing needs to be drawn for one.
    fn is_watched(&self) -> bool;
}
