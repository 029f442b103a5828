//! The `command` source with real child processes.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what it did not expect"
)]

use std::{collections::BTreeMap, io::Read, path::Path, sync::mpsc, time::Duration};

use strongroom_domain::{
    Face,
    resource::{ResourceKind, Settings},
    tree::{
        Cancel, Content, Context, EntryPath, Overwrite, Patterns, RestoreOptions, RestoreReport,
        TreeError, TreeNode, TreeReader,
    },
};
use strongroom_source::{
    PrepareRequest, Registry, RestoreRequest, RestoreTarget, SourceConfig, SourceError,
    command::CommandSpec,
};

fn spec(name: &str, dump: &[&str], restore: Option<&[&str]>) -> CommandSpec {
    let argv = |words: &[&str]| words.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    CommandSpec {
        name: name.to_owned(),
        dump: argv(dump),
        restore: restore.map(argv),
        file_name: "dump".to_owned(),
        environment: [("COLOUR".to_owned(), "blue".to_owned())].into(),
        face: None,
    }
}

fn named(name: &str) -> Settings {
    Settings([("command".to_owned(), name.to_owned())].into())
}

fn dump(spec: CommandSpec, cancel: Cancel) -> std::io::Result<Vec<u8>> {
    let settings = named(&spec.name);
    let registry = Registry::new(SourceConfig {
        commands: vec![spec],
        ..SourceConfig::default()
    });
    let source = registry.get(ResourceKind::Command).unwrap();
    let context = Context {
        cancel,
        ..Context::default()
    };
    let time = "2026-01-01T00:00:00Z".parse().unwrap();
    let request = PrepareRequest {
        resource: "thing".to_owned(),
        settings,
        time,
    };
    let prepared = source.prepare(request, &context).unwrap();
    let mut entries = source.entries(&prepared, &context).unwrap();
    assert!(entries.whole);
    let entry = entries.stream.next().unwrap().unwrap();
    assert!(!entry.comparable, "a stream must always be read");
    let Content::Reader(open) = entry.content else {
        panic!("no content")
    };
    let mut bytes = Vec::new();
    open()?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[test]
fn standard_output_is_the_content() {
    let script = "printf '%s %s' \"$STRONGROOM_RESOURCE\" \"$COLOUR\"";
    let bytes = dump(spec("hello", &["sh", "-c", script], None), Cancel::new()).unwrap();
    assert_eq!(bytes, b"thing blue");
}

#[test]
fn a_failing_command_fails_the_read_with_what_it_said() {
    let script = "printf partial; echo 'table is broken' >&2; exit 3";
    let error = dump(spec("bad", &["sh", "-c", script], None), Cancel::new()).unwrap_err();
    assert_eq!(error.to_string(), "`sh` exited with 3: table is broken");
    let error = dump(
        spec("killed", &["sh", "-c", "kill -9 $$"], None),
        Cancel::new(),
    )
    .unwrap_err();
    assert_eq!(error.to_string(), "`sh` was killed by signal 9");
    let error = dump(spec("none", &["/nonexistent"], None), Cancel::new()).unwrap_err();
    assert!(error.to_string().contains("`/nonexistent`"), "{error}");
}

#[test]
fn a_silent_command_can_be_cancelled() {
    let cancel = Cancel::new();
    let (sender, receiver) = mpsc::channel();
    let other = cancel.clone();
    std::thread::spawn(move || {
        sender
            .send(dump(spec("slow", &["sleep", "600"], None), other))
            .unwrap();
    });
    cancel.cancel();
    let result = receiver
        .recv_timeout(Duration::from_secs(20))
        .expect("it ends when cancelled");
    assert_eq!(result.unwrap_err().to_string(), "cancelled");
}

/// A stored tree of one file.
struct Stored(&'static [u8]);

impl TreeReader for Stored {
    fn nodes(&self) -> Box<dyn Iterator<Item = Result<TreeNode, TreeError>> + Send + '_> {
        Box::new(std::iter::empty())
    }
    fn open(&self, path: &EntryPath) -> Result<Box<dyn Read + Send + '_>, TreeError> {
        assert_eq!(path.to_string(), "dump");
        Ok(Box::new(self.0))
    }
    fn subtree(&self, path: &EntryPath) -> Result<Box<dyn TreeReader + '_>, TreeError> {
        Err(TreeError::NotFound(path.clone()))
    }
    fn restore_to(
        &self,
        _target: &Path,
        _options: &RestoreOptions,
        _context: &Context,
    ) -> Result<RestoreReport, TreeError> {
        Err(TreeError::Cancelled)
    }
}

fn restore(spec: CommandSpec, bytes: &'static [u8]) -> Result<RestoreReport, SourceError> {
    let settings = named(&spec.name);
    let registry = Registry::new(SourceConfig {
        commands: vec![spec],
        ..SourceConfig::default()
    });
    let source = registry.get(ResourceKind::Command).unwrap();
    let target = RestoreTarget::Resource {
        name: "thing".to_owned(),
        settings,
    };
    let request = RestoreRequest {
        target,
        include: Patterns::default(),
        overwrite: Overwrite::Always,
        rename: BTreeMap::new(),
    };
    source.restore(&request, &Stored(bytes), &Context::default())
}

#[test]
fn the_restore_command_gets_the_dump_on_standard_input() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("out");
    let script = format!("cat > '{}'", file.display());
    let report = restore(
        spec("r", &["true"], Some(&["sh", "-c", &script])),
        b"content",
    )
    .unwrap();
    assert_eq!(report.bytes, 7);
    assert_eq!(std::fs::read(file).unwrap(), b"content");
}

#[test]
fn a_restore_command_that_stops_reading_is_reported_with_what_it_said() {
    static BIG: [u8; 1 << 20] = [0; 1 << 20];
    let script = "echo 'wrong version' >&2; exit 1";
    let error = restore(spec("r", &["true"], Some(&["sh", "-c", script])), &BIG).unwrap_err();
    assert_eq!(
        error.to_string(),
        "command `r` failed: `sh` exited with 1: wrong version"
    );
}

#[test]
fn only_configured_commands_can_be_named() {
    let mut known = spec("known", &["true"], None);
    known.face = Some(Face::Ges);
    let registry = Registry::new(SourceConfig {
        commands: vec![known],
        ..SourceConfig::default()
    });
    let validate = |settings: &Settings| registry.validate(ResourceKind::Command, settings);
    assert!(validate(&named("known")).is_empty());
    assert_eq!(validate(&named("unknown"))[0].field, "settings.command");
    let mut settings = named("known");
    let source = registry.get(ResourceKind::Command).unwrap();
    assert_eq!(source.face(&settings), Some(Face::Ges));
    settings.0.insert("face".to_owned(), "zstack".to_owned());
    assert_eq!(source.face(&settings), Some(Face::Zstack));
    settings.0.insert("dump".to_owned(), "rm -rf /".to_owned());
    assert_eq!(validate(&settings)[0].field, "settings.dump");
}
