//! How pictures are shown.

use std::io;

use sparring_contract::output::tell;

use crate::terminal::{Capabilities, ColorChoice, Environment, RenderChoice, Scale};

/// How pictures are shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Pictures in a row; as many as fit, or a square in a PNG, if not given.
    pub columns: Option<u16>,
    /// The flag `--color`.
    pub color: ColorChoice,
    /// The flag `--render`.
    pub render: RenderChoice,
    /// How large pictures are shown; the largest scale that fits if not given.
    pub scale: Option<Scale>,
    /// Whether to leave out the names of classes under pictures.
    pub no_labels: bool,
}

impl Look {
    /// What stdout can show, as far as the flags leave it to the terminal. A terminal is asked; says on stderr if it cannot
    /// do what a flag wants.
    pub(super) fn capabilities(self, stdout: &io::Stdout) -> Capabilities {
        let environment = Environment::of(stdout).asked();
        if let Some(refusal) = Capabilities::refusal(&environment, self.color, self.render) {
            tell(&format!("warning: {refusal}"));
        }
        Capabilities::new(&environment, self.color, self.render)
    }
}
