//! Whatever bytes a parser is given, it answers, and what it accepts keeps its promises.
//!
//! Bytes are made from valid ones by a deterministic mutator; a failure names the parser and the
//! iteration, from which the same bytes are made again. The long run is for a release build:
//!
//! ```text
//! cargo test --release -p strongroom-engine --lib long_run -- --ignored
//! ```

use jiff::Timestamp;
use strongroom_domain::tree::{EntryKind, Metadata};

use crate::compress;
use crate::crypto::kdf::KdfCost;
use crate::crypto::{Cipher, MasterKey};
use crate::format::index::{IndexBlob, IndexFile, IndexPack, MarkedPack};
use crate::format::key::KeyFile;
use crate::format::lock::LockFile;
use crate::format::node::Node;
use crate::format::pack::{parse_header, print_header};
use crate::format::snapshot::Snapshot;
use crate::format::tree::{self, Tree};
use crate::format::{BlobKind, quote};
use crate::id::Id;
use crate::repository::parse_config;

/// Iterations for each parser in every run of the tests.
const SHORT: u64 = 4_000;
/// And in the long run.
const LONG: u64 = 10_000_000;

/// Pieces that mean something to one of the parsers.
const TOKENS: [&[u8]; 24] = [
    b"null",
    b"true",
    b"-1",
    b"0",
    b"4294967296",
    b"18446744073709551616",
    b"1e999",
    b"\"\"",
    b"\"..\"",
    b"\"../x\"",
    b"\"\\u0000\"",
    b"\"\\ud800\"",
    b"\\xff",
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b"\"nodes\":",
    b"\"name\":",
    b"\"time\":\"9999-12-31T23:59:59.999999999+25:00\"",
    b"\"time\":\"-009999-01-01T00:00:00Z\"",
    b"\xff\xff\xff\xff",
    b"\x28\xb5\x2f\xfd",
];

/// Marsaglia's xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 1).unwrap() % limit.max(1)
    }

    /// Changes `bytes` in a few places.
    fn mutate(&mut self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            let to = (at + self.below(16)).min(bytes.len());
            match self.below(8) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 if at < bytes.len() => bytes[at] = self.next().to_le_bytes()[0],
                2 => bytes.truncate(at),
                3 => drop(bytes.drain(at..to)),
                4 => {
                    let copy = bytes[at..to].to_vec();
                    let into = self.below(bytes.len() + 1);
                    bytes.splice(into..into, copy);
                }
                5 => {
                    let other = &seeds[self.below(seeds.len())];
                    let from = self.below(other.len());
                    bytes.truncate(at);
                    bytes.extend_from_slice(&other[from..]);
                }
                _ => {
                    let token = TOKENS[self.below(TOKENS.len())];
                    bytes.splice(at..to, token.iter().copied());
                }
            }
        }
        bytes.truncate(1 << 14);
    }
}

/// A parser with valid inputs. It panics if it breaks a promise.
struct Target {
    name: &'static str,
    seeds: Vec<Vec<u8>>,
    parse: fn(&[u8]),
}

impl Target {
    fn run(&self, iterations: u64) {
        for seed in &self.seeds {
            (self.parse)(seed);
        }
        let mut bytes = Vec::new();
        for iteration in 0..iterations {
            let mut random = Random(iteration.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
            bytes.clear();
            bytes.extend_from_slice(&self.seeds[random.below(self.seeds.len())]);
            random.mutate(&mut bytes, &self.seeds);
            let parsed = std::panic::catch_unwind(|| (self.parse)(&bytes));
            assert!(
                parsed.is_ok(),
                "{} panics in iteration {iteration}: {}",
                self.name,
                bytes.escape_ascii()
            );
        }
    }
}

fn blob(number: u8) -> IndexBlob {
    IndexBlob {
        id: Id::of(&[number]),
        kind: if number.is_multiple_of(2) {
            BlobKind::Data
        } else {
            BlobKind::Tree
        },
        offset: u32::from(number) * 100,
        length: 100,
        uncompressed_length: u32::from(number) * 7,
    }
}

fn nodes() -> Vec<Node> {
    let node = |name: &[u8], kind: EntryKind| Node {
        name: name.to_vec(),
        metadata: Metadata::synthetic(kind.clone(), 0o755, Timestamp::UNIX_EPOCH),
        content: if kind == EntryKind::File {
            vec![Id::of(name)]
        } else {
            Vec::new()
        },
        subtree: (kind == EntryKind::Directory).then(|| Id::of(name)),
    };
    let target = b"/etc/\xff".to_vec();
    vec![
        node(b"a\nb\xff", EntryKind::File),
        node(b"dir", EntryKind::Directory),
        node(b"link", EntryKind::Symlink { target }),
    ]
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

fn index() -> Vec<u8> {
    let pack = IndexPack {
        id: Id::of(b"pack"),
        blobs: vec![blob(0), blob(1)],
    };
    json(&IndexFile {
        packs: vec![pack.clone()],
        packs_to_delete: vec![MarkedPack {
            pack,
            time: Timestamp::UNIX_EPOCH,
        }],
        ..IndexFile::default()
    })
}

fn snapshot() -> Vec<u8> {
    let text = format!(
        r#"{{"time":"2024-02-29T23:59:60.5+02:00","tree":"{}","paths":["/a"],"tags":["x"],
        "hostname":"h","summary":{{"files_new":3,"total_bytes_processed":9}}}}"#,
        Id::of(b"tree")
    );
    text.into_bytes()
}

fn key() -> Vec<u8> {
    let who = ("host".to_owned(), "user".to_owned());
    let (key, time) = (MasterKey::random(), Timestamp::UNIX_EPOCH);
    json(&KeyFile::create(&key, b"x", KdfCost::MACHINE, who, time).unwrap())
}

fn config() -> Vec<u8> {
    let id = Id::of(b"id");
    format!(r#"{{"version":2,"id":"{id}","chunker_polynomial":"25b468838dcb75"}}"#).into_bytes()
}

fn lock() -> Vec<u8> {
    br#"{"time":"2024-01-01T00:00:00Z","exclusive":true,"hostname":"h","username":"u","pid":7}"#
        .to_vec()
}

fn targets() -> Vec<Target> {
    let target = |name, seeds, parse: fn(&[u8])| Target { name, seeds, parse };
    let header = print_header(&[blob(0), blob(1), blob(2)]);
    let trees = vec![tree::print(&nodes()), tree::print(&[])];
    let mut frame = Vec::new();
    compress::metadata(&[7; 999], &mut frame).unwrap();
    vec![
        target("pack header", vec![header], parse_pack_header),
        target("index", vec![index()], parse_json::<IndexFile>),
        target("tree", trees, parse_tree),
        target("snapshot", vec![snapshot()], parse_snapshot),
        target("key", vec![key()], parse_json::<KeyFile>),
        target("config", vec![config()], |bytes| drop(parse_config(bytes))),
        target("lock", vec![lock()], parse_json::<LockFile>),
        target("name", vec![br"a\n\xff\u2028b\\".to_vec()], parse_name),
        target("frame", vec![frame], parse_frame),
        target("sealed", vec![vec![1; 40], Vec::new()], parse_sealed),
    ]
}

fn parse_json<T: serde::de::DeserializeOwned>(bytes: &[u8]) {
    drop(serde_json::from_slice::<T>(bytes));
}

fn parse_pack_header(bytes: &[u8]) {
    if let Ok(blobs) = parse_header(bytes) {
        assert_eq!(parse_header(&print_header(&blobs)).unwrap(), blobs);
    }
}

/// No name of a tree leads out of its directory, and a tree is read back as it is printed.
fn parse_tree(bytes: &[u8]) {
    let Ok(parsed) = Tree::parse(bytes) else {
        return;
    };
    for node in &parsed.nodes {
        let name = &node.name;
        assert!(!name.is_empty() && name != b"." && name != b"..");
        assert!(!name.contains(&b'/') && !name.contains(&0));
        assert!(!node.metadata.is_dir() || node.subtree.is_some());
    }
    assert!(
        parsed
            .nodes
            .windows(2)
            .all(|pair| pair[0].name < pair[1].name)
    );
    let again = Tree::parse(&tree::print(&parsed.nodes)).unwrap();
    assert_eq!(again.nodes.len(), parsed.nodes.len());
    assert!(again.refused.is_empty());
}

fn parse_snapshot(bytes: &[u8]) {
    if let Ok(snapshot) = Snapshot::parse(Id::of(bytes), bytes) {
        let again = serde_json::to_vec(&snapshot).unwrap();
        assert_eq!(Snapshot::parse(snapshot.id, &again).unwrap(), snapshot);
    }
}

fn parse_name(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(name) = quote::unquote(text)
    {
        assert_eq!(quote::unquote(&quote::quote(&name)).unwrap(), name);
    }
}

fn parse_frame(bytes: &[u8]) {
    for limit in [0, 999, 5000] {
        let known = compress::decompress(bytes, limit);
        assert!(known.is_err() || known.unwrap().len() <= limit);
        let unknown = compress::decompress_unknown(bytes, limit);
        assert!(unknown.is_err() || unknown.unwrap().len() <= limit);
    }
}

fn parse_sealed(bytes: &[u8]) {
    thread_local! {
        static CIPHER: Cipher = Cipher::new(&MasterKey::from_bytes([3; 64]));
    }
    CIPHER.with(|cipher| assert!(cipher.open(bytes).is_err()));
}

#[test]
fn no_bytes_make_a_parser_panic() {
    for target in targets() {
        target.run(SHORT);
    }
}

#[test]
#[ignore = "takes minutes: 10 million iterations for each parser"]
fn no_bytes_make_a_parser_panic_in_the_long_run() {
    std::thread::scope(|scope| {
        for target in targets() {
            scope.spawn(move || target.run(LONG));
        }
    });
}
