//! The subset of RFC 5545's RRULE that backup services use.
//!
//! `FREQ` HOURLY, DAILY, WEEKLY or MONTHLY; `INTERVAL`, `BYDAY` (with ordinals under MONTHLY),
//! `BYMONTHDAY` (negative counts from the end), `BYHOUR`, `BYMINUTE`, and `COUNT` or `UNTIL`.
//! Anything else is refused by name rather than ignored. Weeks begin on Monday.

mod parse;

use jiff::{
    SignedDuration, Span, Timestamp, ToSpan, Zoned,
    civil::{Date, DateTime, Weekday},
    tz::TimeZone,
};

use super::civil;

/// How many periods (hours, days, … of the rule) are searched for an occurrence before the rule
/// is taken to have none: `FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31` from a February never has.
const MAX_PERIODS: i64 = 100_000;

/// A rule, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rrule {
    frequency: Frequency,
    interval: i64,
    /// Empty means any, as in the other lists.
    days: Vec<Day>,
    month_days: Vec<i8>,
    /// Sorted, as are the minutes.
    hours: Vec<i8>,
    minutes: Vec<i8>,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frequency {
    Hourly,
    Daily,
    Weekly,
    Monthly,
}

/// A part of `BYDAY`: every Monday, or the first or last one of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Day {
    ordinal: Option<i8>,
    weekday: Weekday,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Never,
    Count(u32),
    UntilInstant(Timestamp),
    UntilLocal(DateTime),
}

impl Rrule {
    /// The rule's occurrences from `anchor` on.
    pub(super) fn starting(self, zone: &TimeZone, anchor: Timestamp) -> Series {
        let start = whole_minute(anchor).to_zoned(zone.clone());
        let end = self.end;
        let mut series = Series {
            rule: self.with_defaults(start.datetime()),
            start,
            end: None,
        };
        series.end = match end {
            End::Never => None,
            End::UntilInstant(at) => Some(at),
            End::UntilLocal(at) => civil::resolve(zone, at),
            End::Count(count) => series.nth(zone, count),
        };
        series
    }

    /// Fills the parts that the start decides when the rule does not.
    fn with_defaults(mut self, start: DateTime) -> Self {
        let unset = self.days.is_empty() && self.month_days.is_empty();
        match self.frequency {
            Frequency::Weekly if unset => self.days.push(Day {
                ordinal: None,
                weekday: start.weekday(),
            }),
            Frequency::Monthly if unset => self.month_days.push(start.day()),
            _ => {}
        }
        if self.hours.is_empty() && self.frequency != Frequency::Hourly {
            self.hours.push(start.hour());
        }
        if self.minutes.is_empty() {
            self.minutes.push(start.minute());
        }
        self
    }

    fn takes(&self, date: Date) -> bool {
        let length = date.days_in_month();
        let in_month = self.month_days.is_empty()
            || self
                .month_days
                .iter()
                .any(|day| *day == date.day() || *day < 0 && length + 1 + *day == date.day());
        in_month && (self.days.is_empty() || self.days.iter().any(|day| day.takes(date)))
    }
}

impl Day {
    fn takes(self, date: Date) -> bool {
        let counts = match self.ordinal {
            None => true,
            Some(n) if n > 0 => (date.day() - 1) / 7 + 1 == n,
            Some(n) => (date.days_in_month() - date.day()) / 7 + 1 == -n,
        };
        counts && self.weekday == date.weekday()
    }
}

/// A rule together with where it starts and ends.
pub(super) struct Series {
    rule: Rrule,
    /// DTSTART.
    start: Zoned,
    /// The last instant that may be an occurrence.
    end: Option<Timestamp>,
}

impl Series {
    /// The first occurrence later than `after`.
    pub(super) fn next_after(&self, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
        let next = match self.rule.frequency {
            Frequency::Hourly => self.next_hourly(after),
            _ => self.next_dated(zone, after),
        }?;
        self.end.is_none_or(|end| next <= end).then_some(next)
    }

    /// The `count`th occurrence, or the last there is.
    fn nth(&self, zone: &TimeZone, count: u32) -> Option<Timestamp> {
        let before = self.start.timestamp() - SignedDuration::from_secs(1);
        std::iter::successors(self.next_after(zone, before), |at| {
            self.next_after(zone, *at)
        })
        .take(count as usize)
        .last()
    }

    /// Steps through elapsed hours; see the module above for why.
    fn next_hourly(&self, after: Timestamp) -> Option<Timestamp> {
        let rule = &self.rule;
        let passed = after.duration_since(self.start.timestamp()).as_hours() - 1;
        let first = (passed / rule.interval).max(0);
        for step in first..first + MAX_PERIODS {
            let hours = step.checked_mul(rule.interval)?;
            let hour = self
                .start
                .checked_add(SignedDuration::from_hours(hours))
                .ok()?;
            if !self.takes_hour(&hour) {
                continue;
            }
            let slot = rule.minutes.iter().filter_map(|minute| {
                let at = hour.with().minute(*minute).build().ok()?.timestamp();
                (at > after && at >= self.start.timestamp()).then_some(at)
            });
            if let Some(at) = slot.min() {
                return Some(at);
            }
        }
        None
    }

    fn takes_hour(&self, hour: &Zoned) -> bool {
        if !self.rule.takes(hour.date()) {
            return false;
        }
        if self.rule.hours.is_empty() {
            return true;
        }
        // A named hour is taken once, also where the clock shows it twice.
        let first = civil::resolve(hour.time_zone(), hour.datetime());
        self.rule.hours.contains(&hour.hour()) && first == Some(hour.timestamp())
    }

    /// Steps through dates on the zone's clock.
    fn next_dated(&self, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
        let start = self.start.datetime();
        let clock = after.to_zoned(zone.clone()).datetime();
        let first = self.period_of(clock.date()).max(0);
        for period in first..first + MAX_PERIODS {
            for date in self.dates(period)? {
                for time in self.times(date) {
                    if time < start || time <= clock {
                        continue;
                    }
                    let at = civil::resolve(zone, time)?;
                    if at > after && at >= self.start.timestamp() {
                        return Some(at);
                    }
                }
            }
        }
        None
    }

    /// Which of the rule's periods, counted from the start's, a date lies in or after.
    fn period_of(&self, date: Date) -> i64 {
        let start = self.start.date();
        let units = match self.rule.frequency {
            Frequency::Hourly | Frequency::Daily => days_between(start, date),
            Frequency::Weekly => days_between(monday(start), monday(date)) / 7,
            Frequency::Monthly => months(date) - months(start),
        };
        units.div_euclid(self.rule.interval)
    }

    /// The dates of a period that the rule takes, in order; `None` at the end of time.
    fn dates(&self, period: i64) -> Option<Vec<Date>> {
        let start = self.start.date();
        let offset = period.checked_mul(self.rule.interval)?;
        let span =
            |unit: fn(Span, i64) -> Result<Span, jiff::Error>| unit(Span::new(), offset).ok();
        let (first, length) = match self.rule.frequency {
            Frequency::Hourly | Frequency::Daily => {
                (start.checked_add(span(Span::try_days)?).ok()?, 1)
            }
            Frequency::Weekly => (monday(start).checked_add(span(Span::try_weeks)?).ok()?, 7),
            Frequency::Monthly => {
                let month = start
                    .first_of_month()
                    .checked_add(span(Span::try_months)?)
                    .ok()?;
                (month, month.days_in_month())
            }
        };
        Some(
            first
                .series(1.day())
                .take(usize::try_from(length).unwrap_or(0))
                .filter(|date| self.rule.takes(*date))
                .collect(),
        )
    }

    fn times(&self, date: Date) -> impl Iterator<Item = DateTime> {
        self.rule.hours.iter().flat_map(move |hour| {
            let minutes = self.rule.minutes.iter();
            minutes.map(move |minute| date.at(*hour, *minute, 0, 0))
        })
    }
}

/// Rounds up, so that no occurrence lies before the anchor.
fn whole_minute(at: Timestamp) -> Timestamp {
    let seconds = at.as_second();
    let up = i64::from(at.subsec_nanosecond() > 0);
    let minutes = (seconds + up + 59).div_euclid(60);
    Timestamp::from_second(minutes * 60).unwrap_or(at)
}

fn days_between(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_hours() / 24
}

fn monday(date: Date) -> Date {
    let back = i64::from(date.weekday().to_monday_zero_offset());
    date.checked_sub(back.days()).unwrap_or(date)
}

fn months(date: Date) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month())
}
