//! Queues under a clock that the test moves.

use std::time::Duration;

use tokio::time::advance;

use super::queue::{Queue, Turn};
use super::{Arc, Level};

const LONG: Duration = Duration::from_secs(60);

fn queue(turns: usize, waiting: usize) -> Arc<Queue> {
    Arc::new(Queue::new(turns, waiting))
}

/// Somebody who asks for a turn and is in the queue, if not answered.
async fn come(
    queue: &Arc<Queue>,
    level: Level,
    patience: Duration,
) -> tokio::task::JoinHandle<Result<(Turn, Duration), Duration>> {
    let queue = queue.clone();
    let task = tokio::spawn(async move { queue.enter(level, patience).await });
    tokio::task::yield_now().await;
    task
}

/// Lets turns take a second each, as far as the queue knows.
async fn settle(queue: &Arc<Queue>) {
    for _ in 0..64 {
        let turn = queue.enter(Level::Normal, LONG).await.ok().unwrap();
        advance(Duration::from_secs(1)).await;
        drop(turn);
    }
}

#[tokio::test(start_paused = true)]
async fn the_highest_priority_goes_first_and_equals_in_their_order() {
    let queue = queue(1, 10);
    let first = queue.enter(Level::Low, LONG).await.ok().unwrap();
    let mut waiting = Vec::new();
    for (name, level) in
        [("low", Level::Low), ("a", Level::Normal), ("b", Level::Normal), ("high", Level::High)]
    {
        waiting.push((name, come(&queue, level, LONG).await));
    }
    drop(first);
    let mut order = Vec::new();
    while !waiting.is_empty() {
        tokio::task::yield_now().await;
        let at = waiting.iter().position(|(_, task)| task.is_finished()).unwrap();
        let (name, task) = waiting.remove(at);
        assert!(!waiting.iter().any(|(_, task)| task.is_finished()), "one at a time");
        order.push(name);
        drop(task.await.unwrap().ok().unwrap());
    }
    assert_eq!(order, ["high", "a", "b", "low"]);
}

#[tokio::test(start_paused = true)]
async fn what_would_be_answered_too_late_is_refused_at_once() {
    let queue = queue(1, 10);
    settle(&queue).await;
    let _turn = queue.enter(Level::Normal, LONG).await.ok().unwrap();
    let refused = come(&queue, Level::Normal, Duration::from_millis(1_500)).await;
    assert!(refused.is_finished(), "a turn takes a second, and one is under way");
    assert!(refused.await.unwrap().is_err());
    let waits = come(&queue, Level::Normal, Duration::from_secs(3)).await;
    assert!(!waits.is_finished());
    let behind = come(&queue, Level::Normal, Duration::from_millis(2_500)).await;
    assert!(behind.is_finished(), "one waits already");
    let before = come(&queue, Level::High, Duration::from_millis(2_500)).await;
    assert!(!before.is_finished(), "who goes first waits less");
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_is_refused_while_an_answer_would_still_be_late() {
    let queue = queue(1, 10);
    settle(&queue).await;
    let _turn = queue.enter(Level::Normal, LONG).await.ok().unwrap();
    let waits = come(&queue, Level::Normal, Duration::from_secs(5)).await;
    advance(Duration::from_millis(4_100)).await;
    let refused = waits.await.unwrap().err().unwrap();
    assert!(refused >= Duration::from_secs(1), "when to come back: {refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_turns_the_lowest_away_first() {
    let queue = queue(1, 2);
    let turn = queue.enter(Level::Low, LONG).await.ok().unwrap();
    let low = come(&queue, Level::Low, LONG).await;
    let normal = come(&queue, Level::Normal, LONG).await;
    let high = come(&queue, Level::High, LONG).await;
    assert!(low.await.unwrap().is_err());
    let late = come(&queue, Level::Normal, LONG).await;
    assert!(late.await.unwrap().is_err(), "nobody who waits is lower");
    assert!(!normal.is_finished() && !high.is_finished());
    drop(turn);
    drop(high.await.unwrap().ok().unwrap());
    assert!(normal.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn whoever_gives_up_leaves_no_turn_behind() {
    let queue = queue(2, 10);
    let turns = [queue.enter(Level::Low, LONG).await, queue.enter(Level::Low, LONG).await];
    for _ in 0..5 {
        let gone = come(&queue, Level::High, LONG).await;
        gone.abort();
        assert!(gone.await.is_err());
    }
    drop(turns);
    let again = [queue.enter(Level::Low, LONG).await, queue.enter(Level::Low, LONG).await];
    assert!(again.iter().all(Result::is_ok));
    assert!(!come(&queue, Level::High, LONG).await.is_finished(), "two at once, not more");
}
