//! Drives a call and takes its times.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use anyhow::Result;
use futures_util::future::try_join_all;

/// The two times that are looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) p50: Duration,
    pub(super) p99: Duration,
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let show = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1000.0);
        write!(f, "{:>10} {:>10}", show(self.p50), show(self.p99))
    }
}

/// Calls one after the other; the first tenth warms up and does not count.
pub(super) async fn latencies<T>(count: usize, call: impl AsyncFn() -> Result<T>) -> Result<Times> {
    let mut times = Vec::with_capacity(count);
    for at in 0..count + count / 10 {
        let start = Instant::now();
        call().await?;
        if at >= count / 10 {
            times.push(start.elapsed());
        }
    }
    times.sort_unstable();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    Ok(Times {
        p50: at(50),
        p99: at(99),
    })
}

/// Calls per second with `clients` calling at the same time; each call gets a fresh number.
pub(super) async fn rate(
    clients: usize,
    duration: Duration,
    call: impl AsyncFn(usize) -> Result<()>,
) -> Result<f64> {
    let next = AtomicUsize::new(0);
    let start = Instant::now();
    let client = async || {
        while start.elapsed() < duration {
            call(next.fetch_add(1, Ordering::Relaxed)).await?;
        }
        anyhow::Ok(())
    };
    try_join_all((0..clients).map(|_| client())).await?;
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 calls")]
    let done = next.load(Ordering::Relaxed) as f64;
    Ok(done / start.elapsed().as_secs_f64())
}
