//! SHA-256 of several messages at once.
//!
//! One message keeps a core waiting for the previous round; four at a time keep it busy and take
//! about half as long. Without the instructions for it messages are hashed one after the other.

#[cfg(target_arch = "x86_64")]
mod lanes;

use crate::id::Id;

/// Messages that are worth handing to [`all`] together.
pub(crate) const LANES: usize = 4;

/// The hash of each message, in order.
pub(crate) fn all(messages: &[&[u8]]) -> Vec<Id> {
    #[cfg(target_arch = "x86_64")]
    if messages.len() > 1
        && let Some(ids) = lanes::all(messages)
    {
        return ids;
    }
    messages.iter().map(|message| Id::of(message)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one_by_one(messages: &[&[u8]]) -> Vec<Id> {
        messages.iter().map(|message| Id::of(message)).collect()
    }

    #[test]
    fn every_length_around_a_block_has_its_hash() {
        let data: Vec<u8> = (0..=255).cycle().take(400).collect();
        let messages: Vec<&[u8]> = (0..=300)
            .map(|length| &data[length / 3..][..length])
            .collect();
        for count in [0, 1, 2, 3, 4, 5, 301] {
            assert_eq!(all(&messages[..count]), one_by_one(&messages[..count]));
        }
    }

    proptest! {
        #[test]
        fn lanes_give_what_one_after_the_other_gives(
            messages in proptest::collection::vec(
                proptest::collection::vec(any::<u8>(), 0..2000), 0..12),
        ) {
            let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(all(&messages), one_by_one(&messages));
        }
    }
}
