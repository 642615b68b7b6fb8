//! What is put beside an entry for the archive: the parts that are no bodies.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use gateway_core::archive::Attachment;
use gateway_core::journal::Record;

use crate::commitment::Part;
use crate::leaf::parts;

/// Certificates remembered as handed on. Members have few; when there are more, some go twice.
const REMEMBERED: usize = 4096;

/// Makes attachments.
#[derive(Default)]
pub(crate) struct Attaching {
    /// Certificates that earlier attachments hold.
    certificates: Mutex<HashSet<[u8; 32]>>,
}

impl Attaching {
    /// The attachment of `record`.
    pub(crate) fn attach(&self, record: &Record<'_>) -> Result<Attachment, serde_json::Error> {
        let part = |part| Ok(parts::bytes(record, part)?.map(|bytes| bytes.to_vec()));
        let certificate = record.trail.certificate.as_deref().map(|der| (sha256(der), der));
        Ok(Attachment {
            details: part(Part::Details)?.unwrap_or_default(),
            consent: part(Part::Consent)?,
            ledger: part(Part::Ledger)?,
            certificate: certificate.map(|(hash, _)| hash),
            certificate_der: certificate
                .filter(|(hash, _)| self.first_sight(*hash))
                .map(|(_, der)| der.to_vec()),
            sealed: None,
        })
    }

    fn first_sight(&self, hash: [u8; 32]) -> bool {
        let mut known = self.certificates.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(hash)
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}
