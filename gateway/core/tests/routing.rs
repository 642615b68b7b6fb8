//! Which way an exchange goes: routes, trials, failover and mirrors, over scripted backends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

#[allow(dead_code, reason = "the pipeline's own tests use the rest")]
mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use gateway_core::adapter::Settlement;
use gateway_core::mirror::{Comparison, Mirror, Mirrored};
use gateway_core::outbox::{Begun, Submission};
use gateway_core::route::{Conditions, Provider, Route, Routes, Share, Split, Target};
use gateway_core::*;
use support::{Parts, Script, answer, fault, gateway, send, submission, submit};

/// A mapping and a backend that say their name in every answer.
struct Named {
    name: &'static str,
    outcome: Result<(), Kind>,
    accepts: bool,
    profile: Profile,
}

fn named(name: &'static str, outcome: Result<(), Kind>) -> Arc<Named> {
    let profile = Profile { takes: Takes::Messages(vec![]), finality: Finality::Immediate };
    Arc::new(Named { name, outcome, accepts: true, profile })
}

fn target(mapping: &'static str, backends: &[Arc<Named>]) -> Target {
    let provider = |backend: &Arc<Named>| {
        let deadline = Duration::from_secs(1);
        Arc::new(Provider { name: backend.name.into(), adapter: backend.clone(), deadline })
    };
    Target { mapping: named(mapping, Ok(())), providers: backends.iter().map(provider).collect() }
}

fn to(mapping: &'static str) -> Target {
    target(mapping, &[named("backend", Ok(()))])
}

fn values(name: &str) -> Message {
    [(name, Value::Flag(true))].into_iter().collect()
}

#[async_trait]
impl Adapter for Named {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    async fn call(&self, _: &Admitted, _: &Call, _: Duration) -> Result<Response, Fault> {
        self.outcome.map_err(fault)?;
        Ok(Response::Answer(Answer { values: values(self.name), proof: None }))
    }

    async fn lookup(&self, _: &Submission, _: Duration) -> Result<Settlement, Fault> {
        let answer = Answer { values: values(self.name), proof: None };
        Ok(Settlement::Settled(Ok(answer)))
    }

    async fn probe(&self) -> Result<(), Fault> {
        Ok(())
    }

    fn accepts(&self) -> Result<(), Fault> {
        if self.accepts { Ok(()) } else { Err(fault(Kind::BackendUnavailable)) }
    }
}

impl Mapping for Named {
    fn id(&self) -> &str {
        self.name
    }

    fn map(&self, admitted: &Admitted, _: Occasion) -> Result<Call, Fault> {
        Ok(Call {
            operation: admitted.envelope().service.operation,
            function: "f".into(),
            content: Content::Arguments(vec![]),
            key: admitted.key(),
            repeatable: false,
        })
    }

    fn answer(&self, _: &ServiceId, response: Response) -> Result<Answer, Fault> {
        match response {
            Response::Answer(answer) => Ok(answer),
            Response::Received(_) => Err(fault(Kind::Unmappable)),
        }
    }

    fn settlement(&self, _: &ServiceId, _: Received) -> Result<Settlement, Fault> {
        Ok(Settlement::Pending)
    }

    fn map_back(&self, _: &Admitted, answer: &Answer) -> Result<Message, Fault> {
        let mut message = answer.values.clone();
        message.set(self.name, Value::Flag(true));
        Ok(message)
    }

    fn refusal(&self, fault: Fault) -> Fault {
        fault
    }

    fn unsupported_by(&self, _: &Profile) -> Vec<String> {
        vec![]
    }
}

fn any() -> Conditions {
    Conditions::default()
}

fn route(conditions: Conditions, target: Target) -> Route {
    Route { conditions, target: Arc::new(target), canary: None, mirror: None }
}

fn split(percent: f64, target: Target) -> Option<Split> {
    Some(Split { share: Share::percent(percent).unwrap(), target: Arc::new(target) })
}

fn gateway_with(routes: Vec<Route>, script: Script) -> (Pipeline, Arc<Parts>) {
    let (mut pipeline, parts) = gateway(script);
    pipeline.routes = Routes::default();
    for route in routes {
        pipeline.routes.add(submission().service, route).unwrap();
    }
    (pipeline, parts)
}

/// Which backend and mapping an exchange goes by: their names stand in the reply.
async fn way(routes: Vec<Route>, script: Script) -> String {
    let (pipeline, parts) = gateway_with(routes, script);
    send(&pipeline, parts).await
}

fn members(member: &str) -> Conditions {
    any().members([member.to_owned()])
}

#[tokio::test]
async fn the_most_specific_route_is_taken_whatever_the_order() {
    let front = || members("ministry").fronts(["sector/test/v1".to_owned()]);
    let mut routes = vec![
        route(any(), to("all")),
        route(members("ministry"), to("member")),
        route(front(), to("member-and-front")),
        route(members("city"), to("another-member")),
    ];
    for _ in 0..routes.len() {
        routes.rotate_left(1);
        let reply = way(routes.clone(), Script::default()).await;
        assert_eq!(reply, "ok backend,member-and-front receipt");
    }
}

#[tokio::test]
async fn an_exchange_that_no_route_takes_has_no_provider() {
    let routes = vec![route(members("city"), to("another-member"))];
    assert_eq!(way(routes, Script::default()).await, "Unroutable/no-route receipt");
}

#[test]
fn two_routes_that_cannot_be_told_apart_are_refused() {
    let mut routes = Routes::default();
    let service = || submission().service;
    routes.add(service(), route(any(), to("one"))).unwrap();
    assert!(routes.add(service(), route(any(), to("two"))).is_err());
    routes.add(service(), route(members("a"), to("two"))).unwrap();
    assert!(routes.add(service(), route(members("a"), to("three"))).is_err());
}

#[tokio::test]
async fn a_share_goes_by_the_new_version_and_the_same_person_always_does() {
    // The pseudonym of every person here is zero bytes, which are in every share above nothing.
    for (percent, by) in [(0.0, "old"), (0.01, "new"), (100.0, "new")] {
        let with_canary = Route { canary: split(percent, to("new")), ..route(any(), to("old")) };
        for _ in 0..3 {
            let reply = way(vec![with_canary.clone()], Script::default()).await;
            assert_eq!(reply, format!("ok backend,{by} receipt"), "{percent} %");
        }
    }
}

#[tokio::test]
async fn a_query_goes_on_to_the_next_provider_from_one_that_did_nothing() {
    let away = || named("first", Err(Kind::BackendUnavailable));
    let refuses = named("first", Err(Kind::BackendRefused));
    let second = || named("second", Ok(()));
    let both = |first| vec![route(any(), target("mapping", &[first, second()]))];
    assert_eq!(way(both(away()), Script::default()).await, "ok mapping,second receipt");
    assert_eq!(way(both(refuses), Script::default()).await, "BackendRefused/scripted receipt");
    let none = vec![route(any(), target("mapping", &[away(), away()]))];
    assert_eq!(way(none, Script::default()).await, "BackendUnavailable/scripted receipt");
}

#[tokio::test]
async fn a_submit_goes_to_the_first_that_takes_calls_and_to_no_other() {
    let second = || named("second", Ok(()));
    let both = |first| vec![route(any(), target("mapping", &[first, second()]))];
    let away = named("first", Err(Kind::BackendUnavailable));
    assert_eq!(way(both(away), submit()).await, "BackendUnavailable/scripted receipt");
    let open = Arc::into_inner(named("first", Ok(()))).unwrap();
    let open = Arc::new(Named { accepts: false, ..open });
    assert_eq!(way(both(open), submit()).await, "ok mapping,second receipt");
}

#[tokio::test]
async fn a_repeat_is_read_by_the_mapping_it_was_said_by() {
    let moved = Route { canary: split(0.0, to("old")), ..route(any(), to("new")) };
    let settled = Begun::Settled { mapping: "old".into(), outcome: Ok(answer()) };
    let reply = way(vec![moved.clone()], Script { begun: settled, ..submit() }).await;
    assert_eq!(reply, "ok count,old receipt");
    let unknown = Begun::Settled { mapping: "gone".into(), outcome: Ok(answer()) };
    let reply = way(vec![moved], Script { begun: unknown, ..submit() }).await;
    assert_eq!(reply, "ok count,new receipt");
}

#[tokio::test]
async fn an_interrupted_submit_is_looked_up_where_it_was_sent() {
    let here = route(any(), to("new"));
    let there = route(members("city"), target("old", &[named("there", Ok(()))]));
    let earlier = Submission { backend: "there".into(), mapping: "old".into(), ..submission() };
    let begun = Begun::Interrupted(earlier);
    let reply = way(vec![here, there], Script { begun, ..submit() }).await;
    assert_eq!(reply, "ok old,there receipt");
}

#[tokio::test]
async fn a_reload_remembers_where_submits_were_sent() {
    let (before, _) = gateway_with(vec![route(any(), to("old"))], submit());
    let earlier = Submission { mapping: "old".into(), ..submission() };
    let script = Script { begun: Begun::Interrupted(earlier), ..submit() };
    let elsewhere = target("new", &[named("elsewhere", Ok(()))]);
    let (mut now, parts) = gateway_with(vec![route(any(), elsewhere)], script);
    now.routes.remember(&before.routes);
    assert_eq!(send(&now, parts).await, "ok backend,old receipt");
}

/// Keeps what it is offered.
#[derive(Default)]
struct Offered(Mutex<Vec<Mirrored>>);

impl Mirror for Offered {
    fn offer(&self, mirrored: Mirrored) -> bool {
        self.0.lock().unwrap().push(mirrored);
        true
    }
}

async fn mirrored(first: Result<(), Kind>, other: Target, script: Script) -> Vec<Mirrored> {
    let usual = target("mapping", &[named("backend", first)]);
    let route = Route { mirror: split(100.0, other), ..route(any(), usual) };
    let (mut pipeline, parts) = gateway_with(vec![route], script);
    let offered = Arc::new(Offered::default());
    pipeline.mirror = Some(offered.clone());
    let reply = send(&pipeline, parts).await;
    assert_eq!(reply.starts_with("ok backend,mapping "), first.is_ok(), "{reply}");
    let mut offered = offered.0.lock().unwrap();
    std::mem::take(&mut *offered)
}

#[tokio::test]
async fn a_query_is_asked_elsewhere_and_compared_and_its_caller_sees_nothing_of_it() {
    use Kind::{BackendRefused, BackendUnavailable};
    let other = |outcome| target("mapping", &[named("backend", outcome)]);
    for (first, second, wanted) in [
        (Ok(()), other(Ok(())), "same"),
        (Ok(()), to("another"), "different: another,mapping"),
        (Ok(()), target("mapping", &[named("another", Ok(()))]), "different: another,backend"),
        (Ok(()), other(Err(BackendUnavailable)), "failed: BackendUnavailable"),
        (Ok(()), other(Err(BackendRefused)), "different: (outcome)"),
        (Err(BackendRefused), other(Err(BackendRefused)), "same"),
        (Err(BackendRefused), other(Ok(())), "different: (outcome)"),
    ] {
        let offered = mirrored(first, second, Script::default()).await;
        let found = match offered[0].compare().await {
            Comparison::Same => "same".to_owned(),
            Comparison::Different(paths) => format!("different: {}", paths.join(",")),
            Comparison::Failed(fault) => format!("failed: {}", fault.kind),
        };
        assert_eq!(found, wanted);
    }
}

#[tokio::test]
async fn a_submit_is_never_mirrored() {
    assert!(mirrored(Ok(()), to("another"), submit()).await.is_empty());
}
