//! Runs the dump and restore commands as child processes.

use std::{
    io::{self, Read, Write},
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio},
    thread::JoinHandle,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, Signal, kill_process_group},
};
use strongroom_domain::tree::{Cancel, Context};

use super::CommandSpec;
use crate::SourceError;

/// How much of the end of a command's standard error is kept for its error message.
const STDERR_TAIL: usize = 4096;

/// A running dump command, read as its standard output. The last read fails unless the command
/// ended well; dropping it early kills the command.
#[derive(Debug)]
pub(super) struct Dump {
    output: ChildStdout,
    running: Running,
    cancel: Cancel,
    ended: bool,
}

impl Dump {
    pub(super) fn start(spec: &CommandSpec, resource: &str, cancel: Cancel) -> io::Result<Self> {
        let mut running = Running::start(spec, &spec.dump, resource, Stdio::null())?;
        let output = running
            .child
            .stdout
            .take()
            .ok_or_else(|| io::Error::other("no output"))?;
        Ok(Self {
            output,
            running,
            cancel,
            ended: false,
        })
    }
}

impl Read for Dump {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        while !readable(&self.output)? {
            if self.cancel.is_cancelled() {
                self.running.kill();
                return Err(io::Error::other("cancelled"));
            }
        }
        let read = self.output.read(buffer)?;
        if read == 0 {
            self.ended = true;
            self.running.finish().map_err(io::Error::other)?;
        }
        Ok(read)
    }
}

/// Waits up to a tenth of a second for output or its end, so that a command that says nothing can
/// still be cancelled.
fn readable(output: &ChildStdout) -> io::Result<bool> {
    let timeout = Timespec {
        tv_sec: 0,
        tv_nsec: 100_000_000,
    };
    let mut fds = [PollFd::new(output, PollFlags::IN)];
    match poll(&mut fds, Some(&timeout)) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Pipes `input` into the restore command and waits for it; the number of bytes it took.
pub(super) fn feed(
    spec: &CommandSpec,
    resource: &str,
    mut input: Box<dyn Read + Send + '_>,
    context: &Context,
) -> Result<u64, SourceError> {
    let what = || format!("command `{}`", spec.name);
    let Some(argv) = &spec.restore else {
        return Err(SourceError::invalid("target", "the command cannot restore"));
    };
    let mut running = Running::start(spec, argv, resource, Stdio::piped())
        .map_err(|error| SourceError::failed(what(), error))?;
    let mut pipe = running.child.stdin.take();
    let drain = running.child.stdout.take().map(|mut output| {
        // What a restore command prints is of no use, but a full pipe would block it.
        spawn("command-stdout", move || {
            io::copy(&mut output, &mut io::sink()).map(drop)
        })
    });
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    let copied = loop {
        if context.cancel.is_cancelled() {
            running.kill();
            return Err(SourceError::Cancelled);
        }
        match input.read(&mut buffer) {
            Ok(0) => break Ok(()),
            Ok(read) => {
                if let Some(Err(error)) = pipe.as_mut().map(|it| it.write_all(&buffer[..read])) {
                    break Err(error);
                }
                bytes += read as u64;
                context.progress.add(read as u64, 0);
            }
            // The command must not take a cut-off dump for a whole one.
            Err(error) => {
                running.kill();
                return Err(SourceError::failed("reading the backup", error));
            }
        }
    };
    drop(pipe);
    if let Some(Ok(thread)) = drain {
        drop(thread.join());
    }
    // A command that fails closes its input first, so its own words say more than "broken pipe".
    running
        .finish()
        .map_err(|message| SourceError::failed(what(), message))?;
    copied.map_err(|error| SourceError::failed(what(), error))?;
    Ok(bytes)
}

/// A child in a process group of its own, with the end of its standard error being collected.
#[derive(Debug)]
struct Running {
    program: String,
    child: Child,
    errors: Option<JoinHandle<Vec<u8>>>,
    reaped: bool,
}

impl Running {
    fn start(
        spec: &CommandSpec,
        argv: &[String],
        resource: &str,
        stdin: Stdio,
    ) -> io::Result<Self> {
        let (program, arguments) = argv
            .split_first()
            .ok_or_else(|| io::Error::other("the command names no program"))?;
        let mut child = Command::new(program)
            .args(arguments)
            .envs(&spec.environment)
            .env("STRONGROOM_RESOURCE", resource)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("`{program}`: {error}")))?;
        let errors = match child.stderr.take() {
            Some(stderr) => Some(spawn("command-stderr", move || tail(stderr))?),
            None => None,
        };
        Ok(Self {
            program: program.clone(),
            child,
            errors,
            reaped: false,
        })
    }

    /// Waits for the end; the message says how it failed and what it said.
    fn finish(&mut self) -> Result<(), String> {
        let status = self.child.wait().map_err(|error| error.to_string())?;
        self.reaped = true;
        let said = self
            .errors
            .take()
            .and_then(|it| it.join().ok())
            .unwrap_or_default();
        if status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&said);
        let how = describe(status);
        Err(match said.trim() {
            "" => format!("`{}` {how}", self.program),
            said => format!("`{}` {how}: {said}", self.program),
        })
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
