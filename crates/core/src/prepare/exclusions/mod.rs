//! The exclusions, one question in each file, and the options that steer them.

pub mod address;
pub mod control;
pub mod denylist;
pub mod double;
pub mod quality;
pub mod quarantine;

pub use control::Control;

/// Exclusion options of a delivery.
#[derive(Debug, Clone)]
pub struct Options {
    /// Exclude an address that is already in this delivery.
    pub duplicates: bool,
    /// Exclude denylisted profiles and addresses.
    pub denylisted: bool,
    /// Exclude addresses in quarantine.
    pub quarantined: bool,
    /// Exclude recipients whose numeric quality is below this.
    pub minimum_quality: Option<i64>,
    /// Who belongs to the control group.
    pub control: Control,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            duplicates: true,
            denylisted: true,
            quarantined: true,
            minimum_quality: None,
            control: Control::default(),
        }
    }
}
