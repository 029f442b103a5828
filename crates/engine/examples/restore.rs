//! Opens any restic repository of format version 2 and checks, restores or prunes it:
//!
//! ```text
//! cargo run --release --example restore -- REPOSITORY PASSWORD_FILE check [--read-data]
//! cargo run --release --example restore -- REPOSITORY PASSWORD_FILE restore TARGET
//! cargo run --release --example restore -- REPOSITORY PASSWORD_FILE prune
//! ```

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use strongroom_domain::Clock;
use strongroom_domain::tree::{Context, RestoreOptions};
use strongroom_engine::{
    CheckOptions, Credential, PruneOptions, ReadData, Repository, StorageOptions, open_backend,
};

#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "a program of its own has the time"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let [url, password_file, command, rest @ ..] = &args[..] else {
        return Err("give a repository, a password file and a command".into());
    };
    let password = std::fs::read_to_string(password_file)?;
    let credential = Credential::password(password.trim_end());
    let repository = Repository::open(
        open_backend(url, &StorageOptions::default())?,
        Arc::new(SystemClock),
        &credential,
    )?;
    let context = Context::default();
    let mut out = std::io::stdout().lock();
    match (*command, rest) {
        ("check", rest) => {
            let read_data = if rest.is_empty() {
                ReadData::None
            } else {
                ReadData::All
            };
            let report = repository.check(&CheckOptions { read_data }, &context)?;
            for error in &report.errors {
                writeln!(out, "{}", error.chain())?;
            }
            writeln!(out, "{} trees, {} packs", report.trees, report.packs)?;
        }
        ("restore", [target]) => {
            let snapshot = repository.find_snapshot("latest")?;
            let indexed = repository.into_indexed(&context)?;
            let options = RestoreOptions::default();
            let report =
                indexed
                    .reader(&snapshot)
                    .restore(Path::new(target), &options, &context)?;
            for failure in &report.failures {
                writeln!(out, "{failure}")?;
            }
            writeln!(out, "{} files, {} bytes", report.files, report.bytes)?;
        }
        ("prune", []) => {
            let plan = repository.plan_prune(&PruneOptions::default(), &context)?;
            let report = plan.execute(&context)?;
            writeln!(out, "{} bytes freed", report.bytes_freed)?;
        }
        _ => return Err("unknown command".into()),
    }
    Ok(())
}
