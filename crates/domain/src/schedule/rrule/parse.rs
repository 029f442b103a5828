//! Reading an RRULE.

use std::str::FromStr;

use jiff::{
    civil::{Date, DateTime, Weekday},
    tz::Offset,
};

use super::{Day, End, Frequency, Rrule};

/// The largest `INTERVAL`; more is beyond what dates can count.
const MAX_INTERVAL: i64 = 10_000;
/// The largest `COUNT`; all of them are worked out to find the last.
const MAX_COUNT: u32 = 10_000;

impl Rrule {
    /// Reads `FREQ=…;…`; the error names the part that is wrong or not supported.
    pub(in crate::schedule) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim().to_ascii_uppercase();
        let mut parts = Parts::default();
        for part in text.strip_prefix("RRULE:").unwrap_or(&text).split(';') {
            let Some((name, value)) = part.split_once('=') else {
                return Err(format!("RRULE part `{part}` is not of the form NAME=VALUE"));
            };
            parts
                .set(name, value)
                .map_err(|reason| format!("RRULE part `{name}`: {reason}"))?;
        }
        parts.finish()
    }
}

#[derive(Default)]
struct Parts {
    frequency: Option<Frequency>,
    interval: Option<i64>,
    days: Option<Vec<Day>>,
    month_days: Option<Vec<i8>>,
    hours: Option<Vec<i8>>,
    minutes: Option<Vec<i8>>,
    count: Option<u32>,
    until: Option<End>,
}

impl Parts {
    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "FREQ" => once(&mut self.frequency, frequency(value)?),
            "INTERVAL" => once(&mut self.interval, number(value, 1, MAX_INTERVAL)?),
            "BYDAY" => once(&mut self.days, list(value, day)?),
            "BYMONTHDAY" => once(&mut self.month_days, list(value, month_day)?),
            "BYHOUR" => once(&mut self.hours, list(value, |it| number(it, 0, 23))?),
            "BYMINUTE" => once(&mut self.minutes, list(value, |it| number(it, 0, 59))?),
            "COUNT" => once(&mut self.count, number(value, 1, MAX_COUNT)?),
            "UNTIL" => once(&mut self.until, until(value)?),
            _ => Err("it is not supported".to_owned()),
        }
    }

    fn finish(self) -> Result<Rrule, String> {
        let frequency = self.frequency.ok_or("RRULE part `FREQ` is missing")?;
        let days = self.days.unwrap_or_default();
        if frequency != Frequency::Monthly && days.iter().any(|day| day.ordinal.is_some()) {
            return Err("RRULE part `BYDAY`: a number before the day needs FREQ=MONTHLY".into());
        }
        if frequency == Frequency::Weekly && self.month_days.is_some() {
            return Err("RRULE part `BYMONTHDAY`: it is not supported with FREQ=WEEKLY".into());
        }
        let end = match (self.count, self.until) {
            (Some(_), Some(_)) => {
                return Err("RRULE part `COUNT`: it excludes `UNTIL`".into());
            }
            (Some(count), None) => End::Count(count),
            (None, Some(until)) => until,
            (None, None) => End::Never,
        };
        Ok(Rrule {
            frequency,
            interval: self.interval.unwrap_or(1),
            days,
            month_days: self.month_days.unwrap_or_default(),
            hours: sorted(self.hours.unwrap_or_default()),
            minutes: sorted(self.minutes.unwrap_or_default()),
            end,
        })
    }
}

fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), String> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err("it is given twice".to_owned()),
    }
}

fn sorted(mut values: Vec<i8>) -> Vec<i8> {
    values.sort_unstable();
    values.dedup();
    values
}

fn list<T>(value: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    value.split(',').map(read).collect()
}

fn number<T>(value: &str, least: T, most: T) -> Result<T, String>
where
    T: FromStr + PartialOrd + std::fmt::Display,
{
    // `FromStr` would also take a plus sign.
    let digits = value.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    digits
        .then(|| value.parse().ok())
        .flatten()
        .filter(|number| *number >= least && *number <= most)
        .ok_or_else(|| format!("`{value}` is not a number from {least} to {most}"))
}

fn frequency(value: &str) -> Result<Frequency, String> {
    match value {
        "HOURLY" => Ok(Frequency::Hourly),
        "DAILY" => Ok(Frequency::Daily),
        "WEEKLY" => Ok(Frequency::Weekly),
        "MONTHLY" => Ok(Frequency::Monthly),
        _ => Err(format!(
            "`{value}` is not one of `HOURLY`, `DAILY`, `WEEKLY`, `MONTHLY`"
        )),
    }
}

fn day(value: &str) -> Result<Day, String> {
    let wrong = || format!("`{value}` is not a day such as `MO`, `1MO` or `-1FR`");
    // Splitting at a byte offset must not land inside a character.
    let at = value.len().checked_sub(2).ok_or_else(wrong)?;
    let (ordinal, name) = value.split_at_checked(at).ok_or_else(wrong)?;
    let weekday = match name {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return Err(wrong()),
    };
    let ordinal = match ordinal.strip_prefix('+').unwrap_or(ordinal) {
        "" => None,
        digits => match number(digits, -5, 5).map_err(|_| wrong())? {
            0 => return Err(wrong()),
            n => Some(n),
        },
    };
    Ok(Day { ordinal, weekday })
}

fn month_day(value: &str) -> Result<i8, String> {
    match number(value.strip_prefix('+').unwrap_or(value), -31, 31)? {
        0 => Err("`0` is not a day of a month".to_owned()),
        day => Ok(day),
    }
}

/// `20261231T235959Z`, `20261231T235959` (on the zone's clock) or `20261231` (its whole day).
fn until(value: &str) -> Result<End, String> {
    let instant = || {
        let at = DateTime::strptime("%Y%m%dT%H%M%S", value.strip_suffix('Z')?).ok()?;
        Offset::UTC.to_timestamp(at).ok().map(End::UntilInstant)
    };
    let local = || {
        let at = DateTime::strptime("%Y%m%dT%H%M%S", value).ok()?;
        Some(End::UntilLocal(at))
    };
    let date = || {
        let date = Date::strptime("%Y%m%d", value).ok()?;
        Some(End::UntilLocal(date.at(23, 59, 59, 0)))
    };
    instant()
        .or_else(local)
        .or_else(date)
        .ok_or_else(|| format!("`{value}` is not a time such as `20261231T235959Z`"))
}
