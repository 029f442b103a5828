//! From text to words, values and signs.

use super::BadZql;

/// A piece of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A name or a keyword.
    Word(String),
    /// What stands between quotes means.
    Text(String),
    Number(String),
    Sign(&'static str),
    End,
    /// No token begins there; what is told about it. Nothing follows.
    Bad(String),
}

/// Where a token begins, in bytes from the text's beginning.
pub(crate) type At = usize;

const SIGNS: [&str; 14] = [
    "!=", ">=", "<=", "=", ">", "<", "(", ")", "{", "}", ",", ".", ";", ":",
];

/// Splits a text; the last token is [`Token::End`] or [`Token::Bad`].
pub(crate) fn tokens(text: &str) -> Vec<(Token, At)> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let at = text.len() - rest.len();
        let found = match first {
            '\'' | '"' => quoted(rest, first).ok_or(rest),
            it if it.is_ascii_alphanumeric() || matches!(it, '_' | '-') => word(rest).ok_or("-"),
            _ => sign(rest).ok_or_else(|| rest.get(..first.len_utf8()).unwrap_or_default()),
        };
        let (token, length) = match found {
            Ok(found) => found,
            Err(bad) => {
                let told = format!("token recognition error at: '{bad}'");
                tokens.push((Token::Bad(told), at));
                return tokens;
            }
        };
        tokens.push((token, at));
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    tokens.push((Token::End, text.len()));
    tokens
}

fn sign(rest: &str) -> Option<(Token, usize)> {
    let sign = SIGNS.iter().find(|it| rest.starts_with(**it))?;
    Some((Token::Sign(sign), sign.len()))
}

/// A text and its length with the quotes; between single ones two stand for one.
fn quoted(rest: &str, quote: char) -> Option<(Token, usize)> {
    let mut end = 1;
    loop {
        end += rest.get(end..)?.find(quote)?;
        let next = rest.get(end + 1..).unwrap_or_default();
        if quote == '"' || !next.starts_with(quote) {
            break;
        }
        end += 2;
    }
    let mut inner = rest.get(1..end)?.to_owned();
    if quote == '\'' {
        inner = inner.replace("''", "'");
    }
    Some((Token::Text(unescaped(&inner)), end + 1))
}

/// What a text means to MySQL, to which the vendor's server passes it on: a backslash changes the
/// meaning of the next character, except of `%` and `_`, where `like` wants to see it.
fn unescaped(text: &str) -> String {
    let mut meant = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            meant.push(c);
            continue;
        }
        match chars.next() {
            Some('0') => meant.push('\0'),
            Some('b') => meant.push('\u{8}'),
            Some('n') => meant.push('\n'),
            Some('r') => meant.push('\r'),
            Some('t') => meant.push('\t'),
            Some('Z') => meant.push('\u{1A}'),
            Some(it @ ('%' | '_')) => meant.extend(['\\', it]),
            Some(other) => meant.push(other),
            None => meant.push('\\'),
        }
    }
    meant
}

/// A name, or a number if there are only digits; a lone minus is neither.
fn word(rest: &str) -> Option<(Token, usize)> {
    let run = |from: usize, fits: fn(&u8) -> bool| {
        let bytes = rest.bytes().skip(from);
        from + bytes.take_while(fits).count()
    };
    let sign = usize::from(rest.starts_with('-'));
    let digits = run(sign, u8::is_ascii_digit);
    let word = run(sign, |it| it.is_ascii_alphanumeric() || *it == b'_');
    let take = |end: usize| rest.get(..end).unwrap_or_default().to_owned();
    if digits == sign || digits < word {
        return (sign == 0).then(|| (Token::Word(take(word)), word));
    }
    let fraction = rest.get(digits..).and_then(|it| it.strip_prefix('.'));
    let fraction = fraction.is_some_and(|it| it.starts_with(|it: char| it.is_ascii_digit()));
    let end = if fraction {
        run(digits + 1, u8::is_ascii_digit)
    } else {
        digits
    };
    Some((Token::Number(take(end)), end))
}

/// What is wrong at a place of the text.
pub(crate) fn syntax(text: &str, at: At, what: String) -> BadZql {
    /// Characters shown on either side.
    const AROUND: usize = 10;
    let before = text.get(..at).unwrap_or(text);
    let begin = before.rfind('\n').map_or(0, |it| it + 1);
    let column = before.get(begin..).unwrap_or_default().chars().count();
    let line = text.get(begin..).and_then(|it| it.lines().next());
    let shown: Vec<char> = line.unwrap_or_default().chars().collect();
    // The vendor's server never shows the last character of the line.
    let end = (column + AROUND).min(shown.len().saturating_sub(1));
    let around = shown.get(column.saturating_sub(AROUND)..end);
    BadZql::Syntax {
        what,
        line: before.matches('\n').count() + 1,
        column,
        around: around.unwrap_or_default().iter().collect(),
    }
}
