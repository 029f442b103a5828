//! A PostgreSQL server that one test has for itself, to kill it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    rc::Rc,
};

use strongroom_domain::ResourceKind;
use tempfile::TempDir;

use super::psql;
use crate::common::{Resource, as_user, certificate, home_of, run};

/// Who runs it if the tests run as root.
const USER: &str = "postgres";

/// A running server. It goes with the test.
#[derive(Debug)]
pub(super) struct Own {
    home: Rc<TempDir>,
    data: PathBuf,
}

impl Own {
    pub(super) fn start() -> Self {
        Self::init("-c listen_addresses=")
    }

    /// One that is reached by TLS, with the certificate `server.crt` in its home.
    pub(super) fn start_with_tls(port: u16) -> Self {
        Self::init(&format!(
            "-c listen_addresses=127.0.0.1 -p {port} -c ssl=on -c ssl_cert_file=../server.crt \
             -c ssl_key_file=../server.key"
        ))
    }

    fn init(options: &str) -> Self {
        let home = Rc::new(home_of(USER));
        let data = home.path().join("data");
        let mut init = as_user(USER, &program("initdb"));
        init.args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
        ]);
        init.arg("--no-sync").arg("-D").arg(&data);
        run(init.current_dir(home.path()), "");
        certificate(home.path(), "server", USER);
        Self::on(home, &data, options)
    }

    /// Another one on a directory of files.
    pub(super) fn start_on(&self, data: &Path) -> Self {
        Self::on(Rc::clone(&self.home), data, "-c listen_addresses=")
    }

    fn on(home: Rc<TempDir>, data: &Path, options: &str) -> Self {
        let options = format!(
            "-k {} {options} -c fsync=off -c timezone=UTC",
            home.path().display()
        );
        let mut start = as_user(USER, &program("pg_ctl"));
        start.args(["start", "-w", "-o", &options, "-D"]).arg(data);
        start.arg("-l").arg(home.path().join("log"));
        run(start.current_dir(home.path()), "");
        let data = data.to_owned();
        Self { home, data }
    }

    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(super) fn socket(&self) -> &str {
        self.home.path().to_str().unwrap()
    }

    pub(super) fn sql(&self, database: &str, statements: &str) -> String {
        psql(self.socket(), database, statements)
    }

    pub(super) fn resource(&self) -> Resource {
        let pairs = [("socket", self.socket()), ("user", "postgres")];
        Resource::new(ResourceKind::Postgres, &pairs)
    }

    /// Stops it as a crash would, and waits until it is gone.
    pub(super) fn kill(&self) {
        if fs::exists(self.data.join("postmaster.pid")).unwrap() {
            let mut stop = as_user(USER, &program("pg_ctl"));
            stop.args(["stop", "-m", "immediate", "-w", "-D"])
                .arg(&self.data);
            run(stop.current_dir(self.home.path()), "");
        }
    }

    /// Checks a directory of files against the list of checksums in it.
    pub(super) fn verify(data: &Path) {
        run(Command::new(program("pg_verifybackup")).arg(data), "");
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A program of the newest server that is installed.
fn program(name: &str) -> String {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let versions = versions.filter_map(|it| it.unwrap().file_name().to_str()?.parse::<u32>().ok());
    let newest = versions.max().expect("PostgreSQL is installed");
    format!("/usr/lib/postgresql/{newest}/bin/{name}")
}
