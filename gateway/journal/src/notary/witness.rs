//! The client's side of [tlog-witness]: one witness, and what it has seen of the log.
//!
//! [tlog-witness]: https://c2sp.org/tlog-witness

use std::fmt::Write;

use tlog_tiles::Checkpoint;

use super::Post;
use crate::cosignature::{Cosignature, CosignerKey, Witnesses};
use crate::key::CheckpointError;
use crate::published::{ReadError, SignedTree};
use crate::tiles::Tiles;

/// Why a witness does not cosign.
#[derive(Debug, thiserror::Error)]
pub(super) enum WitnessError {
    #[error("it cannot be reached: {0}")]
    Away(String),
    #[error("it does not know this log; give its operator the log's verifier key")]
    UnknownLog,
    #[error("it does not accept the log's signature; give its operator the log's verifier key")]
    NotAccepted,
    #[error(
        "it has cosigned {theirs} entries and the log has {ours}: entries were lost, or the log was \
         set back; stop, and restore the log from where it is whole"
    )]
    Ahead { ours: u64, theirs: u64 },
    #[error("it has seen another history of this log; stop, and find out who has forked it")]
    OtherHistory,
    #[error("it answers {0}")]
    Status(u16),
    #[error("what it answers does not count: {0}")]
    Answer(#[from] CheckpointError),
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// One witness.
pub(super) struct Witness {
    policy: Witnesses,
    name: String,
    url: String,
    /// The size it has cosigned last, as far as is known here.
    seen: u64,
}

impl Witness {
    pub(super) fn new((key, prefix): (CosignerKey, String)) -> Self {
        let name = key.name().to_owned();
        let url = format!("{}/add-checkpoint", prefix.trim_end_matches('/'));
        Self { policy: Witnesses { keys: vec![key], quorum: 1 }, name, url, seen: 0 }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Asks for a cosignature. When the witness has last seen another size than was thought here,
    /// it says so, and is asked again from there.
    pub(super) fn ask(
        &mut self,
        post: &dyn Post,
        tiles: &Tiles,
        note: &str,
        checkpoint: &Checkpoint,
    ) -> Result<Cosignature, WitnessError> {
        match self.submit(post, tiles, note, checkpoint)? {
            Some(cosignature) => Ok(cosignature),
            None => self.submit(post, tiles, note, checkpoint)?.ok_or(WitnessError::Status(409)),
        }
    }

    /// One request; none when the witness has named the size to start from.
    fn submit(
        &mut self,
        post: &dyn Post,
        tiles: &Tiles,
        note: &str,
        checkpoint: &Checkpoint,
    ) -> Result<Option<Cosignature>, WitnessError> {
        let size = checkpoint.size();
        if self.seen > size {
            return Err(WitnessError::Ahead { ours: size, theirs: self.seen });
        }
        let proof = SignedTree::new(tiles, size, *checkpoint.hash()).consistency(self.seen)?;
        let mut body = format!("old {}\n", self.seen);
        for hash in proof {
            // Writing to a string cannot fail.
            let _ = writeln!(body, "{hash}");
        }
        body.push('\n');
        body.push_str(note);
        let answered = post.post(&self.url, "text/plain; charset=utf-8", body.as_bytes());
        let (status, answer) = answered.map_err(WitnessError::Away)?;
        match status {
            200 => {
                let cosigned = [note.as_bytes(), &answer].concat();
                let found = self.policy.check(&cosigned)?;
                self.seen = size;
                Ok(found.into_iter().next())
            }
            409 => {
                let size = str::from_utf8(&answer).ok().and_then(|text| text.trim().parse().ok());
                self.seen = size.ok_or(WitnessError::Status(409))?;
                Ok(None)
            }
            404 => Err(WitnessError::UnknownLog),
            403 => Err(WitnessError::NotAccepted),
            422 => Err(WitnessError::OtherHistory),
            status => Err(WitnessError::Status(status)),
        }
    }
}
