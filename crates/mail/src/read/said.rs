//! What a text says of one recipient that it names, in widening circles: beside the address, below it, above it.

use super::addresses;
use super::generic::{MAX_AFTER, MAX_LINES, MAX_PARAGRAPH, address_at, has_letters};
use super::placed::{Hit, MARKS, Strength, ends_with_colon};

/// Lines of a program that are kept.
const MAX_PROGRAM: usize = 4;

/// What a local program said of a recipient, right above the reply that its mail system made of it: a reply with one of these
/// hollow words.
pub(super) fn by_program(text: &str, address: &str, hollow: &[String]) -> Option<String> {
    if hollow.is_empty() {
        return None;
    }
    let (local, _) = address.rsplit_once('@')?;
    let lines: Vec<&str> = text.lines().take(MAX_LINES).collect();
    let at = lines.iter().position(|line| {
        let lower = line.to_lowercase();
        line.contains(local)
            && hollow.iter().any(|word| lower.contains(word.as_str()))
            && !line.trim_start().starts_with('(')
    })?;
    let above = lines.get(..at)?.iter().rev().take(MAX_PROGRAM);
    let mut said: Vec<&str> = above
        .take_while(|line| {
            let bare = line.trim();
            !bare.is_empty()
                && !bare.contains('@')
                && !bare.starts_with(['-', '>', '<', '.', '5', '4'])
        })
        .copied()
        .collect();
    said.reverse();
    (!said.is_empty()).then(|| said.join("\n"))
}

/// Addresses named as another name of this recipient, in the three lines below.
pub(super) fn aliases(lines: &[&str], hits: &[Hit], of: Hit) -> Vec<String> {
    hits.iter()
        .filter(|h| h.strength == Strength::Alias && h.line >= of.line && h.line <= of.line + 3)
        // On another one's line it is another name of that one.
        .filter(|h| {
            h.line == of.line
                || !hits
                    .iter()
                    .any(|o| o.line == h.line && o.strength != h.strength)
        })
        .map(|h| address_at(lines, *h).to_owned())
        .collect()
}

/// The line above an address, or above several in a row, when it announces them with a colon.
pub(super) fn heading(lines: &[&str], chosen: &[Hit], hit: Hit) -> String {
    let above = lines.get(..hit.line).unwrap_or_default();
    let is_hit = |number: usize| chosen.iter().any(|h| h.line == number);
    let found = above
        .iter()
        .enumerate()
        .rev()
        .take(MAX_PARAGRAPH)
        .find(|(number, line)| !line.trim().is_empty() && !is_hit(*number));
    match found {
        Some((number, line)) if line.trim_end().ends_with(':') => {
            // A heading may be folded.
            let before = number.checked_sub(1).and_then(|n| lines.get(n));
            let first = before.filter(|_| !is_hit(number.saturating_sub(1)));
            let first = first.map_or("", |text| text.trim());
            format!("{first} {}", line.trim()).trim().to_owned()
        }
        _ => String::new(),
    }
}

/// The sentence right above an address that stands alone, further in: `The user's account is disabled.`
fn said_above(lines: &[&str], chosen: &[Hit], hit: Hit) -> Option<String> {
    let is_hit = |number: &usize| chosen.iter().any(|h| h.line == *number);
    let mut near = (0..hit.line).rev().take(MAX_PARAGRAPH);
    let above = near.find(|number| !is_hit(number))?;
    let line = lines.get(above)?.trim();
    let more = is_hit(&(hit.line + 1));
    (line.contains(' ') && is_said_below(lines, hit, (above, more))).then(|| line.to_owned())
}

/// Whether a line is a sentence, the lines below it are set further in, and a blank line or one `more` address follows.
fn is_said_below(lines: &[&str], hit: Hit, (number, more): (usize, bool)) -> bool {
    let line = lines.get(number).copied().unwrap_or_default();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut below = lines.get(number + 1..=hit.line).unwrap_or_default().iter();
    let next = lines.get(hit.line + 1).copied().unwrap_or_default();
    line.trim_end().ends_with('.')
        && below.all(|below| indent(below) > indent(line))
        && (next.trim().is_empty() || (more && indent(next) > indent(line)))
}

/// Whether the words above an address say what failed: what stands below a blank line is then not said of it.
fn is_headed(lines: &[&str], chosen: &[Hit], hit: Hit) -> bool {
    let later = chosen.first().is_some_and(|first| first.line < hit.line);
    later && !heading(lines, chosen, hit).is_empty()
}

/// Whether a paragraph announces, with a colon at its end, another recipient below it.
fn announces_another(lines: &[&str], chosen: &[Hit], of: Hit, number: usize) -> bool {
    let rest = lines.get(number..).unwrap_or_default();
    let whole = rest
        .iter()
        .take(4)
        .take_while(|line| !line.trim().is_empty() && !line.contains('@'));
    let length = whole.clone().count();
    if !whole
        .last()
        .is_some_and(|line| line.trim_end().ends_with(':'))
    {
        return false;
    }
    let next = lines
        .iter()
        .enumerate()
        .skip(number + length)
        .take(MAX_PARAGRAPH)
        .find(|(_, line)| !line.trim().is_empty());
    next.is_some_and(|(below, _)| is_another(lines, chosen, of, below))
}

pub(super) fn sentence(lines: &[&str], hit: Hit) -> String {
    let line = lines.get(hit.line).copied().unwrap_or_default();
    let head = line.get(hit.head.0..hit.head.1).unwrap_or_default();
    // What stands between two recipients on a line was said of the one before, unless it ends with a colon.
    let own = hit.head.0 == 0 || ends_with_colon(head);
    if hit.sentence && !hit.whole && own {
        head.trim_matches(MARKS).to_owned()
    } else {
        String::new()
    }
}

/// Where what is said of a recipient ends on its line: at the next one, or at the words that announce that one.
fn next_on_line(lines: &[&str], chosen: &[Hit], hit: Hit) -> Option<usize> {
    let from = chosen.partition_point(|h| h.line < hit.line);
    chosen
        .iter()
        .skip(from)
        .take_while(|h| h.line == hit.line)
        .filter(|h| h.span.start >= hit.span.end)
        .find(|h| !addresses::alike(address_at(lines, **h), address_at(lines, hit)))
        .map(|h| {
            let head = lines
                .get(h.line)
                .and_then(|line| line.get(h.head.0..h.head.1))
                .unwrap_or_default();
            let announced = h.sentence && ends_with_colon(head) && h.head.0 >= hit.span.end;
            if announced { h.head.0 } else { h.span.start }
        })
}

/// The last of a list of addresses on one line, of all of which the same is said: `a@…, b@…: reason`.
fn last_in_list(chosen: &[Hit], hit: Hit) -> Hit {
    let from = chosen.partition_point(|h| h.line < hit.line);
    chosen
        .iter()
        .skip(from)
        .take_while(|h| h.line == hit.line)
        .filter(|h| h.head == hit.head && h.span.start >= hit.span.end)
        .last()
        .copied()
        .unwrap_or(hit)
}

/// What is said right beside the address and below it.
pub(super) fn paragraph(lines: &[&str], chosen: &[Hit], hit: Hit) -> String {
    let line = lines.get(hit.line).copied().unwrap_or_default();
    let mut out = String::new();
    if hit.whole {
        if let Some(previous) = hit.line.checked_sub(1).and_then(|i| lines.get(i))
            && let Some(said) = previous.trim().strip_prefix("<<<")
        {
            out.push_str(said.trim());
            out.push(' ');
        }
        out.push_str(line.trim());
    } else if let Some(end) = next_on_line(lines, chosen, last_in_list(chosen, hit)) {
        let hit = last_in_list(chosen, hit);
        // Each of several on one line has what stands behind it; in a list of them the words before it are said of all.
        let said = line.get(hit.span.end..end).unwrap_or_default();
        out.push_str(said.trim_matches(MARKS));
        return out;
    } else {
        let after = line
            .get(last_in_list(chosen, hit).span.end..)
            .unwrap_or_default();
        if is_subject(after) {
            out.push_str(address_at(lines, hit));
            out.push(' ');
        }
        if after.starts_with(" #") {
            // Exchange puts a code behind the address, and what it means above.
            out.push_str(&block_above(lines, hit));
        }
        out.push_str(after.trim_start_matches(MARKS));
        if !has_letters(&out) && hit.sentence && is_in_list(line, hit) {
            return out;
        }
        if !has_letters(&out)
            && let Some(said) = said_above(lines, chosen, hit)
        {
            return said;
        }
    }
    for (number, next) in lines
        .iter()
        .enumerate()
        .skip(hit.line + 1)
        .take(MAX_PARAGRAPH)
    {
        let bare = next.trim();
        // A reply goes on only in lines with the same code (RFC 5321 §4.2.1).
        if hit.whole && bare.get(..3) != line.trim().get(..3) {
            break;
        }
        let another = is_another(lines, chosen, hit, number)
            || has_letters(&out) && begins_dialogue(bare)
            || !has_letters(&out) && announces_another(lines, chosen, hit, number)
            || is_marked_alike(line, hit, next);
        let gap =
            bare.is_empty() && (has_letters(&out) || !hit.whole && is_headed(lines, chosen, hit));
        if another || gap || is_rule(bare) {
            break;
        }
        out.push('\n');
        out.push_str(bare);
    }
    out
}

/// Whether another line of a list says the same in parentheses, of one without a domain: `jane  (unrecoverable error)`.
fn is_marked_alike(line: &str, hit: Hit, next: &str) -> bool {
    let behind = line.get(hit.span.end..).unwrap_or_default();
    let mark = behind.trim_start_matches('>').trim();
    let marked = mark.len() > 4 && mark.starts_with('(') && mark.ends_with(')');
    marked && next.trim_end().ends_with(')') && next.contains("  (") && !next.starts_with(' ')
}

/// The lines right above the one with an address, up to an empty one.
fn block_above(lines: &[&str], hit: Hit) -> String {
    let before = lines.get(..hit.line).unwrap_or_default();
    let block = before.iter().rev().take(4);
    let mut block: Vec<&str> = block
        .map(|line| line.trim())
        .take_while(|line| !line.is_empty())
        .collect();
    block.reverse();
    block.push("");
    block.join("\n")
}

/// Whether the words behind an address go on with it as their subject: `jane@example.org is full`.
fn is_subject(after: &str) -> bool {
    let rest = after.trim_start_matches(['>', '"', '\'', ')', ']', '”', '»', '“']);
    let goes_on = |c: char| c.is_alphabetic() && !c.is_uppercase();
    rest.starts_with(' ') && rest.trim_start().starts_with(goes_on) && !rest.starts_with(" on ")
}

/// All that follows, up to another recipient of whom something is said.
pub(super) fn what_follows(lines: &[&str], chosen: &[Hit], hit: Hit) -> String {
    let mut out = String::new();
    for (number, next) in lines.iter().enumerate().skip(hit.line + 1) {
        if is_another(lines, chosen, hit, number) {
            if has_letters(&out) {
                break;
            }
            continue;
        }
        let full = out.len() + next.len() > MAX_AFTER;
        if full || !has_letters(&out) && announces_another(lines, chosen, hit, number) {
            break;
        }
        out.push_str(next.trim());
        out.push('\n');
    }
    out
}

fn is_another(lines: &[&str], chosen: &[Hit], hit: Hit, number: usize) -> bool {
    let from = chosen.partition_point(|h| h.line < number);
    chosen
        .iter()
        .skip(from)
        .take_while(|h| h.line == number)
        .any(|h| !addresses::alike(address_at(lines, *h), address_at(lines, hit)))
}

/// Whether the words before an address end with a colon and are said of several: `over quota: a@…, b@…`.
fn is_in_list(line: &str, hit: Hit) -> bool {
    let head = line.get(hit.head.0..hit.head.1).unwrap_or_default();
    let whole = hit.head.1 < hit.span.start.saturating_sub(1) || hit.head.0 > 0;
    whole && ends_with_colon(head)
}

/// A transcript goes on with another host or command.
fn begins_dialogue(line: &str) -> bool {
    let bare = line.trim_start_matches(['.', ' ']);
    bare.starts_with(">>>")
        || bare
            .get(..13)
            .is_some_and(|head| head.eq_ignore_ascii_case("while talking"))
}

fn is_rule(line: &str) -> bool {
    line.len() >= 5 && line.chars().all(|c| "-=_*#~+.".contains(c))
}
