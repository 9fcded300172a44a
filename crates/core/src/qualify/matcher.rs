//! Which rules can apply to a text: one look for all of their literals at once.
//!
//! One machine holds a required literal of each pattern. Only the rules whose
//! literal is in the text, and the few without one, are then asked, in their order. So the cost of
//! a text hardly depends on the number of rules.

use super::pattern::Pattern;
use crate::phrases::Phrases;

/// The literals, and the rules behind each.
#[derive(Debug)]
pub struct Matcher {
    literals: Phrases,
    /// The rule of each literal, by the literal's number.
    rules: Vec<u32>,
    /// Rules that must always be asked.
    always: Vec<u32>,
}

impl Matcher {
    /// Builds the matcher over the patterns of all rules, in their order.
    ///
    /// # Errors
    /// When the literals are too many for one machine.
    pub fn build<'a>(rules: impl Iterator<Item = &'a [Pattern]>) -> Result<Self, String> {
        let mut literals: Vec<&str> = Vec::new();
        let mut of_literal = Vec::new();
        let mut always = Vec::new();
        for (index, patterns) in rules.enumerate() {
            let index = u32::try_from(index).map_err(|_| "too many rules; drop some".to_owned())?;
            let found: Option<Vec<&str>> = patterns.iter().map(Pattern::literal).collect();
            let Some(found) = found.filter(|found| !found.is_empty()) else {
                always.push(index);
                continue;
            };
            of_literal.extend(found.iter().map(|_| index));
            literals.extend(found);
        }
        Ok(Self {
            literals: Phrases::new(&literals)?,
            rules: of_literal,
            always,
        })
    }

    /// Writes to `found` the rules to ask about a folded text, in their order, each once.
    pub fn candidates(&self, folded: &str, found: &mut Vec<u32>) {
        found.clear();
        found.extend_from_slice(&self.always);
        let hits = self.literals.find(folded);
        found.extend(hits.filter_map(|hit| self.rules.get(hit.phrase)));
        found.sort_unstable();
        found.dedup();
    }
}
