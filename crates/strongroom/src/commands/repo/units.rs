//! Sizes, durations and shares as restic's flags take them.

use anyhow::{Context as _, Result, bail};
use jiff::SignedDuration;
use strongroom_domain::Clock;
use strongroom_engine::{ReadData, Tolerance};

use crate::runtime::SystemClock;

/// `n/m`; or `x%`, another choice every time.
pub(super) fn subset(text: &str) -> Result<ReadData> {
    let usage = || format!("`{text}` is neither `n/m` nor `x%`");
    if let Some(percent) = text.strip_suffix('%') {
        let percent: f64 = percent.parse().with_context(usage)?;
        if !(percent > 0.0 && percent <= 100.0) {
            bail!("{}", usage());
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to a million"
        )]
        let per_million = (percent * 10_000.0) as u32;
        let seed = u64::from(SystemClock.now().subsec_nanosecond().unsigned_abs());
        return Ok(ReadData::Sample { per_million, seed });
    }
    let (part, of) = text.split_once('/').with_context(usage)?;
    let (part, of) = (
        part.parse().with_context(usage)?,
        of.parse().with_context(usage)?,
    );
    if part == 0 || part > of || of > 256 {
        bail!("`{text}` is not a part of at most 256");
    }
    Ok(ReadData::Subset { part, of })
}

/// `5%`, `200M` or `unlimited`.
pub(super) fn tolerance(text: &str) -> Result<Tolerance> {
    let usage = || format!("`{text}` is neither a size nor a percentage");
    if text == "unlimited" {
        return Ok(Tolerance::Unlimited);
    }
    if let Some(percent) = text.strip_suffix('%') {
        let percent: f64 = percent.parse().with_context(usage)?;
        if !(0.0..=100.0).contains(&percent) {
            bail!("{}", usage());
        }
        return Ok(Tolerance::Percent(percent));
    }
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match &text[digits.len()..].to_ascii_uppercase()[..] {
        "" | "B" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => bail!("{}", usage()),
    };
    let number: u64 = digits.parse().with_context(usage)?;
    let bytes = number.checked_mul(1 << shift).with_context(usage)?;
    Ok(Tolerance::Bytes(bytes))
}

/// Numbers with `y`, `m` (months), `d` and `h`: `1y5m7d2h`. A year has 365 days, a month 30.
pub(super) fn duration(text: &str) -> Result<SignedDuration> {
    let usage = || format!("`{text}` is not a duration like `1y5m7d2h`");
    let mut hours = 0_i64;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .with_context(usage)?;
        let number: i64 = rest[..end].parse().with_context(usage)?;
        let unit = match rest.as_bytes()[end] {
            b'y' => 365 * 24,
            b'm' => 30 * 24,
            b'd' => 24,
            b'h' => 1,
            _ => bail!("{}", usage()),
        };
        hours = number
            .checked_mul(unit)
            .and_then(|more| hours.checked_add(more))
            .filter(|all| *all < 24 * 365 * 1_000)
            .with_context(usage)?;
        rest = &rest[end + 1..];
    }
    if text.is_empty() {
        bail!("{}", usage());
    }
    Ok(SignedDuration::from_hours(hours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_restics() {
        assert_eq!(duration("2h").unwrap(), SignedDuration::from_hours(2));
        assert_eq!(
            duration("1y5m7d2h").unwrap(),
            SignedDuration::from_hours(24 * (365 + 150 + 7) + 2)
        );
        for text in ["", "5", "h", "1w", "-1h", "99999999999999999999y", "1é"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn tolerances_are_sizes_shares_or_unlimited() {
        assert_eq!(tolerance("5%").unwrap(), Tolerance::Percent(5.0));
        assert_eq!(tolerance("0").unwrap(), Tolerance::Bytes(0));
        assert_eq!(tolerance("3M").unwrap(), Tolerance::Bytes(3 << 20));
        assert_eq!(tolerance("unlimited").unwrap(), Tolerance::Unlimited);
        for text in ["", "x", "101%", "3X", "9999999999999T"] {
            assert!(tolerance(text).is_err(), "{text}");
        }
    }

    #[test]
    fn subsets_are_parts_or_shares() {
        assert_eq!(subset("2/5").unwrap(), ReadData::Subset { part: 2, of: 5 });
        let sample = subset("2.5%").unwrap();
        assert!(matches!(
            sample,
            ReadData::Sample {
                per_million: 25_000,
                ..
            }
        ));
        for text in ["", "0/5", "6/5", "1/257", "0%", "101%", "half"] {
            assert!(subset(text).is_err(), "{text}");
        }
    }
}
