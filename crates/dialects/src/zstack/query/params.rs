//! The query string: lenient decoding, and the parameters of every query.

use strongroom_domain::{Page, query::Direction};

use super::condition::{Condition, Malformed};

/// Rows of an answer when the client does not say how many.
const LIMIT: u64 = 1000;

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    /// All of them must hold.
    pub(crate) conditions: Vec<Condition>,
    pub(crate) limit: u64,
    pub(crate) start: u64,
    /// Only the number of matches is wanted.
    pub(crate) count: bool,
    /// The number of matches is wanted too.
    pub(crate) reply_with_count: bool,
    pub(crate) sort: Option<(String, Direction)>,
    /// The members that rows shall have; all if nothing.
    pub(crate) fields: Option<Vec<String>>,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            conditions: Vec::new(),
            limit: LIMIT,
            start: 0,
            count: false,
            reply_with_count: false,
            sort: None,
            fields: None,
        }
    }
}

/// A query string that is refused. `Display` is the vendor's wording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadQuery {
    #[error(transparent)]
    Condition(#[from] Malformed),
    #[error("Invalid query parameter. '{0}' must be an integer")]
    NotAnInteger(&'static str),
    /// The vendor's wording goes on.
    #[error("Invalid query parameter[{0}], only one value is allowed...")]
    Repeated(&'static str),
    #[error("[{name}] field is excepted an int or long, but was [{given}].")]
    NotANumber { name: &'static str, given: String },
    #[error(
        "Invalid value for boolean field [{name}], [{given}] is not a valid boolean string[true, \
         false]."
    )]
    NotABoolean { name: &'static str, given: String },
    #[error("filterName must be formatted as [filterType:condition(s)]")]
    FilterForm,
    #[error("unable to find QueryBelongFilter with type[{0}]")]
    FilterType(String),
    #[error("{what} cannot be negative: {given}")]
    Negative { what: &'static str, given: i32 },
}

impl Query {
    /// Reads a raw query string. Parameters that are not known are ignored; of every one but `q`
    /// and `fields` only the first counts.
    pub(crate) fn parse(raw: &str) -> Result<Self, BadQuery> {
        let pairs = pairs(raw);
        let all = |name: &'static str| {
            pairs
                .iter()
                .filter(move |(it, _)| it == name)
                .map(|(_, value)| value.as_str())
        };
        let first = |name| all(name).next().map(str::trim);
        let mut query = Self::default();
        for text in all("q") {
            let condition = Condition::parse(text)?;
            if !query.conditions.contains(&condition) {
                query.conditions.push(condition);
            }
        }
        if let Some(limit) = first("limit") {
            query.limit = integer("limit", "max-results", limit)?;
        }
        if let Some(start) = first("start") {
            query.start = integer("start", "first-result", start)?;
        }
        query.count = first("count").is_some_and(yes);
        query.reply_with_count = first("replyWithCount").is_some_and(yes);
        query.sort = first("sort").map(sort);
        let fields = all("fields").flat_map(|it| it.split(',')).map(str::trim);
        let fields: Vec<_> = fields
            .filter(|it| !it.is_empty())
            .map(str::to_owned)
            .collect();
        query.fields = (!fields.is_empty()).then_some(fields);
        match first("filterName").filter(|it| !it.is_empty()) {
            None => Ok(query),
            Some(filter) => Err(match filter.trim_end_matches(':').split_once(':') {
                None => BadQuery::FilterForm,
                Some((kind, _)) => BadQuery::FilterType(kind.to_owned()),
            }),
        }
    }

    /// The part of the matching rows that is wanted.
    pub(crate) fn page(&self) -> Page {
        let limit = if self.count { 0 } else { self.limit };
        let total = self.count || self.reply_with_count;
        Page {
            total,
            ..Page::offset(limit, self.start)
        }
    }
}

/// A 32-bit integer as Java reads it. Negative ones fail late, inside the database layer.
fn integer(name: &'static str, what: &'static str, text: &str) -> Result<u64, BadQuery> {
    let value: i32 = text.parse().map_err(|_| BadQuery::NotAnInteger(name))?;
    u64::try_from(value).map_err(|_| BadQuery::Negative { what, given: value })
}

fn yes(text: &str) -> bool {
    text.eq_ignore_ascii_case("true")
}

/// `-f` descending; `+f` ascending, also where the plus was not encoded and became a blank.
fn sort(text: &str) -> (String, Direction) {
    let (signs, direction) = if text.starts_with('-') {
        ('-', Direction::Descending)
    } else {
        ('+', Direction::Ascending)
    };
    (text.trim_start_matches(signs).to_owned(), direction)
}

/// Splits and decodes a query string the lenient way: pairs at their first `=`, and what is no
/// UTF-8 once decoded stays as it was written, because some clients encode nothing (`name~=%db%`).
pub(crate) fn pairs(raw: &str) -> Vec<(String, String)> {
    let pairs = raw.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// The value of a parameter that may be given once.
pub(crate) fn scalar(raw: &str, name: &'static str) -> Result<Option<String>, BadQuery> {
    let mut values = list(raw, name).into_iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(BadQuery::Repeated(name)),
        (value, None) => Ok(value),
    }
}

/// A whole number that may be given once; `8000.0` is one.
pub(crate) fn whole(raw: &str, name: &'static str) -> Result<Option<i64>, BadQuery> {
    let read = |given: String| {
        let text = given.trim();
        let text = text.split_once('.').map_or(text, |(whole, rest)| {
            let zeros = !rest.is_empty() && rest.bytes().all(|it| it == b'0');
            if zeros { whole } else { text }
        });
        let number = text.parse().ok();
        number.ok_or(BadQuery::NotANumber { name, given })
    };
    scalar(raw, name)?.map(read).transpose()
}

/// Yes or no, which may be given once.
pub(crate) fn boolean(raw: &str, name: &'static str) -> Result<Option<bool>, BadQuery> {
    let read = |given: String| match given.trim() {
        it if it.eq_ignore_ascii_case("true") => Ok(true),
        it if it.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(BadQuery::NotABoolean { name, given }),
    };
    scalar(raw, name)?.map(read).transpose()
}

/// The uuids of a list parameter, see [`list`]. The Go SDK puts commas between them.
pub(crate) fn uuids(raw: &str, name: &str) -> Vec<String> {
    let items = list(raw, name);
    let uuids = items.iter().flat_map(|it| it.split(','));
    uuids.map(|it| it.trim().to_owned()).collect()
}

/// The items of a list parameter: given several times, or as `name.0`, `name.1`, ….
pub(crate) fn list(raw: &str, name: &str) -> Vec<String> {
    let pairs = pairs(raw).into_iter();
    let items = pairs.filter_map(|(it, value)| {
        let rest = it.strip_prefix(name)?;
        let index = match rest.strip_prefix('.') {
            Some(index) => index.parse().ok()?,
            None if rest.is_empty() => 0,
            None => return None,
        };
        Some((index, value))
    });
    let mut items: Vec<(usize, String)> = items.collect();
    items.sort_by_key(|(index, _)| *index);
    items.into_iter().map(|(_, value)| value).collect()
}

/// Undoes form encoding; see [`pairs`].
pub(crate) fn decode(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['%', '+']) {
        decoded.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at..).unwrap_or_default();
        if let Some(after) = rest.strip_prefix('+') {
            decoded.push(' ');
            rest = after;
        } else {
            let (length, bytes) = escapes(rest);
            decode_run(&mut decoded, rest.get(..length).unwrap_or_default(), &bytes);
            let length = length.max(1);
            if bytes.is_empty() {
                decoded.push('%');
            }
            rest = rest.get(length..).unwrap_or_default();
        }
    }
    decoded.push_str(rest);
    decoded
}

/// The `%XX` at the beginning of the text: their length and the bytes they stand for.
fn escapes(text: &str) -> (usize, Vec<u8>) {
    let mut bytes = Vec::new();
    for escape in text.as_bytes().chunks_exact(3) {
        let [b'%', high, low] = *escape else { break };
        let Ok(byte) = hex::decode([high, low]) else {
            break;
        };
        bytes.extend(byte);
    }
    (bytes.len() * 3, bytes)
}

/// Appends what the bytes say, and the escapes themselves for those that are not UTF-8.
fn decode_run(decoded: &mut String, written: &str, bytes: &[u8]) {
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        decoded.push_str(chunk.valid());
        at += chunk.valid().len();
        let bad = chunk.invalid().len();
        decoded.push_str(written.get(at * 3..(at + bad) * 3).unwrap_or_default());
        at += bad;
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("name%3Da+b", "name=a b")]
    #[case("%25db%25", "%db%")]
    #[case("name~=%db%", "name~=%db%")]
    #[case("%zz%4", "%zz%4")]
    #[case("%E6%95%B0%ff%41", "数%ffA")]
    #[case("%e6%95", "%e6%95")]
    #[case("%", "%")]
    #[case("100%é", "100%é")]
    #[case("a%2Bb", "a+b")]
    fn what_cannot_be_decoded_stays_as_it_was_written(#[case] raw: &str, #[case] decoded: &str) {
        assert_eq!(decode(raw), decoded);
    }

    #[test]
    fn a_query_string_is_read_as_a_whole() {
        let raw = "q=uuid=a&q=name~=%db%&q=uuid=a&limit=5&limit=x&start=10&replyWithCount=TRUE\
                   &sort=+name&fields=uuid,name&fields=size&deleteMode=&Limit=7&count=yes";
        let query = Query::parse(raw).unwrap();
        let conditions: Vec<_> = query.conditions.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(conditions, ["uuid", "name"]);
        assert_eq!((query.limit, query.start), (5, 10));
        assert_eq!((query.reply_with_count, query.count), (true, false));
        assert_eq!(query.sort, Some(("name".to_owned(), Direction::Ascending)));
        assert_eq!(query.fields.unwrap(), ["uuid", "name", "size"]);
        assert_eq!(Query::parse("").unwrap().limit, 1000);
    }

    #[test]
    fn a_list_is_given_by_repetition_or_by_index() {
        assert_eq!(list("k=b&x=1&k=a", "k"), ["b", "a"]);
        assert_eq!(list("k.1=b&k.0=a&k.x=c&kk=d", "k"), ["a", "b"]);
    }

    #[test]
    fn a_scalar_is_read_once_and_by_its_type() {
        assert_eq!(scalar("k=a&x=1", "k"), Ok(Some("a".to_owned())));
        assert_eq!(scalar("x=1", "k"), Ok(None));
        for number in ["8000", "8000.0", " 8000.00 "] {
            assert_eq!(whole(&format!("k={number}"), "k"), Ok(Some(8000)));
        }
        assert_eq!(boolean("k=TRUE", "k"), Ok(Some(true)));
        assert_eq!(boolean("k=false", "k"), Ok(Some(false)));
        let twice = "Invalid query parameter[k], only one value is allowed...";
        assert_eq!(scalar("k=a&k=a", "k").unwrap_err().to_string(), twice);
        for bad in ["", "x", "1.5", "1.", ".0", "1e3", "99999999999999999999"] {
            let text = format!("[k] field is excepted an int or long, but was [{bad}].");
            let error = whole(&format!("k={bad}"), "k").unwrap_err();
            assert_eq!(error.to_string(), text);
        }
        let text = "Invalid value for boolean field [k], [yes] is not a valid boolean \
                    string[true, false].";
        assert_eq!(boolean("k=yes", "k").unwrap_err().to_string(), text);
    }

    #[rstest]
    #[case("sort=-size", Direction::Descending)]
    #[case("sort=%2Bsize", Direction::Ascending)]
    #[case("sort=+size", Direction::Ascending)]
    #[case("sort=%20size", Direction::Ascending)]
    #[case("sort=size", Direction::Ascending)]
    fn a_sign_says_which_way_to_sort(#[case] raw: &str, #[case] direction: Direction) {
        let expected = Some(("size".to_owned(), direction));
        assert_eq!(Query::parse(raw).unwrap().sort, expected);
    }

    #[rstest]
    #[case("limit=abc", "Invalid query parameter. 'limit' must be an integer")]
    #[case("limit=", "Invalid query parameter. 'limit' must be an integer")]
    #[case(
        "limit=99999999999",
        "Invalid query parameter. 'limit' must be an integer"
    )]
    #[case("start=1.5", "Invalid query parameter. 'start' must be an integer")]
    #[case("limit=-1", "max-results cannot be negative: -1")]
    #[case("start=-1", "first-result cannot be negative: -1")]
    #[case(
        "filterName=x",
        "filterName must be formatted as [filterType:condition(s)]"
    )]
    #[case(
        "filterName=x:",
        "filterName must be formatted as [filterType:condition(s)]"
    )]
    #[case("filterName=x:y", "unable to find QueryBelongFilter with type[x]")]
    fn a_bad_parameter_is_refused_in_the_vendors_words(#[case] raw: &str, #[case] text: &str) {
        assert_eq!(Query::parse(raw).unwrap_err().to_string(), text);
    }
}
