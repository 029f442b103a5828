//! URLs that lead back to the server say how it was reached.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{path::Path, process::Command};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};

use crate::common::{Installation, run};

/// Makes a certificate for the local machine, `cert.pem` with `key.pem`.
pub(crate) fn certificate(directory: &Path) {
    let mut openssl = Command::new("openssl");
    openssl
        .args("req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost".split(' '))
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(directory);
    let output = run(&mut openssl);
    assert!(output.status.success(), "{output:?}");
}

/// Sends a JSON body over HTTP/1.1 and gives the JSON answer.
fn call(ca: &Path, method: &str, url: &str, headers: &[String], body: &Value) -> Value {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--http1.1", "-X", method, url])
        .args(["-H", "content-type: application/json", "-d"])
        .arg(body.to_string())
        .arg("--cacert")
        .arg(ca);
    for header in headers {
        curl.args(["-H", header]);
    }
    let output = run(&mut curl);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn over_tls_keystones_catalog_and_zstacks_location_say_https() {
    let installation = Installation::new();
    certificate(installation.dir.path());
    let file = |name: &str| installation.dir.path().join(name);
    let (cert, key) = (file("cert.pem"), file("key.pem"));
    let tls = ["--tls-cert", cert.to_str().unwrap(), "--tls-key"];
    let server = installation.serve_with(&[&tls[..], &[key.to_str().unwrap()]].concat());
    assert!(server.url.starts_with("https://"), "{}", server.url);

    let of = |name: &str| installation.secrets[name].as_str().unwrap();
    let user = json!({
        "name": of("username"), "password": of("password"),
        "domain": {"id": of("tenant_id").replace('-', "")},
    });
    let login = json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": user}},
        "scope": {"project": {"id": of("tenant_id").replace('-', "")}},
    }});
    let url = format!("{}/v3/auth/tokens", server.url);
    // Without a proxy nobody but the listener says how it is reached.
    let lie = ["X-Forwarded-Proto: http".to_owned()];
    let token = call(&cert, "POST", &url, &lie, &login);
    let mut urls = 0;
    for service in token["token"]["catalog"].as_array().unwrap() {
        for endpoint in service["endpoints"].as_array().unwrap() {
            let url = endpoint["url"].as_str().unwrap();
            assert!(url.starts_with(&server.url), "{url}");
            urls += 1;
        }
    }
    assert!(urls > 0, "{token}");

    let authorization = [format!(
        "Authorization: OAuth {}",
        zstack_session(&cert, &server.url, of("username"), of("password"))
    )];
    let url = format!("{}/zstack/v1/database-backups", server.url);
    let params = json!({"params": {"name": "b", "backupStorageUuid": "0".repeat(32)}});
    let accepted = call(&cert, "POST", &url, &authorization, &params);
    let location = accepted["location"].as_str().unwrap();
    assert!(location.starts_with(&server.url), "{location}");
}

fn zstack_session(ca: &Path, server: &str, user: &str, password: &str) -> String {
    let password = hex::encode(Sha512::digest(password));
    let login = json!({"logInByAccount": {"accountName": user, "password": password}});
    let url = format!("{server}/zstack/v1/accounts/login");
    let session = call(ca, "PUT", &url, &[], &login);
    session["inventory"]["uuid"].as_str().unwrap().to_owned()
}
