//! What tags are made of: fixed texts, and texts with tokens such as `name::{first}::{second}`.

use std::collections::{BTreeMap, BTreeSet};

use strongroom_domain::object::FaceObject;

use super::{longest_of, mandatory_of};
use crate::zstack::{
    error::{Code, Error},
    wire::{
        tags::{PatternBody, TagPattern},
        timestamp,
    },
};

const MESSAGE: &str = "org.zstack.tag2.APICreateTagMsg";
const SIMPLE: &str = "simple";
const WITH_TOKEN: &str = "withToken";

/// Checks a new pattern.
pub(crate) fn check_new(mut body: PatternBody) -> Result<PatternBody, Error> {
    let name = mandatory_of(MESSAGE, "name", body.name)?;
    let value = mandatory_of(MESSAGE, "value", body.value)?;
    let kind = body.pattern_type.unwrap_or_else(|| SIMPLE.to_owned());
    match kind.as_str() {
        SIMPLE => {}
        WITH_TOKEN => {
            tokens(&value).ok_or_else(|| bad_format(&value))?;
        }
        other => {
            return Err(invalid(format!(
                "valid value for field[type] of message[{MESSAGE}] are [simple, withToken], \
                 but {other} found"
            )));
        }
    }
    (body.name, body.value, body.pattern_type) = (Some(name), Some(value), Some(kind));
    check(&body)?;
    Ok(body)
}

/// Changes a pattern. Of the value only the names of its tokens can be changed.
pub(crate) fn changed(body: &PatternBody, change: PatternBody) -> Result<PatternBody, Error> {
    let mut new = body.clone();
    if let Some(value) = change.value.filter(|it| Some(it) != body.value.as_ref()) {
        if !has_tokens(body) {
            return Err(invalid("cannot update simple tag pattern format"));
        }
        tokens(&value).ok_or_else(|| bad_format(&value))?;
        if shape(&value) != shape(body.value.as_deref().unwrap_or_default()) {
            return Err(invalid("you can only update token name"));
        }
        new.value = Some(value);
    }
    new.name = change.name.or(new.name);
    new.description = change.description.or(new.description);
    new.color = change.color.or(new.color);
    check(&new)?;
    Ok(new)
}

fn check(body: &PatternBody) -> Result<(), Error> {
    let texts = [
        ("name", &body.name, 128),
        ("value", &body.value, 128),
        ("description", &body.description, 2048),
    ];
    for (field, text, most) in texts {
        longest_of(MESSAGE, field, text.as_deref().unwrap_or_default(), most)?;
    }
    let is_color = |it: &str| {
        let digits = it.strip_prefix('#').unwrap_or_default();
        digits.len() == 6 && digits.bytes().all(|it| it.is_ascii_hexdigit())
    };
    match &body.color {
        Some(color) if !is_color(color) => Err(invalid(format!(
            "Invalid color specification[{color}], must like #FF00FF"
        ))),
        _ => Ok(()),
    }
}

fn has_tokens(body: &PatternBody) -> bool {
    body.pattern_type.as_deref() == Some(WITH_TOKEN)
}

/// The tag that a pattern makes, if it has no tokens.
pub(crate) fn simple(body: &PatternBody) -> Option<String> {
    body.value.clone().filter(|_| !has_tokens(body))
}

/// The tag that a pattern makes with these tokens.
pub(crate) fn filled(
    body: &PatternBody,
    given: &BTreeMap<String, String>,
) -> Result<String, Error> {
    let value = body.value.clone().unwrap_or_default();
    if !has_tokens(body) {
        if !given.is_empty() {
            return Err(invalid("simple tag pattern has no tokens"));
        }
        return Ok(value);
    }
    let names = tokens(&value).unwrap_or_default();
    if names.iter().any(|it| !given.contains_key(*it)) {
        let names: Vec<_> = names.into_iter().collect();
        let names = names.join(", ");
        return Err(invalid(format!("all tokens [{names}] must be specify")));
    }
    let part = |it: &str| match token(it).and_then(|name| given.get(name)) {
        Some(text) => text.clone(),
        None => it.to_owned(),
    };
    Ok(value.split("::").map(part).collect::<Vec<_>>().join("::"))
}

/// The names of the tokens in a text that has some, in `name::{one}::{two}` or without the name.
fn tokens(value: &str) -> Option<BTreeSet<&str>> {
    let mut parts = value.split("::").enumerate();
    let mut names = BTreeSet::new();
    let good = parts.all(|(at, part)| match token(part) {
        Some(name) => names.insert(name),
        None => at == 0 && !part.is_empty() && !part.contains(['{', '}', ':']),
    });
    (good && !names.is_empty()).then_some(names)
}

fn token(part: &str) -> Option<&str> {
    let name = part.strip_prefix('{')?.strip_suffix('}')?;
    (!name.is_empty() && !name.contains(['{', '}', ':'])).then_some(name)
}

/// A text without the names of its tokens.
fn shape(value: &str) -> Vec<Option<&str>> {
    let part = |it| match token(it) {
        Some(_) => None,
        None => Some(it),
    };
    value.split("::").map(part).collect()
}

/// A pattern as ZStack lists it.
pub(crate) fn pattern(object: &FaceObject, body: PatternBody) -> TagPattern {
    TagPattern {
        uuid: object.id.simple(),
        name: body.name.unwrap_or_default(),
        value: body.value.unwrap_or_default(),
        description: body.description,
        color: body.color,
        pattern_type: body.pattern_type.unwrap_or_default(),
        create_date: timestamp(object.created_at),
        last_op_date: timestamp(object.updated_at),
    }
}

fn bad_format(value: &str) -> Error {
    invalid(format!(
        "Get format[{value}], format must like that name::{{tokenName1}}::{{tokenName2}} ... \
         ::{{tokenNameN}} or {{tokenName1}}::{{tokenName2}} ... ::{{tokenNameN}} Name cannot \
         contain '{{}}:'"
    ))
}

fn invalid(details: impl Into<String>) -> Error {
    Error::api(Code::InvalidArgument, details.into())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("team::{who}", "team::blue")]
    #[case("{who}::{what}", "blue::red")]
    #[case("{who}", "blue")]
    fn tokens_are_filled_in(#[case] value: &str, #[case] tag: &str) {
        let given = [("who", "blue"), ("what", "red")];
        let given = given.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let body = PatternBody {
            value: Some(value.to_owned()),
            pattern_type: Some(WITH_TOKEN.to_owned()),
            ..PatternBody::default()
        };
        assert_eq!(filled(&body, &given.into()).unwrap(), tag);
    }

    #[rstest]
    #[case("team")]
    #[case("team::")]
    #[case("team::{}")]
    #[case("team::{who}::rest")]
    #[case("{who}::{who}")]
    #[case("te{am::{who}")]
    #[case("::{who}")]
    fn what_has_no_tokens_in_their_places_is_no_format(#[case] value: &str) {
        assert_eq!(tokens(value), None);
    }
}
