//! From text to words, values and signs.

use super::BadZql;

/// A piece of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A name or a keyword.
    Word(String),
    /// What stands between quotes; there is no escape.
    Text(String),
    Number(String),
    Sign(&'static str),
    End,
}

/// Where a token begins, in bytes from the text's beginning.
pub(crate) type At = usize;

const SIGNS: [&str; 14] = [
    "!=", ">=", "<=", "=", ">", "<", "(", ")", "{", "}", ",", ".", ";", ":",
];

/// Splits a text; the last token is [`Token::End`].
pub(crate) fn tokens(text: &str) -> Result<Vec<(Token, At)>, BadZql> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let at = text.len() - rest.len();
        let (token, length) = match first {
            '\'' | '"' => quoted(rest, first)
                .ok_or_else(|| syntax(text, at, format!("token recognition error at: '{rest}'")))?,
            it if it.is_ascii_alphanumeric() || matches!(it, '_' | '-') => word(rest),
            _ => match SIGNS.iter().find(|it| rest.starts_with(**it)) {
                Some(sign) => (Token::Sign(sign), sign.len()),
                None => (Token::End, 0),
            },
        };
        if length == 0 {
            let what = format!("token recognition error at: '{first}'");
            return Err(syntax(text, at, what));
        }
        tokens.push((token, at));
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    tokens.push((Token::End, text.len()));
    Ok(tokens)
}

fn quoted(rest: &str, quote: char) -> Option<(Token, usize)> {
    let (text, _) = rest.get(1..)?.split_once(quote)?;
    Some((Token::Text(text.to_owned()), text.len() + 2))
}

/// A name, or a number if there are only digits. A lone minus has no length.
fn word(rest: &str) -> (Token, usize) {
    let run = |from: usize, fits: fn(&u8) -> bool| {
        let bytes = rest.bytes().skip(from);
        from + bytes.take_while(fits).count()
    };
    let sign = usize::from(rest.starts_with('-'));
    let digits = run(sign, u8::is_ascii_digit);
    let word = run(sign, |it| it.is_ascii_alphanumeric() || *it == b'_');
    let take = |end: usize| rest.get(..end).unwrap_or_default().to_owned();
    if digits == sign || digits < word {
        let length = if sign == 0 { word } else { 0 };
        return (Token::Word(take(length)), length);
    }
    let fraction = rest.get(digits..).and_then(|it| it.strip_prefix('.'));
    let fraction = fraction.is_some_and(|it| it.starts_with(|it: char| it.is_ascii_digit()));
    let end = if fraction {
        run(digits + 1, u8::is_ascii_digit)
    } else {
        digits
    };
    (Token::Number(take(end)), end)
}

/// What is wrong at a place of the text.
pub(crate) fn syntax(text: &str, at: At, what: String) -> BadZql {
    /// Characters shown on either side.
    const AROUND: usize = 10;
    let before = text.get(..at).unwrap_or(text);
    let begin = before.rfind('\n').map_or(0, |it| it + 1);
    let column = before.get(begin..).unwrap_or_default().chars().count();
    let line = text.get(begin..).and_then(|it| it.lines().next());
    let shown = line.unwrap_or_default().chars();
    BadZql::Syntax {
        what,
        line: before.matches('\n').count() + 1,
        column,
        around: shown
            .skip(column.saturating_sub(AROUND))
            .take(column.min(AROUND) + AROUND)
            .collect(),
    }
}
