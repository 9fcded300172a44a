//! Table and properties of the normaliser.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn normalising_twice_changes_nothing(text in "\\PC{0,80}") {
        let once = normalise(&text);
        prop_assert_eq!(normalise(&once), once);
    }

    #[test]
    fn normalising_twice_changes_nothing_near_replies(
        words in prop::collection::vec(
            prop_oneof![
                "[a-z]{1,8}", "[0-9]{1,5}", "[45][0-9]{2}-?", "[45]\\.[0-7]\\.[0-9]{1,2}",
                "[a-z0-9]{1,4}@[a-z0-9.@]{1,6}", "<[a-z]{1,3}@[a-z]{1,3}>", "https?://[a-z0-9./?#=:%@*-]{0,12}",
                "[a-zA-Z0-9.:/=_@#*+-]{1,10}", "(Mon|Thu|May|Nov|GMT),?", "#xxx#", "\\*", "[\\(\\[][0-9.:]{1,9}[\\)\\]]",
                "stat:", "text:", "\n550-?",
            ], 0..14),
    ) {
        let text = words.join(" ");
        let once = normalise(&text);
        let twice = normalise(&once);
        prop_assert_eq!(&twice, &once, "from {:?}", text);
    }

    #[test]
    fn output_is_bounded(text in ".{0,40}", times in 1..2000usize) {
        let long = text.repeat(times);
        let once = normalise(&long);
        prop_assert!(once.len() <= MAX_OUTPUT);
        prop_assert_eq!(normalise(&once), once);
    }

    #[test]
    fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let once = normalise_bytes(&bytes);
        prop_assert_eq!(normalise(&once), once);
    }
}
