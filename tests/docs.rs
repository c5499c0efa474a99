//! Every link of the pages at the top and in docs/ that leads into the repository leads somewhere, and every name of code is there.

use std::fs;
use std::path::{Path, PathBuf};

/// The pages at the top, and all of docs/.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    let pages = docs.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let at_the_top = [
        "README.md",
        "README.zh-CN.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
    ];
    pages
        .chain(at_the_top.map(|name| root.join(name)))
        .collect()
}

/// The links of a page, `[text](target)`, that lead into the repository.
fn links(page: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (at, _) in page.match_indices("](") {
        let (before, after) = (&page[..at], &page[at + 2..]);
        let start = before.rfind('[').unwrap();
        let (target, _) = after.split_once(')').unwrap();
        if !target.contains("://") {
            found.push((before[start + 1..].to_owned(), target.to_owned()));
        }
    }
    found
}

/// What is wrong with a link of a page, if anything is.
fn fault(page: &Path, text: &str, target: &str) -> Option<String> {
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let file = match file {
        "" => page.to_owned(),
        relative => page.parent().unwrap().join(relative),
    };
    if !file.exists() {
        return Some("there is no such file".to_owned());
    }
    let source = fs::read_to_string(&file).unwrap_or_default();
    if !heading.is_empty() && !source.lines().any(|line| anchor(line) == heading) {
        return Some("the page has no such heading".to_owned());
    }
    let name = text.strip_prefix('`')?.strip_suffix('`')?;
    let missing = name
        .split("::")
        .find(|part| !defines(&source, part) && file.file_stem() != Some(part.as_ref()));
    missing.map(|part| format!("{} does not define {part}", file.display()))
}

/// The anchor that a heading gets, or nothing for a line that is none.
fn anchor(line: &str) -> String {
    let heading = line.trim_start_matches('#');
    if heading.len() == line.len() {
        return String::new();
    }
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    let kept: String = heading.trim().to_lowercase().chars().filter(kept).collect();
    kept.replace(' ', "-")
}

/// Whether Rust code defines an item, or a method, of this name.
fn defines(source: &str, name: &str) -> bool {
    let keywords = [
        "fn", "struct", "enum", "trait", "const", "static", "type", "mod", "impl",
    ];
    keywords.iter().any(|keyword| {
        let start = format!("{keyword} {name}");
        source.match_indices(&start).any(|(at, _)| {
            let next = source[at + start.len()..].chars().next();
            next.is_none_or(|c| !c.is_alphanumeric() && c != '_')
        })
    })
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    let mut seen = 0;
    for page in pages() {
        for (text, target) in links(&fs::read_to_string(&page).unwrap()) {
            seen += 1;
            if let Some(fault) = fault(&page, &text, &target) {
                broken.push(format!("{}: [{text}]({target}): {fault}", page.display()));
            }
        }
    }
    assert!(seen > 30, "only {seen} links were found");
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

#[test]
fn a_broken_link_is_seen() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/GAN.md");
    let session = "../engine/src/gan/session.rs";
    assert_eq!(fault(&page, "`Session::step`", session), None);
    assert_eq!(fault(&page, "a page", "../README.md"), None);
    for (text, target) in [
        ("a page", "NOWHERE.md"),
        ("a heading", "GAN.md#not-there"),
        ("`Session::stop`", session),
        ("`discriminator_loss`", "../engine/src/gan/loss.rs"),
    ] {
        assert!(fault(&page, text, target).is_some(), "[{text}]({target})");
    }
    assert_eq!(
        links("see [one](a.md), [two](https://b) and [`c`](d.rs)."),
        [("one", "a.md"), ("`c`", "d.rs")]
            .map(|(text, target)| (text.to_owned(), target.to_owned()))
    );
}
