//! What a dashboard is drawn on.

use crate::dashboard::view::Ink;
use crate::terminal::query::{Answers, volley};
use crate::terminal::{Capabilities, ColorChoice, Environment, RenderChoice, Shade, Theme};

/// What a dashboard is drawn on: a terminal, as far as flags, the environment and its own answers tell.
#[derive(Clone, Debug)]
pub(crate) struct Display {
    /// The terminal.
    pub(crate) environment: Environment,
    /// The flag `--color`.
    pub(crate) color: ColorChoice,
    /// The flag `--render`.
    pub(crate) render: RenderChoice,
    /// Whether the background is light, if the user says so.
    pub(crate) shade: Option<Shade>,
}

impl Display {
    /// The questions to put to the terminal, if it can be asked.
    pub(super) fn questions(&self) -> Option<String> {
        let environment = &self.environment;
        environment
            .can_be_asked()
            .then(|| volley(!environment.is_multiplexed()))
    }

    /// Takes the terminal's answers in. Returns whether they change anything.
    pub(super) fn learn(&mut self, answers: Answers) -> bool {
        let changes = self.environment.answers != answers;
        self.environment.answers = answers;
        changes
    }

    pub(super) fn capabilities(&self) -> Capabilities {
        Capabilities::new(&self.environment, self.color, self.render)
    }

    /// Why pictures are not drawn as the user wants, if they are not.
    pub(super) fn refusal(&self) -> Option<String> {
        Capabilities::refusal(&self.environment, self.color, self.render)
    }

    pub(super) fn ink(&self) -> Ink {
        let capabilities = self.capabilities();
        let shade = self.shade.unwrap_or_else(|| self.environment.shade());
        Ink::new(Theme::new(shade, capabilities.colors), &capabilities)
    }
}
