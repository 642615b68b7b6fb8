//! The life of a request, with every part scripted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use gateway_core::adapter::Settlement;
use gateway_core::consent::{Ended, UseLimit};
use gateway_core::outbox::{Begun, Submission};
use gateway_core::quota::Unit;
use gateway_core::{Consent, Kind, Received, Response};
use uuid::Uuid;

use support::{Script, answer, consent, exchange, fault, gateway, submission, submit};

#[tokio::test]
async fn a_query_passes_every_stage_in_order_and_is_cut_to_the_consent() {
    let (reply, asked) = exchange(Script::default()).await;
    assert_eq!(reply, "ok count receipt", "the consent does not cover rows");
    let stages =
        ["authenticate", "authorize", "consent", "quota", "map", "call", "journal Exchange ok"];
    assert_eq!(asked, stages);
}

#[tokio::test]
async fn a_refusal_ends_the_way_there_and_is_journaled() {
    let refusals = [
        (Script { decoded: Err(fault(Kind::Malformed)), ..Script::default() }, "Malformed", 0),
        (
            Script { authenticated: Err(fault(Kind::Unauthenticated)), ..Script::default() },
            "Unauthenticated",
            1,
        ),
        (Script { authorized: Err(fault(Kind::Forbidden)), ..Script::default() }, "Forbidden", 2),
        (Script { consents: Ok(vec![]), ..Script::default() }, "ConsentMissing", 3),
        (Script { consents: Err(fault(Kind::Internal)), ..Script::default() }, "Internal", 3),
        (Script { spent: Err(()), ..Script::default() }, "RateLimited", 4),
        (
            Script { called: Some(Err(fault(Kind::BackendRefused))), ..Script::default() },
            "BackendRefused",
            6,
        ),
    ];
    for (script, kind, asked_before) in refusals {
        let (reply, asked) = exchange(script).await;
        assert!(reply.starts_with(&format!("{kind}/")), "{reply}");
        assert!(reply.ends_with(" receipt"), "a refusal carries a receipt: {reply}");
        assert_eq!(asked.len(), asked_before + 1, "{asked:?}");
        assert_eq!(asked.last().unwrap(), &format!("journal Exchange {kind}"));
    }
}

#[tokio::test]
async fn what_an_exchange_holds_of_a_quota_is_given_back_on_every_way_out() {
    let holding = || Script { unit: Unit::ConcurrentRequests, ..Script::default() };
    let down = || Some(Err(fault(Kind::BackendUnavailable)));
    for (script, outcome) in [
        (holding(), "ok"),
        (Script { called: down(), ..holding() }, "BackendUnavailable"),
        (Script { called: None, ..holding() }, "Internal"),
    ] {
        let (_, asked) = exchange(script).await;
        let end = ["given back".to_owned(), format!("journal Exchange {outcome}")];
        assert_eq!(
            asked[5..].iter().filter(|asked| *asked != "call").collect::<Vec<_>>(),
            end.iter().collect::<Vec<_>>()
        );
    }
}

#[tokio::test]
async fn the_bytes_of_a_reply_count_once_it_was_let_through() {
    let counting = || Script { unit: Unit::ContentBytes, ..Script::default() };
    let (reply, asked) = exchange(counting()).await;
    let bytes = reply.len() - "receipt".len();
    assert_eq!(asked[6..], [format!("replied {bytes}"), "journal Exchange ok".to_owned()]);
    let (_, asked) = exchange(Script { spent: Err(()), ..counting() }).await;
    assert!(!asked.iter().any(|asked| asked.starts_with("replied")), "{asked:?}");
}

#[tokio::test]
async fn whoever_gets_no_turn_has_spent_nothing_and_is_not_sent() {
    let (reply, asked) = exchange(Script { waited: None, ..Script::default() }).await;
    assert_eq!(reply, "RateLimited/temporary-reduced-capacity receipt");
    assert_eq!(asked[3..], ["quota", "give back 1", "journal Exchange RateLimited"]);
}

#[tokio::test]
async fn what_was_waited_for_a_turn_is_not_there_for_the_provider() {
    let waited = Some(std::time::Duration::from_millis(400));
    let (_, asked) = exchange(Script { waited, ..Script::default() }).await;
    assert!(asked.contains(&"call within 600ms".to_owned()), "{asked:?}");
}

#[tokio::test]
async fn a_consent_must_be_live_and_cover_something() {
    let at = |text: &str| text.parse().unwrap();
    let mut ended = consent();
    ended.grant.valid_until = at("2025-06-01T00:00:00Z");
    let mut withdrawn = consent();
    withdrawn.ended = Some(Ended { at: at("2025-06-01T00:00:00Z"), withdrawn: true });
    let mut future = consent();
    future.grant.valid_from = at("2026-06-01T00:00:00Z");
    let mut other = consent();
    other.grant.items = ["unrelated".to_owned()].into();
    let mut both = consent();
    both.grant.items.insert("details".to_owned());

    for (consents, wanted) in [
        (vec![ended.clone()], "ConsentExpired/consent-expired receipt"),
        (vec![withdrawn.clone()], "ConsentExpired/consent-withdrawn receipt"),
        (vec![future], "ConsentMissing/consent-missing receipt"),
        (vec![other], "ConsentMissing/consent-missing receipt"),
        (vec![ended, withdrawn, consent()], "ok count receipt"),
        (vec![consent(), both], "ok count,rows receipt"),
    ] {
        let (reply, _) = exchange(Script { consents: Ok(consents), ..Script::default() }).await;
        assert_eq!(reply, wanted);
    }
}

fn limited(id: u128) -> Consent {
    let mut limited = consent();
    limited.id = Uuid::from_u128(id);
    limited.grant.limit = Some(UseLimit::Once);
    limited
}

#[tokio::test]
async fn a_use_is_counted_after_the_quota_and_before_anything_is_asked() {
    let consents = || Ok(vec![limited(7)]);
    let (reply, asked) = exchange(Script { consents: consents(), ..Script::default() }).await;
    assert_eq!(reply, "ok count receipt");
    assert_eq!(asked[2..6], ["consent", "quota", "spend 7", "map"]);
    assert!(!asked.iter().any(|asked| asked.starts_with("give back")), "{asked:?}");

    let over = Script { consents: consents(), spent: Err(()), ..Script::default() };
    let (reply, asked) = exchange(over).await;
    assert!(reply.starts_with("RateLimited/"), "{reply}");
    assert!(!asked.iter().any(|asked| asked.starts_with("spend")), "{asked:?}");
}

#[tokio::test]
async fn a_use_is_given_back_when_no_backend_has_answered() {
    for (called, is_given_back) in [
        (Some(Err(fault(Kind::BackendUnavailable))), true),
        (None, true),
        (Some(Err(fault(Kind::BackendRefused))), true),
        (Some(Ok(Response::Answer(answer()))), false),
    ] {
        let consents = Ok(vec![limited(7)]);
        let (_, asked) = exchange(Script { consents, called, ..Script::default() }).await;
        let given_back = asked.iter().any(|asked| asked == "give back 7");
        assert_eq!(given_back, is_given_back, "{asked:?}");
    }
    let consents = Ok(vec![limited(7)]);
    let unreadable =
        Script { consents, encoded: Err(fault(Kind::Unmappable)), ..Script::default() };
    let (_, asked) = exchange(unreadable).await;
    assert!(!asked.iter().any(|asked| asked == "give back 7"), "the backend has answered");
}

#[tokio::test]
async fn a_consent_that_is_used_up_gives_way_to_the_next_best() {
    let used_up =
        |consents| Script { consents: Ok(consents), used_up: Some(7), ..Script::default() };
    let (reply, _) = exchange(used_up(vec![limited(7)])).await;
    assert_eq!(reply, "ConsentExpired/consent-used-up receipt");
    let (reply, asked) = exchange(used_up(vec![limited(7), limited(8)])).await;
    assert_eq!(reply, "ok count receipt");
    assert_eq!(asked[4..6], ["spend 7", "spend 8"]);
    let (reply, asked) = exchange(used_up(vec![limited(7), consent()])).await;
    assert_eq!(reply, "ok count receipt");
    assert_eq!(asked[4], "map", "one without a limit is not spent");
}

#[tokio::test]
async fn a_submit_is_settled_only_after_the_journal_holds_it() {
    let (reply, asked) = exchange(submit()).await;
    assert_eq!(reply, "ok count receipt");
    assert_eq!(asked[5..], ["begin", "call", "journal Exchange ok", "settle done"]);

    let refused = Script { called: Some(Err(fault(Kind::BackendRefused))), ..submit() };
    let (reply, asked) = exchange(refused).await;
    assert_eq!(reply, "BackendRefused/scripted receipt");
    assert_eq!(asked[7..], ["journal Exchange BackendRefused", "settle refused"]);
}

#[tokio::test]
async fn a_submit_without_an_idempotency_key_costs_nothing() {
    let (reply, asked) = exchange(Script { decoded: Ok(None), ..submit() }).await;
    assert_eq!(reply, "Malformed/idempotency-key-missing receipt");
    assert!(!asked.contains(&"quota".to_owned()));
}

#[tokio::test]
async fn a_key_seen_before_is_not_submitted_again() {
    let settled = || {
        let mapping = "sector/backend/v1".into();
        Begun::Settled { mapping, outcome: Ok(answer()) }
    };
    let interrupted = || Begun::Interrupted(submission());
    let found = || Ok(Settlement::Settled(Ok(answer())));
    for (script, reply_wanted, after_begin) in [
        (Script { begun: settled(), ..submit() }, "ok count receipt", vec!["journal Exchange ok"]),
        (
            Script { begun: Begun::Running, ..submit() },
            "OutcomeUnknown/in-progress receipt",
            vec!["journal Exchange OutcomeUnknown"],
        ),
        (
            Script { begun: Begun::Reused, ..submit() },
            "Malformed/idempotency-key-reused receipt",
            vec!["journal Exchange Malformed"],
        ),
        (
            Script { begun: interrupted(), looked_up: found(), ..submit() },
            "ok count receipt",
            vec!["lookup", "journal Exchange ok", "settle done"],
        ),
        (
            Script { begun: interrupted(), ..submit() },
            "OutcomeUnknown/outcome-unknown receipt",
            vec!["lookup", "map", "journal Exchange OutcomeUnknown", "release"],
        ),
        (
            Script {
                begun: interrupted(),
                looked_up: Err(fault(Kind::BackendUnavailable)),
                ..submit()
            },
            "BackendUnavailable/scripted receipt",
            vec!["lookup", "journal Exchange BackendUnavailable", "release"],
        ),
    ] {
        let (reply, asked) = exchange(script).await;
        assert_eq!(reply, reply_wanted);
        assert_eq!(asked[6..], after_begin, "{reply_wanted}");
    }
}

fn received() -> Response {
    let headers = Default::default();
    Response::Received(Received { status: Some(200), headers, body: "bytes".into() })
}

#[tokio::test]
async fn bytes_are_read_by_the_mapping_before_anything_is_settled() {
    let read = |read| Script { called: Some(Ok(received())), read: Some(read), ..submit() };
    let refused = || Err(fault(Kind::BackendRefused));
    let not_done = || Err(fault(Kind::BackendUnavailable));
    for (outcome, reply_wanted, last) in [
        (Ok(answer()), "ok count receipt", vec!["journal Exchange ok", "settle done"]),
        (
            refused(),
            "BackendRefused/scripted receipt",
            vec!["journal Exchange BackendRefused", "settle refused"],
        ),
        (
            not_done(),
            "BackendUnavailable/scripted receipt",
            vec!["withdraw", "journal Exchange BackendUnavailable", "release"],
        ),
        (
            Err(fault(Kind::OutcomeUnknown)),
            "OutcomeUnknown/scripted receipt",
            vec!["journal Exchange OutcomeUnknown", "release"],
        ),
    ] {
        let (reply, asked) = exchange(read(outcome)).await;
        assert_eq!(reply, reply_wanted);
        assert_eq!(asked[7..], last);
    }
}

#[tokio::test]
async fn a_report_is_read_and_a_repeatable_submit_is_sent_again() {
    let Response::Received(report) = received() else { unreachable!() };
    let begun = || Begun::Interrupted(submission());
    let looked_up = Ok(Settlement::Reported(report));
    let script = Script { begun: begun(), looked_up, read: Some(Ok(answer())), ..submit() };
    let (reply, asked) = exchange(script).await;
    assert_eq!(reply, "ok count receipt");
    assert_eq!(asked[6..], ["lookup", "read report", "journal Exchange ok", "settle done"]);

    let script = Script { begun: begun(), repeatable: true, ..submit() };
    let (reply, asked) = exchange(script).await;
    assert_eq!(reply, "ok count receipt");
    assert_eq!(asked[6..], ["lookup", "map", "call", "journal Exchange ok", "settle done"]);
}

#[tokio::test]
async fn what_is_not_final_gives_the_key_up() {
    for kind in [Kind::BackendUnavailable, Kind::OutcomeUnknown, Kind::Internal] {
        let script = Script { called: Some(Err(fault(kind))), ..submit() };
        let (_, asked) = exchange(script).await;
        assert_eq!(asked.last().unwrap(), "release", "{kind}");
    }
}

#[tokio::test]
async fn a_panic_becomes_a_fault_and_gives_the_key_up() {
    let (reply, asked) = exchange(Script { called: None, ..submit() }).await;
    assert_eq!(reply, "Internal/defect receipt");
    assert_eq!(asked[6..], ["call", "journal Exchange Internal", "release"]);
}

#[tokio::test]
async fn an_answer_that_cannot_be_written_is_refused_and_still_settled() {
    let script = Script { encoded: Err(fault(Kind::Unmappable)), ..submit() };
    let (reply, asked) = exchange(script).await;
    assert_eq!(reply, "Unmappable/scripted receipt");
    assert_eq!(asked[7..], ["journal Exchange Unmappable", "settle done"]);
}

#[tokio::test]
async fn nothing_is_done_that_could_not_be_recorded() {
    let unwritable = Script { writable: Err(fault(Kind::Internal)), ..submit() };
    let (reply, asked) = exchange(unwritable).await;
    assert_eq!(reply, "Internal/scripted receipt");
    assert_eq!(asked, ["journal Exchange Internal"]);
}

#[tokio::test]
async fn without_evidence_there_is_no_answer() {
    let broken = || Err(fault(Kind::Internal));
    let (reply, _) = exchange(Script { appended: broken(), ..Script::default() }).await;
    assert_eq!(reply, "Internal/scripted ", "no receipt, and nothing of the answer");
    let (reply, asked) = exchange(Script { appended: broken(), ..submit() }).await;
    assert_eq!(reply, "OutcomeUnknown/outcome-unknown ", "it happened and is looked up later");
    assert_eq!(asked.last().unwrap(), "release");
}

#[tokio::test]
async fn recovery_settles_what_a_dead_process_left_open() {
    let found = Ok(Settlement::Settled(Ok(answer())));
    let unsettled = vec![submission()];
    let script = Script { looked_up: found, unsettled: unsettled.clone(), ..submit() };
    let (pipeline, parts) = gateway(script);
    assert_eq!(pipeline.recover().await.unwrap(), (1, 0));
    let asked = parts.asked.lock().unwrap().clone();
    assert_eq!(asked, ["claim", "lookup", "journal Settlement ok", "settle done"]);

    let away = Script { looked_up: Err(fault(Kind::BackendUnavailable)), unsettled, ..submit() };
    let (pipeline, parts) = gateway(away);
    assert_eq!(pipeline.recover().await.unwrap(), (0, 1));
    assert_eq!(parts.asked.lock().unwrap().clone(), ["claim", "lookup", "release"]);
}

#[tokio::test]
async fn recovery_leaves_alone_what_somebody_has_taken_up() {
    let script = Script { unsettled: vec![submission()], claimed: false, ..submit() };
    let (pipeline, parts) = gateway(script);
    assert_eq!(pipeline.recover().await.unwrap(), (0, 0));
    assert_eq!(parts.asked.lock().unwrap().clone(), ["claim"]);
}

#[tokio::test]
async fn what_could_not_be_recorded_is_given_up_again() {
    let looked_up = Ok(Settlement::Settled(Ok(answer())));
    let broken = Err(fault(Kind::Internal));
    let script = Script { looked_up, appended: broken, unsettled: vec![submission()], ..submit() };
    let (pipeline, parts) = gateway(script);
    assert!(pipeline.recover().await.is_err());
    let asked = parts.asked.lock().unwrap().clone();
    assert_eq!(asked, ["claim", "lookup", "journal Settlement ok", "release"]);
}

#[tokio::test]
async fn a_backend_that_is_not_configured_any_more_keeps_its_submits_open() {
    let elsewhere = Submission { backend: "elsewhere".into(), ..submission() };
    let script = Script { unsettled: vec![elsewhere.clone()], ..submit() };
    let (pipeline, parts) = gateway(script);
    assert_eq!(pipeline.recover().await.unwrap(), (0, 1));
    assert_eq!(parts.asked.lock().unwrap().clone(), ["claim", "release"]);

    let script = Script { begun: Begun::Interrupted(elsewhere), ..submit() };
    let (reply, asked) = exchange(script).await;
    assert_eq!(reply, "OutcomeUnknown/outcome-unknown receipt");
    assert_eq!(asked[6..], ["journal Exchange OutcomeUnknown", "release"], "nobody else is asked");
}

#[tokio::test]
async fn a_callers_deadline_bounds_the_backend_and_one_that_passed_asks_nothing() {
    let within = |deadline| Script { deadline: Some(deadline), ..Script::default() };
    let (_, asked) = exchange(within("2026-01-01T00:00:00.250Z")).await;
    assert!(asked.contains(&"call within 250ms".to_owned()), "{asked:?}");
    let (_, asked) = exchange(within("2026-01-01T00:01:00Z")).await;
    assert!(asked.contains(&"call".to_owned()), "the route's own is shorter: {asked:?}");
    for script in [within("2026-01-01T00:00:00Z"), within("2025-12-31T00:00:00Z")] {
        let (reply, asked) = exchange(script).await;
        assert!(reply.starts_with("BackendUnavailable/deadline-passed"), "{reply}");
        assert!(!asked.iter().any(|part| part.starts_with("call")), "{asked:?}");
    }
    let passed = Script { deadline: Some("2025-12-31T00:00:00Z"), ..submit() };
    let (_, asked) = exchange(passed).await;
    assert!(!asked.contains(&"begin".to_owned()), "the key is not claimed: {asked:?}");
}
