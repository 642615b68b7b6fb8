//! What the tests stand on: an admitted exchange, an outbox in memory, an EVM node, a line to it
//! that can be cut, and the deployed contract.

pub(crate) mod anvil;
pub(crate) mod exchange;
pub(crate) mod line;
pub(crate) mod outbox;
pub(crate) mod peer;
pub(crate) mod steps;
pub(crate) mod tls;
pub(crate) mod world;

use std::future::Future;
use std::time::Duration;

/// Long enough for anything that will come.
pub(crate) const LONG: Duration = Duration::from_secs(30);
/// Soon over, where what is waited for must not come.
pub(crate) const SHORT: Duration = Duration::from_millis(400);

/// Waits until `condition` holds.
pub(crate) async fn until<F: Future<Output = bool>>(condition: impl Fn() -> F) {
    let held = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG, held).await.expect("what was waited for did not happen");
}
