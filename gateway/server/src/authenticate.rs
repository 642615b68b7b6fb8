//! Callers by client certificate, API key or folder, as the configuration registers them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use gateway_core::caller::{Authenticate, Means};
use gateway_core::member::MemberState;
use gateway_core::policy;
use gateway_core::{Assurance, Caller, Envelope, Evidence, Fault, Kind, MemberId};

use gateway_store::KeyKind;

use crate::config::{Member, Problem};
use crate::registry::Registry;

/// A SHA-256 digest as configured: `sha256:` and 64 hex digits.
pub type Sha256 = [u8; 32];

/// The registered credentials. API keys are random, so a plain digest of one cannot be guessed,
/// and looking a digest up tells nothing about the key by its timing.
pub struct Members {
    ids: Vec<MemberId>,
    profiles: HashMap<MemberId, Profile>,
    api_keys: HashMap<Sha256, MemberId>,
    certificates: HashMap<Sha256, MemberId>,
    paper_consent: HashMap<MemberId, Assurance>,
    registry: OnceLock<Arc<Registry>>,
}

impl Members {
    /// Knows from now on also the members of `registry`, and the states it has for all.
    pub fn join(&self, registry: Arc<Registry>) {
        // Joined once, when the members are deployed.
        let _ = self.registry.set(registry);
    }

    /// Where in its life a member stands; one that is only configured is active.
    pub fn state(&self, id: &MemberId) -> MemberState {
        let kept = self.registry.get().and_then(|registry| registry.state(id));
        kept.unwrap_or_default()
    }

    /// As [`Members::identify`], and refused when the member may not call: for what is no exchange and
    /// so passes no policies.
    ///
    /// # Errors
    /// `Unauthenticated`, or `Forbidden` for a member that is not active.
    pub fn identify_active(&self, evidence: &Evidence) -> Result<Caller, Fault> {
        let caller = self.identify(evidence, None)?;
        policy::check_state(self.state(&caller.member))?;
        Ok(caller)
    }

    /// Whether the configuration lists this digest as a key or certificate of somebody's.
    pub fn lists(&self, hash: &Sha256) -> bool {
        self.api_keys.contains_key(hash) || self.certificates.contains_key(hash)
    }

    /// Whether there is such a member, configured or added at run time.
    pub fn knows(&self, id: &MemberId) -> bool {
        self.profiles.contains_key(id)
            || self.registry.get().is_some_and(|registry| registry.member(id).is_some())
    }

    /// What policies may ask of a member, configured or added at run time.
    pub fn found(&self, id: &MemberId) -> Option<Profile> {
        let added = || self.registry.get()?.member(id)?.profile;
        self.profile(id).cloned().or_else(added)
    }

    /// Whose key or certificate this is.
    fn holder(&self, hash: &Sha256, means: Means) -> Result<Option<MemberId>, Fault> {
        let (configured, kind) = match means {
            Means::Certificate => (&self.certificates, KeyKind::Certificate),
            Means::ApiKey | Means::Folder => (&self.api_keys, KeyKind::ApiKey),
        };
        match (configured.get(hash), self.registry.get()) {
            (Some(member), _) => Ok(Some(member.clone())),
            (None, Some(registry)) => registry.holder(hash, kind),
            (None, None) => Ok(None),
        }
    }

    /// Registers the configured members.
    ///
    /// # Errors
    /// Every identifier used twice, digest that is none, and credential of two members.
    pub fn new(members: &[Member]) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut all = Self {
            ids: Vec::new(),
            api_keys: HashMap::new(),
            certificates: HashMap::new(),
            paper_consent: HashMap::new(),
            profiles: HashMap::new(),
            registry: OnceLock::new(),
        };
        for (index, member) in members.iter().enumerate() {
            let at = format!("member[{index}]");
            let id = MemberId(member.id.as_str().into());
            if !is_code(&member.id) {
                let message = "use lower-case letters, digits and hyphens, 16 at most";
                problems.push(Problem::new(format!("{at}.id"), message));
            }
            if all.ids.contains(&id) {
                problems.push(Problem::new(format!("{at}.id"), "another member has this id"));
            }
            let hashes = [
                ("api_keys", &member.api_keys, &mut all.api_keys),
                ("certificates", &member.certificates, &mut all.certificates),
            ];
            for (name, written, registered) in hashes {
                for (index, hash) in written.iter().enumerate() {
                    let at = format!("{at}.{name}[{index}]");
                    match parse_hash(hash) {
                        Err(message) => problems.push(Problem::new(at, message)),
                        Ok(hash) => {
                            if registered.insert(hash, id.clone()).is_some() {
                                problems.push(Problem::new(at, "registered twice"));
                            }
                        }
                    }
                }
            }
            all.paper_consent.extend(member.paper_consent.map(|worth| (id.clone(), worth)));
            all.profiles.insert(id.clone(), Profile::of(member));
            all.ids.push(id);
        }
        if problems.is_empty() { Ok(all) } else { Err(problems) }
    }

    /// Whom the connection itself names, before its message is read. What it is worth is for
    /// [`Authenticate`] to say.
    pub fn named_by<'a>(&'a self, evidence: &'a Evidence) -> Option<&'a MemberId> {
        let certificate = evidence.certificate.as_deref();
        let certificate = certificate.and_then(|der| self.certificates.get(&sha256(der)));
        let api_key = evidence.api_key.as_deref();
        let api_key = api_key.and_then(|key| self.api_keys.get(&sha256(key.as_bytes())));
        certificate.or(api_key).or(evidence.folder.as_ref())
    }

    /// What the word of this office for a consent on paper is worth; nothing where it takes none.
    pub fn paper_consent(&self, member: &MemberId) -> Option<Assurance> {
        self.paper_consent.get(member).copied()
    }

    /// What is registered of a member besides its credentials.
    pub fn profile(&self, id: &MemberId) -> Option<&Profile> {
        self.profiles.get(id)
    }

    /// Every member.
    pub fn ids(&self) -> &[MemberId] {
        &self.ids
    }
}

/// What is registered of a member besides its credentials.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// Its name for people.
    pub name: String,
    /// What kind of organization it is.
    pub class: Option<Arc<str>>,
    /// What else policies may ask of it.
    pub attributes: Arc<BTreeMap<String, String>>,
    /// Its systems; any when empty.
    pub subsystems: Vec<String>,
}

impl Profile {
    fn of(member: &Member) -> Self {
        Self {
            name: member.name.clone(),
            class: member.class.as_deref().map(Arc::from),
            attributes: Arc::new(member.attributes.clone()),
            subsystems: member.subsystems.clone(),
        }
    }
}

/// A member's id also names it on ledgers, where 16 characters are carried everywhere.
pub(crate) fn is_code(id: &str) -> bool {
    (1..=16).contains(&id.len())
        && id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// Reads `sha256:` and 64 hex digits.
///
/// # Errors
/// A sentence for the operator.
pub fn parse_hash(text: &str) -> Result<Sha256, &'static str> {
    let mut hash = [0; 32];
    let hex = text.strip_prefix("sha256:").ok_or("write sha256: and the hex digest")?;
    hex::decode_to_slice(hex, &mut hash).map_err(|_| "sha256: wants 64 hex digits after it")?;
    Ok(hash)
}

/// SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> Sha256 {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

#[async_trait]
impl Authenticate for Members {
    async fn authenticate(
        &self,
        evidence: &Evidence,
        envelope: &Envelope,
    ) -> Result<Caller, Fault> {
        let credential = envelope.credential.as_deref().map(String::as_str);
        let caller = self.identify(evidence, credential)?;
        let Some(claimed) = &envelope.claimed_subsystem else { return Ok(caller) };
        match self.found(&caller.member) {
            Some(Profile { subsystems, .. })
                if !subsystems.is_empty() && !subsystems.contains(claimed) =>
            {
                let says = "the message names a system that this member has not registered";
                Err(Fault::new(Kind::Forbidden, "subsystem-unknown", says))
            }
            _ => Ok(caller),
        }
    }
}

impl Members {
    /// Whom the evidence names, and a credential of the message where it has one.
    ///
    /// # Errors
    /// `Unauthenticated` when it names nobody, or two different members.
    pub fn identify(&self, evidence: &Evidence, credential: Option<&str>) -> Result<Caller, Fault> {
        let mut presented = Vec::new();
        if let Some(der) = evidence.certificate.as_deref() {
            let holder = self.holder(&sha256(der), Means::Certificate)?;
            presented.push((Means::Certificate, holder));
        }
        let api_keys = [evidence.api_key.as_deref().map(String::as_str), credential];
        for key in api_keys.into_iter().flatten() {
            presented.push((Means::ApiKey, self.holder(&sha256(key.as_bytes()), Means::ApiKey)?));
        }
        presented.extend(evidence.folder.clone().map(|id| (Means::Folder, Some(id))));
        presented.extend(
            evidence.accepted.as_ref().map(|caller| {
                (caller.means, Some(caller.member.clone()).filter(|id| self.knows(id)))
            }),
        );
        let mut found: Option<(Means, MemberId)> = None;
        for (means, member) in presented {
            let member = member.ok_or_else(|| unknown(means))?;
            match &found {
                Some((_, other)) if *other != member => return Err(contradiction()),
                Some(_) => {}
                None => found = Some((means, member)),
            }
        }
        let (means, member) = found.ok_or_else(nothing)?;
        let assurance = match means {
            Means::Certificate => Assurance::Substantial,
            Means::ApiKey | Means::Folder => Assurance::Low,
        };
        Ok(Caller { member, means, assurance })
    }
}

fn nothing() -> Fault {
    let public = "say who you are: a client certificate or an API key is wanted";
    Fault::new(Kind::Unauthenticated, "credentials-missing", public)
}

fn unknown(means: Means) -> Fault {
    let public = "the credentials are not registered here";
    Fault::new(Kind::Unauthenticated, "credentials-unknown", public)
        .context(format_args!("presented: {means:?}"))
}

fn contradiction() -> Fault {
    let public = "the credentials belong to different members";
    Fault::new(Kind::Unauthenticated, "credentials-contradict", public)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::envelope;
    use zeroize::Zeroizing;

    fn members() -> Members {
        let member = |id: &str, key: &str, certificate: &[u8]| Member {
            id: id.into(),
            name: id.into(),
            api_keys: vec![format!("sha256:{}", hex::encode(sha256(key.as_bytes())))],
            certificates: vec![format!("sha256:{}", hex::encode(sha256(certificate)))],
            ..Member::default()
        };
        Members::new(&[member("a", "key-a", b"cert-a"), member("b", "key-b", b"cert-b")]).unwrap()
    }

    async fn who(evidence: Evidence) -> Result<(String, Means), String> {
        let caller = members().authenticate(&evidence, &envelope()).await;
        caller.map(|c| (c.member.to_string(), c.means)).map_err(|fault| fault.code.into_owned())
    }

    fn key(key: &str) -> Option<Zeroizing<String>> {
        Some(Zeroizing::new(key.to_owned()))
    }

    #[tokio::test]
    async fn the_evidence_must_name_one_registered_member() {
        let certificate = |der: &[u8]| Some(der.into());
        let with = |certificate, api_key| Evidence { certificate, api_key, ..Evidence::default() };
        assert_eq!(who(with(None, key("key-a"))).await.unwrap(), ("a".into(), Means::ApiKey));
        assert_eq!(
            who(with(certificate(b"cert-b"), key("key-b"))).await.unwrap(),
            ("b".into(), Means::Certificate)
        );
        assert_eq!(who(with(None, None)).await.unwrap_err(), "credentials-missing");
        assert_eq!(who(with(None, key("other"))).await.unwrap_err(), "credentials-unknown");
        assert_eq!(
            who(with(certificate(b"cert-a"), key("other"))).await.unwrap_err(),
            "credentials-unknown"
        );
        assert_eq!(
            who(with(certificate(b"cert-a"), key("key-b"))).await.unwrap_err(),
            "credentials-contradict"
        );
    }

    #[test]
    fn every_bad_registration_is_reported() {
        let member = |id: &str, key: &str| Member {
            id: id.into(),
            name: id.into(),
            api_keys: vec![key.into()],
            ..Member::default()
        };
        let good = format!("sha256:{}", "0".repeat(64));
        let problems =
            Members::new(&[member("a", "plain"), member("a", &good), member("B", &good)])
                .err()
                .unwrap();
        let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
        let wanted =
            ["member[0].api_keys[0]", "member[1].id", "member[2].id", "member[2].api_keys[0]"];
        assert_eq!(paths, wanted);
    }
}
