//! The samples of the reader, part of the library: at least one for every dialect and format.
//!
//! Each is a mail of our own beside what is to be found in it, so that whoever changes a rule, a phrase or a
//! dialect can see at once what else it changes. A program that never calls [`samples`] does not carry them.

/// A mail, and what is to be found in it.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Its name; that of the dialect where it stands for one.
    pub name: &'static str,
    /// The mail.
    pub mail: &'static [u8],
    /// What is to be found in it, as JSON: `kind`, `dialect`, `recipients` with the fields that matter.
    pub expected: &'static str,
}

macro_rules! of_testdata {
    ($($name:literal)*) => {
        &[$(Sample {
            name: $name,
            mail: include_bytes!(concat!("../../testdata/read/", $name, ".eml")),
            expected: include_str!(concat!("../../testdata/read/", $name, ".json")),
        }),*]
    };
}

const SAMPLES: &[Sample] = include!("../../testdata/read/list.txt");

/// Every sample, by name.
#[must_use]
pub const fn samples() -> &'static [Sample] {
    SAMPLES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_of_the_folder_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/read");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "eml"))
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        let listed: Vec<&str> = samples().iter().map(|sample| sample.name).collect();
        assert_eq!(listed, names);
    }
}
