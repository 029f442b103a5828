//! Where the heads of a connection's requests begin and end.

/// Longer lines are left to the HTTP library, which refuses them.
const MAX_LINE: usize = 64 * 1024;

/// What comes next on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The head of a request.
    Head,
    /// So many bytes of a request's body.
    Body(u64),
    /// Something that is not looked at any more.
    Anything,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    RequestLine,
    /// After the request line: the length of the body as far as it was said.
    Fields(Option<u64>),
    Body(u64),
    Anything,
}

/// Follows the requests of a connection.
#[derive(Debug, Default)]
pub(super) struct Heads {
    state: State,
    /// The line that has begun.
    line: Vec<u8>,
}

impl Heads {
    pub(super) fn next(&self) -> Next {
        match self.state {
            State::RequestLine | State::Fields(_) => Next::Head,
            State::Body(left) => Next::Body(left),
            State::Anything => Next::Anything,
        }
    }

    /// So much of a body was passed on.
    pub(super) fn passed(&mut self, read: usize) {
        if let State::Body(left) = self.state {
            self.state = match left.saturating_sub(read as u64) {
                0 => State::RequestLine,
                left => State::Body(left),
            };
        }
    }

    /// Takes what was read, and gives out what is known well enough.
    pub(super) fn look(&mut self, mut read: &[u8], out: &mut Vec<u8>) {
        while !read.is_empty() {
            match self.state {
                State::Anything => {
                    self.end(out);
                    out.extend_from_slice(read);
                    return;
                }
                State::Body(left) => {
                    let most = usize::try_from(left).unwrap_or(usize::MAX);
                    let (body, rest) = read.split_at(most.min(read.len()));
                    out.extend_from_slice(body);
                    self.passed(body.len());
                    read = rest;
                }
                State::RequestLine | State::Fields(_) => {
                    let end = read.iter().position(|it| *it == b'\n');
                    let (part, rest) = read.split_at(end.map_or(read.len(), |it| it + 1));
                    self.line.extend_from_slice(part);
                    read = rest;
                    if end.is_some() {
                        let line = std::mem::take(&mut self.line);
                        self.state = self.line(&line, out);
                    } else if self.line.len() > MAX_LINE {
                        self.state = State::Anything;
                        self.end(out);
                    }
                }
            }
        }
    }

    /// Gives out a line that will not end.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.line);
    }

    fn line(&self, line: &[u8], out: &mut Vec<u8>) -> State {
        let text = line.trim_ascii();
        match self.state {
            // Empty lines before a request are skipped by the HTTP library.
            State::RequestLine if text.is_empty() => {
                out.extend_from_slice(line);
                State::RequestLine
            }
            State::RequestLine if text.ends_with(b" HTTP/1.1") || text.ends_with(b" HTTP/1.0") => {
                encode(line, out);
                State::Fields(None)
            }
            State::Fields(length) => {
                out.extend_from_slice(line);
                if text.is_empty() {
                    length.map_or(State::RequestLine, body)
                } else {
                    field(text, length)
                }
            }
            _ => {
                out.extend_from_slice(line);
                State::Anything
            }
        }
    }
}

fn body(length: u64) -> State {
    match length {
        0 => State::RequestLine,
        length => State::Body(length),
    }
}

/// What a field of a head says of where the request ends.
fn field(text: &[u8], length: Option<u64>) -> State {
    let colon = text.iter().position(|it| *it == b':').unwrap_or(text.len());
    let (name, value) = text.split_at(colon);
    let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
    if is(b"content-length") {
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let value = str::from_utf8(value).ok().and_then(|it| it.parse().ok());
        match (value, length) {
            (Some(value), None) => State::Fields(Some(value)),
            _ => State::Anything,
        }
    } else if is(b"transfer-encoding") || is(b"upgrade") {
        State::Anything
    } else {
        State::Fields(length)
    }
}

/// The request line with the characters encoded that may not stand in a target.
fn encode(line: &[u8], out: &mut Vec<u8>) {
    for byte in line {
        match byte {
            b'<' => out.extend_from_slice(b"%3C"),
            b'>' => out.extend_from_slice(b"%3E"),
            b'"' => out.extend_from_slice(b"%22"),
            byte => out.push(*byte),
        }
    }
}
