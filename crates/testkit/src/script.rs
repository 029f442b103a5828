//! A source whose every step a test writes beforehand, and whose reading it can hold up.

use std::{
    collections::VecDeque,
    io::{self, Read},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use strongroom_domain::{
    FieldError, ResourceKind,
    resource::Settings,
    tree::{
        Cancel, Content, Context, Entry, EntryError, EntryKind, EntryPath, Metadata, Phase,
        RestoreReport, TreeReader,
    },
};
use strongroom_source::{
    Entries, PrepareRequest, Prepared, RestoreRequest, Setting, Source, SourceError, Warnings,
};

/// One step of reading a scripted source.
#[derive(Debug, Clone)]
pub enum Step {
    /// A file of that name and content.
    File(&'static str, &'static [u8]),
    /// An entry of that name that cannot be read.
    Fail(&'static str, &'static str),
    /// A file whose content breaks off with that error.
    Break(&'static str, &'static str),
    /// Reading waits until the gate is opened.
    Gate(Gate),
    /// Reading waits until it is told to stop.
    UntilCancelled(Gate),
}

/// Holds a source up until a test lets it go on. Clones are the same gate.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<(Mutex<GateState>, Condvar)>);

#[derive(Debug, Default)]
struct GateState {
    reached: bool,
    open: bool,
}

impl Gate {
    /// Lets the source go on, now and whenever it comes by again.
    pub fn open(&self) {
        self.state().open = true;
        self.0.1.notify_all();
    }

    /// Waits until the source has come to the gate.
    pub async fn reached(&self) {
        let gate = self.clone();
        let waited = tokio::task::spawn_blocking(move || gate.wait_for(|state| state.reached));
        waited.await.expect("waiting does not panic");
    }

    fn reach(&self) {
        self.state().reached = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        self.reach();
        self.wait_for(|state| state.open);
    }

    fn wait_for(&self, wanted: impl Fn(&GateState) -> bool) {
        let state = self.state();
        drop(self.0.1.wait_while(state, |state| !wanted(state)));
    }

    fn state(&self) -> MutexGuard<'_, GateState> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A source that delivers what its script says: one list of steps per reading, the last one again
/// and again. Clones share the script.
#[derive(Debug, Clone, Default)]
pub struct Script(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    readings: Mutex<VecDeque<Vec<Step>>>,
    whole: bool,
    prepared: AtomicUsize,
    released: AtomicUsize,
}

impl Script {
    /// A tree: an entry that fails makes a backup partial.
    pub fn tree(readings: impl IntoIterator<Item = Vec<Step>>) -> Self {
        Self::new(readings, false)
    }

    /// A dump: an entry that fails makes a backup fail.
    pub fn whole(readings: impl IntoIterator<Item = Vec<Step>>) -> Self {
        Self::new(readings, true)
    }

    fn new(readings: impl IntoIterator<Item = Vec<Step>>, whole: bool) -> Self {
        let readings = Mutex::new(readings.into_iter().collect());
        Self(Arc::new(Inner {
            readings,
            whole,
            ..Inner::default()
        }))
    }

    /// How often it was prepared and released.
    pub fn counts(&self) -> (usize, usize) {
        let Inner {
            prepared, released, ..
        } = &*self.0;
        (
            prepared.load(Ordering::SeqCst),
            released.load(Ordering::SeqCst),
        )
    }

    fn next_reading(&self) -> Vec<Step> {
        let mut readings = self
            .0
            .readings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match readings.len() {
            0 => Vec::new(),
            1 => readings[0].clone(),
            _ => readings.pop_front().unwrap_or_default(),
        }
    }
}

impl Source for Script {
    fn kind(&self) -> ResourceKind {
        ResourceKind::Files
    }

    fn settings(&self) -> &'static [Setting] {
        &[]
    }

    fn validate(&self, _settings: &Settings) -> Vec<FieldError> {
        Vec::new()
    }

    fn prepare(
        &self,
        request: PrepareRequest,
        _context: &Context,
    ) -> Result<Prepared, SourceError> {
        self.0.prepared.fetch_add(1, Ordering::SeqCst);
        Ok(Prepared::plain(request, None))
    }

    fn entries(&self, prepared: &Prepared, context: &Context) -> Result<Entries, SourceError> {
        let (time, cancel) = (prepared.time, context.cancel.clone());
        let steps = self.next_reading().into_iter();
        let stream = steps.filter_map(move |step| read(step, time, &cancel));
        Ok(Entries {
            stream: Box::new(stream),
            whole: self.0.whole,
            roots: vec!["script".to_owned()],
            warnings: Warnings::default(),
        })
    }

    fn release(&self, _prepared: &Prepared) -> Result<(), SourceError> {
        self.0.released.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn restore(
        &self,
        _request: &RestoreRequest,
        _tree: &dyn TreeReader,
        _context: &Context,
    ) -> Result<RestoreReport, SourceError> {
        Err(SourceError::failed(
            "restoring a script",
            "it cannot be restored",
        ))
    }
}

fn read(step: Step, time: jiff::Timestamp, cancel: &Cancel) -> Option<Result<Entry, EntryError>> {
    let path = |name: &str| EntryPath::try_from(name).expect("a script names good paths");
    let metadata = Metadata::synthetic(EntryKind::File, 0o600, time);
    match step {
        Step::Gate(gate) => {
            gate.pass();
            None
        }
        Step::UntilCancelled(gate) => {
            gate.reach();
            while !cancel.is_cancelled() {
                std::thread::sleep(Duration::from_millis(1));
            }
            None
        }
        Step::File(name, content) => Some(Ok(Entry::stream(
            path(name),
            metadata,
            Content::from_bytes(content),
        ))),
        Step::Fail(name, why) => Some(Err(EntryError::new(
            path(name),
            Phase::Open,
            io::Error::other(why),
        ))),
        Step::Break(name, why) => {
            let broken = move || Ok(Box::new(Broken { why, begun: false }) as Box<dyn Read + Send>);
            Some(Ok(Entry::stream(
                path(name),
                metadata,
                Content::from_opener(broken),
            )))
        }
    }
}

/// Delivers one byte, then an error.
struct Broken {
    why: &'static str,
    begun: bool,
}

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match buffer.first_mut() {
            Some(byte) if !self.begun => {
                self.begun = true;
                *byte = b'!';
                Ok(1)
            }
            _ => Err(io::Error::other(self.why)),
        }
    }
}
