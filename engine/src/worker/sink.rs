//! The hub as the place where the trainer sends what happens.

use std::io;

use sparring_contract::protocol::{Event, Pictures};

use super::hub::Hub;
use crate::trainer::EventSink;

impl EventSink for Hub {
    fn emit(&self, event: Event) {
        self.emit(event);
    }

    fn record(&self, event: Event) -> io::Result<()> {
        self.record(event)
    }

    fn show(&self, pictures: Pictures) {
        self.show(pictures);
    }

    fn configure(&self, config: String) {
        self.configure(config);
    }

    fn is_watched(&self) -> bool {
        self.is_watched()
    }
}
