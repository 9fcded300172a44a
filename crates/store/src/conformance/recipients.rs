//! Promises of [`crate::Recipients`].

use posthaste_core::log::Channel;

use super::scene::{at, new_recipient};
use crate::rows::NewRecipient;
use crate::{Store, StoreError};

pub(super) fn a_list_name_is_taken_once(store: &dyn Store) {
    let id = store.create_list("customers", at(1)).unwrap();
    let again = store.create_list("customers", at(2));
    assert!(matches!(again, Err(StoreError::Exists { .. })), "{again:?}");
    let list = store.list_named("customers").unwrap().unwrap();
    assert_eq!((list.id, list.recipients, list.created), (id, 0, at(1)));
    assert_eq!(store.list_named("others").unwrap(), None);
}

pub(super) fn recipients_come_back_in_pages_as_they_were_given(store: &dyn Store) {
    let a = store.create_list("a", at(1)).unwrap();
    let b = store.create_list("b", at(1)).unwrap();
    for line in 0..7 {
        let address = format!("Ann{line}@Example.com");
        store
            .add_recipients(a, &[new_recipient(&address, line)], at(1))
            .unwrap();
        store
            .add_recipients(b, &[new_recipient("x@example.org", line)], at(1))
            .unwrap();
    }
    let nobody = NewRecipient {
        address: "not an address".to_owned(),
        key: String::new(),
        quality: Some(-3),
        ..new_recipient("", 7)
    };
    store.add_recipients(a, &[nobody], at(1)).unwrap();
    let mut seen = Vec::new();
    loop {
        let after = seen.last().map(|one: &crate::rows::Recipient| one.id);
        let page = store.recipients(a, after, 3).unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(
        seen.iter().map(|one| one.line).collect::<Vec<_>>(),
        (0..8).collect::<Vec<_>>()
    );
    assert_eq!(
        (seen[3].address.as_str(), seen[3].key.as_str()),
        ("Ann3@Example.com", "ann3@example.com")
    );
    assert_eq!(seen[3].attributes, "{\"email\":\"Ann3@Example.com\"}");
    assert_eq!((seen[7].key.as_str(), seen[7].quality), ("", Some(-3)));
    assert!(seen.iter().all(|one| one.list == a && !one.denylisted));
    let sizes: Vec<_> = store
        .lists()
        .unwrap()
        .iter()
        .map(|list| list.recipients)
        .collect();
    assert_eq!(sizes, [8, 7]);
}

pub(super) fn a_deleted_list_takes_its_recipients_along(store: &dyn Store) {
    let a = store.create_list("a", at(1)).unwrap();
    let b = store.create_list("b", at(1)).unwrap();
    let slice: Vec<_> = (0..2_500)
        .map(|n| new_recipient("a@example.com", n))
        .collect();
    store.add_recipients(a, &slice, at(1)).unwrap();
    store.add_recipients(b, &slice[..2], at(1)).unwrap();
    store.delete_list(a).unwrap();
    assert_eq!(store.list_named("a").unwrap(), None);
    assert_eq!(store.recipients(a, None, 10).unwrap(), []);
    assert_eq!(
        store.recipients_with("a@example.com", 9_999).unwrap().len(),
        2
    );
    let late = store.add_recipients(a, &slice[..1], at(1));
    assert!(matches!(late, Err(StoreError::NotFound { .. })), "{late:?}");
}

pub(super) fn profiles_are_found_by_address_in_all_lists(store: &dyn Store) {
    for name in ["a", "b"] {
        let list = store.create_list(name, at(1)).unwrap();
        let slice = [
            new_recipient("Ann@example.com", 1),
            new_recipient("bo@example.com", 2),
        ];
        store.add_recipients(list, &slice, at(1)).unwrap();
    }
    assert_eq!(
        store.recipients_with("ann@example.com", 10).unwrap().len(),
        2
    );
    assert_eq!(
        store.recipients_with("ann@example.com", 1).unwrap().len(),
        1
    );
    assert_eq!(
        store.recipients_with("Ann@example.com", 10).unwrap().len(),
        0
    );
}

pub(super) fn a_denylisted_address_marks_every_profile_that_has_it(store: &dyn Store) {
    let key = "ann@example.com";
    let email = Channel::Email;
    let a = store.create_list("a", at(1)).unwrap();
    store
        .add_recipients(a, &[new_recipient(key, 1), new_recipient(key, 2)], at(1))
        .unwrap();
    assert_eq!(store.set_profile_denylisted(email, key, true).unwrap(), 2);
    assert_eq!(store.set_profile_denylisted(email, key, true).unwrap(), 0);
    let b = store.create_list("b", at(1)).unwrap();
    store
        .add_recipients(b, &[new_recipient(key, 1)], at(1))
        .unwrap();
    assert!(
        store
            .recipients_with(key, 9)
            .unwrap()
            .iter()
            .all(|one| one.denylisted)
    );
    assert_eq!(store.denylisted_profiles(None, 9).unwrap(), [key]);
    assert_eq!(store.set_profile_denylisted(email, key, false).unwrap(), 3);
    assert!(
        store
            .recipients_with(key, 9)
            .unwrap()
            .iter()
            .all(|one| !one.denylisted)
    );
    assert_eq!(
        store
            .set_profile_denylisted(Channel::Sms, key, true)
            .unwrap(),
        3
    );
    assert!(
        store
            .recipients_with(key, 9)
            .unwrap()
            .iter()
            .all(|one| !one.denylisted)
    );
}

pub(super) fn a_profile_marked_at_import_is_on_the_denylist(store: &dyn Store) {
    let list = store.create_list("a", at(1)).unwrap();
    let marked = |address: &str| NewRecipient {
        denylisted: true,
        ..new_recipient(address, 1)
    };
    let slice = [
        marked("b@example.com"),
        new_recipient("b@example.com", 2),
        marked("a@example.com"),
    ];
    store.add_recipients(list, &slice, at(1)).unwrap();
    let marks: Vec<_> = store
        .recipients(list, None, 9)
        .unwrap()
        .iter()
        .map(|r| r.denylisted)
        .collect();
    assert_eq!(marks, [true, false, true]);
    store
        .set_profile_denylisted(Channel::Email, "c@example.com", true)
        .unwrap();
    assert_eq!(
        store.denylisted_profiles(None, 2).unwrap(),
        ["a@example.com", "b@example.com"]
    );
    assert_eq!(
        store.denylisted_profiles(Some("b@example.com"), 2).unwrap(),
        ["c@example.com"]
    );
    assert_eq!(
        store
            .set_profile_denylisted(Channel::Email, "b@example.com", false)
            .unwrap(),
        1
    );
    assert_eq!(
        store.denylisted_profiles(None, 9).unwrap(),
        ["a@example.com", "c@example.com"]
    );
}
