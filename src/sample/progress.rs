use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// This many pictures may come in one batch; a bar for fewer would only flash.
const WORTH_A_BAR: u64 = 256;

/// A line on stderr, if that is a terminal. It goes away when there is something better to see.
pub struct Progress {
    line: ProgressBar,
    done: u64,
    total: u64,
}

impl Progress {
    /// The line for `total` pictures, of which `done` are there. It begins with libtorch, which takes seconds to load.
    pub fn of_loading(done: u64, total: u64) -> Self {
        let line = ProgressBar::new_spinner().with_message("loading libtorch");
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            line.set_style(style.tick_chars("|/-\\ "));
        }
        line.enable_steady_tick(Duration::from_millis(120));
        Self { line, done, total }
    }

    /// Counts pictures as done.
    pub fn add(&mut self, pictures: u64) {
        if self.total <= WORTH_A_BAR {
            return self.end();
        }
        if self.line.length().is_none() {
            self.line.set_length(self.total);
            self.line.set_position(self.done);
            self.line.disable_steady_tick();
            if let Ok(style) =
                ProgressStyle::with_template("[{bar:40}] {pos}/{len} pictures, {eta} left")
            {
                self.line.set_style(style.progress_chars("=> "));
            }
            self.line.reset_eta();
        }
        self.line.inc(pictures);
    }

    /// Says what is being done, before there are pictures to count.
    pub fn say(&self, doing: String) {
        self.line.set_message(doing);
    }

    /// Takes the line away.
    pub fn end(&mut self) {
        self.line.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}
