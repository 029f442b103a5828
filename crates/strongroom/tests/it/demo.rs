//! The main job, as the README's first command runs it.

use std::fs;

use crate::common::{assert_same, run, strongroom};

#[test]
fn the_demo_backs_up_lists_through_every_api_and_compares_a_restore() {
    let dir = tempfile::tempdir().unwrap();
    let own = dir.path().join("files");
    fs::create_dir_all(own.join("deep/er")).unwrap();
    fs::write(own.join("deep/er/file"), "content").unwrap();
    let data = dir.path().join("data");
    let demo = || {
        let mut command = strongroom();
        command
            .args(["demo", "--exit", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(&data);
        let output = run(command.arg("--path").arg(&own));
        let said = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}{errors}");
        said
    };
    let said = demo();
    assert!(said.contains("equal, byte for byte"), "{said}");
    for api in [
        "Astra Control",
        "Huawei CBR",
        "Huawei GES",
        "ZStack",
        "native",
    ] {
        assert!(
            said.contains(&format!("  {api}: GET /")),
            "{api} is missing: {said}"
        );
    }
    assert_same(&own, &data.join("restored"));
    // A second run finds what the first one left and backs up again.
    fs::write(own.join("new"), "more").unwrap();
    assert!(demo().contains("equal, byte for byte"));
    assert_same(&own, &data.join("restored"));
}
