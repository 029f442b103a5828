//! The vendors' own clients, unmodified, against the real binary with its own workers and clock.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what it did not expect"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use strongroom_testkit::vendor_client;

use crate::{
    common::{Installation, Server, json, run},
    tls::certificate,
};

/// A server with a command for a graph and one for an application.
fn serve(installation: &Installation, tls: &[&str]) -> Server {
    let config = installation.dir.path().join("commands.toml");
    let text = "[[command]]\nname = 'people'\nface = 'ges'\ndump = ['echo', 'Alice knows Bob']\n\
         [[command]]\nname = 'shop'\nface = 'astra'\ndump = ['echo', 'kind: Deployment']\n";
    fs::write(&config, text).unwrap();
    let config = ["--config", config.to_str().unwrap()];
    installation.serve_with(&[&config[..], tls].concat())
}

/// Registers a resource; gives its id.
fn add(server: &Server, kind: &str, name: &str, setting: &str) -> String {
    let args = [
        "resource", "add", "--kind", kind, "--name", name, "--set", setting,
    ];
    let added = json(&mut server.client(&args), 0);
    added["id"].as_str().unwrap().to_owned()
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../dialects/tests/clients")
        .join(name)
}

/// Runs a script that says "all good" in the end.
fn play(client: &mut Command) {
    let output = run(client);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.ends_with("all good\n"), "{output:?}");
}

fn secret<'a>(installation: &'a Installation, name: &str) -> &'a str {
    installation.secrets[name].as_str().unwrap()
}

#[test]
fn huaweicloudsdkcbr_protects_lists_and_restores_a_directory() {
    let installation = Installation::new();
    let home = installation.dir.path().join("home");
    fs::create_dir_all(home.join("deep")).unwrap();
    fs::write(home.join("a.txt"), "first").unwrap();
    fs::write(home.join("deep/b.txt"), "second").unwrap();
    let server = serve(&installation, &[]);
    let setting = format!("path={}", home.display());
    let resource = add(&server, "files", "home", &setting);
    let project = secret(&installation, "tenant_id").replace('-', "");
    play(
        vendor_client("python")
            .arg(script("cbr.py"))
            .env("CBR_URL", &server.url)
            .env("CBR_PROJECT", project)
            .env("CBR_RESOURCE", resource)
            .env("CBR_DIRECTORY", &home)
            .env("CBR_ACCESS_KEY", secret(&installation, "access_key"))
            .env("CBR_SECRET_KEY", secret(&installation, "secret_key")),
    );
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn huaweicloudsdkges_lists_creates_and_follows_its_jobs_in_both_versions() {
    let installation = Installation::new();
    let server = serve(&installation, &[]);
    let graph = add(&server, "command", "people", "command=people");
    let project = secret(&installation, "tenant_id").replace('-', "");
    play(
        vendor_client("python")
            .arg(script("ges.py"))
            .env("GES_URL", &server.url)
            .env("GES_PROJECT", project)
            .env("GES_GRAPH", graph)
            .env("GES_ACCESS_KEY", secret(&installation, "access_key"))
            .env("GES_SECRET_KEY", secret(&installation, "secret_key")),
    );
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn actoolkit_lists_apps_creates_a_backup_and_finds_it_completed() {
    let installation = Installation::new();
    let directory = installation.dir.path();
    let server = serve(&installation, &[]);
    let shop = add(&server, "command", "shop", "command=shop");
    assert_eq!(server.terminate(), Some(0));
    // The client speaks TLS only.
    certificate(directory);
    let (cert, key) = (directory.join("cert.pem"), directory.join("key.pem"));
    let tls = ["--tls-cert", cert.to_str().unwrap(), "--tls-key"];
    let server = serve(
        &installation,
        &[&tls[..], &[key.to_str().unwrap()]].concat(),
    );
    let config = format!(
        "headers:\n  Authorization: Bearer {}\nuid: {}\nastra_project: {}\nverifySSL: False\n",
        server.token,
        secret(&installation, "tenant_id"),
        server.url.trim_start_matches("https://"),
    );
    fs::write(directory.join("config.yaml"), config).unwrap();
    let ask = |arguments: &str| {
        let mut client = vendor_client("actoolkit");
        client
            .args(["-o", "json"])
            .args(arguments.split(' '))
            .current_dir(directory);
        let output = run(&mut client);
        assert!(output.status.success(), "{arguments}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let items = |text: String| serde_json::from_str::<Value>(&text).unwrap()["items"].clone();
    assert_eq!(items(ask("list apps"))[0]["id"], shop.as_str());
    let said = ask(&format!("create backup {shop} nightly-1 -t 1"));
    assert!(said.contains("complete"), "{said}");
    let backups = items(ask("list backups"));
    assert_eq!(backups[0]["name"], "nightly-1");
    assert_eq!(backups[0]["state"], "completed");
    assert_eq!(server.terminate(), Some(0));
}
