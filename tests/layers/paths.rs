//! The paths that Rust sources name, and which file of a package each leads to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A path that a source names: `std::fs`, or with `crate`, `super`, `self` and child modules resolved,
/// `crate::data::idx`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    pub path: Vec<String>,
    /// Whether a `pub use` names it.
    pub is_reexport: bool,
}

/// A source file, the module that it is, and what it names.
#[derive(Debug)]
pub struct Source {
    pub file: PathBuf,
    module: Vec<String>,
    pub named: Vec<Named>,
    /// Names that its `use` items bring into the module, and the path of each.
    imports: BTreeMap<String, Vec<String>>,
    /// Modules of which it takes in everything.
    globs: Vec<Vec<String>>,
}

/// All sources below a folder that is the root of a crate.
pub fn sources(root: &Path) -> Vec<Source> {
    let mut files = Vec::new();
    collect(root, &mut files);
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let text = fs::read_to_string(&file).unwrap();
            Source::parse(&text, &module_of(&file, root), file)
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

/// The module of a file: `a/b.rs` and `a/b/mod.rs` are `a::b`, `lib.rs` and `main.rs` are the crate.
fn module_of(file: &Path, root: &Path) -> Vec<String> {
    let inside = file.strip_prefix(root).unwrap().with_extension("");
    let mut parts: Vec<_> = inside
        .iter()
        .map(|part| part.to_str().unwrap().to_owned())
        .collect();
    let is_root = parts.len() == 1 && matches!(parts[0].as_str(), "lib" | "main");
    if is_root || parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

impl Source {
    /// Parses a source that is this module.
    pub fn parse(text: &str, module: &[String], file: PathBuf) -> Self {
        let tokens: TokenStream = text.parse().unwrap();
        let mut source = Self {
            file,
            module: module.to_owned(),
            named: Vec::new(),
            imports: BTreeMap::new(),
            globs: Vec::new(),
        };
        source.walk(tokens, module, &BTreeSet::new());
        source.named.sort();
        source.named.dedup();
        source
    }

    /// Takes in the paths of tokens that stand in a module with these child modules.
    fn walk(&mut self, tokens: TokenStream, module: &[String], children: &BTreeSet<String>) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let declared = tokens
            .windows(2)
            .filter(|pair| is_word(&pair[0], "mod"))
            .filter_map(|pair| word(&pair[1]));
        let children: BTreeSet<_> = declared.chain(children.iter().cloned()).collect();
        let mut at = 0;
        while at < tokens.len() {
            let inline_module = at >= 2 && is_word(&tokens[at - 2], "mod");
            match &tokens[at] {
                TokenTree::Group(group) if inline_module => {
                    let name = word(&tokens[at - 1]).unwrap_or_default();
                    let inner = [module, &[name]].concat();
                    self.walk(group.stream(), &inner, &BTreeSet::new());
                }
                TokenTree::Group(group) => self.walk(group.stream(), module, &children),
                TokenTree::Ident(ident) if ident == "use" && !is_capture(&tokens[at + 1..]) => {
                    let is_reexport = at > 0 && is_visibility(&tokens[..at]);
                    let tree = tokens[at + 1..].split(|token| is_punct(token, ';')).next();
                    self.take_use(tree.unwrap_or_default(), module, &children, is_reexport);
                    at += tree.map_or(0, <[_]>::len);
                }
                TokenTree::Ident(_) => {
                    let path = chain(&tokens[at..]);
                    let length = path.len();
                    if length > 1 {
                        self.name(&path, module, &children, false);
                        at += 3 * (length - 1);
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }

    fn take_use(
        &mut self,
        tree: &[TokenTree],
        module: &[String],
        children: &BTreeSet<String>,
        is_reexport: bool,
    ) {
        for (path, alias) in leaves(tree) {
            let Some((last, parent)) = path.split_last() else {
                continue;
            };
            let path = match last.as_str() {
                "self" | "*" => parent,
                _ => &path,
            };
            let resolved = self.name(path, module, children, is_reexport);
            // What an inline module imports is not the file's.
            if module != self.module {
                continue;
            }
            if last == "*" {
                self.globs.push(resolved);
            } else if let Some(name) = alias.or_else(|| path.last().cloned()) {
                self.imports.insert(name, resolved);
            }
        }
    }

    /// Takes in a path, as it is written in a module. Returns it resolved.
    fn name(
        &mut self,
        path: &[String],
        module: &[String],
        children: &BTreeSet<String>,
        is_reexport: bool,
    ) -> Vec<String> {
        let mut base = module.to_vec();
        let mut rest = path;
        let mut is_own = true;
        match path.first().map(String::as_str) {
            Some("crate") => {
                base.clear();
                rest = &path[1..];
            }
            Some("self") => rest = &path[1..],
            Some("super") => {
                while rest.first().is_some_and(|part| part == "super") {
                    base.pop();
                    rest = &rest[1..];
                }
            }
            Some(first) => is_own = children.contains(first),
            None => {}
        }
        let resolved = if is_own {
            let own = std::iter::once("crate".to_owned());
            own.chain(base).chain(rest.iter().cloned()).collect()
        } else {
            path.to_vec()
        };
        self.named.push(Named {
            path: resolved.clone(),
            is_reexport,
        });
        resolved
    }
}

/// The paths of a use tree, groups spread, each with the name that it is given by `as`.
fn leaves(tree: &[TokenTree]) -> Vec<(Vec<String>, Option<String>)> {
    let tree = match tree {
        [TokenTree::Punct(one), TokenTree::Punct(two), rest @ ..]
            if one.as_char() == ':' && two.as_char() == ':' =>
        {
            rest
        }
        tree => tree,
    };
    let prefix = chain(tree);
    let rest = &tree[(3 * prefix.len()).saturating_sub(2).min(tree.len())..];
    match rest {
        [] => vec![(prefix, None)],
        [as_word, alias] if is_word(as_word, "as") => vec![(prefix, word(alias))],
        [.., TokenTree::Punct(star)] if star.as_char() == '*' => {
            vec![([prefix, vec!["*".to_owned()]].concat(), None)]
        }
        [.., TokenTree::Group(group)] => branches(group)
            .iter()
            .flat_map(|branch| leaves(branch))
            .map(|(path, alias)| ([prefix.clone(), path].concat(), alias))
            .collect(),
        _ => Vec::new(),
    }
}

/// The trees in the braces of a use tree.
fn branches(group: &Group) -> Vec<Vec<TokenTree>> {
    assert_eq!(group.delimiter(), Delimiter::Brace);
    let tokens: Vec<_> = group.stream().into_iter().collect();
    tokens
        .split(|token| is_punct(token, ','))
        .filter(|branch| !branch.is_empty())
        .map(<[_]>::to_vec)
        .collect()
}

/// The words at the beginning of tokens that `::` joins.
fn chain(tokens: &[TokenTree]) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = tokens;
    while let Some(next) = rest.first().and_then(word) {
        words.push(next);
        match rest {
            [_, one, two, after @ ..] if is_punct(one, ':') && is_punct(two, ':') => rest = after,
            _ => break,
        }
    }
    words
}

fn word(token: &TokenTree) -> Option<String> {
    match token {
        TokenTree::Ident(ident) => Some(ident.to_string()),
        _ => None,
    }
}

fn is_word(token: &TokenTree, text: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == text)
}

fn is_punct(token: &TokenTree, c: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == c)
}

/// Whether tokens go on as a `use<…>` does, which names the generics that a type captures.
fn is_capture(tokens: &[TokenTree]) -> bool {
    tokens.first().is_some_and(|token| is_punct(token, '<'))
}

/// Whether tokens end in `pub` or `pub(…)`.
fn is_visibility(tokens: &[TokenTree]) -> bool {
    match tokens {
        [.., last] if is_word(last, "pub") => true,
        [.., public, TokenTree::Group(group)] => {
            is_word(public, "pub") && group.delimiter() == Delimiter::Parenthesis
        }
        _ => false,
    }
}

/// For each file of a crate the files that it names. A path to something that another file defines and a module passes
/// on by `use` leads to the file that defines it. A module that passes on what its own children define does not thereby
/// name them.
pub fn dependencies(sources: &[Source]) -> BTreeMap<&Path, BTreeSet<&Path>> {
    let modules: BTreeMap<&[String], &Source> = sources
        .iter()
        .map(|source| (source.module.as_slice(), source))
        .collect();
    let targets = |source: &Source| -> BTreeSet<&Path> {
        source
            .named
            .iter()
            .filter_map(|named| {
                let target = definition(&named.path, &modules, 0)?;
                let is_child = target.module.starts_with(&source.module);
                let passes_on = named.is_reexport && is_child;
                (!passes_on && target.file != source.file).then_some(target.file.as_path())
            })
            .collect()
    };
    sources
        .iter()
        .map(|source| (source.file.as_path(), targets(source)))
        .collect()
}

/// The source that defines what a path names, if it is one of the crate's own.
fn definition<'a>(
    path: &[String],
    modules: &BTreeMap<&[String], &'a Source>,
    depth: usize,
) -> Option<&'a Source> {
    let own = path.strip_prefix(&["crate".to_owned()][..])?;
    let length = (0..=own.len())
        .rev()
        .find(|length| modules.contains_key(&own[..*length]))?;
    let source = modules[&own[..length]];
    let Some((item, rest)) = own[length..].split_first() else {
        return Some(source);
    };
    if depth < 16 {
        if let Some(import) = source.imports.get(item) {
            let onwards = [import.as_slice(), rest].concat();
            return definition(&onwards, modules, depth + 1).or(Some(source));
        }
        for glob in &source.globs {
            let onwards = [glob.as_slice(), &own[length..]].concat();
            if let Some(found) = definition(&onwards, modules, depth + 1)
                && found.imports.contains_key(item)
            {
                return Some(found);
            }
        }
    }
    Some(source)
}

/// The files that lead to each other, in groups, by name.
pub fn cycles(dependencies: &BTreeMap<&Path, BTreeSet<&Path>>) -> BTreeSet<BTreeSet<PathBuf>> {
    let reachable = |from: &Path| {
        let mut seen: BTreeSet<&Path> = BTreeSet::new();
        let mut open: Vec<&Path> = dependencies[from].iter().copied().collect();
        while let Some(file) = open.pop() {
            if seen.insert(file) {
                open.extend(&dependencies[file]);
            }
        }
        seen.into_iter()
            .map(Path::to_owned)
            .collect::<BTreeSet<_>>()
    };
    let reach: BTreeMap<&Path, BTreeSet<PathBuf>> = dependencies
        .keys()
        .map(|file| (*file, reachable(file)))
        .collect();
    reach
        .iter()
        .filter(|(file, reached)| reached.contains(**file))
        .map(|(file, reached)| {
            reached
                .iter()
                .filter(|other| reach[other.as_path()].contains(*file))
                .cloned()
                .collect()
        })
        .collect()
}
