//! The binary `strongroom`: composition root of the server, client of its native API, and direct
//! user of the engine.
//!
//! Only here are the wall clock, random ids, the environment and standard output touched.

mod args;
mod client;
mod commands;
mod config;
mod data_dir;
mod runtime;
mod serve;
mod storage;
mod ui;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args = args::parse();
    match commands::run(args) {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            ui::error(&error);
            ExitCode::FAILURE
        }
    }
}
