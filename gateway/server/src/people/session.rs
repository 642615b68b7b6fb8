//! Who is in, and how they came in: by a link that is good once and for a short time. Links and
//! sessions live in memory, under the hash of their token; a restart ends them all.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::ORIGIN;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gateway_core::{Assurance, Fault, Kind, MemberId, Pseudonym};
use jiff::Timestamp;
use uuid::Uuid;

use crate::authenticate::{Sha256, sha256};

/// How long a link can be used.
const LINK: Duration = Duration::from_secs(10 * 60);
/// How long a session lasts, whatever is done in it.
const SESSION: Duration = Duration::from_secs(15 * 60);
/// Links, and sessions, at once.
const MOST: usize = 10_000;

/// A person who is in.
#[derive(Clone)]
pub struct Session {
    /// Names it in the proofs of what is done in it.
    pub id: Uuid,
    /// The person, as the records of each sector name them.
    pub principals: BTreeMap<String, Pseudonym>,
    /// The office that identified them.
    pub office: MemberId,
    /// What its word is worth.
    pub assurance: Assurance,
    /// What forms of this session carry.
    pub secret: String,
    expires: Timestamp,
}

impl Session {
    /// Whether a form carries the secret of this session.
    pub fn is_secret(&self, given: &str) -> bool {
        verify_slices_are_equal(self.secret.as_bytes(), given.as_bytes()).is_ok()
    }
}

/// Everyone who is in or has a link.
pub struct Sessions {
    url: String,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    links: HashMap<Sha256, Session>,
    sessions: HashMap<Sha256, Session>,
}

impl Sessions {
    /// For pages that people reach under `url`.
    pub fn new(url: &str) -> Self {
        Self { url: url.trim_end_matches('/').to_owned(), kept: Mutex::default() }
    }

    /// Whether browsers reach the pages by TLS.
    pub fn is_secure(&self) -> bool {
        self.url.starts_with("https://")
    }

    /// The name of the session's cookie. The prefix keeps other hosts of the domain from setting it.
    pub fn cookie(&self) -> &'static str {
        if self.is_secure() { "__Host-session" } else { "session" }
    }

    /// Browsers say where a form was sent from; ours only comes from our own pages.
    pub fn is_own_origin(&self, request: &HttpRequest) -> bool {
        let origin = request.headers().get(ORIGIN);
        origin.is_none_or(|origin| origin.to_str().is_ok_and(|origin| origin == self.url))
    }

    /// A link for a person whom an office has identified, and until when it can be used.
    ///
    /// # Errors
    /// `RateLimited` when too many wait; `Internal` when no random bytes can be had.
    pub fn link(
        &self,
        principals: BTreeMap<String, Pseudonym>,
        (office, assurance): (MemberId, Assurance),
        now: Timestamp,
    ) -> Result<(String, Timestamp), Fault> {
        let (token, secret) = (token()?, token()?);
        let expires = now.checked_add(LINK).unwrap_or(now);
        let session =
            Session { id: Uuid::now_v7(), principals, office, assurance, secret, expires };
        let mut kept = self.lock();
        kept.links.retain(|_, link| now < link.expires);
        if kept.links.len() >= MOST {
            let says = "too many links are waiting to be used";
            return Err(Fault::new(Kind::RateLimited, "too-many-links", says).retry_after(LINK));
        }
        kept.links.insert(sha256(token.as_bytes()), session);
        Ok((format!("{}/enter/{token}", self.url), expires))
    }

    /// Uses a link up; the session that it opens, by its token.
    pub fn enter(&self, link: &str, now: Timestamp) -> Option<String> {
        let fresh = token().ok()?;
        let mut kept = self.lock();
        kept.sessions.retain(|_, session| now < session.expires);
        let mut session = kept.links.remove(&sha256(link.as_bytes()))?;
        if now >= session.expires || kept.sessions.len() >= MOST {
            return None;
        }
        session.expires = now.checked_add(SESSION).unwrap_or(now);
        kept.sessions.insert(sha256(fresh.as_bytes()), session);
        Some(fresh)
    }

    /// The session of a token.
    pub fn find(&self, token: &str, now: Timestamp) -> Option<Session> {
        let kept = self.lock();
        kept.sessions
            .get(&sha256(token.as_bytes()))
            .filter(|session| now < session.expires)
            .cloned()
    }

    /// Ends a session.
    pub fn leave(&self, token: &str) {
        self.lock().sessions.remove(&sha256(token.as_bytes()));
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn token() -> Result<String, Fault> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| {
        Fault::new(Kind::Internal, "no-random-bytes", "the gateway cannot make secrets")
    })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minute).unwrap()
    }

    fn linked(sessions: &Sessions) -> String {
        let office = (MemberId("city-a".into()), Assurance::Low);
        let (url, _) = sessions.link(BTreeMap::new(), office, at(0)).unwrap();
        url.strip_prefix("https://consent.example/enter/").unwrap().to_owned()
    }

    #[test]
    fn a_link_is_good_once_and_for_ten_minutes() {
        let sessions = Sessions::new("https://consent.example/");
        let link = linked(&sessions);
        let session = sessions.enter(&link, at(9)).unwrap();
        assert_eq!(sessions.enter(&link, at(9)), None);
        assert!(sessions.find(&session, at(23)).is_some());
        assert!(sessions.find(&session, at(24)).is_none(), "a session lasts 15 minutes");
        assert_eq!(sessions.enter(&linked(&sessions), at(10)), None, "too late");
        assert_eq!(sessions.enter("guess", at(0)), None);
    }

    #[test]
    fn who_has_left_is_out_and_secrets_are_a_sessions_own() {
        let sessions = Sessions::new("https://consent.example");
        let (one, other) = (linked(&sessions), linked(&sessions));
        let [one, other] = [one, other].map(|link| sessions.enter(&link, at(1)).unwrap());
        let find = |token: &str| sessions.find(token, at(2));
        let secret = find(&one).unwrap().secret;
        assert!(find(&one).unwrap().is_secret(&secret));
        assert!(!find(&other).unwrap().is_secret(&secret));
        sessions.leave(&one);
        assert!(find(&one).is_none() && find(&other).is_some());
    }
}
