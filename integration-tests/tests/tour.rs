//! The tour of the main job, as `make run` takes it: every step must go as it should.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_goes_as_it_should() {
    let (mut world, _folder) = integration_tests::start(Some(Duration::from_millis(200))).await;
    let mut printed = Vec::new();
    let toured = sandbox::tour::run(&world, &mut printed).await;
    let printed = String::from_utf8(printed).unwrap();
    assert!(toured.is_ok(), "{}\n{printed}", toured.unwrap_err());
    world.kill_gateway().await.unwrap();
}
