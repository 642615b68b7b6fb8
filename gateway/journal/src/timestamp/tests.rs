//! Against OpenSSL's own time-stamping authority.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// An authority made and run by `openssl`.
struct OpenSsl(TempDir);

const CONFIGURATION: &str = "
[req]
distinguished_name = dn
prompt = no
[dn]
CN = Test
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[tsa]
extendedKeyUsage = critical, timeStamping
keyUsage = critical, digitalSignature
[web]
extendedKeyUsage = critical, serverAuth
[ts]
default_tsa = one
[one]
dir = .
serial = serial
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
signer_digest = sha256
";

impl OpenSsl {
    fn new(key: &str, uses: &str) -> Self {
        let authority = Self(TempDir::new().unwrap());
        fs::write(authority.path("conf"), CONFIGURATION).unwrap();
        fs::write(authority.path("serial"), "1000\n").unwrap();
        let key: Vec<&str> = key.split(' ').collect();
        let generate = |out| [&["genpkey", "-algorithm"], &key[..], &["-out", out]].concat();
        authority.run(&generate("ca.key"));
        authority.run(&generate("tsa.key"));
        authority.run(&words(
            "req -x509 -new -config conf -extensions ca -subj /CN=CA -days 30 -key ca.key -out ca.pem",
        ));
        authority.run(&words("req -new -config conf -subj /CN=TSA -key tsa.key -out tsa.csr"));
        let sign = format!(
            "x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -days 30 -extfile conf -extensions {uses} \
             -out tsa.pem"
        );
        authority.run(&words(&sign));
        authority
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) {
        let output = Command::new("openssl").args(arguments).current_dir(&self.0).output().unwrap();
        assert!(output.status.success(), "openssl {arguments:?}: {output:?}");
    }

    fn answer(&self, request: &Request) -> Vec<u8> {
        fs::write(self.path("query"), request.der()).unwrap();
        self.run(&words(
            "ts -reply -config conf -section one -queryfile query -inkey tsa.key -signer tsa.pem \
             -out reply",
        ));
        fs::read(self.path("reply")).unwrap()
    }

    /// The answer as OpenSSL reads it.
    fn text(&self) -> String {
        let mut openssl = Command::new("openssl");
        let read = openssl.args(words("ts -reply -in reply -text")).current_dir(&self.0);
        String::from_utf8(read.output().unwrap().stdout).unwrap()
    }

    fn authority(&self) -> Authority {
        Authority::from_pem(&fs::read(self.path("ca.pem")).unwrap()).unwrap()
    }
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

const P256: &str = "EC -pkeyopt ec_paramgen_curve:P-256";

#[test]
fn what_openssl_stamps_is_accepted_whatever_its_key() {
    for key in [P256, "EC -pkeyopt ec_paramgen_curve:P-384", "RSA -pkeyopt rsa_keygen_bits:2048"] {
        let openssl = OpenSsl::new(key, "tsa");
        let request = Request::new(b"a checkpoint").unwrap();
        let reply = openssl.answer(&request);
        let stamp = openssl.authority().accept(&request, &reply, b"a checkpoint").unwrap();
        assert_eq!((&*stamp.policy, &*stamp.serial), ("1.2.3.4.1", "1001"), "{key}");
        let read = stamp.time.strftime("Time stamp: %b %e %H:%M:%S %Y GMT").to_string();
        assert!(openssl.text().contains(&read), "{read} in {}", openssl.text());
        assert_eq!(openssl.authority().verify(&reply, b"a checkpoint"), Ok(stamp));
    }
}

#[test]
fn openssl_accepts_what_is_kept() {
    let openssl = OpenSsl::new(P256, "tsa");
    openssl.answer(&Request::new(b"kept").unwrap());
    fs::write(openssl.path("data"), b"kept").unwrap();
    openssl.run(&words("ts -verify -data data -in reply -CAfile ca.pem"));
}

#[test]
fn a_stamp_counts_for_its_message_its_request_and_its_authority_only() {
    let openssl = OpenSsl::new(P256, "tsa");
    let request = Request::new(b"one").unwrap();
    let reply = openssl.answer(&request);
    let authority = openssl.authority();
    assert_eq!(authority.verify(&reply, b"two"), Err(TimestampError::OtherMessage));
    let again = Request::new(b"one").unwrap();
    assert_eq!(authority.accept(&again, &reply, b"one"), Err(TimestampError::OtherRequest));
    let stranger = OpenSsl::new(P256, "tsa").authority();
    assert!(matches!(stranger.verify(&reply, b"one"), Err(TimestampError::Authority(_))));
}

#[test]
fn a_refusal_is_a_refusal() {
    let openssl = OpenSsl::new(P256, "tsa");
    let sha1 = "ts -query -data conf -sha1 -out query";
    openssl.run(&words(sha1));
    let reply = "ts -reply -config conf -section one -queryfile query -inkey tsa.key -signer tsa.pem \
                 -out reply";
    let _ = Command::new("openssl").args(words(reply)).current_dir(&openssl.0).output().unwrap();
    let reply = fs::read(openssl.path("reply")).unwrap();
    let refused = openssl.authority().verify(&reply, b"");
    assert!(matches!(refused, Err(TimestampError::Refused(_))), "{refused:?}");
}

#[test]
fn a_certificate_for_something_else_does_not_stamp() {
    // `openssl` refuses to sign with it, so the token is made with a right certificate of the same
    // key and serial number, and the wrong one takes its place.
    let openssl = OpenSsl::new(P256, "tsa");
    let request = Request::new(b"x").unwrap();
    let reply = openssl.answer(&request);
    let signed = token::signed_data(&reply).unwrap();
    let (mut certificate, _) =
        token::certificates(&signed, &signed.signer_infos.0.as_slice()[0]).unwrap();
    assert_eq!(only_for_stamping(&certificate), Ok(()));
    let uses = certificate.tbs_certificate.extensions.as_mut().unwrap();
    let uses = uses.iter_mut().find(|e| e.extn_id.to_string() == "2.5.29.37").unwrap();
    uses.critical = false;
    assert!(only_for_stamping(&certificate).is_err());
}

#[test]
fn a_changed_byte_spoils_a_stamp() {
    let openssl = OpenSsl::new(P256, "tsa");
    let reply = openssl.answer(&Request::new(b"x").unwrap());
    let authority = openssl.authority();
    let right = authority.verify(&reply, b"x").unwrap();
    let mut same = Vec::new();
    for at in 0..reply.len() {
        let mut changed = reply.clone();
        changed[at] ^= 1;
        if let Ok(stamp) = authority.verify(&changed, b"x") {
            assert_eq!(stamp, right, "byte {at}");
            same.push(at);
        }
    }
    // The status (granted, or with modifications), two versions and a list of algorithms are not
    // signed by anyone; nothing is read from them.
    assert!(same.len() <= 16, "{same:?} of {}", reply.len());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let authority = Authority(Vec::new());
        prop_assert!(authority.verify(&bytes, b"x").is_err());
    }
}

#[test]
fn no_cut_makes_it_panic() {
    let openssl = OpenSsl::new(P256, "tsa");
    let reply = openssl.answer(&Request::new(b"x").unwrap());
    for end in 0..reply.len() {
        assert!(openssl.authority().verify(&reply[..end], b"x").is_err());
    }
}
