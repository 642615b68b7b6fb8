//! What a run saw: how long each answer took, and how many were wrong.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The answers of one run.
pub(crate) struct Tally {
    began: Instant,
    /// Microseconds, one for each answer.
    micros: Vec<f32>,
    wrong: u64,
    /// The first wrong answer, for the one who reads the output.
    example: Option<String>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), micros: Vec::with_capacity(1 << 20), wrong: 0, example: None }
    }

    pub(crate) fn good(&mut self, took: Duration) {
        self.micros.push(took.as_secs_f32() * 1e6);
    }

    pub(crate) fn wrong(&mut self, answer: &[u8]) {
        self.wrong += 1;
        self.example.get_or_insert_with(|| String::from_utf8_lossy(answer).into_owned());
    }

    /// Requests, wrong answers, seconds, rate, and the usual quantiles in microseconds.
    pub(crate) fn summary(mut self) -> Value {
        let seconds = self.began.elapsed().as_secs_f64();
        self.micros.sort_unstable_by(f32::total_cmp);
        let count = self.micros.len();
        let quantile = |share: f64| {
            let rank = (share * count as f64).ceil() as usize;
            self.micros.get(rank.saturating_sub(1)).copied()
        };
        json!({
            "requests": count,
            "wrong": self.wrong,
            "wrong_example": self.example,
            "seconds": seconds,
            "rate": count as f64 / seconds,
            "p50": quantile(0.5),
            "p99": quantile(0.99),
            "max": quantile(1.0),
        })
    }
}
