//! The date of a signed request: `EEE, dd MMM yyyy HH:mm:ss z`, where the zone is whatever the
//! client's language prints. Abbreviations mean different zones in different countries, so a date
//! may have several readings.

use jiff::{SignedDuration, Timestamp, civil, tz};

/// How far a signed request's date may be off.
const SKEW: SignedDuration = SignedDuration::from_mins(15);

/// What zones are abbreviated to, in minutes ahead of UTC; the ambiguous ones with every meaning.
const ABBREVIATED: &[(&str, &[i32])] = &[
    ("UTC", &[0]),
    ("GMT", &[0]),
    ("UT", &[0]),
    ("Z", &[0]),
    // The Americas.
    ("NST", &[-210]),
    ("NDT", &[-150]),
    ("AST", &[-240, 180]),
    ("ADT", &[-180]),
    ("EST", &[-300, 600]),
    ("EDT", &[-240, 660]),
    // China, North America, Cuba.
    ("CST", &[480, -360, -300]),
    ("CDT", &[-300, -240, 540]),
    ("MST", &[-420, 480]),
    ("MDT", &[-360]),
    // North America, the Philippines.
    ("PST", &[-480, 480]),
    ("PDT", &[-420]),
    ("AKST", &[-540]),
    ("AKDT", &[-480]),
    ("HST", &[-600]),
    ("HDT", &[-540]),
    ("BRT", &[-180]),
    ("ART", &[-180]),
    ("UYT", &[-180]),
    ("CLT", &[-240]),
    ("CLST", &[-180]),
    ("VET", &[-240]),
    ("COT", &[-300]),
    ("PET", &[-300]),
    // Europe and Africa.
    ("WET", &[0]),
    ("WEST", &[60]),
    // Britain, Bangladesh, Bougainville.
    ("BST", &[60, 360, 660]),
    // India, Israel, Ireland.
    ("IST", &[330, 120, 60]),
    ("IDT", &[180]),
    ("CET", &[60]),
    ("CEST", &[120]),
    ("MET", &[60]),
    ("MEST", &[120]),
    ("EET", &[120]),
    ("EEST", &[180]),
    ("MSK", &[180]),
    ("MSD", &[240]),
    ("TRT", &[180]),
    ("WAT", &[60]),
    ("CAT", &[120]),
    ("SAST", &[120]),
    ("EAT", &[180]),
    // Asia.
    ("IRST", &[210]),
    ("GST", &[240, -120]),
    ("SAMT", &[240]),
    ("AFT", &[270]),
    ("PKT", &[300]),
    ("UZT", &[300]),
    ("YEKT", &[300]),
    ("NPT", &[345]),
    ("BTT", &[360]),
    ("OMST", &[360]),
    ("MMT", &[390]),
    ("ICT", &[420]),
    ("WIB", &[420]),
    ("KRAT", &[420]),
    ("NOVT", &[420]),
    ("HKT", &[480]),
    ("SGT", &[480]),
    ("MYT", &[480]),
    ("PHT", &[480]),
    ("WITA", &[480]),
    ("IRKT", &[480]),
    ("ULAT", &[480]),
    ("JST", &[540]),
    ("KST", &[540]),
    ("WIT", &[540]),
    ("YAKT", &[540]),
    ("VLAT", &[600]),
    ("MAGT", &[660]),
    ("PETT", &[720]),
    // Australia and the Pacific.
    ("AWST", &[480]),
    ("ACST", &[570]),
    ("ACDT", &[630]),
    ("AEST", &[600]),
    ("AEDT", &[660]),
    ("CHST", &[600]),
    ("NZST", &[720]),
    ("NZDT", &[780]),
    // Samoa, Singapore.
    ("SST", &[-660, 480]),
];

/// The date of a signed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Date {
    /// Without its zone.
    local: civil::DateTime,
    /// With its zone, in every reading of that.
    instants: Vec<Timestamp>,
}

impl Date {
    pub(super) fn read(text: &str) -> Option<Self> {
        let (date, zone) = text.trim().rsplit_once(' ')?;
        let local = civil::DateTime::strptime("%a, %d %b %Y %H:%M:%S", date).ok()?;
        let zones = zones_named(zone).into_iter();
        let instants = zones.filter_map(|zone| zone.to_timestamp(local).ok());
        Some(Self {
            local,
            instants: instants.collect(),
        })
    }

    /// The vendor's server compares the date without its zone with its own local time, which is
    /// UTC here; the date as it was meant is accepted too.
    pub(super) fn is_near(&self, now: Timestamp) -> bool {
        let near = |at: &Timestamp| now.duration_since(*at).abs() <= SKEW;
        let local = tz::TimeZone::UTC.to_timestamp(self.local).ok();
        local.iter().chain(&self.instants).any(near)
    }
}

/// The zones that a name may mean.
fn zones_named(name: &str) -> Vec<tz::TimeZone> {
    let ahead = |minutes: i32| {
        let offset = tz::Offset::from_seconds(minutes * 60).ok()?;
        Some(tz::TimeZone::fixed(offset))
    };
    let named = ABBREVIATED
        .iter()
        .filter(|it| it.0.eq_ignore_ascii_case(name))
        .flat_map(|it| it.1.iter().copied());
    let mut zones: Vec<_> = named.chain(minutes(name)).filter_map(ahead).collect();
    zones.extend(tz::TimeZone::get(name));
    zones
}

/// The minutes of `+08`, `+8`, `-0330`, `+05:30`, also after `GMT` or `UTC`.
fn minutes(name: &str) -> Option<i32> {
    let prefixed = ["GMT", "UTC"].iter().find_map(|it| name.strip_prefix(it));
    let name = prefixed.unwrap_or(name);
    let (sign, digits) = match name.strip_prefix('+') {
        Some(digits) => (1, digits),
        None => (-1, name.strip_prefix('-')?),
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() > 2 && digits.is_ascii() => digits.split_at(digits.len() - 2),
        None => (digits, "0"),
    };
    let number = |text: &str, below: u8| {
        let plain = text.bytes().all(|it| it.is_ascii_digit());
        let number = text.parse::<u8>().ok().filter(|_| plain);
        number.filter(|it| *it < below).map(i32::from)
    };
    Some(sign * (number(hours, 15)? * 60 + number(minutes, 60)?))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Sat, 21 Nov 2026 01:07:23 UTC", true)]
    #[case("sat, 21 nov 2026 01:21:00 GMT", true)]
    // The vendor's reading, which ignores the zone.
    #[case("Sat, 21 Nov 2026 01:07:23 PST8PDT", true)]
    #[case("Sat, 21 Nov 2026 01:07:23 WHAT", true)]
    #[case("Sat, 21 Nov 2026 09:07:23 WHAT", false)]
    #[case("Sat, 21 Nov 2026 01:23:00 UTC", false)]
    #[case("Sat, 21 Nov 2026 00:51:00 UTC", false)]
    // Not the offset that it says.
    #[case("Sat, 21 Nov 2026 09:07:23 +07", false)]
    #[case("Sat, 21 Nov 2026 05:07:23 EDT", false)]
    fn a_date_may_be_a_quarter_of_an_hour_off_in_any_reading(
        #[case] date: &str,
        #[case] near: bool,
    ) {
        let now = "2026-11-21T01:07:00Z".parse().unwrap();
        assert_eq!(Date::read(date).unwrap().is_near(now), near);
    }

    #[rstest]
    #[case("20 Nov 2026 21:07:23", &["EDT", "-04", "-4", "-0400", "-04:00", "America/Puerto_Rico"])]
    #[case("20 Nov 2026 17:07:23", &["PST", "America/Los_Angeles", "-0800", "pst"])]
    #[case("20 Nov 2026 18:07:23", &["PDT"])]
    #[case("20 Nov 2026 19:07:23", &["CST", "MDT"])]
    #[case("20 Nov 2026 22:07:23", &["-03", "BRT"])]
    #[case("21 Nov 2026 02:07:23", &["BST", "CET", "IST"])]
    #[case("21 Nov 2026 03:07:23", &["CEST", "IST"])]
    #[case("21 Nov 2026 04:07:23", &["MSK", "Europe/Moscow"])]
    #[case("21 Nov 2026 06:37:23", &["IST", "+0530", "+05:30", "+530", "GMT+05:30"])]
    #[case("21 Nov 2026 07:07:23", &["BST"])]
    #[case(
        "21 Nov 2026 09:07:23",
        &["CST", "HKT", "+08", "+8", "GMT+08:00", "UTC+8", "Asia/Shanghai"]
    )]
    #[case("21 Nov 2026 10:07:23", &["JST", "+09:00"])]
    fn a_zone_is_meant_in_any_of_its_senses(#[case] local: &str, #[case] zones: &[&str]) {
        let now = "2026-11-21T01:07:00Z".parse().unwrap();
        for zone in zones {
            let date = Date::read(&format!("Sat, {local} {zone}"));
            // The name of the day must be right.
            let date = date.or_else(|| Date::read(&format!("Fri, {local} {zone}")));
            assert!(date.unwrap().is_near(now), "{zone}");
        }
    }

    #[rstest]
    #[case("08")]
    #[case("+")]
    #[case("+15")]
    #[case("+08:60")]
    #[case("+08:")]
    #[case("++8")]
    #[case("+é8")]
    #[case("+081500")]
    fn what_is_no_offset_is_none(#[case] name: &str) {
        assert_eq!(minutes(name), None);
    }
}
