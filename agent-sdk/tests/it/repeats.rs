use std::time::Duration;

use agent_sdk::{AgentClient, Authorize, Error, ErrorCode, PrepareTransaction, Secret, Send};
use alloy::primitives::{Address, U256};
use uuid::Uuid;

use crate::scripted::{API_KEY, Answer, Scripted, header, may_have_happened, problem, transaction};

fn payment() -> PrepareTransaction {
    PrepareTransaction::transfer(Address::ZERO, U256::from(1))
}

#[tokio::test]
async fn every_attempt_at_a_payment_carries_the_same_idempotency_key() {
    let answers = vec![Answer::HangUp, problem(503, "busy", true), transaction("pending", 1)];
    let server = Scripted::new(answers).await;
    server.agent().prepare(payment()).await.expect("the third attempt");

    let requests = server.requests();
    let keys: Vec<_> = requests.iter().map(|request| header(request, "idempotency-key")).collect();
    assert_eq!(keys.len(), 3);
    assert!(keys[0].is_some() && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}

#[tokio::test]
async fn a_refusal_that_will_not_pass_is_not_repeated() {
    let server = Scripted::new(vec![problem(422, "simulation_failed", false)]).await;
    let error = server.agent().prepare(payment()).await.expect_err("refused");
    assert_eq!(error.code(), Some(ErrorCode::SimulationFailed));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn an_approval_whose_answer_was_lost_is_not_sent_again() {
    let server = Scripted::new(vec![Answer::HangUp, transaction("authorized", 2)]).await;
    let approval = Authorize::new(Uuid::nil(), "123456");
    let error = server.user().authorize(approval).await.expect_err("the answer was lost");
    assert!(matches!(error, Error::ConnectionLost(_)), "{error:?}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn an_approval_the_server_was_too_busy_for_is_sent_again() {
    let server = Scripted::new(vec![problem(503, "busy", true), transaction("authorized", 2)]).await;
    let approval = Authorize::new(Uuid::nil(), "123456");
    server.user().authorize(approval).await.expect("the second attempt");
}

#[tokio::test]
async fn a_login_without_a_server_is_unreachable_and_not_a_refusal() {
    let server = Scripted::new(vec![]).await;
    tokio::task::yield_now().await;
    let user = server.user();
    let error = user.login("ada", &Secret::from("a long password")).await.expect_err("nobody there");
    assert!(error.is_unreachable() && error.code().is_none(), "{error:?}");
}

#[tokio::test]
async fn silence_is_cut_short_by_the_timeout() {
    let server = Scripted::new(vec![Answer::Silence]).await;
    let builder = AgentClient::builder(&server.url, API_KEY).timeout(Duration::from_millis(200));
    let client = builder.attempts(1).build().expect("a client");
    let error = client.chains().await.expect_err("silence");
    assert!(matches!(error, Error::TimedOut(_)), "{error:?}");
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let body = format!("\"{}\"", "x".repeat(9 * 1024 * 1024));
    let server = Scripted::new(vec![Answer::Say(200, "", body)]).await;
    let error = server.agent().chains().await.expect_err("too large");
    assert!(matches!(error, Error::AnswerTooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn a_creation_of_unknown_outcome_is_repeated_under_its_key() {
    let server = Scripted::new(vec![may_have_happened(), transaction("pending", 1)]).await;
    server.agent().prepare(payment()).await.expect("the second attempt");
    let sends = Scripted::new(vec![may_have_happened(), transaction("submitted", 2)]).await;
    let send = Send::transfer(Address::ZERO, Address::ZERO, U256::from(1));
    sends.user().send(&send, &Secret::from("a long password"), &Secret::from("123456")).await.expect("the second");

    for requests in [server.requests(), sends.requests()] {
        let keys: Vec<_> = requests.iter().map(|request| header(request, "idempotency-key").expect("a key")).collect();
        assert!(keys.len() == 2 && keys[0] == keys[1], "{keys:?}");
    }
}

#[tokio::test]
async fn a_step_that_is_taken_once_is_repeated_after_an_unknown_outcome() {
    let answers = vec![
        may_have_happened(),
        transaction("submitted", 3),
        may_have_happened(),
        transaction("cancelled", 3),
        may_have_happened(),
        transaction("rejected", 3),
    ];
    let server = Scripted::new(answers).await;
    server.agent().execute(Uuid::nil()).await.expect("executed");
    server.user().cancel_and_burn(Uuid::nil()).await.expect("cancelled");
    server.user().reject(Uuid::nil(), None).await.expect("rejected");
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn a_code_that_may_have_been_spent_is_not_sent_again() {
    let server = Scripted::new(vec![may_have_happened(), transaction("authorized", 2)]).await;
    let error = server.user().authorize(Authorize::new(Uuid::nil(), "123456")).await.expect_err("unknown");
    assert!(error.may_have_happened() && error.is_retryable() && !error.is_unprocessed(), "{error:?}");
    assert_eq!(server.requests().len(), 1);

    let registering = Scripted::new(vec![may_have_happened(), transaction("pending", 1)]).await;
    let error = registering.user().register("ada", &Secret::from("a long password")).await.expect_err("unknown");
    assert!(error.may_have_happened(), "{error:?}");
    assert_eq!(registering.requests().len(), 1);
}
