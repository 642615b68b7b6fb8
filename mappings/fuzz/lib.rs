//! What the fuzz targets share: the catalog, and one request through one front. A run fails when
//! decoding or refusing panics; what a refusal must look like is checked by the package's own tests.
//!
//! `cargo +nightly fuzz run soap` in the folder `mappings`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use gateway_core::front::Exchange;
use gateway_core::{
    Evidence, ExchangeId, Front, Inbound, Pseudonym, Pseudonymize, Received, Response,
};
use jiff::Timestamp;
use mappings::{Catalog, FrontEntry};
use uuid::Uuid;

/// Fronts make no pseudonyms.
struct Nobody;

impl Pseudonymize for Nobody {
    fn pseudonym(&self, _: &str, _: &str, _: &[u8]) -> Pseudonym {
        Pseudonym([0; 32])
    }
}

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    // This is built as a package of its own and as a part of a test of the package above.
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().map(|folder| folder.join("catalog")).find(|root| root.is_dir());
    let root = root.expect("the catalog is beside or above");
    Catalog::load(&root, Arc::new(Nobody)).unwrap_or_else(|problems| panic!("{problems:?}"))
});

/// The front of a mapping.
pub fn front(id: &str) -> &'static FrontEntry {
    CATALOG.front(id).expect("the mapping is in the catalog")
}

/// Decodes, and refuses what does not decode.
pub fn request(front: &FrontEntry, attributes: &[(&str, &str)], body: &[u8]) {
    run(front.as_front(), attributes, body);
}

/// The same by gRPC, whose front has no mapping.
pub fn grpc(body: &[u8]) {
    run(CATALOG.grpc().clone(), &[], body);
}

fn run(front: Arc<dyn Front>, attributes: &[(&str, &str)], body: &[u8]) {
    let attributes = attributes.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    let inbound = Inbound {
        id: ExchangeId(Uuid::nil()),
        front,
        evidence: Evidence::default(),
        attributes: attributes.collect::<BTreeMap<_, _>>(),
        body: Bytes::copy_from_slice(body),
        received: Timestamp::UNIX_EPOCH,
        deadline: None,
    };
    if let Err(fault) = inbound.front.decode(&inbound) {
        let exchange = Exchange {
            id: inbound.id,
            inbound: &inbound,
            envelope: None,
            quota: &[],
            now: Timestamp::UNIX_EPOCH,
        };
        let refusal = inbound.front.refuse(&exchange, &fault);
        assert!(!refusal.body.is_empty());
    }
}

const PROVIDERS: [&str; 6] = ["soap", "xroad", "xroad-rest", "json", "xml", "telegram"];

/// Reads what a provider sent as the answer to each of its sector's services, and as a report.
pub fn answer(provider: u8, status: Option<u16>, body: &[u8]) {
    let name = PROVIDERS[usize::from(provider) % PROVIDERS.len()];
    let mapping = CATALOG.mapping(&format!("population/mois-{name}/v1"));
    let mapping = mapping.expect("the mapping is in the catalog");
    let body = Bytes::copy_from_slice(body);
    for service in CATALOG.services().filter(|service| &*service.id.sector == "population") {
        let received = Received { status, headers: BTreeMap::new(), body: body.clone() };
        let _ = mapping.answer(&service.id, Response::Received(received.clone()));
        let _ = mapping.settlement(&service.id, received);
    }
}
