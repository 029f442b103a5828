//! A MySQL server that one test has for itself, to kill it or to reach it by TCP.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
};

use strongroom_domain::ResourceKind;
use tempfile::TempDir;

use super::{bin, sql_at};
use crate::common::{Resource, run};

/// A running server with the certificates that it made itself. It goes with the test.
#[derive(Debug)]
pub(super) struct Own {
    home: TempDir,
    socket: PathBuf,
    server: Mutex<Child>,
}

impl Own {
    pub(super) fn start(port: u16) -> Self {
        // The path of a socket must be short.
        let home = tempfile::Builder::new()
            .prefix("strongroom-")
            .tempdir_in("/tmp")
            .unwrap();
        run(server(home.path()).arg("--initialize-insecure"), "");
        let socket = home.path().join("sock");
        let mut server = server(home.path());
        server
            .args(["--mysqlx=OFF", "--bind-address=127.0.0.1"])
            .arg(format!("--port={port}"))
            .arg(format!("--socket={}", socket.display()))
            .arg(format!("--log-error={}", home.path().join("log").display()))
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        let own = Self {
            server: Mutex::new(server.spawn().unwrap()),
            home,
            socket,
        };
        let mut ping = Command::new(bin().join("mysqladmin"));
        ping.args(["--no-defaults", "--user=root", "--wait=60", "ping"]);
        run(ping.arg(format!("--socket={}", own.socket.display())), "");
        own
    }

    /// A file that the server made in its data directory.
    pub(super) fn file(&self, name: &str) -> String {
        let path = self.home.path().join("data").join(name);
        path.to_str().unwrap().to_owned()
    }

    pub(super) fn sql(&self, statements: &str) -> String {
        sql_at(self.socket.to_str().unwrap(), statements)
    }

    pub(super) fn resource(&self) -> Resource {
        let pairs = [("socket", self.socket.to_str().unwrap()), ("user", "root")];
        let mut resource = Resource::new(ResourceKind::Mariadb, &pairs);
        resource.programs = Some(bin());
        resource
    }

    /// Kills it and waits until it is gone.
    pub(super) fn kill(&self) {
        let mut server = self.server.lock().unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The program with what all its runs need.
fn server(home: &Path) -> Command {
    let usr = bin().join("..").join("root").join("usr");
    let mut server = Command::new(bin().join("mysqld"));
    server
        .args(["--no-defaults", "--secure-file-priv=NULL"])
        // It runs as root only if it is told to.
        .arg(format!(
            "--user={}",
            run(Command::new("id").arg("-un"), "").trim()
        ))
        .arg(format!("--basedir={}", usr.display()))
        .arg(format!("--lc-messages-dir={}/share/mysql", usr.display()))
        .arg(format!("--datadir={}", home.join("data").display()))
        .arg(format!("--tmpdir={}", home.display()))
        .args(["--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0"])
        .current_dir(home);
    server
}
