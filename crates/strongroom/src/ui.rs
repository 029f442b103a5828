//! What a person or script sees: data on standard output, everything else on standard error.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use serde::Serialize;

/// How a command ended, other than by an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Everything asked for was done.
    Done,
    /// Finished, but some items failed; they were named.
    SomeFailed,
    /// The work itself failed; it was said why.
    Failed,
    /// Somebody pressed Ctrl-C; it was said what goes on.
    Interrupted,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Failed => Self::from(1),
            Outcome::SomeFailed => Self::from(3),
            // As shells have it: 128 and the number of the signal.
            Outcome::Interrupted => Self::from(130),
        }
    }
}

/// A piece of advice that an error carries; printed apart from it.
#[derive(Debug)]
pub(crate) struct Hint(pub(crate) String);

impl Display for Hint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Prints an error with its causes, then its hint.
pub(crate) fn error(error: &anyhow::Error) {
    let hint = error.downcast_ref::<Hint>().map(ToString::to_string);
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        // A hint is context, not a cause; and some libraries repeat their source's text.
        if hint.as_ref() != Some(&cause) && !text.contains(&cause) {
            text.push_str(if text.is_empty() { "" } else { ": " });
            text.push_str(&cause);
        }
    }
    note(format_args!("error: {text}"));
    if let Some(hint) = hint {
        note(format_args!("hint: {hint}"));
    }
}

/// A line on standard error.
pub(crate) fn note(text: impl Display) {
    // Nowhere is left to complain if standard error is gone.
    drop(writeln!(io::stderr(), "{text}"));
}

/// A line of data. A reader that went away ends the program quietly, as `head` expects.
pub(crate) fn line(text: impl Display) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => quit(),
        other => Ok(other?),
    }
}

/// Ends the program the way a closed pipe does.
#[expect(
    clippy::exit,
    reason = "the reader of our output is gone: there is nothing left to do"
)]
fn quit() -> ! {
    std::process::exit(0)
}

/// A value as JSON data on one line.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string(value)?)
}

/// Rows under headings, in columns as wide as their widest cell.
pub(crate) fn table(headings: &[&str], rows: &[Vec<String>]) -> anyhow::Result<()> {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([headings[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let print = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        line(padded.join("  ").trim_end())
    };
    print(&mut headings.iter().copied())?;
    rows.iter()
        .try_for_each(|row| print(&mut row.iter().map(String::as_str)))
}

/// Whether standard error is a terminal, so that progress makes sense.
pub(crate) fn interactive() -> bool {
    io::stderr().is_terminal()
}

/// A number of bytes for people: `1.5 MiB`.
pub(crate) fn bytes(count: u64) -> String {
    indicatif::HumanBytes(count).to_string()
}
