//! Which failures are selected.

use std::collections::HashMap;

use posthaste_core::evidence::SaidBy;
use posthaste_core::ids::QualificationId;
use posthaste_core::qualify::normalise;
use posthaste_core::quarantine::requalify::failure_of;
use posthaste_store::rows::LedgerEvent;

use super::Selection;

/// Texts whose answer is remembered.
const TEXTS: usize = 10_000;

/// A selection, ready to be asked.
pub(super) struct Filter {
    selection: Selection,
    /// Whether the normalised text of a qualification has the wanted part.
    texts: HashMap<QualificationId, bool>,
}

impl Filter {
    pub(super) fn new(selection: &Selection) -> Self {
        let mut selection = selection.clone();
        selection.text = selection.text.map(|text| text.to_lowercase());
        selection.provider = selection.provider.map(|mask| mask.to_lowercase());
        Self {
            selection,
            texts: HashMap::new(),
        }
    }

    /// Whether this event is a failure that is selected; its time is not looked at.
    pub(super) fn takes(&mut self, event: &LedgerEvent) -> bool {
        let Some(failed) = failure_of(&event.event) else {
            return false;
        };
        let wanted = &self.selection;
        wanted.kind.is_none_or(|kind| kind == failed.kind)
            && wanted.reason.is_none_or(|reason| reason == failed.reason)
            && wanted.delivery.is_none_or(|id| event.delivery == Some(id))
            && wanted
                .rule
                .as_ref()
                .is_none_or(|rule| rule_of(event) == Some(rule))
            && (wanted.domains.is_empty() || in_domains(&wanted.domains, &event.key))
            && wanted
                .provider
                .as_ref()
                .is_none_or(|mask| host_of(event).is_some_and(|host| fits(mask, host)))
            && self.text_fits(event)
    }

    fn text_fits(&mut self, event: &LedgerEvent) -> bool {
        let Some(wanted) = &self.selection.text else {
            return true;
        };
        let Some(said) = event.evidence.as_ref().map(|e| &e.text) else {
            return false;
        };
        if said.to_lowercase().contains(wanted) {
            return true;
        }
        let is_in = || normalise(said).to_lowercase().contains(wanted);
        let Some(id) = event.qualification else {
            return is_in();
        };
        if self.texts.len() >= TEXTS {
            self.texts.clear();
        }
        *self.texts.entry(id).or_insert_with(is_in)
    }
}

fn rule_of(event: &LedgerEvent) -> Option<&str> {
    event.verdict.as_ref().map(|verdict| &*verdict.rule.name)
}

fn host_of(event: &LedgerEvent) -> Option<&str> {
    match &event.evidence.as_ref()?.said_by {
        SaidBy::Remote(host) => Some(host),
        SaidBy::Us => None,
    }
}

/// The domain of an address key.
pub(super) fn domain_of(key: &str) -> &str {
    key.rsplit_once('@').map_or("", |(_, domain)| domain)
}

fn in_domains(domains: &[String], key: &str) -> bool {
    let domain = domain_of(key);
    domains.iter().any(|wanted| wanted == domain)
}

/// Whether a mask (lower case, `*` for anything) covers a host.
fn fits(mask: &str, host: &str) -> bool {
    let host = host.trim_end_matches('.').to_lowercase();
    let Some((first, rest)) = mask.split_once('*') else {
        return mask == host;
    };
    let Some(mut left) = host.strip_prefix(first) else {
        return false;
    };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        match left.split_once(part) {
            Some((_, after)) => left = after,
            None => return false,
        }
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_covers_hosts() {
        let rows = [
            ("mx.example.com", "mx.example.com", true),
            ("mx.example.com", "mx2.example.com", false),
            ("*.example.com", "mx2.example.com.", true),
            ("*.example.com", "example.com", false),
            ("mx*.example.*", "mx2.north.example.net", true),
            ("mx*.example.*", "north.example.net", false),
            ("a*b*b", "ab", false),
            ("a*b*b", "axbxb", true),
            ("*", "anything", true),
        ];
        for (mask, host, want) in rows {
            assert_eq!(fits(mask, host), want, "{mask} {host}");
        }
    }
}
