//! One backend's queue.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::config::Level;

/// So many turns at once; the others wait, the highest priority first, else in their order.
pub(super) struct Queue {
    turns: usize,
    most_waiting: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    taken: usize,
    /// How long a turn takes: a moving average of the last ones.
    mean: Duration,
    waiting: BTreeMap<Place, Waiting>,
    numbers: u64,
}

/// Sorted: who comes first is first.
type Place = (Reverse<Level>, u64);

struct Waiting {
    /// From then on an answer would come too late.
    until: Instant,
    tell: oneshot::Sender<Turn>,
}

/// A turn; the next one begins when it is dropped.
pub(super) struct Turn {
    queue: Arc<Queue>,
    began: Instant,
}

/// A place in the queue; given up when it is dropped.
struct Held<'a> {
    queue: &'a Queue,
    place: Place,
}

/// The share of a new turn in the average.
const WEIGHT: u32 = 8;
/// Nobody is told to come back sooner, or later.
const WAIT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

impl Queue {
    pub(super) fn new(turns: usize, most_waiting: usize) -> Self {
        Self { turns, most_waiting, state: Mutex::default() }
    }

    pub(super) fn is_like(&self, other: &Self) -> bool {
        (self.turns, self.most_waiting) == (other.turns, other.most_waiting)
    }

    /// A turn within `patience`, which the work itself must fit into, and how long it was waited for.
    ///
    /// # Errors
    /// When to come back.
    pub(super) async fn enter(
        self: &Arc<Self>,
        level: Level,
        patience: Duration,
    ) -> Result<(Turn, Duration), Duration> {
        let came = Instant::now();
        let (place, until, turn) = {
            let mut state = self.lock();
            if state.taken < self.turns && state.waiting.is_empty() {
                state.taken += 1;
                return Ok((self.turn(), Duration::ZERO));
            }
            let wait = state.wait(level, self.turns);
            let Some(spare) = patience.checked_sub(wait + state.mean) else {
                return Err(within(wait, WAIT));
            };
            if state.waiting.len() >= self.most_waiting && !state.displace(level) {
                return Err(within(wait, WAIT));
            }
            let (tell, turn) = oneshot::channel();
            let until = came + wait + spare;
            state.numbers += 1;
            let place = (Reverse(level), state.numbers);
            state.waiting.insert(place, Waiting { until, tell });
            (place, until, turn)
        };
        let held = Held { queue: self, place };
        match timeout_at(until, turn).await {
            Ok(Ok(turn)) => Ok((turn, came.elapsed())),
            Ok(Err(_)) | Err(_) => {
                drop(held);
                Err(within(self.lock().wait(level, self.turns), WAIT))
            }
        }
    }

    fn turn(self: &Arc<Self>) -> Turn {
        Turn { queue: self.clone(), began: Instant::now() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How long somebody of this priority would wait who came now.
    fn wait(&self, level: Level, turns: usize) -> Duration {
        let ahead = self.waiting.keys().filter(|(other, _)| other.0 >= level).count();
        let rounds = (ahead + 1) as f64 / turns.max(1) as f64;
        self.mean.mul_f64(rounds)
    }

    /// Makes room by turning away the last of a lower priority, if there is one.
    fn displace(&mut self, level: Level) -> bool {
        let lower = self.waiting.last_key_value().is_some_and(|((last, _), _)| last.0 < level);
        lower && self.waiting.pop_last().is_some()
    }

    /// The next one who can still be answered in time; whoever cannot is turned away.
    fn next(&mut self, now: Instant) -> Option<oneshot::Sender<Turn>> {
        while let Some((_, waiting)) = self.waiting.pop_first() {
            if now <= waiting.until && !waiting.tell.is_closed() {
                return Some(waiting.tell);
            }
        }
        None
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.queue.lock().waiting.remove(&self.place);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let now = Instant::now();
        let next = {
            let mut state = self.queue.lock();
            let took = now.saturating_duration_since(self.began);
            state.mean = (state.mean * (WEIGHT - 1) + took) / WEIGHT;
            let next = state.next(now);
            if next.is_none() {
                state.taken = state.taken.saturating_sub(1);
            }
            next
        };
        // Whoever has given up meanwhile drops the turn, and it passes on to the next.
        if let Some(tell) = next {
            let _ = tell.send(self.queue.turn());
        }
    }
}

fn within(wait: Duration, (least, most): (Duration, Duration)) -> Duration {
    wait.clamp(least, most)
}
