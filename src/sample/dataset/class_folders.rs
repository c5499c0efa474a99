//! Names of folders for classes, safe on every file system.

use std::collections::HashSet;

/// Names that Windows keeps for devices, in upper case.
const DEVICES: [&str; 4] = ["CON", "PRN", "AUX", "NUL"];

/// The longest name in bytes. File systems take 255; a number may follow.
const LONGEST: usize = 100;

/// A folder name for each class, all different even where letter case does not count.
///
/// Letters and digits of any script, spaces and `-_+,()` stay. Everything else becomes `_`: separators, dots, control
/// characters, and characters that are invisible or change the direction of text.
pub fn names(classes: &[String]) -> Vec<String> {
    let mut taken = HashSet::new();
    classes
        .iter()
        .map(|class| {
            let safe = safe(class);
            let numbered = (2_u64..).map(|number| format!("{safe}_{number}"));
            std::iter::once(safe.clone())
                .chain(numbered)
                .find(|name| taken.insert(name.to_lowercase()))
                .unwrap_or_default()
        })
        .collect()
}

fn safe(class: &str) -> String {
    let stays = |letter: char| letter.is_alphanumeric() || " -_+,()".contains(letter);
    let replaced: String = class
        .trim()
        .chars()
        .map(|letter| if stays(letter) { letter } else { '_' })
        .collect();
    let end = replaced.floor_char_boundary(LONGEST);
    let name = replaced[..end].trim_end();
    if name.is_empty() || is_device(name) {
        format!("{name}_")
    } else {
        name.to_owned()
    }
}

/// Whether Windows takes a name for a device: `CON` and such, `COM1` to `COM9`, `LPT1` to `LPT9`.
fn is_device(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let port = |prefix| {
        name.strip_prefix(prefix)
            .is_some_and(|rest: &str| rest.chars().count() == 1 && rest != "0")
    };
    DEVICES.contains(&name.as_str()) || port("COM") || port("LPT")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(classes: &[&str]) -> Vec<String> {
        names(
            &classes
                .iter()
                .map(|class| (*class).to_owned())
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn ordinary_names_stay_as_they_are() {
        let plain = ["0", "Ankle boot", "été", "数字", "a-b_c+d,(e)"];
        assert_eq!(of(&plain), plain);
    }

    #[test]
    fn what_a_file_system_or_a_terminal_could_stumble_over_is_replaced() {
        assert_eq!(
            of(&[
                "T-shirt/top",
                "../up",
                "a\\b",
                ".hidden",
                "v1.2",
                "x\x1b[2J\n",
                "\u{202e}olleh"
            ]),
            [
                "T-shirt_top",
                "___up",
                "a_b",
                "_hidden",
                "v1_2",
                "x__2J",
                "_olleh"
            ]
        );
        assert_eq!(of(&["", " ", "."]), ["_", "__2", "__3"]);
        assert_eq!(
            of(&["con", "COM1", "com0", "Lpt٣"]),
            ["con_", "COM1_", "com0", "Lpt٣_"]
        );
    }

    #[test]
    fn classes_that_would_share_a_folder_get_numbers() {
        assert_eq!(
            of(&["Cat", "cat", "a/b", "a.b", "a_b_2"]),
            ["Cat", "cat_2", "a_b", "a_b_2", "a_b_2_2"]
        );
    }

    proptest! {
        #[test]
        fn every_name_is_safe_and_no_two_are_alike(classes in proptest::collection::vec(".{0,130}", 0..12)) {
            let names = names(&classes);
            prop_assert_eq!(names.len(), classes.len());
            let mut seen = HashSet::new();
            for name in &names {
                prop_assert!(!name.is_empty() && name.len() <= LONGEST + 3);
                prop_assert!(!name.contains(['/', '\\', '.']) && !name.contains(char::is_control));
                prop_assert_eq!(name.trim(), name);
                prop_assert!(seen.insert(name.to_lowercase()));
            }
        }
    }
}
