//! The life of a member: it applies, is let in, may be suspended for a while, and ends.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where in its life a member stands. Only an active one may call.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum MemberState {
    /// It wants to take part and nobody has let it in yet.
    Applied,
    /// It takes part.
    #[default]
    Active,
    /// It may not call until it is resumed.
    Suspended,
    /// It takes part no more, for good. Its id is not given to another.
    Ended,
}

impl MemberState {
    /// Every state, in the order of a life.
    pub const ALL: [Self; 4] = [Self::Applied, Self::Active, Self::Suspended, Self::Ended];

    /// Whether a member may go from this state to `next`.
    pub fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Applied, Self::Active | Self::Ended)
                | (Self::Active, Self::Suspended | Self::Ended)
                | (Self::Suspended, Self::Active | Self::Ended)
        )
    }

    /// Its name, as it is written everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Ended => "ended",
        }
    }
}

impl fmt::Display for MemberState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_goes_forward_and_ends_for_good() {
        let next = |state: MemberState| -> Vec<MemberState> {
            MemberState::ALL.into_iter().filter(|next| state.may_become(*next)).collect()
        };
        assert_eq!(next(MemberState::Applied), [MemberState::Active, MemberState::Ended]);
        assert_eq!(next(MemberState::Active), [MemberState::Suspended, MemberState::Ended]);
        assert_eq!(next(MemberState::Suspended), [MemberState::Active, MemberState::Ended]);
        assert_eq!(next(MemberState::Ended), []);
    }

    #[test]
    fn a_state_is_written_by_its_name() {
        for state in MemberState::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
    }
}
