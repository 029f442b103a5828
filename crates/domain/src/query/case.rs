//! Letters that differ in case only.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

/// The form in which texts are equal that differ only in case and trailing blanks: how MySQL's
/// `utf8_general_ci` compares, but for accents. A letter of ASCII equals letters of ASCII only.
pub fn fold(text: &str) -> String {
    fold_case(text.trim_end_matches(' '))
}

/// The same, but only the case of letters of ASCII is aside: what texts are ordered by.
pub fn fold_ascii(text: &str) -> String {
    text.trim_end_matches(' ').to_ascii_lowercase()
}

/// The form in which texts are equal that differ only in case.
pub fn fold_case(text: &str) -> String {
    text.chars().map(fold_char).collect()
}

/// The letter that stands for `c` and all its [`variants`].
pub(super) fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    // By way of the capital, because there are letters with two small forms (σ and ς).
    let capital = single(c.to_uppercase()).unwrap_or(c);
    let small = single(capital.to_lowercase()).unwrap_or(capital);
    if small.is_ascii() { c } else { small }
}

fn single(mut chars: impl Iterator<Item = char>) -> Option<char> {
    let first = chars.next()?;
    chars.next().is_none().then_some(first)
}

/// The other letters outside ASCII that fold to this one.
pub fn variants(folded: char) -> &'static [char] {
    /// No letter beyond it has another case.
    const LAST: char = '\u{1FFFF}';
    static VARIANTS: LazyLock<HashMap<char, Vec<char>>> = LazyLock::new(|| {
        let mut variants = HashMap::<_, Vec<_>>::new();
        for c in '\u{80}'..=LAST {
            let folded = fold_char(c);
            if folded != c {
                variants.entry(folded).or_default().push(c);
            }
        }
        variants
    });
    VARIANTS.get(&folded).map_or(&[], Vec::as_slice)
}

/// Folds `text`; of its letters outside ASCII only those that `other`, which is folded, has too.
pub(super) fn fold_towards(text: &str, other: &str) -> String {
    if text.is_ascii() || other.is_ascii() {
        return fold_ascii(text);
    }
    let letters: HashSet<char> = other.chars().collect();
    let text = text.trim_end_matches(' ').chars();
    let folded = text.map(|c| match fold_char(c) {
        folded if c.is_ascii() || letters.contains(&folded) => folded,
        _ => c,
    });
    folded.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_differ_in_case_and_trailing_blanks_have_one_form() {
        for (a, b) in [
            ("Db  ", "dB"),
            ("É", "é"),
            ("ЗАКАЗЫ", "заказы"),
            ("ΟΔΟΣ", "οδος"),
            ("ẞ", "ß"),
            ("Ǆ", "ǅ"),
            ("数据库", "数据库"),
        ] {
            assert_eq!(fold(a), fold(b), "{a} {b}");
        }
        for (a, b) in [
            ("é", "e"),
            ("ß", "ss"),
            ("\u{212A}", "k"),
            ("ı", "i"),
            (" a", "a"),
        ] {
            assert_ne!(fold(a), fold(b), "{a} {b}");
        }
    }

    #[test]
    fn every_letter_is_the_one_it_folds_to_or_a_variant_of_it() {
        for c in '\u{80}'..=char::MAX {
            let folded = fold_char(c);
            assert_eq!(fold_char(folded), folded, "{c}");
            assert_eq!(variants(folded).contains(&c), folded != c, "{c}");
        }
    }
}
