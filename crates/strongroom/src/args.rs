//! What can be typed. Every flag can also come from the variable `STRONGROOM_<FLAG>`.

mod client;
mod repo;
mod server;

use clap::{
    ArgAction, Command, CommandFactory, FromArgMatches, Parser, Subcommand,
    builder::BoolishValueParser,
};

pub(crate) use self::{client::*, repo::*, server::*};

/// Self-hosted backup service that speaks the API your tooling already speaks
#[derive(Debug, Parser)]
#[command(name = "strongroom", version, about, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Cmd,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Cmd {
    /// Show the main job on this machine: back up real data, list it through every API, restore it
    Demo(DemoArgs),
    /// Create the catalog, keys, default repository, first tenant and its administrator
    Init(InitArgs),
    /// Run the API, the scheduler and the workers
    Serve(ServeArgs),
    /// Register and look at what is protected
    #[command(subcommand)]
    Resource(ResourceCmd),
    /// Make, look at and delete backups
    #[command(subcommand)]
    Backup(BackupCmd),
    /// Restore a backup
    Restore(RestoreArgs),
    /// Schedules with retention
    #[command(subcommand)]
    Policy(PolicyCmd),
    /// Where backups are kept
    #[command(subcommand)]
    Repository(RepositoryCmd),
    /// The tenant of the credential
    #[command(subcommand)]
    Tenant(TenantCmd),
    /// API tokens
    #[command(subcommand)]
    Token(TokenCmd),
    /// Work on a restic repository directly, without a server
    #[command(subcommand)]
    Repo(RepoCmd),
    /// Print the Kubernetes manifests that deploy this version
    Manifests,
    /// Write a consistent copy of a SQLite catalog to standard output
    #[command(hide = true)]
    DumpCatalog(DumpCatalogArgs),
}

/// Reads the command line; usage errors end the program with 2.
pub(crate) fn parse() -> Args {
    let matches = with_environment(Args::command()).get_matches();
    Args::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// Gives every flag its variable.
fn with_environment(command: Command) -> Command {
    let command = command.mut_args(|arg| {
        let Some(long) = arg.get_long() else {
            return arg;
        };
        if matches!(arg.get_action(), ArgAction::Help | ArgAction::Version) {
            return arg;
        }
        let variable = format!("STRONGROOM_{}", long.replace('-', "_").to_uppercase());
        let arg = arg.env(variable).hide_env_values(true);
        match arg.get_action() {
            ArgAction::SetTrue => arg.value_parser(BoolishValueParser::new()),
            _ => arg,
        }
    });
    command.mut_subcommands(with_environment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_every_flag_has_its_variable() {
        fn check(command: &Command) {
            for arg in command.get_arguments() {
                let global = matches!(arg.get_action(), ArgAction::Help | ArgAction::Version);
                if let (Some(long), false) = (arg.get_long(), global) {
                    let wanted = format!("STRONGROOM_{}", long.replace('-', "_").to_uppercase());
                    assert_eq!(
                        arg.get_env().and_then(|it| it.to_str()),
                        Some(wanted.as_str())
                    );
                }
            }
            command.get_subcommands().for_each(check);
        }
        let mut command = with_environment(Args::command());
        command.build();
        command.clone().debug_assert();
        check(&command);
    }
}
