//! Runs dump and restore tools as child processes.
//!
//! Every child has a process group of its own, which is killed as a whole when somebody cancels or
//! loses interest. The end of what it says on its standard error goes into the error of a child
//! that fails.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::AsFd,
        unix::process::{CommandExt, ExitStatusExt},
    },
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    thread::JoinHandle,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::Errno,
    process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open},
};
use strongroom_domain::tree::{Cancel, Context};

use crate::{SourceError, secret::anonymous};

/// How much of the end of a child's standard error is kept.
const STDERR_TAIL: usize = 4096;

/// What is to be started, and the files that it opens by their path while it runs.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) command: Command,
    pub(crate) files: Vec<File>,
}

impl From<Command> for Program {
    fn from(command: Command) -> Self {
        let files = Vec::new();
        Self { command, files }
    }
}

/// Sees a dump go by and says at its end whether it is whole.
pub(crate) trait Watch: Send {
    /// The next piece of the dump.
    fn see(&mut self, bytes: &[u8]) -> io::Result<()> {
        let _ = bytes;
        Ok(())
    }

    /// The child exited with 0, having said this on its standard error.
    fn end(&mut self, said: &str) -> io::Result<()> {
        let _ = said;
        Ok(())
    }
}

/// Nobody looks: the exit status alone decides.
impl Watch for () {}

/// A running child, read as its standard output. The last read fails unless the child ended well
/// and its output was whole; dropping it early kills the child.
pub(crate) struct Dump {
    output: ChildStdout,
    running: Running,
    cancel: Cancel,
    watch: Box<dyn Watch>,
    ended: bool,
}

impl Dump {
    pub(crate) fn start(
        program: impl Into<Program>,
        stdin: Stdio,
        cancel: Cancel,
        watch: impl Watch + 'static,
    ) -> io::Result<Self> {
        let mut running = Running::start(program.into(), stdin, Stdio::piped())?;
        let output = running.child.stdout.take();
        Ok(Self {
            output: output.ok_or_else(|| io::Error::other("no output"))?,
            running,
            cancel,
            watch: Box::new(watch),
            ended: false,
        })
    }
}

impl Read for Dump {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        while !ready(&self.output, PollFlags::IN)? {
            if self.cancel.is_cancelled() {
                self.running.kill();
                return Err(cancelled());
            }
        }
        let read = self.output.read(buffer)?;
        if read == 0 {
            self.ended = true;
            let said = self.running.finish(&self.cancel)?;
            self.watch.end(&said)?;
        } else {
            self.watch.see(&buffer[..read])?;
        }
        Ok(read)
    }
}

/// Runs a program that reads `input`, and gives what it prints.
pub(crate) fn ask(
    program: impl Into<Program>,
    input: &[u8],
    cancel: &Cancel,
) -> io::Result<Vec<u8>> {
    let stdin = Stdio::from(anonymous(input)?);
    let mut printed = Vec::new();
    Dump::start(program, stdin, cancel.clone(), ())?.read_to_end(&mut printed)?;
    Ok(printed)
}

/// Pipes `input` into the child and waits for its end; the number of bytes it took. `what` names
/// the child in errors.
pub(crate) fn feed(
    program: impl Into<Program>,
    what: &str,
    mut input: impl Read,
    context: &Context,
) -> Result<u64, SourceError> {
    let failed = |error: io::Error| {
        if context.cancel.is_cancelled() {
            return SourceError::Cancelled;
        }
        SourceError::failed(what, error)
    };
    let mut child = Feed::start(program, context.cancel.clone()).map_err(failed)?;
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    let copied = loop {
        if context.cancel.is_cancelled() {
            return Err(SourceError::Cancelled);
        }
        match input.read(&mut buffer) {
            Ok(0) => break Ok(()),
            Ok(read) => {
                if let Err(error) = child.write_all(&buffer[..read]) {
                    break Err(error);
                }
                bytes += read as u64;
                context.progress.add(read as u64, 0);
            }
            // The child is killed: it must not take a cut-off dump for a whole one.
            Err(error) => return Err(SourceError::failed("reading the backup", error)),
        }
    };
    // A child that fails closes its input first, so its own words say more than "broken pipe".
    child.finish().map_err(failed)?;
    copied.map_err(failed)?;
    Ok(bytes)
}

/// A running child, written to as its standard input. What it prints is thrown away; dropping it
/// before it is finished kills the child.
pub(crate) struct Feed {
    input: Option<ChildStdin>,
    running: Running,
    cancel: Cancel,
}

impl Feed {
    pub(crate) fn start(program: impl Into<Program>, cancel: Cancel) -> io::Result<Self> {
        let mut running = Running::start(program.into(), Stdio::piped(), Stdio::null())?;
        let input = running.child.stdin.take();
        if let Some(pipe) = &input {
            // A child that takes nothing can then still be cancelled.
            fcntl_setfl(pipe, fcntl_getfl(pipe)? | OFlags::NONBLOCK)?;
        }
        Ok(Self {
            input,
            running,
            cancel,
        })
    }

    /// Closes the child's input and waits for its end; gives what it said.
    pub(crate) fn finish(&mut self) -> io::Result<String> {
        self.input = None;
        self.running.finish(&self.cancel)
    }
}

impl Write for Feed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(pipe) = &mut self.input else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        loop {
            match pipe.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
            while !ready(&*pipe, PollFlags::OUT)? {
                if self.cancel.is_cancelled() {
                    return Err(cancelled());
                }
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits up to a tenth of a second, so that whoever waits can still be cancelled.
fn ready(fd: &impl AsFd, flags: PollFlags) -> io::Result<bool> {
    let timeout = Timespec {
        tv_sec: 0,
        tv_nsec: 100_000_000,
    };
    match poll(&mut [PollFd::new(fd, flags)], Some(&timeout)) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn cancelled() -> io::Error {
    io::Error::other("cancelled")
}

/// A child in a process group of its own, with the end of its standard error being collected.
struct Running {
    program: String,
    child: Child,
    errors: Option<JoinHandle<Vec<u8>>>,
    reaped: bool,
    _files: Vec<File>,
}

impl Running {
    fn start(program: Program, stdin: Stdio, stdout: Stdio) -> io::Result<Self> {
        let Program { mut command, files } = program;
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(stdin)
            .stdout(stdout)
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("`{program}`: {error}")))?;
        let errors = match child.stderr.take() {
            Some(stderr) => Some(spawn("child-stderr", move || tail(stderr))?),
            None => None,
        };
        Ok(Self {
            program,
            child,
            errors,
            reaped: false,
            _files: files,
        })
    }

    /// Waits for the end and gives what was said; the error says how the child failed, too.
    fn finish(&mut self, cancel: &Cancel) -> io::Result<String> {
        if let Some(pid) = Pid::from_raw(self.child.id().cast_signed()) {
            let end = pidfd_open(pid, PidfdFlags::empty())?;
            while !ready(&end, PollFlags::IN)? {
                if cancel.is_cancelled() {
                    self.kill();
                    return Err(cancelled());
                }
            }
        }
        let status = self.child.wait()?;
        self.reaped = true;
        let said = self.errors.take().and_then(|it| it.join().ok());
        let said = said.unwrap_or_default();
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        if status.success() {
            return Ok(said);
        }
        let how = describe(status);
        Err(io::Error::other(match said.as_str() {
            "" => format!("`{}` {how}", self.program),
            said => format!("`{}` {how}: {said}", self.program),
        }))
    }

    /// Ends the child and whatever it started.
    fn kill(&mut self) {
        if self.reaped {
            return;
        }
        if let Some(group) = Pid::from_raw(self.child.id().cast_signed()) {
            // It may be gone already, which is what is wanted.
            let _gone = kill_process_group(group, Signal::KILL);
        }
        drop(self.child.wait());
        self.reaped = true;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "ended without a status".to_owned(),
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
}

/// The last [`STDERR_TAIL`] bytes of what the child says.
fn tail(mut stderr: ChildStderr) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(read @ 1..) = stderr.read(&mut buffer) {
        kept.extend_from_slice(&buffer[..read]);
        if kept.len() > 2 * STDERR_TAIL {
            kept.drain(..kept.len() - STDERR_TAIL);
        }
    }
    let excess = kept.len().saturating_sub(STDERR_TAIL);
    kept.split_off(excess)
}
