//! The lines of a `Cargo.toml`, as far as the checks need them: sections, keys, dependencies.
//! Values stay text; a list that goes over several lines is read only up to its first one.

use crate::tree::{SourceFile, Tree};

/// `key = value` in a section.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    /// The section's name: `dependencies`, `target.'cfg(unix)'.dependencies`, …
    pub(crate) section: &'a str,
    /// The key as written: `serde`, `serde.workspace`, …
    pub(crate) key: &'a str,
    /// The value as written.
    pub(crate) value: &'a str,
    /// The line, from 1.
    pub(crate) line: usize,
}

/// A dependency that a manifest names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The package's own name, also where it is renamed.
    pub(crate) package: String,
    /// The name it goes by in code, before `-` becomes `_`.
    pub(crate) alias: String,
    /// The line, from 1.
    pub(crate) line: usize,
}

/// All entries of a manifest.
pub(crate) fn entries(text: &str) -> Vec<Entry<'_>> {
    let mut section = "";
    let mut entries = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = without_comment(line).trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.trim_matches(['[', ']', ' ']);
        } else if let Some((key, value)) = line.split_once('=')
            && line.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        {
            entries.push(Entry { section, key: key.trim(), value: value.trim(), line: index + 1 });
        }
    }
    entries
}

/// A line up to its `#`, unless that is inside quotes.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') => return line.get(..at).unwrap_or(line),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    line
}

/// The package's name; none in a manifest that only holds a workspace.
pub(crate) fn package_name(text: &str) -> Option<&str> {
    let is_name = |entry: &Entry<'_>| entry.section == "package" && entry.key == "name";
    entries(text).into_iter().find(is_name).map(|entry| entry.value.trim_matches('"'))
}

/// All manifests of packages, with the name of each.
pub(crate) fn packages(tree: &Tree) -> Vec<(&SourceFile, &str)> {
    let manifests = tree
        .files
        .iter()
        .filter(|file| file.path == "Cargo.toml" || file.path.ends_with("/Cargo.toml"));
    manifests.filter_map(|file| Some((file, package_name(&file.text)?))).collect()
}

/// The dependencies of a manifest: normal, build, dev, and those of single targets. `workspace`
/// is the text of the workspace's own manifest, which may rename what it hands down.
pub(crate) fn dependencies(text: &str, workspace: &str) -> Vec<Dependency> {
    let mut found: Vec<Dependency> = Vec::new();
    for entry in entries(text) {
        let Some((alias, renamed)) = dependency(&entry) else { continue };
        let handed_down = || renamed_by(workspace, alias);
        let package = renamed.map(str::to_owned).or_else(handed_down);
        let package = package.unwrap_or_else(|| alias.to_owned());
        match found.iter_mut().find(|known| known.alias == alias) {
            // `[dependencies.x]` has a line for each of its keys, and only one tells the package.
            Some(known) if renamed.is_some() => known.package = package,
            Some(known) if known.package == package => {}
            _ => found.push(Dependency { package, alias: alias.to_owned(), line: entry.line }),
        }
    }
    found
}

/// (alias, package when it is renamed here) of an entry that belongs to a dependency.
fn dependency<'a>(entry: &Entry<'a>) -> Option<(&'a str, Option<&'a str>)> {
    if is_dependencies(entry.section) {
        let (alias, key) = entry.key.split_once('.').unwrap_or((entry.key, ""));
        let inline = entry.value.split_once("package = \"").map(|(_, rest)| rest);
        let dotted = entry.value.strip_prefix('"').filter(|_| key == "package");
        let renamed = inline.or(dotted).and_then(|rest| rest.split('"').next());
        return Some((alias, renamed));
    }
    let (section, alias) = entry.section.rsplit_once('.')?;
    let renamed = (entry.key == "package").then(|| entry.value.trim_matches('"'));
    is_dependencies(section).then_some((alias, renamed))
}

fn is_dependencies(section: &str) -> bool {
    let last = section.rsplit('.').next().unwrap_or(section);
    section != "workspace.dependencies"
        && matches!(last, "dependencies" | "dev-dependencies" | "build-dependencies")
}

/// The package that the workspace's own manifest gives an alias to.
fn renamed_by(workspace: &str, alias: &str) -> Option<String> {
    let entry = entries(workspace)
        .into_iter()
        .find(|entry| entry.section == "workspace.dependencies" && entry.key == alias)?;
    let (_, rest) = entry.value.split_once("package = \"")?;
    rest.split('"').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    //! What is read from manifests as people write them.

    use super::{dependencies, entries, package_name};

    fn told(text: &str, workspace: &str) -> Vec<(String, String, usize)> {
        let found = dependencies(text, workspace);
        found.into_iter().map(|d| (d.alias, d.package, d.line)).collect()
    }

    #[test]
    fn names_and_comments() {
        let text = "# [package]\n[package] # of it\nname = \"a#b\" # not c\nversion = \"1\"\n";
        assert_eq!(package_name(text), Some("a#b"));
        assert_eq!(entries(text).len(), 2);
        assert_eq!(package_name("[workspace]\nname = \"x\"\n"), None);
    }

    #[test]
    fn every_way_to_name_a_dependency() {
        let text = "[dependencies]\na.workspace = true\nb = \"1\"\nc = { package = \"cc\", version = \"1\" }\n\
                    [target.'cfg(unix)'.dev-dependencies]\nd = { path = \"../d\" }\n\
                    [build-dependencies.e]\nversion = \"1\"\npackage = \"ee\"\n\
                    [features]\nf = [\"dep:b\"]\n";
        let workspace = "[workspace.dependencies]\na = { package = \"aa\", version = \"1\" }\n";
        let expected =
            [("a", "aa", 2), ("b", "b", 3), ("c", "cc", 4), ("d", "d", 6), ("e", "ee", 8)];
        let expected = expected.map(|(alias, package, line)| (alias.into(), package.into(), line));
        assert_eq!(told(text, workspace), expected);
    }

    #[test]
    fn a_list_over_several_lines_names_nothing() {
        let text = "[dependencies]\na = { version = \"1\", features = [\n    \"b = c\",\n] }\n";
        assert_eq!(told(text, ""), [("a".into(), "a".into(), 2)]);
    }
}
