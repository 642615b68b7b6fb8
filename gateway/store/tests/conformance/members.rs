//! Members added at run time, states and keys.

use gateway_core::member::MemberState;
use gateway_core::{Clock, MemberId};
use gateway_store::{KeyKind, MemberContent, MemberRegistry, StoredKey};

use super::Backend;

fn id(id: &str) -> MemberId {
    MemberId(id.into())
}

pub(crate) async fn a_member_is_kept_with_its_state(backend: impl Backend) {
    let store = backend.open().await;
    let content = MemberContent { name: "City X".into(), ..MemberContent::default() };
    assert!(store.add_member(&id("city-x"), &content).await.unwrap());
    assert!(!store.add_member(&id("city-x"), &content).await.unwrap(), "its id is taken");
    let (applied, active) = (MemberState::Applied, MemberState::Active);
    assert!(!store.move_member(&id("city-x"), active, MemberState::Suspended).await.unwrap());
    assert!(store.move_member(&id("city-x"), applied, active).await.unwrap());
    assert!(!store.move_member(&id("city-x"), applied, active).await.unwrap());
    let suspended = store.move_member(&id("mohw"), active, MemberState::Suspended).await.unwrap();
    assert!(suspended, "who was never kept was active");
    drop(store);

    let (members, _) = backend.open().await.members().await.unwrap();
    let found: Vec<_> = members
        .iter()
        .map(|member| (&*member.id.0, member.content.as_ref(), member.state))
        .collect();
    let wanted = [("city-x", Some(&content), active), ("mohw", None, MemberState::Suspended)];
    assert_eq!(found, wanted);
}

pub(crate) async fn a_key_belongs_to_one_member_until_it_is_revoked(backend: impl Backend) {
    let store = backend.open().await;
    let now = backend.clock().now();
    let key = |member: &str, byte: u8| StoredKey {
        hash: [byte; 32],
        member: id(member),
        kind: KeyKind::ApiKey,
        valid_from: now,
        valid_until: now + std::time::Duration::from_secs(60),
        revoked: None,
    };
    assert!(store.add_key(&key("a", 1)).await.unwrap());
    assert!(store.add_key(&key("a", 2)).await.unwrap(), "one follows another");
    assert!(!store.add_key(&key("b", 1)).await.unwrap(), "it is another's");
    assert!(!store.revoke_key(&id("b"), &[1; 32]).await.unwrap());
    assert!(store.revoke_key(&id("a"), &[1; 32]).await.unwrap());
    assert!(!store.revoke_key(&id("a"), &[1; 32]).await.unwrap());
    assert!(!store.add_key(&key("b", 1)).await.unwrap(), "a revoked key is nobody's again");
    let (_, keys) = store.members().await.unwrap();
    assert_eq!(keys, [StoredKey { revoked: Some(now), ..key("a", 1) }, key("a", 2)]);
}
