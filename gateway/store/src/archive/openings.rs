//! What of one exchange can be opened.

use gateway_core::ExchangeId;
use sqlx::Row;

use super::ArchiveStore;
use crate::error::Broken;

/// An entry of an exchange, with what is kept of its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedEntry {
    /// Its index in the log.
    pub index: u64,
    /// Its kind, as it names it.
    pub kind: String,
    /// The data key that its salts come from; none: the gateway's own.
    pub key: Option<[u8; 16]>,
    /// Parts that are not sealed, by name.
    pub parts: Vec<(&'static str, Vec<u8>)>,
    /// Sealed parts, by name.
    pub sealed: Vec<(String, Vec<u8>)>,
}

impl ArchiveStore {
    /// The entries of an exchange, in the order of the log.
    ///
    /// # Errors
    /// [`Broken`] when the archive cannot be read.
    pub async fn entries(&self, exchange: ExchangeId) -> Result<Vec<ArchivedEntry>, Broken> {
        let rows = sqlx::query(
            "SELECT number, kind, key, details, consent, ledger, der FROM exchanges \
             LEFT JOIN certificates ON certificates.hash = exchanges.certificate \
             WHERE exchange = ? ORDER BY number",
        )
        .bind(exchange.0.as_bytes().to_vec())
        .fetch_all(&self.reading)
        .await?;
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows {
            let number: i64 = row.try_get("number")?;
            let key: Option<&[u8]> = row.try_get("key")?;
            let columns = [
                ("consent", "consent"),
                ("ledger", "ledger"),
                ("certificate", "der"),
                ("details", "details"),
            ];
            let mut parts = Vec::new();
            for (part, column) in columns {
                let bytes: Option<Vec<u8>> = row.try_get(column)?;
                parts.extend(bytes.map(|bytes| (part, bytes)));
            }
            entries.push(ArchivedEntry {
                index: number.cast_unsigned(),
                kind: row.try_get("kind")?,
                key: key.map(TryInto::try_into).transpose().map_err(|_| Broken::Column("key"))?,
                parts,
                sealed: self.sealed(number).await?,
            });
        }
        Ok(entries)
    }

    async fn sealed(&self, entry: i64) -> Result<Vec<(String, Vec<u8>)>, Broken> {
        let query = sqlx::query_as("SELECT part, sealed FROM bodies WHERE entry = ?").bind(entry);
        Ok(query.fetch_all(&self.reading).await?)
    }
}
