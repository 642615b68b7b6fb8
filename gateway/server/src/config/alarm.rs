//! `[[alarm]]` and `[[priority]]`.

use std::num::NonZeroU32;

use serde::Deserialize;

/// One rule about whom is asked how widely. It learns nothing: it counts and compares.
#[derive(Clone, Debug, Deserialize)]
pub struct Alarm {
    /// Its name in records and alarms.
    pub name: String,
    /// The members it is about.
    #[serde(default)]
    pub members: Vec<String>,
    /// The services it is about.
    #[serde(default)]
    pub services: Vec<String>,
    /// One member asks about more persons than this.
    pub persons: Option<NonZeroU32>,
    /// About one person more members ask than this.
    pub readers: Option<NonZeroU32>,
    /// Within this time.
    pub seconds: u64,
    /// Whether whatever goes beyond is refused; otherwise it only raises the alarm.
    #[serde(default)]
    pub refuse: bool,
}

/// Who goes first when there is more to do than can be done.
#[derive(Clone, Debug, Deserialize)]
pub struct Priority {
    /// The members it is about.
    #[serde(default)]
    pub members: Vec<String>,
    /// The services it is about.
    #[serde(default)]
    pub services: Vec<String>,
    /// The formats it is about.
    #[serde(default)]
    pub fronts: Vec<String>,
    /// How it is treated.
    pub level: Level,
}

/// The lowest is shed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// After all others: files and requests for later, when no rule says otherwise.
    Low,
    /// As it comes.
    Normal,
    /// Before all others.
    High,
}
