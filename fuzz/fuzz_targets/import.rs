//! Recipients from CSV and NDJSON: every record is imported or rejected, none is lost.
#![no_main]

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use libfuzzer_sys::fuzz_target;
use posthaste_core::ids::{ListId, RecipientId};
use posthaste_core::log::Channel;
use posthaste_core::time::Timestamp;
use posthaste_engine::import::{Format, Importer, Options};
use posthaste_store::rows::{List, NewRecipient, Recipient};
use posthaste_store::{Recipients, Result};

/// Keeps nothing.
struct Nowhere;

impl Recipients for Nowhere {
    fn create_list(&self, _: &str, _: Timestamp) -> Result<ListId> {
        Ok(ListId(1))
    }
    fn list_named(&self, _: &str) -> Result<Option<List>> {
        Ok(None)
    }
    fn lists(&self) -> Result<Vec<List>> {
        Ok(Vec::new())
    }
    fn rename_list(&self, _: ListId, _: &str) -> Result<()> {
        Ok(())
    }
    fn delete_list(&self, _: ListId) -> Result<()> {
        Ok(())
    }
    fn add_recipients(&self, _: ListId, slice: &[NewRecipient], _: Timestamp) -> Result<()> {
        assert!(slice.len() <= 1_000);
        Ok(())
    }
    fn recipients(&self, _: ListId, _: Option<RecipientId>, _: usize) -> Result<Vec<Recipient>> {
        Ok(Vec::new())
    }
    fn recipients_with(&self, _: &str, _: usize) -> Result<Vec<Recipient>> {
        Ok(Vec::new())
    }
    fn set_profile_denylisted(&self, _: Channel, _: &str, _: bool) -> Result<u64> {
        Ok(0)
    }
    fn denylisted_profiles(&self, _: Option<&str>, _: usize) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}

fuzz_target!(|bytes: &[u8]| {
    let cancel = AtomicBool::new(false);
    for (format, charset) in [
        (Format::Csv, None),
        (Format::Ndjson, None),
        (Format::Csv, Some("shift_jis")),
    ] {
        let options = Options {
            list: "list".to_owned(),
            format,
            charset: charset.map(str::to_owned),
            delimiter: None,
            address_column: None,
            rename: Vec::new(),
            rejects: PathBuf::from("/dev/null"),
        };
        let importer = Importer::new(&Nowhere, Timestamp(0), &cancel);
        if let Ok(report) = importer.import(bytes, &options, &mut |_| {}) {
            assert_eq!(report.read, report.imported + report.rejected);
        }
    }
});
