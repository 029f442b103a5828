//! A bad line: a proxy that breaks connections and answers for the server.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::storm::Dice;

/// How often something went wrong, by kind.
#[derive(Debug, Default)]
pub(crate) struct Mishaps {
    /// The connection broke before an answer came back: what was asked for may have happened.
    pub(crate) lost: AtomicUsize,
    /// The connection broke within an answer.
    pub(crate) cut: AtomicUsize,
    /// "503 Slow Down" instead of an answer.
    pub(crate) refused: AtomicUsize,
}

/// Listens in front of `server`.
pub(crate) fn start(server: SocketAddr, seed: u64) -> (SocketAddr, Arc<Mishaps>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mishaps = Arc::new(Mishaps::default());
    let (dice, counted) = (Arc::new(Mutex::new(Dice::new(seed))), Arc::clone(&mishaps));
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (dice, mishaps) = (Arc::clone(&dice), Arc::clone(&counted));
            let client = client.unwrap();
            std::thread::spawn(move || drop(carry(client, server, &dice, &mishaps)));
        }
    });
    (address, mishaps)
}

/// Carries one connection, for as long as the dice let it live.
fn carry(
    mut client: TcpStream,
    server: SocketAddr,
    dice: &Mutex<Dice>,
    mishaps: &Mishaps,
) -> std::io::Result<()> {
    let roll = |sides| dice.lock().unwrap().roll(sides);
    if roll(8) == 0 {
        mishaps.refused.fetch_add(1, Ordering::Relaxed);
        let body = "<Error><Code>SlowDown</Code></Error>";
        let mut request = [0; 4 << 10];
        // What was asked for does not matter.
        let _bytes = client.read(&mut request)?;
        let length = body.len();
        let head = "HTTP/1.1 503 Slow Down\r\nConnection: close\r\nContent-Length:";
        write!(client, "{head} {length}\r\n\r\n{body}")?;
        return client.shutdown(Shutdown::Write);
    }
    let mut upstream = TcpStream::connect(server)?;
    let (mut from, mut to) = (client.try_clone()?, upstream.try_clone()?);
    std::thread::spawn(move || {
        drop(std::io::copy(&mut from, &mut to));
        drop(to.shutdown(Shutdown::Write));
    });
    // Bytes of answers that get through: none, those of a few requests, or some of a pack.
    let mut left = match roll(6) {
        0 => 0,
        1 | 2 => 1 + roll(5_000),
        _ => 1 + roll(4 << 20),
    };
    let mut buffer = [0; 16 << 10];
    loop {
        let read = upstream.read(&mut buffer)?;
        if read == 0 {
            return client.shutdown(Shutdown::Write);
        }
        let passed = read.min(usize::try_from(left).unwrap_or(usize::MAX));
        client.write_all(&buffer[..passed])?;
        if passed < read {
            let kind = if left == 0 {
                &mishaps.lost
            } else {
                &mishaps.cut
            };
            kind.fetch_add(1, Ordering::Relaxed);
            return client.shutdown(Shutdown::Both);
        }
        left -= passed as u64;
    }
}
