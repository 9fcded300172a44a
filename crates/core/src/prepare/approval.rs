//! Whether a prepared delivery starts without a person.

use crate::delivery::{ApprovalMode, Level};

/// Whether a delivery starts by itself after a preparation whose gravest line was `worst`.
///
/// Manual never does, semi-automatic without warnings and errors, automatic without errors: an
/// error blocks sending in every mode.
#[must_use]
pub fn starts_by_itself(mode: ApprovalMode, worst: Option<Level>) -> bool {
    let worst = worst.unwrap_or(Level::Info);
    match mode {
        ApprovalMode::Manual => false,
        ApprovalMode::SemiAutomatic => worst < Level::Warning,
        ApprovalMode::Automatic => worst < Level::Error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_starts_by_itself() {
        use ApprovalMode as M;
        let rows = [
            (M::Manual, [false, false, false, false]),
            (M::SemiAutomatic, [true, true, false, false]),
            (M::Automatic, [true, true, true, false]),
        ];
        let levels = [
            None,
            Some(Level::Info),
            Some(Level::Warning),
            Some(Level::Error),
        ];
        for (mode, expected) in rows {
            for (level, starts) in levels.into_iter().zip(expected) {
                assert_eq!(starts_by_itself(mode, level), starts, "{mode} {level:?}");
            }
        }
    }
}
