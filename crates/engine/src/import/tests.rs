//! Files of all kinds, good and bad, and what becomes of them.

use std::io::Read;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use posthaste_store::rows::Recipient;
use posthaste_store::sqlite::SqliteStore;
use tempfile::TempDir;

use super::*;

/// A store, a directory for rejects, and the usual options.
struct Bench {
    dir: TempDir,
    store: SqliteStore,
    options: Options,
}

impl Bench {
    fn new(file: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let store = SqliteStore::create(dir.path().join("store.db")).unwrap();
        let options = Options::for_file(&dir.path().join(file), "list");
        Self {
            dir,
            store,
            options,
        }
    }

    fn import(&self, source: impl Read) -> Result<Report, ImportError> {
        let cancel = AtomicBool::new(false);
        Importer::new(&self.store, Timestamp(0), &cancel).import(source, &self.options, &mut |_| {})
    }

    fn rows(&self, report: &Report) -> Vec<Recipient> {
        self.store.recipients(report.list, None, 10_000).unwrap()
    }

    fn rejects(&self) -> String {
        std::fs::read_to_string(&self.options.rejects).unwrap()
    }
}

fn attribute(recipient: &Recipient, name: &str) -> String {
    let all: serde_json::Value = serde_json::from_str(&recipient.attributes).unwrap();
    all[name].as_str().unwrap_or("(none)").to_owned()
}

#[test]
fn any_column_is_an_attribute_and_marks_are_understood() {
    let bench = Bench::new("a.csv");
    let source = "Name,E-Mail,quality,Denylisted,note\n\
                  Ada,Ada@Example.ORG,5,no,\"two\nlines, \"\"quoted\"\"\"\n\
                  Bob,bob@example.org,,YES,\n";
    let report = bench.import(source.as_bytes()).unwrap();
    assert_eq!((report.read, report.imported, report.rejected), (2, 2, 0));
    assert_eq!(report.rejects_file, None);
    let rows = bench.rows(&report);
    assert_eq!(rows[0].address, "Ada@Example.ORG");
    assert_eq!(rows[0].key, "ada@example.org");
    assert_eq!((rows[0].line, rows[1].line), (2, 4));
    assert_eq!((rows[0].quality, rows[1].quality), (Some(5), None));
    assert_eq!((rows[0].denylisted, rows[1].denylisted), (false, true));
    assert_eq!(attribute(&rows[0], "note"), "two\nlines, \"quoted\"");
    assert_eq!(attribute(&rows[0], "Name"), "Ada");
    assert_eq!(
        bench.store.list_named("list").unwrap().unwrap().recipients,
        2
    );
}

#[test]
fn an_empty_or_misspelled_address_is_kept_for_preparation_to_exclude() {
    let bench = Bench::new("a.csv");
    let report = bench
        .import("email,name\n,Ada\nnobody,Bob\n".as_bytes())
        .unwrap();
    let rows = bench.rows(&report);
    let kept: Vec<_> = rows
        .iter()
        .map(|r| (r.address.as_str(), r.key.as_str()))
        .collect();
    assert_eq!(kept, [("", ""), ("nobody", "")]);
    assert_eq!(report.rejected, 0);
}

#[test]
fn charsets_and_byte_order_marks() {
    let text = "email;name\njö@example.com;Zoë Grüße\n";
    let utf16 = |to: fn(u16) -> [u8; 2], mark: [u8; 2]| -> Vec<u8> {
        mark.into_iter()
            .chain(text.encode_utf16().flat_map(to))
            .collect()
    };
    let (latin, _, _) = encoding_rs::WINDOWS_1252.encode(text);
    let rows: [(&str, Vec<u8>, Option<&str>); 6] = [
        ("utf-8", text.as_bytes().to_vec(), None),
        (
            "utf-8 with mark",
            format!("\u{FEFF}{text}").into_bytes(),
            None,
        ),
        (
            "mark before declaration",
            format!("\u{FEFF}{text}").into_bytes(),
            Some("latin1"),
        ),
        (
            "utf-16 little endian",
            utf16(u16::to_le_bytes, [0xFF, 0xFE]),
            None,
        ),
        (
            "utf-16 big endian",
            utf16(u16::to_be_bytes, [0xFE, 0xFF]),
            None,
        ),
        ("declared", latin.into_owned(), Some("ISO-8859-1")),
    ];
    for (name, bytes, charset) in rows {
        let mut bench = Bench::new("a.csv");
        bench.options.charset = charset.map(str::to_owned);
        let report = bench.import(bytes.as_slice()).unwrap();
        assert_eq!(
            attribute(&bench.rows(&report)[0], "name"),
            "Zoë Grüße",
            "{name}"
        );
    }
}

#[test]
fn bad_lines_are_rejected_with_number_and_reason_and_the_rest_is_read() {
    let bench = Bench::new("people.csv");
    let mut source = b"email,name,quality\n\
        a@example.com,A,1\n\
        too,many,1,fields\n\
        b@example.com,B,high\n\
        \n\
        \"x\"y@example.com,X,1\n"
        .to_vec();
    source.extend_from_slice(b"c@example.com,caf\xE9,1\n");
    source.extend_from_slice(b"\"open@example.com,O,1\nd@example.com,D,1\ne@example.com,E,1");
    let report = bench.import(source.as_slice()).unwrap();
    assert_eq!((report.read, report.imported, report.rejected), (8, 3, 5));
    let lines: Vec<u64> = report.first_rejects.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [3, 4, 6, 7, 8]);
    let addresses: Vec<_> = bench.rows(&report).into_iter().map(|r| r.address).collect();
    assert_eq!(
        addresses,
        ["a@example.com", "d@example.com", "e@example.com"]
    );
    assert_eq!(
        report.rejects_file,
        Some(bench.dir.path().join("people.rejects.csv"))
    );
    let file = bench.rejects();
    assert!(file.starts_with("line,reason,raw\n3,\"the line has 4 fields, the header has 3\","));
    assert!(file.contains("is never closed"), "{file}");
    assert_eq!(file.lines().count(), 6, "{file}");
}

#[test]
fn an_endless_line_is_rejected_in_bounded_memory() {
    let bench = Bench::new("a.csv");
    let source = b"email\na@example.com\n"
        .chain(std::io::repeat(b'x').take(5_000_000))
        .chain(b"\nb@example.com\n".as_slice());
    let report = bench.import(source).unwrap();
    assert_eq!((report.imported, report.rejected), (2, 1));
    assert!(bench.rejects().len() < 1_100_000);
}

#[test]
fn other_line_ends_and_delimiters() {
    for source in [
        "email\tname\r\na@example.com\tA\r\n",
        "email,name\ra@example.com,A\r",
        "email;name\na@example.com;A",
        "\n\nemail,name\n\na@example.com,A\n\n",
    ] {
        let bench = Bench::new("a.csv");
        let report = bench.import(source.as_bytes()).unwrap();
        assert_eq!(report.imported, 1, "{source:?}");
        assert_eq!(
            attribute(&bench.rows(&report)[0], "name"),
            "A",
            "{source:?}"
        );
    }
}

#[test]
fn sources_that_are_refused_leave_no_list() {
    let rows = [
        ("", "empty"),
        ("\n \n", "empty"),
        (
            "name,city\nA,B\n",
            "no column holds addresses among name, city",
        ),
        ("email,name,Name\na@example.com,A,B\n", "there twice"),
        ("\"email,name\na@example.com,A\n", "header line"),
    ];
    for (source, expected) in rows {
        let bench = Bench::new("a.csv");
        let error = bench.import(source.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expected), "{source:?}: {error}");
        assert_eq!(bench.store.lists().unwrap(), [], "{source:?}");
    }
}

#[test]
fn a_wrong_column_charset_or_name_is_refused() {
    let mut bench = Bench::new("a.csv");
    bench.options.address_column = Some("mailbox".to_owned());
    let error = bench
        .import("email\na@example.com\n".as_bytes())
        .unwrap_err();
    assert!(matches!(error, ImportError::NoSuchColumn { .. }), "{error}");
    bench.options.charset = Some("klingon".to_owned());
    let error = bench.import("email\n".as_bytes()).unwrap_err();
    assert!(matches!(error, ImportError::Charset(_)), "{error}");
    let bench = Bench::new("a.csv");
    bench.import("email\na@example.com\n".as_bytes()).unwrap();
    let error = bench
        .import("email\nb@example.com\n".as_bytes())
        .unwrap_err();
    assert!(
        matches!(error, ImportError::Store(StoreError::Exists { .. })),
        "{error}"
    );
    assert_eq!(bench.store.lists().unwrap().len(), 1);
}

#[test]
fn columns_can_be_named_and_renamed() {
    let mut bench = Bench::new("a.csv");
    bench.options.address_column = Some("Post".to_owned());
    bench.options.rename = vec![("First name".to_owned(), "first_name".to_owned())];
    let source = "post,First name\na@example.com,Ada\n";
    let report = bench.import(source.as_bytes()).unwrap();
    let rows = bench.rows(&report);
    assert_eq!(rows[0].address, "a@example.com");
    assert_eq!(attribute(&rows[0], "first_name"), "Ada");
}

/// Gives some bytes, then fails.
struct Failing(&'static [u8]);

impl Read for Failing {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.0.is_empty() {
            return Err(std::io::Error::other("the disk is gone"));
        }
        self.0.read(out)
    }
}

#[test]
fn a_failure_on_the_way_leaves_nothing() {
    let bench = Bench::new("a.csv");
    let error = bench
        .import(Failing(b"email\na@example.com\n"))
        .unwrap_err();
    assert!(matches!(error, ImportError::Read(_)), "{error}");
    assert_eq!(bench.store.lists().unwrap(), []);
}

#[test]
fn an_interruption_leaves_nothing() {
    let bench = Bench::new("a.csv");
    let cancel = AtomicBool::new(true);
    let error = Importer::new(&bench.store, Timestamp(0), &cancel)
        .import(
            "email\na@example.com\n".as_bytes(),
            &bench.options,
            &mut |_| {},
        )
        .unwrap_err();
    assert!(matches!(error, ImportError::Interrupted), "{error}");
    assert_eq!(bench.store.lists().unwrap(), []);
}

#[test]
fn what_a_crash_left_goes_with_the_next_import() {
    let bench = Bench::new("a.csv");
    bench
        .store
        .create_list("list (unfinished import)", Timestamp(0))
        .unwrap();
    bench.import("email\na@example.com\n".as_bytes()).unwrap();
    let lists = bench.store.lists().unwrap();
    let names: Vec<_> = lists.iter().map(|list| list.name.as_str()).collect();
    assert_eq!(names, ["list"]);
}

#[test]
fn an_unwritable_rejects_file_stops_the_import() {
    let mut bench = Bench::new("a.csv");
    bench.options.rejects = Path::new("/nowhere/at/all.csv").to_owned();
    let error = bench.import("email,n\nbroken\n".as_bytes()).unwrap_err();
    assert!(matches!(error, ImportError::Rejects { .. }), "{error}");
    assert_eq!(bench.store.lists().unwrap(), []);
}

#[test]
fn ndjson_members_are_attributes_and_bad_lines_are_rejected() {
    let bench = Bench::new("a.ndjson");
    let source = r#"{"name":"Ada","email":"a@example.com","age":42,"vip":true,"x":null,"quality":7}

{"email":"b@example.com","denylisted":true}
{"email":"c@example.com"
{"email":"d@example.com","nested":{"a":1}}
{"email":"e@example.com","email":"f@example.com"}
["g@example.com"]
{"name":"nobody"}
"#;
    let report = bench.import(source.as_bytes()).unwrap();
    assert_eq!((report.read, report.imported, report.rejected), (7, 3, 4));
    let lines: Vec<u64> = report.first_rejects.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [4, 5, 6, 7]);
    let rows = bench.rows(&report);
    assert_eq!(rows[0].quality, Some(7));
    assert_eq!(attribute(&rows[0], "age"), "42");
    assert_eq!(attribute(&rows[0], "vip"), "true");
    assert_eq!(attribute(&rows[0], "x"), "");
    assert!(rows[1].denylisted);
    assert_eq!((rows[2].address.as_str(), rows[2].line), ("", 8));
}

#[test]
fn ndjson_without_any_address_or_object_is_refused() {
    for (source, expected) in [
        ("\n", "empty"),
        ("{\"name\":\"A\"}\n", "no column holds addresses"),
    ] {
        let bench = Bench::new("a.jsonl");
        let error = bench.import(source.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(bench.store.lists().unwrap(), []);
    }
}
