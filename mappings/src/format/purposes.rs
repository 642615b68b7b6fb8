//! `purposes.yaml`: for what a sector's personal data may be asked.

use std::collections::BTreeMap;

use gateway_core::Assurance;
use serde::Deserialize;

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct PurposesFile {
    pub(crate) naru: String,
    pub(crate) sector: String,
    pub(crate) purposes: BTreeMap<String, PurposeFormat>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct PurposeFormat {
    /// Its name for people.
    pub(crate) title: BilingualFormat,
    /// What law it rests on, with the article.
    pub(crate) legal_basis: BilingualFormat,
    /// What a person is told before agreeing, a refusal's consequences included.
    pub(crate) notice: BilingualFormat,
    /// What may be asked for, each with its name for people.
    pub(crate) items: BTreeMap<String, BilingualFormat>,
    /// Who holds the data.
    pub(crate) controllers: Vec<BilingualFormat>,
    /// The members who may receive it.
    pub(crate) recipients: Vec<String>,
    /// The countries where it is stored, ISO 3166.
    pub(crate) storage: Vec<String>,
    /// Under whose law, ISO 3166.
    pub(crate) jurisdiction: String,
    /// How long a recipient may keep what it got, ISO 8601.
    pub(crate) retention: String,
    /// How long the record of a consent is kept after it has ended, ISO 8601.
    pub(crate) keep_record: String,
    /// The least assurance of the proof by which a consent is granted or changed.
    #[cfg_attr(test, schemars(with = "crate::schema::Assurances"))]
    pub(crate) assurance: Assurance,
}

/// A text in both languages of the pages for people.
#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct BilingualFormat {
    pub(crate) ko: String,
    pub(crate) en: String,
}
