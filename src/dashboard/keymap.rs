//! The one table of keys. Key handling, help and the user's keymap all come from it.

use std::collections::BTreeMap;

use super::key::KeyPress;

/// What a key can do outside a dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Pause, or go on.
    Pause,
    /// Make one step, then pause.
    Step,
    /// Draw pictures from fresh noise, or from other pictures.
    Sample,
    /// Show the pictures that stay the same.
    Fixed,
    /// Save a checkpoint.
    Checkpoint,
    /// Open the learning rates.
    Rates,
    /// Open the explorer of the latent space.
    Explore,
    /// Open the line for a note.
    Note,
    /// Look for words in the log.
    Search,
    /// Go to the next older warning in the log.
    Warning,
    /// Let the mouse choose panels and scroll, or let the terminal select text with it.
    Mouse,
    /// The series above, or up the log.
    Up,
    /// The series below, or down the log.
    Down,
    /// The next panel.
    Next,
    /// Focus the previous panel.
    Previous,
    /// Enlarge the focused panel, or restore it.
    Enlarge,
    /// Show a shorter time span.
    ZoomIn,
    /// Show a longer time span.
    ZoomOut,
    /// Change between a linear and a logarithmic axis.
    LogAxis,
    /// Change how much curves are smoothed.
    Smoothing,
    /// Leave; training goes on.
    Detach,
    /// Ask how to stop the run.
    Stop,
    /// Show the keys.
    Help,
    /// Go back; never leaves.
    Back,
    /// Redraw everything.
    Redraw,
    /// Hand the terminal back to the shell for a while.
    Suspend,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// What it does.
    pub action: Action,
    /// How a configuration names it.
    pub name: &'static str,
    /// Its keys, as a configuration writes them, the one to show first.
    keys: &'static [&'static str],
    /// A word for the line of keys; empty if it is not shown there.
    pub short: &'static str,
    /// What the help says.
    pub help: &'static str,
}

const fn row(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    short: &'static str,
    help: &'static str,
) -> Binding {
    Binding {
        action,
        name,
        keys,
        short,
        help,
    }
}

/// Every action, in the order of the help.
#[rustfmt::skip]
pub const TABLE: &[Binding] = &[
    row(Action::Pause,      "pause",      &["space", "p"],          "pause",      "pause or continue"),
    row(Action::Step,       "step",       &["."],                   "",           "one step, then pause"),
    row(Action::Sample,     "sample",     &["s"],                   "sample",     "fresh pictures, saved"),
    row(Action::Fixed,      "fixed",      &["f"],                   "fixed",      "back to fixed pictures"),
    row(Action::Checkpoint, "checkpoint", &["c"],                   "checkpoint", "save a checkpoint"),
    row(Action::Rates,      "rates",      &["l"],                   "rates",      "change learning rates"),
    row(Action::Explore,    "explore",    &["e"],                   "explore",    "explore the latent space"),
    row(Action::Note,       "note",       &["n"],                   "",           "add a note to the log"),
    row(Action::Search,     "search",     &["/"],                   "",           "search the log"),
    row(Action::Warning,    "warning",    &["w"],                   "",           "next older warning"),
    row(Action::Up,         "up",         &["up", "k"],             "series",     "previous series, log up"),
    row(Action::Down,       "down",       &["down", "j"],           "",           "next series, log down"),
    row(Action::Next,       "next",       &["tab"],                 "",           "next panel"),
    row(Action::Previous,   "previous",   &["shift-tab"],           "",           "previous panel"),
    row(Action::Enlarge,    "enlarge",    &["z", "enter"],          "enlarge",    "enlarge or restore"),
    row(Action::ZoomIn,     "zoom_in",    &["+", "="],              "",           "zoom in: a shorter time"),
    row(Action::ZoomOut,    "zoom_out",   &["-"],                   "",           "zoom out: a longer time"),
    row(Action::LogAxis,    "log_axis",   &["y"],                   "",           "logarithmic axis"),
    row(Action::Smoothing,  "smoothing",  &["m"],                   "",           "change the smoothing"),
    row(Action::Mouse,      "mouse",      &["M"],                   "",           "mouse on or off"),
    row(Action::Detach,     "detach",     &["d", "q", "ctrl-c"],    "detach",     "leave; training goes on"),
    row(Action::Stop,       "stop",       &["x"],                   "stop…",      "stop the run: asks how"),
    row(Action::Help,       "help",       &["?", "h", "f1"],        "help",       "this help"),
    row(Action::Back,       "back",       &["esc"],                 "",           "go back; never leaves"),
    row(Action::Redraw,     "redraw",     &["ctrl-l"],              "",           "redraw the screen"),
    row(Action::Suspend,    "suspend",    &["ctrl-z"],              "",           "to the shell; fg returns"),
];

impl Action {
    /// The row of this action. The table holds every action, which a test watches.
    pub fn binding(self) -> &'static Binding {
        TABLE
            .iter()
            .find(|row| row.action == self)
            .unwrap_or(&TABLE[0])
    }

    /// Whether it asks something of the worker, which a face that only watches may not.
    pub fn commands(self) -> bool {
        matches!(
            self,
            Self::Pause
                | Self::Step
                | Self::Sample
                | Self::Checkpoint
                | Self::Rates
                | Self::Explore
                | Self::Note
                | Self::Stop
        )
    }
}

/// Keys that mean the same in every configuration and every dialogue: the ways out.
fn reserved(key: KeyPress) -> Option<Action> {
    [
        (KeyPress::control('c'), Action::Detach),
        (
            KeyPress::plain(crossterm::event::KeyCode::Esc),
            Action::Back,
        ),
    ]
    .into_iter()
    .find_map(|(always, action)| (always == key).then_some(action))
}

/// Which key does what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    keys: Vec<(KeyPress, Action)>,
}

/// What is wrong with a `[keymap]` of the user's file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeymapError {
    /// No such action.
    #[error("keymap.{name}: no such action; the actions are {known}")]
    UnknownAction {
        /// As the file has it.
        name: String,
        /// The names there are.
        known: String,
    },
    /// No such key.
    #[error("keymap.{name} = \"{key}\": {why}")]
    BadKey {
        /// The action.
        name: String,
        /// The key, as the file has it.
        key: String,
        /// What is wrong with it.
        why: String,
    },
    /// A key for two actions.
    #[error("keymap.{name} = \"{key}\": the key is already that of {other}")]
    Taken {
        /// The action.
        name: String,
        /// The key.
        key: String,
        /// The action that has it.
        other: &'static str,
    },
}

impl Default for Keymap {
    fn default() -> Self {
        let keys = TABLE
            .iter()
            .flat_map(|row| {
                row.keys
                    .iter()
                    .filter_map(|key| Some((key.parse().ok()?, row.action)))
            })
            .collect();
        Self { keys }
    }
}

impl Keymap {
    /// The table with the user's changes: for each action named, its keys. A key that the table gave to another
    /// action changes over; Esc and Ctrl-C keep their meaning, so that no configuration locks a user in.
    pub fn with(changes: &BTreeMap<String, Vec<String>>) -> Result<Self, KeymapError> {
        let mut chosen: Vec<(KeyPress, Action)> = Vec::new();
        let mut renamed = Vec::new();
        for (name, keys) in changes {
            let row = TABLE.iter().find(|row| row.name == name).ok_or_else(|| {
                KeymapError::UnknownAction {
                    name: name.clone(),
                    known: TABLE
                        .iter()
                        .map(|row| row.name)
                        .collect::<Vec<_>>()
                        .join(", "),
                }
            })?;
            renamed.push(row.action);
            for key in keys {
                let press: KeyPress = key.parse().map_err(|why| KeymapError::BadKey {
                    name: name.clone(),
                    key: key.clone(),
                    why,
                })?;
                let holder = chosen
                    .iter()
                    .find_map(|(taken, action)| (*taken == press).then_some(*action))
                    .or(reserved(press))
                    .filter(|holder| *holder != row.action);
                if let Some(holder) = holder {
                    return Err(KeymapError::Taken {
                        name: name.clone(),
                        key: key.clone(),
                        other: holder.binding().name,
                    });
                }
                chosen.push((press, row.action));
            }
        }
        let kept = Self::default().keys.into_iter().filter(|(key, action)| {
            reserved(*key).is_some()
                || (!renamed.contains(action) && chosen.iter().all(|(taken, _)| taken != key))
        });
        // The user's keys come first: the first key of an action is the one that is shown.
        let mut keys = chosen.clone();
        keys.extend(kept.filter(|(key, _)| chosen.iter().all(|(taken, _)| taken != key)));
        Ok(Self { keys })
    }

    /// What a key does.
    pub fn action(&self, key: KeyPress) -> Option<Action> {
        self.keys
            .iter()
            .find_map(|(known, action)| (*known == key).then_some(*action))
    }

    /// The keys of an action, the one to show first.
    pub fn keys(&self, action: Action) -> impl Iterator<Item = KeyPress> {
        self.keys
            .iter()
            .filter(move |(_, known)| *known == action)
            .map(|(key, _)| *key)
    }

    /// The key of an action that is shown, as a person reads it; empty if it has none.
    pub fn label(&self, action: Action, ascii: bool) -> String {
        self.keys(action)
            .next()
            .map_or_else(String::new, |key| key.label(ascii))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_help_says_fits_into_its_column() {
        // Half of the help's 76 columns, without the keys and a blank.
        for row in TABLE {
            assert!(row.help.len() <= 26, "{}", row.help);
        }
    }

    fn changed(changes: &[(&str, &[&str])]) -> Result<Keymap, KeymapError> {
        let changes = changes
            .iter()
            .map(|(name, keys)| {
                (
                    (*name).to_owned(),
                    keys.iter().map(|key| (*key).to_owned()).collect(),
                )
            })
            .collect();
        Keymap::with(&changes)
    }

    fn press(text: &str) -> KeyPress {
        text.parse().unwrap()
    }

    #[test]
    fn every_key_of_the_table_is_a_key_and_does_one_thing() {
        let keymap = Keymap::default();
        for row in TABLE {
            for key in row.keys {
                assert_eq!(keymap.action(press(key)), Some(row.action), "{key}");
            }
            assert_eq!(row.action.binding().name, row.name);
        }
    }

    #[test]
    fn a_key_that_the_user_gives_to_an_action_leaves_its_old_one() {
        let keymap = changed(&[("checkpoint", &["s", "f2"])]).unwrap();
        assert_eq!(keymap.action(press("s")), Some(Action::Checkpoint));
        assert_eq!(keymap.action(press("f2")), Some(Action::Checkpoint));
        assert_eq!(keymap.action(press("c")), None);
        assert_eq!(keymap.label(Action::Sample, false), "");
        assert_eq!(keymap.label(Action::Checkpoint, false), "s");
    }

    #[test]
    fn no_keymap_locks_the_user_in() {
        let keymap = changed(&[("detach", &["Q"])]).unwrap();
        assert_eq!(keymap.action(KeyPress::control('c')), Some(Action::Detach));
        assert_eq!(keymap.action(press("d")), None);
        assert!(matches!(
            changed(&[("pause", &["ctrl-c"])]),
            Err(KeymapError::Taken {
                other: "detach",
                ..
            })
        ));
    }

    #[test]
    fn errors_name_the_action_and_the_key() {
        let unknown = changed(&[("paws", &["p"])]).unwrap_err().to_string();
        assert!(unknown.contains("keymap.paws"), "{unknown}");
        assert!(unknown.contains("pause"), "{unknown}");
        let bad = changed(&[("pause", &["banana"])]).unwrap_err().to_string();
        assert!(bad.contains("keymap.pause = \"banana\""), "{bad}");
        let twice = changed(&[("note", &["o"]), ("pause", &["o"])]).unwrap_err();
        assert_eq!(
            twice.to_string(),
            "keymap.pause = \"o\": the key is already that of note"
        );
    }
}
