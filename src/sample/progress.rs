use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Up to so many pictures come in one batch, and a bar would only flash.
const WORTH_A_BAR: u64 = 256;

/// A line on stderr, where that is a terminal, that is gone when there is something better to see.
pub struct Progress(ProgressBar);

impl Progress {
    /// The line while libtorch is being loaded, which takes seconds.
    pub fn of_loading() -> Self {
        let bar = ProgressBar::new_spinner().with_message("loading libtorch");
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style.tick_chars("|/-\\ "));
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    /// So many pictures more are done.
    pub fn add(&mut self, pictures: u64, of: u64) {
        if of <= WORTH_A_BAR {
            return self.end();
        }
        if self.0.length().is_none() {
            self.0.set_length(of);
            self.0.disable_steady_tick();
            if let Ok(style) =
                ProgressStyle::with_template("[{bar:40}] {pos}/{len} pictures, {eta} left")
            {
                self.0.set_style(style.progress_chars("=> "));
            }
            self.0.reset_eta();
        }
        self.0.inc(pictures);
    }

    /// Takes the line away.
    pub fn end(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}
