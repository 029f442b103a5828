//! One entry of a tree.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use strongroom_domain::tree::{DeviceKind, EntryKind, EntryPath, Metadata, Xattr};

use super::json::JsonWriter;
use super::{mode, quote};
use crate::id::Id;

/// A file, directory or special file with its name in the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) name: Vec<u8>,
    pub(crate) metadata: Metadata,
    /// The blobs of a file in order.
    pub(crate) content: Vec<Id>,
    /// The tree of a directory.
    pub(crate) subtree: Option<Id>,
}

/// Prints a node with restic's fields in restic's order.
pub(crate) fn print(json: &mut JsonWriter, node: &Node) {
    let meta = &node.metadata;
    json.raw("{");
    json.name("name");
    json.string(&quote::quote(&node.name));
    json.name("type");
    json.string(kind_name(&meta.kind));
    number(json, "mode", u64::from(mode::to_go(&meta.kind, meta.mode)));
    for (name, time) in [
        ("mtime", meta.mtime),
        ("atime", meta.atime),
        ("ctime", meta.ctime),
    ] {
        json.name(name);
        json.time(time);
    }
    json.name("uid");
    json.display(meta.uid);
    json.name("gid");
    json.display(meta.gid);
    text(json, "user", &meta.user);
    text(json, "group", &meta.group);
    number(json, "inode", meta.inode);
    number(json, "device_id", meta.device);
    number(json, "size", meta.size);
    number(json, "links", meta.links);
    if let EntryKind::Symlink { target } = &meta.kind {
        print_target(json, target);
    }
    print_xattrs(json, &meta.xattrs);
    if let EntryKind::Device { rdev, .. } = meta.kind {
        number(json, "device", rdev);
    }
    print_content(json, node);
    if let Some(subtree) = node.subtree {
        json.name("subtree");
        json.string(&subtree.to_hex());
    }
    json.raw("}");
}

fn number(json: &mut JsonWriter, name: &str, value: u64) {
    if value != 0 {
        json.name(name);
        json.display(value);
    }
}

fn text(json: &mut JsonWriter, name: &str, value: &str) {
    if !value.is_empty() {
        json.name(name);
        json.string(value);
    }
}

fn print_target(json: &mut JsonWriter, target: &[u8]) {
    let readable = String::from_utf8_lossy(target);
    text(json, "linktarget", &readable);
    if readable.as_bytes() != target {
        json.name("linktarget_raw");
        json.base64(target);
    }
}

fn print_xattrs(json: &mut JsonWriter, xattrs: &[Xattr]) {
    if xattrs.is_empty() {
        return;
    }
    json.name("extended_attributes");
    json.raw("[");
    for xattr in xattrs {
        json.comma();
        json.raw("{");
        json.name("name");
        json.string(&String::from_utf8_lossy(&xattr.name));
        json.name("value");
        json.base64(&xattr.value);
        json.raw("}");
    }
    json.raw("]");
}

/// Only files have a list; for everything else Go's nil slice is printed.
fn print_content(json: &mut JsonWriter, node: &Node) {
    json.name("content");
    if node.metadata.is_file() {
        json.raw("[");
        for id in &node.content {
            json.comma();
            json.string(&id.to_hex());
        }
        json.raw("]");
    } else {
        json.raw("null");
    }
}

fn kind_name(kind: &EntryKind) -> &'static str {
    match kind {
        EntryKind::File => "file",
        EntryKind::Directory => "dir",
        EntryKind::Symlink { .. } => "symlink",
        EntryKind::Device {
            kind: DeviceKind::Block,
            ..
        } => "dev",
        EntryKind::Device {
            kind: DeviceKind::Character,
            ..
        } => "chardev",
        EntryKind::Fifo => "fifo",
        EntryKind::Socket => "socket",
    }
}

/// A node as it is in JSON.
#[derive(Debug, Deserialize)]
pub(crate) struct RawNode {
    #[serde(default)]
    pub(crate) name: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    mode: u32,
    mtime: Option<Timestamp>,
    atime: Option<Timestamp>,
    ctime: Option<Timestamp>,
    #[serde(default)]
    uid: u32,
    #[serde(default)]
    gid: u32,
    #[serde(default)]
    user: String,
    #[serde(default)]
    group: String,
    #[serde(default)]
    inode: u64,
    #[serde(default)]
    device_id: u64,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    links: u64,
    #[serde(default)]
    linktarget: String,
    linktarget_raw: Option<String>,
    #[serde(default)]
    extended_attributes: Vec<RawXattr>,
    #[serde(default)]
    device: u64,
    content: Option<Vec<Id>>,
    subtree: Option<Id>,
}

#[derive(Debug, Deserialize)]
struct RawXattr {
    name: String,
    value: Option<String>,
}

/// Checks a node; the error says why it cannot be used.
pub(crate) fn from_raw(raw: RawNode) -> Result<Node, String> {
    let name = quote::unquote(&raw.name).map_err(|error| error.to_string())?;
    EntryPath::root()
        .join(&name)
        .map_err(|error| error.to_string())?;
    let kind = kind(&raw)?;
    if kind == EntryKind::Directory && raw.subtree.is_none() {
        return Err("directory without a tree".to_owned());
    }
    let metadata = Metadata {
        kind,
        mode: mode::from_go(raw.mode),
        mtime: raw.mtime.unwrap_or_default(),
        atime: raw.atime.unwrap_or_default(),
        ctime: raw.ctime.unwrap_or_default(),
        uid: raw.uid,
        gid: raw.gid,
        user: raw.user,
        group: raw.group,
        size: raw.size,
        inode: raw.inode,
        device: raw.device_id,
        links: raw.links,
        xattrs: raw
            .extended_attributes
            .into_iter()
            .map(xattr)
            .collect::<Result<_, _>>()?,
    };
    Ok(Node {
        name,
        metadata,
        content: raw.content.unwrap_or_default(),
        subtree: raw.subtree,
    })
}

fn kind(raw: &RawNode) -> Result<EntryKind, String> {
    Ok(match raw.kind.as_str() {
        "file" => EntryKind::File,
        "dir" => EntryKind::Directory,
        "symlink" => EntryKind::Symlink {
            target: target(raw)?,
        },
        "dev" => EntryKind::Device {
            kind: DeviceKind::Block,
            rdev: raw.device,
        },
        "chardev" => EntryKind::Device {
            kind: DeviceKind::Character,
            rdev: raw.device,
        },
        "fifo" => EntryKind::Fifo,
        "socket" => EntryKind::Socket,
        other => return Err(format!("unknown type `{other}`")),
    })
}

fn target(raw: &RawNode) -> Result<Vec<u8>, String> {
    match &raw.linktarget_raw {
        Some(text) => base64(text),
        None => Ok(raw.linktarget.clone().into_bytes()),
    }
}

fn xattr(raw: RawXattr) -> Result<Xattr, String> {
    let value = base64(raw.value.as_deref().unwrap_or_default())?;
    Ok(Xattr {
        name: raw.name.into_bytes(),
        value,
    })
}

fn base64(text: &str) -> Result<Vec<u8>, String> {
    STANDARD.decode(text).map_err(|error| error.to_string())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn file(name: &[u8]) -> Node {
        let time = "2022-01-02T03:04:05.12Z".parse().unwrap();
        let metadata = Metadata {
            size: 3,
            ..Metadata::synthetic(EntryKind::File, 0o644, time)
        };
        Node {
            name: name.to_vec(),
            metadata,
            content: vec![Id::of(b"abc")],
            subtree: None,
        }
    }

    #[test]
    fn fields_are_in_restics_order() {
        let mut node = file(b"<x>\n");
        node.metadata.user = "root".into();
        node.metadata.inode = 7;
        node.metadata.device = 8;
        node.metadata.links = 1;
        node.metadata.xattrs = vec![Xattr {
            name: b"user.a".to_vec(),
            value: b"v".to_vec(),
        }];
        let mut json = JsonWriter::default();
        print(&mut json, &node);
        let expected = concat!(
            r#"{"name":"\u003cx\u003e\\n","type":"file","mode":420,"mtime":"2022-01-02T03:04:05.12Z","#,
            r#""atime":"2022-01-02T03:04:05.12Z","ctime":"2022-01-02T03:04:05.12Z","uid":0,"gid":0,"#,
            r#""user":"root","inode":7,"device_id":8,"size":3,"links":1,"#,
            r#""extended_attributes":[{"name":"user.a","value":"dg=="}],"#,
            r#""content":["ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]}"#,
        );
        assert_eq!(String::from_utf8(json.into_bytes()).unwrap(), expected);
    }

    #[test]
    fn a_link_to_bytes_that_are_not_utf8_comes_back() {
        let mut node = file(b"l");
        node.metadata.kind = EntryKind::Symlink {
            target: b"\xff/x".to_vec(),
        };
        node.content.clear();
        let mut json = JsonWriter::default();
        print(&mut json, &node);
        let raw = serde_json::from_slice(&json.into_bytes()).unwrap();
        assert_eq!(from_raw(raw).unwrap(), node);
    }
}
