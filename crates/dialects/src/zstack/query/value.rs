//! How MySQL understands the text of a value where it is compared with a number or a time.

use jiff::{Timestamp, civil, fmt::strtime};

/// The greatest whole number not above a value, and whether it is the value itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Floor {
    pub(crate) at: i64,
    pub(crate) exact: bool,
}

/// A number's leading part counts, the rest is ignored, no number at all is 0.
pub(crate) fn number(text: &str) -> Floor {
    let text = text.trim_start();
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        from + rest.bytes().take_while(u8::is_ascii_digit).count()
    };
    let sign = usize::from(text.starts_with(['+', '-']));
    let whole = digits(sign);
    let mut end = whole;
    if text.get(end..).is_some_and(|it| it.starts_with('.')) {
        end = digits(end + 1);
    }
    if text.get(end..).is_some_and(|it| it.starts_with(['e', 'E'])) {
        let signed = text
            .get(end + 1..)
            .is_some_and(|it| it.starts_with(['+', '-']));
        let from = end + 1 + usize::from(signed);
        if digits(from) > from {
            end = digits(from);
        }
    }
    let leading = text.get(..end).unwrap_or_default();
    if whole == end
        && let Ok(at) = leading.parse()
    {
        return Floor { at, exact: true };
    }
    let value: f64 = leading.parse().unwrap_or(0.0);
    floor(value)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::float_cmp,
    reason = "the cast saturates, and whether it lost anything is just what is asked"
)]
fn floor(value: f64) -> Floor {
    let at = value.floor() as i64;
    let exact = value.floor() == value && at > i64::MIN && at < i64::MAX;
    Floor { at, exact }
}

/// A time as MySQL writes it, as this API prints it, or by ISO 8601; without a zone it is UTC.
/// Gives the second and whether there is a fraction of one beyond it.
pub(crate) fn time(text: &str) -> Option<(Timestamp, bool)> {
    let text = text.trim();
    let civil = |format: &str| {
        let parsed = strtime::parse(format, text).ok()?;
        let at = parsed
            .to_datetime()
            .or_else(|_| parsed.to_date().map(civil::DateTime::from));
        at.ok()?.in_tz("UTC").ok().map(|it| it.timestamp())
    };
    let at = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| {
            text.parse::<civil::DateTime>()
                .ok()?
                .in_tz("UTC")
                .ok()
                .map(|it| it.timestamp())
        })
        .or_else(|| civil("%b %d, %Y %I:%M:%S %p"))
        .or_else(|| civil("%b %d, %Y, %I:%M:%S %p"))?;
    let second = Timestamp::from_second(at.as_second() - i64::from(at.subsec_nanosecond() < 0));
    Some((second.ok()?, at.subsec_nanosecond() != 0))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("13107", 13107, true)]
    #[case("13107.0", 13107, true)]
    #[case(" +5", 5, true)]
    #[case("-5", -5, true)]
    #[case("1.5", 1, false)]
    #[case("-1.5", -2, false)]
    #[case("1e3", 1000, true)]
    #[case("1e", 1, true)]
    #[case("12abc", 12, true)]
    #[case("abc", 0, true)]
    #[case("-", 0, true)]
    #[case("", 0, true)]
    #[case("é", 0, true)]
    #[case("9223372036854775807", i64::MAX, true)]
    #[case("99999999999999999999", i64::MAX, false)]
    #[case("-99999999999999999999", i64::MIN, false)]
    fn a_number_is_read_as_far_as_it_is_one(
        #[case] text: &str,
        #[case] at: i64,
        #[case] exact: bool,
    ) {
        assert_eq!(number(text), Floor { at, exact });
    }

    #[rstest]
    #[case("2017-11-14 22:20:57", false)]
    #[case("2017-11-14T22:20:57", false)]
    #[case("2017-11-14T22:20:57Z", false)]
    #[case("2017-11-15T06:20:57+08:00", false)]
    #[case("2017-11-14 22:20:57.25", true)]
    #[case("Nov 14, 2017 10:20:57 PM", false)]
    #[case("Nov 14, 2017, 10:20:57 PM", false)]
    fn a_time_is_read_in_every_form_that_clients_write(#[case] text: &str, #[case] more: bool) {
        let at: Timestamp = "2017-11-14T22:20:57Z".parse().unwrap();
        assert_eq!(time(text), Some((at, more)));
    }

    #[test]
    fn a_date_is_its_first_second_and_other_text_is_no_time() {
        let midnight: Timestamp = "2017-11-14T00:00:00Z".parse().unwrap();
        assert_eq!(time("2017-11-14"), Some((midnight, false)));
        for text in ["", "now", "2017-13-01", "2017-11-14 25:00:00", "1510698057"] {
            assert_eq!(time(text), None, "{text}");
        }
    }
}
