//! A server that is killed at any point of a backup loses nothing.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use crate::common::{Installation, assert_same, json, write_files};
use rstest::rstest;

/// Something that can be seen from outside while a backup runs.
#[derive(Debug, Clone, Copy)]
enum Point {
    /// The request was answered.
    Accepted,
    /// A lock file is in the repository.
    Locked,
    /// This many packs are there.
    Packs(usize),
    /// An index file is there.
    Indexed,
    /// The snapshot is there; the catalog may not know yet.
    Snapshot,
}

fn files(dir: &Path) -> usize {
    let Ok(entries) = fs::read_dir(dir) else {
        return 0;
    };
    let count = |path: &Path| if path.is_dir() { files(path) } else { 1 };
    entries
        .map_while(Result::ok)
        .map(|it| count(&it.path()))
        .sum()
}

fn reached(repository: &Path, point: Point) -> bool {
    match point {
        Point::Accepted => true,
        Point::Locked => files(&repository.join("locks")) > 0,
        Point::Packs(count) => files(&repository.join("data")) >= count,
        Point::Indexed => files(&repository.join("index")) > 0,
        Point::Snapshot => files(&repository.join("snapshots")) > 0,
    }
}

#[rstest]
#[case(Point::Accepted)]
#[case(Point::Locked)]
#[case(Point::Packs(1))]
#[case(Point::Packs(2))]
#[case(Point::Packs(3))]
#[case(Point::Packs(4))]
#[case(Point::Packs(5))]
#[case(Point::Packs(6))]
#[case(Point::Indexed)]
#[case(Point::Snapshot)]
fn a_killed_servers_backup_is_taken_up_again_and_completes(#[case] point: Point) {
    let installation = Installation::new();
    let source = installation.dir.path().join("source");
    write_files(
        &source,
        &[30 << 20, 30 << 20, 30 << 20, 20 << 20, 1000, 0],
        7,
    );
    let server = installation.serve();
    let path = format!("path={}", source.display());
    let add = [
        "resource", "add", "--kind", "files", "--name", "source", "--set", &path,
    ];
    json(&mut server.client(&add), 0);
    let backup = json(&mut server.client(&["backup", "create", "source"]), 0);
    let id = backup["id"].as_str().unwrap();

    // The points follow one another on their own; polling only decides where the kill falls.
    let deadline = Instant::now() + Duration::from_mins(2);
    while !reached(&installation.repository(), point) {
        assert!(
            Instant::now() < deadline,
            "the backup never came to {point:?}"
        );
        std::thread::park_timeout(Duration::from_millis(1));
    }
    server.kill();

    let server = installation.serve();
    let show = ["backup", "show", id];
    let done = loop {
        assert!(
            Instant::now() < deadline,
            "the backup was not taken up again"
        );
        let backup = json(&mut server.client(&show), 0);
        match backup["state"].as_str().unwrap() {
            "pending" | "discovering" | "running" => {}
            _ => break backup,
        }
    };
    assert_eq!(done["state"], "completed", "{done}");
    let target = installation.dir.path().join("restored");
    let to = target.to_str().unwrap();
    let restore = json(
        &mut server.client(&["restore", id, "--to", to, "--wait"]),
        0,
    );
    assert_eq!(restore["state"], "completed", "{restore}");
    assert_same(&source, &target);
    assert_eq!(server.terminate(), Some(0));

    installation.restic(&["check", "--read-data"]);
    let snapshots = installation.restic(&["snapshots", "--json"]);
    let snapshots: Vec<serde_json::Value> = serde_json::from_str(&snapshots).unwrap();
    assert_eq!(snapshots.len(), 1, "one backup is one snapshot");
}
