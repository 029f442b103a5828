//! The vendors' own clients, unmodified, as `scripts/test --setup` installs them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The variable that names the virtual environment they are installed in.
const ENVIRONMENT: &str = "STRONGROOM_TEST_PYTHON";

/// A program of the vendors' clients (`actoolkit`), or their `python`, ready to be given
/// arguments.
///
/// # Panics
///
/// If it is not installed: a test that needs a vendor's client fails without it rather than
/// passing untried.
pub fn vendor_client(program: &str) -> Command {
    let path = environment().join("bin").join(program);
    assert!(
        path.exists(),
        "`{}` is not installed: run `scripts/test --setup`",
        path.display()
    );
    let mut command = Command::new(path);
    // Certificates that the machine trusts instead make requests ignore those of the test.
    command
        .env_remove("REQUESTS_CA_BUNDLE")
        .env_remove("CURL_CA_BUNDLE");
    command
}

fn environment() -> PathBuf {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests are told so where the clients are"
    )]
    let told = std::env::var(ENVIRONMENT);
    told.map_or_else(
        |_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-python"),
        PathBuf::from,
    )
}
