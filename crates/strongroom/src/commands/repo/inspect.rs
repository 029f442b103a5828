//! `repo snapshots`, `repo ls`, `repo dump`.

use std::{io::Write, sync::Arc};

use anyhow::Result;
use serde_json::{Value, json};
use strongroom_domain::tree::{Context, EntryPath};
use strongroom_engine::{BrowseNode, Snapshot, SnapshotReader, StreamOptions, TarSink};

use super::{context, matches, open, open_indexed, progress::Bar};
use crate::{
    args::{RepoArgs, SnapshotFilter},
    ui::{self, Outcome},
};

pub(super) fn snapshots(args: &RepoArgs, filter: &SnapshotFilter) -> Result<Outcome> {
    let list = open(args)?.snapshots()?;
    let found: Vec<&Snapshot> = list
        .snapshots
        .iter()
        .filter(|it| matches(filter, it))
        .collect();
    if args.json {
        ui::json(
            &found
                .iter()
                .map(|it| as_json(it))
                .collect::<Result<Vec<_>>>()?,
        )?;
    } else {
        let row = |it: &&Snapshot| {
            let id = it.id.to_string();
            vec![
                id[..8].to_owned(),
                it.time.to_string(),
                it.hostname.clone(),
                it.tags.join(","),
                it.paths.join(" "),
            ]
        };
        let rows: Vec<_> = found.iter().map(row).collect();
        ui::table(&["ID", "TIME", "HOST", "TAGS", "PATHS"], &rows)?;
    }
    for error in &list.damaged {
        ui::note(format_args!("warning: {}", error.chain()));
    }
    Ok(if list.damaged.is_empty() {
        Outcome::Done
    } else {
        Outcome::SomeFailed
    })
}

/// A snapshot as restic prints it: its stored fields, `id` and `short_id`.
pub(super) fn as_json(snapshot: &Snapshot) -> Result<Value> {
    let mut value = serde_json::to_value(snapshot)?;
    let id = snapshot.id.to_string();
    value["short_id"] = id[..8].into();
    value["id"] = id.into();
    Ok(value)
}

pub(super) fn ls(args: &RepoArgs, snapshot: &str, path: &str) -> Result<Outcome> {
    let context = context(&Arc::new(Bar::new("ls")))?;
    let repository = open_indexed(args, &context)?;
    let snapshot = repository.repository().find_snapshot(snapshot)?;
    let path = EntryPath::parse_lenient(path.as_bytes())?;
    let mut outcome = Outcome::Done;
    for node in repository.reader(&snapshot).walk(&path)? {
        match node {
            Ok(node) if args.json => ui::json(&node_json(&node))?,
            Ok(node) => ui::line(format_args!("/{}", node.path))?,
            Err(error) => {
                ui::note(format_args!("warning: {error}: {}", error.source.chain()));
                outcome = Outcome::SomeFailed;
            }
        }
    }
    Ok(outcome)
}

fn node_json(node: &BrowseNode) -> Value {
    let metadata = &node.metadata;
    let kind = if metadata.is_dir() {
        "dir"
    } else if metadata.is_file() {
        "file"
    } else {
        "other"
    };
    json!({
        "path": format!("/{}", node.path),
        "type": kind,
        "size": metadata.size,
        "mode": metadata.mode,
        "mtime": metadata.mtime,
        "uid": metadata.uid,
        "gid": metadata.gid,
    })
}

pub(super) fn dump(args: &RepoArgs, snapshot: &str, path: &str) -> Result<Outcome> {
    let bar = Arc::new(Bar::new("dump"));
    let context = context(&bar)?;
    let repository = open_indexed(args, &context)?;
    let snapshot = repository.repository().find_snapshot(snapshot)?;
    let path = EntryPath::parse_lenient(path.as_bytes())?;
    let reader = repository.reader(&snapshot);
    if path.is_root() || reader.find(&path)?.metadata.is_dir() {
        return dump_archive(&reader, path, &bar, &context);
    }
    let mut out = std::io::stdout().lock();
    reader.dump(&path, &mut out, &context)?;
    out.flush()?;
    bar.finish();
    Ok(Outcome::Done)
}

fn dump_archive(
    reader: &SnapshotReader,
    path: EntryPath,
    bar: &Bar,
    context: &Context,
) -> Result<Outcome> {
    let out = std::io::BufWriter::with_capacity(1 << 20, std::io::stdout().lock());
    let options = StreamOptions {
        path,
        ..StreamOptions::default()
    };
    let report = reader.stream(&options, &mut TarSink::new(out), context)?;
    bar.finish();
    Ok(if report.failures.is_empty() {
        Outcome::Done
    } else {
        Outcome::SomeFailed
    })
}
