//! The classes of a conditional model, by name or number.

use anyhow::{Result, bail};
use sparring_contract::text::printable;

/// How many names an error lists at most.
const LISTED: usize = 12;

/// A name this similar to the one given is offered instead (Jaro–Winkler, 0 to 1).
const SIMILAR: f64 = 0.75;

/// The label of a class of a model that is told these. Its name counts first, then its name in other letter case, then its
/// number from 0.
pub fn find(names: &[String], wanted: &str) -> Result<u64> {
    if names.is_empty() {
        bail!(
            "this model is unconditional: drop --class, or train a conditional preset such as cgan"
        );
    }
    let position = |matches: &dyn Fn(&str) -> bool| names.iter().position(|name| matches(name));
    let number = || wanted.parse().ok().filter(|label| *label < names.len());
    position(&|name| name == wanted)
        .or_else(|| position(&|name| name.to_lowercase() == wanted.to_lowercase()))
        .or_else(number)
        .map_or_else(
            || bail!("{}", unknown(names, wanted)),
            |label| Ok(label as u64),
        )
}

fn unknown(names: &[String], wanted: &str) -> String {
    // A number that is too high is no misspelling of another number.
    let is_number = wanted.parse::<u64>().is_ok();
    let mut similar: Vec<_> = names
        .iter()
        .filter(|_| !is_number)
        .map(|name| {
            let similarity = strsim::jaro_winkler(&name.to_lowercase(), &wanted.to_lowercase());
            (similarity, name.as_str())
        })
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .collect();
    similar.sort_by(|(one, _), (two, _)| two.total_cmp(one));
    let question = match similar.as_slice() {
        [] => String::new(),
        similar => {
            let names: Vec<_> = similar.iter().take(3).map(|(_, name)| *name).collect();
            format!(" (did you mean {}?)", names.join(" or "))
        }
    };
    let mut listed = names
        .iter()
        .take(LISTED)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > LISTED {
        listed.push_str(", …");
    }
    printable(&format!(
        "there is no class {wanted}{question}; the model has {listed}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(names: &[&str], wanted: &str) -> Result<u64, String> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        find(&names, wanted).map_err(|error| error.to_string())
    }

    #[test]
    fn a_class_is_found_by_its_name_or_its_number() {
        let clothes = ["T-shirt/top", "Trouser", "Coat"];
        assert_eq!(found(&clothes, "Coat"), Ok(2));
        assert_eq!(found(&clothes, "coat"), Ok(2));
        assert_eq!(found(&clothes, "0"), Ok(0));
        // A name comes before a number.
        assert_eq!(found(&["7", "3", "0"], "0"), Ok(2));
        assert_eq!(found(&["7", "3", "0"], "1"), Ok(1));
    }

    #[test]
    fn an_unknown_class_is_told_with_what_there_is() {
        let clothes = ["T-shirt/top", "Trouser", "Coat"];
        assert_eq!(
            found(&clothes, "trousers").unwrap_err(),
            "there is no class trousers (did you mean Trouser?); the model has T-shirt/top, Trouser, Coat"
        );
        let many: Vec<_> = (0..20).map(|label| label.to_string()).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert_eq!(
            found(&many, "x").unwrap_err(),
            "there is no class x; the model has 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …"
        );
        assert_eq!(
            found(&["0", "1"], "10").unwrap_err(),
            "there is no class 10; the model has 0, 1"
        );
        assert!(!found(&["a\x1b[2J"], "b").unwrap_err().contains('\x1b'));
        assert!(found(&[], "0").unwrap_err().contains("unconditional"));
    }
}
