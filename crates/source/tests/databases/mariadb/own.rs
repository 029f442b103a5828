//! A MariaDB server that one test has for itself, to kill it.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    rc::Rc,
    sync::Mutex,
};

use strongroom_domain::ResourceKind;
use tempfile::TempDir;

use super::sql_at;
use crate::common::{Resource, as_user, certificate, home_of, run};

/// Who runs it if the tests run as root.
const USER: &str = "nobody";

/// A running server. It goes with the test.
#[derive(Debug)]
pub(super) struct Own {
    home: Rc<TempDir>,
    socket: PathBuf,
    server: Mutex<Child>,
}

impl Own {
    pub(super) fn start() -> Self {
        Self::install(&["--skip-networking"])
    }

    /// One that is reached by TLS, with the certificate `server.crt` in its home.
    pub(super) fn start_with_tls(port: u16) -> Self {
        Self::install(&[
            "--bind-address=127.0.0.1",
            &format!("--port={port}"),
            "--ssl-cert=../server.crt",
            "--ssl-key=../server.key",
        ])
    }

    fn install(options: &[&str]) -> Self {
        let home = Rc::new(home_of(USER));
        let data = home.path().join("data");
        let mut install = as_user(USER, "mariadb-install-db");
        // A bare machine cannot look up its own name.
        install.args(["--no-defaults", "--skip-test-db", "--force"]);
        install.arg("--auth-root-authentication-method=normal");
        install.arg(format!("--datadir={}", data.display()));
        install.arg(format!("--tmpdir={}", home.path().display()));
        run(install.current_dir(home.path()), "");
        certificate(home.path(), "server", USER);
        Self::on(home, &data, options)
    }

    /// Another one on a directory of files.
    pub(super) fn start_on(&self, data: &Path) -> Self {
        run(Command::new("chown").arg("-R").arg(USER).arg(data), "");
        Self::on(Rc::clone(&self.home), data, &["--skip-networking"])
    }

    fn on(home: Rc<TempDir>, data: &Path, options: &[&str]) -> Self {
        let socket = home.path().join("sock");
        let mut server = as_user(USER, "/usr/sbin/mariadbd");
        server
            .args(["--no-defaults", "--server-id=1", "--log-bin"])
            .args(options)
            .args([
                "--innodb-flush-log-at-trx-commit=0",
                "--innodb-flush-method=nosync",
            ])
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--socket={}", socket.display()))
            .arg(format!("--tmpdir={}", home.path().display()))
            .arg(format!("--log-error={}", home.path().join("log").display()))
            .current_dir(home.path())
            .stdin(Stdio::null());
        let own = Self {
            server: Mutex::new(server.spawn().unwrap()),
            home,
            socket,
        };
        let mut ping = Command::new("mariadb-admin");
        ping.args(["--no-defaults", "--user=root", "--wait=60", "ping"]);
        run(ping.arg(format!("--socket={}", own.socket.display())), "");
        own
    }

    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(super) fn sql(&self, statements: &str) -> String {
        sql_at(self.socket.to_str().unwrap(), statements)
    }

    pub(super) fn resource(&self) -> Resource {
        let pairs = [("socket", self.socket.to_str().unwrap()), ("user", "root")];
        Resource::new(ResourceKind::Mariadb, &pairs)
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
