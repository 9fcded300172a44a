//! Names that a template uses and no recipient has: a typing error found before the first recipient.

use std::collections::BTreeSet;

use super::Part;

/// A name in a template that is neither a column, nor `address`, nor set by the template itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{part}, line {line}: {}", self.what())]
pub struct UnknownVariable {
    /// The part.
    pub part: Part,
    /// The line of its first use, from 1.
    pub line: usize,
    /// The name.
    pub name: String,
    /// A column whose name is nearly the same.
    pub nearest: Option<String>,
}

impl UnknownVariable {
    /// What is wrong and what to do, without the place.
    #[must_use]
    pub fn what(&self) -> String {
        let advice = suggestion(self.nearest.as_deref());
        format!("there is no column \"{}\"{advice}", self.name)
    }
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(
        || ": correct the name, or guard it with `is defined` or `default`".to_owned(),
        |column| format!(": did you mean \"{column}\"?"),
    )
}

/// Functions of the template language, which are reported like variables.
const FUNCTIONS: [&str; 3] = ["range", "dict", "namespace"];

/// The names of one template that nothing provides; `used` is what the template language reports.
pub(super) fn unknown(
    part: &Part,
    source: &str,
    used: impl Iterator<Item = String>,
    columns: &[&str],
) -> Vec<UnknownVariable> {
    let mut names: BTreeSet<String> = used.filter_map(|name| top_level_name(&name)).collect();
    names.extend(subscripts(source));
    names
        .into_iter()
        .filter(|name| !columns.contains(&name.as_str()) && !is_guarded(source, name))
        .map(|name| UnknownVariable {
            part: part.clone(),
            line: line_of(source, &name),
            nearest: columns
                .iter()
                .find(|c| folded(c) == folded(&name))
                .or_else(|| columns.iter().find(|c| one_off(&folded(c), &folded(&name))))
                .map(|c| (*c).to_owned()),
            name,
        })
        .collect()
}

/// `city` of `city.name`, `name` of `attributes.name`.
fn top_level_name(dotted: &str) -> Option<String> {
    let mut steps = dotted.split('.');
    match steps.next()? {
        "attributes" => steps.next().map(str::to_owned),
        "address" => None,
        name if FUNCTIONS.contains(&name) => None,
        name => Some(name.to_owned()),
    }
}

/// Names in `attributes["…"]` and `attributes['…']`.
fn subscripts(source: &str) -> impl Iterator<Item = String> + '_ {
    source.split("attributes[").skip(1).filter_map(|rest| {
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        rest.get(1..)?
            .split_once(quote)
            .map(|(name, _)| name.to_owned())
    })
}

/// Whether the template itself says what happens without this name.
fn is_guarded(source: &str, name: &str) -> bool {
    uses(source, name).any(|at| {
        let rest = source.get(at + name.len()..).unwrap_or_default();
        let rest = rest.trim_start_matches(['"', '\'', ']']).trim_start();
        let filter = rest.strip_prefix('|').map(str::trim_start);
        rest.starts_with("is defined")
            || rest.starts_with("is not defined")
            || rest.starts_with("is undefined")
            || filter.is_some_and(|f| f.starts_with("default") || f.starts_with("d("))
    })
}

fn line_of(source: &str, name: &str) -> usize {
    // A use inside a tag rather than the same word in the prose.
    let at = uses(source, name).find(|at| {
        let before = source.get(..*at).unwrap_or_default();
        let opened = before.rfind("{{").max(before.rfind("{%"));
        opened > before.rfind("}}").max(before.rfind("%}"))
    });
    let before = source.get(..at.unwrap_or(0)).unwrap_or_default();
    before.matches('\n').count() + 1
}

/// Where the name stands as a whole word.
fn uses<'a>(source: &'a str, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    source
        .match_indices(name)
        .map(|(at, _)| at)
        .filter(move |at| {
            let before = source.get(..*at).and_then(|s| s.chars().next_back());
            let after = source.get(at + name.len()..).and_then(|s| s.chars().next());
            !before.is_some_and(joins) && !after.is_some_and(joins)
        })
}

/// Whether two names differ in one place only: a letter too many, too few, another, or two swapped.
fn one_off(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let prefix = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let (a, b) = (
        a.get(prefix..).unwrap_or_default(),
        b.get(prefix..).unwrap_or_default(),
    );
    let suffix = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(x, y)| x == y)
        .count();
    let differs = |s: &[char]| s.get(..s.len() - suffix).unwrap_or_default().to_vec();
    match (differs(a).as_slice(), differs(b).as_slice()) {
        ([x1, x2], [y1, y2]) => x1 == y2 && x2 == y1,
        (x, y) => prefix + suffix > 1 && x.len() <= 1 && y.len() <= 1,
    }
}

/// What is left of a name when case, spaces, dashes and underscores do not matter.
fn folded(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}
