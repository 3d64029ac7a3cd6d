//! Users send on their own.

use std::time::Duration;

use agent_sdk::{AbiCall, Secret, Send, Status, Transaction};
use alloy::primitives::{Address, U256};
use serde_json::{Value, json};

use crate::harness::{
    ETHER, Human, PASSWORD, World, code,
    contracts::{Counter, Token},
    log_in, on_both_databases, stranger,
};

on_both_databases!(
    a_user_sends_native_currency,
    a_user_sends_a_token,
    a_user_calls_a_contract,
    a_send_needs_the_password_and_a_fresh_code,
    a_repeated_send_pays_once,
    a_preview_shows_what_a_send_would_do_and_stores_nothing,
    a_grave_warning_must_be_acknowledged_and_the_code_stays_good,
    what_is_sent_is_what_was_shown,
    a_digest_is_good_for_its_user_and_for_15_minutes,
    only_a_users_newest_drafts_are_kept,
    what_costs_more_than_was_shown_is_shown_again,
    what_has_got_worse_since_it_was_shown_is_shown_again,
    a_send_that_would_fail_is_refused_with_its_reason,
    a_send_waits_behind_what_an_agent_may_still_execute,
    a_user_may_cancel_their_own_send,
);

async fn send(human: &Human, send: &Send) -> Result<Transaction, agent_sdk::Error> {
    human.client.send(send, &Secret::from(PASSWORD), &human.code()).await
}

/// Sends, and waits until the chain has it for good.
async fn sent(human: &Human, what: Send) -> Transaction {
    let submitted = send(human, &what).await.expect("its owner with a fresh code");
    assert_eq!(submitted.status, Status::Submitted);
    assert!(submitted.transaction_hash.is_some() && submitted.agent_id.is_none());
    assert!(submitted.digest_matches());
    let confirmed = human.client.wait_until_confirmed(submitted.transaction_id).await.expect("the node mines");
    assert_eq!(confirmed.status, Status::Confirmed);
    confirmed
}

async fn a_user_sends_native_currency(world: World) {
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let confirmed = sent(&human, Send::transfer(human.address, to, U256::from(ETHER))).await;
    assert_eq!(world.balance(to).await, U256::from(ETHER));
    let receipt = world.rpc("eth_getTransactionReceipt", json!([confirmed.transaction_hash])).await;
    assert_eq!(receipt["status"], "0x1");
}

async fn a_user_sends_a_token(world: World) {
    let human = Human::with_everything(&world).await;
    let (to, token) = (stranger(), Token::deploy_for(&world, human.address, U256::from(1_000_000)).await);
    sent(&human, Send::transfer_erc20(human.address, token.address, to, U256::from(25_000))).await;
    assert_eq!(token.balance_of(&world, to).await, U256::from(25_000));
    assert_eq!(token.balance_of(&world, human.address).await, U256::from(975_000));
}

async fn a_user_calls_a_contract(world: World) {
    let human = Human::with_everything(&world).await;
    let counter = Counter::deploy(&world).await;
    let set = AbiCall::new(counter.address, "function set(uint256 number)", "set", [json!("42")]);
    sent(&human, Send::contract_call(human.address, set)).await;
    assert_eq!(counter.number(&world).await, U256::from(42));
    let deposit = AbiCall::new(counter.address, "function deposit() payable", "deposit", []).amount(U256::from(7));
    sent(&human, Send::contract_call(human.address, deposit)).await;
    assert_eq!(world.balance(counter.address).await, U256::from(7));
}

async fn a_send_needs_the_password_and_a_fresh_code(world: World) {
    let human = Human::with_everything(&world).await;
    let what = || Send::transfer(human.address, stranger(), U256::from(1));
    let fresh = human.code();
    let wrong = human.client.send(&what(), &Secret::from("not the password"), &fresh).await;
    assert_eq!(code(wrong), "invalid_credentials");
    let wrong = human.client.send(&what(), &Secret::from(PASSWORD), &Secret::from("000000")).await;
    assert_eq!(code(wrong), "mfa_invalid");
    human.client.send(&what(), &Secret::from(PASSWORD), &fresh).await.expect("the code is still good");
    let again = human.client.send(&what(), &Secret::from(PASSWORD), &fresh).await;
    assert_eq!(code(again), "mfa_replayed");
    let eve = Human::without_funds(&world).await;
    assert_eq!(code(send(&eve, &what()).await), "not_found");
}

async fn a_repeated_send_pays_once(world: World) {
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let rent = |wei| Send::transfer(human.address, to, U256::from(wei)).idempotency_key("rent-11");
    let first = send(&human, &rent(5_u64)).await.expect("its owner with a fresh code");
    let confirmed = human.client.wait_until_confirmed(first.transaction_id).await.expect("the node mines");
    // The answer was lost; neither password nor code is looked at again.
    let again = human.client.send(&rent(5), &Secret::from("whatever"), &Secret::from("000000")).await;
    assert_eq!(again.expect("a repeat"), confirmed);
    assert_eq!(code(send(&human, &rent(6)).await), "idempotency_mismatch");
    assert_eq!(world.balance(to).await, U256::from(5));
}

async fn a_preview_shows_what_a_send_would_do_and_stores_nothing(world: World) {
    let human = Human::with_everything(&world).await;
    let what = Send::transfer(human.address, stranger(), U256::from(ETHER));
    let shown = human.client.preview(&what).await.expect("a session");
    assert_eq!(shown.version, 0);
    let preview = shown.preview.clone().expect("what it does");
    assert!(preview.intent.starts_with("Send 1 ETH to "), "{}", preview.intent);
    assert_eq!(preview.changes.len(), 1);
    assert_eq!(code(human.client.status(shown.transaction_id).await), "not_found");
    let all = human.client.transactions(agent_sdk::TransactionFilter::default()).await.expect("a session");
    assert!(all.items.is_empty());
    let sent = send(&human, &what).await.expect("its owner with a fresh code");
    assert_eq!((sent.to, sent.value, sent.data), (shown.to, shown.value, shown.data));
}

async fn a_grave_warning_must_be_acknowledged_and_the_code_stays_good(world: World) {
    let human = Human::with_everything(&world).await;
    let zero = alloy::primitives::Address::ZERO;
    let what = Send::transfer(human.address, zero, U256::from(1));
    let (fresh, password) = (human.code(), Secret::from(PASSWORD));
    let refused = human.client.send(&what, &password, &fresh).await.expect_err("nobody owns that address");
    assert_eq!(refused.code().expect("a problem").as_str(), "acknowledgement_required");
    let shown = refused.transaction().expect("what is warned of");
    assert!(shown.warnings.iter().any(|warning| warning.code == "zero_address"));
    let other = what.clone().acknowledge(["would_revert"]);
    assert_eq!(code(human.client.send(&other, &password, &fresh).await), "acknowledgement_required");
    // What was accepted must have been seen: the digest says what that was.
    let accepted = what.acknowledge(["zero_address"]);
    assert_eq!(code(human.client.send(&accepted, &password, &fresh).await), "invalid_request");
    let teller = Teller::new(&world, &human).await;
    let body = json!({
        "to_address": zero, "amount": "1", "acknowledge": ["zero_address"], "digest": shown.digest,
        "mfa_code": fresh.expose(),
    });
    let (status, sent) = teller.transfer(body).await;
    assert_eq!((status, &sent["digest"]), (201, &json!(shown.digest)), "the same code, and at once: {sent}");
}

/// Sends as any HTTP client does.
struct Teller<'world> {
    world: &'world World,
    human: &'world Human,
    token: String,
}

impl<'world> Teller<'world> {
    async fn new(world: &'world World, human: &'world Human) -> Self {
        Self { world, human, token: log_in(world, human).await }
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = reqwest::Client::new().post(format!("{}/api/{path}", self.world.url)).json(body);
        let answer = request.bearer_auth(&self.token).send().await.expect("the server answers");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    async fn preview(&self, to: Address, wei: u128) -> Value {
        let action = json!({ "type": "transfer", "to_address": to, "amount": wei.to_string() });
        let (status, shown) =
            self.post("preview_transaction", &json!({ "address": self.human.address, "action": action })).await;
        assert_eq!(status, 200, "{shown}");
        shown
    }

    /// `body` has what differs: `to_address`, `amount`, and perhaps `digest`, `acknowledge`, `mfa_code`.
    async fn transfer(&self, mut body: Value) -> (u16, Value) {
        body["address"] = json!(self.human.address);
        body["password"] = json!(PASSWORD);
        if body["mfa_code"].is_null() {
            body["mfa_code"] = json!(self.human.code().expose());
        }
        self.post("transfer", &body).await
    }
}

fn warned(transaction: &Value) -> Vec<&str> {
    let warnings = transaction["warnings"].as_array().expect("a list").iter();
    warnings.map(|warning| warning["code"].as_str().expect("a code")).collect()
}

async fn what_is_sent_is_what_was_shown(world: World) {
    let human = Human::with_everything(&world).await;
    let (teller, to) = (Teller::new(&world, &human).await, stranger());
    let shown = teller.preview(to, 5).await;
    let send = |wei: u128| json!({ "to_address": to, "amount": wei.to_string(), "digest": shown["digest"] });
    let (status, refused) = teller.transfer(send(6)).await;
    assert_eq!((status, &refused["code"]), (409, &json!("digest_mismatch")));
    let (status, sent) = teller.transfer(send(5)).await;
    assert_eq!(status, 201, "{sent}");
    for field in ["transaction_id", "digest", "gas_limit", "max_fee_per_gas", "max_priority_fee_per_gas", "expires_at"]
    {
        assert_eq!(sent[field], shown[field], "{field}");
    }
    // What was shown once is sent once, whatever becomes of the answer.
    let (status, again) = teller.transfer(send(5)).await;
    assert_eq!((status, &again["transaction_id"]), (200, &shown["transaction_id"]));
    let id = shown["transaction_id"].as_str().expect("an id").parse().expect("an id");
    human.client.wait_until_confirmed(id).await.expect("the node mines");
    assert_eq!(world.balance(to).await, U256::from(5));
}

async fn a_digest_is_good_for_its_user_and_for_15_minutes(world: World) {
    let (ada, eve) = (Human::with_everything(&world).await, Human::with_everything(&world).await);
    let to = stranger();
    let (of_ada, of_eve) = (Teller::new(&world, &ada).await, Teller::new(&world, &eve).await);
    let shown = of_ada.preview(to, 5).await;
    let send = || json!({ "to_address": to, "amount": "5", "digest": shown["digest"] });
    let never = json!({ "to_address": to, "amount": "5", "digest": alloy::primitives::B256::repeat_byte(7) });
    for refused in [of_eve.transfer(send()).await, of_ada.transfer(never).await] {
        assert_eq!((refused.0, &refused.1["code"]), (409, &json!("digest_mismatch")));
    }
    world.pass(Duration::from_secs(15 * 60));
    let (status, refused) = of_ada.transfer(send()).await;
    assert_eq!((status, &refused["code"]), (409, &json!("digest_mismatch")));
    assert_eq!(world.balance(to).await, U256::ZERO);
}

async fn only_a_users_newest_drafts_are_kept(world: World) {
    let human = Human::with_everything(&world).await;
    let (teller, to) = (Teller::new(&world, &human).await, stranger());
    let mut shown = Vec::new();
    for wei in 1..=21 {
        shown.push(teller.preview(to, wei).await);
    }
    let send = |wei: usize| json!({ "to_address": to, "amount": wei.to_string(), "digest": shown[wei - 1]["digest"] });
    assert_eq!(teller.transfer(send(1)).await.1["code"], "digest_mismatch");
    assert_eq!(teller.transfer(send(2)).await.0, 201);
    assert_eq!(teller.transfer(send(21)).await.0, 201);
}

async fn what_costs_more_than_was_shown_is_shown_again(world: World) {
    let human = Human::with_everything(&world).await;
    let (teller, to) = (Teller::new(&world, &human).await, stranger());
    let shown = teller.preview(to, 1_000).await;
    assert!(!warned(&shown).contains(&"excessive_fee"), "{shown}");
    // 4000 gwei: 0.7 ether at worst for 1000 wei, of a wallet that holds 10.
    world.rpc("anvil_setNextBlockBaseFeePerGas", json!(["0x3a352944000"])).await;
    world.rpc("evm_mine", json!([])).await;
    let send = |digest: &Value| json!({ "to_address": to, "amount": "1000", "digest": digest });
    let (status, refused) = teller.transfer(send(&shown["digest"])).await;
    assert_eq!((status, &refused["code"]), (409, &json!("preview_changed")), "{refused}");
    let fresh = &refused["transaction"];
    assert!(warned(fresh).contains(&"excessive_fee"), "{fresh}");
    // The fresh one is kept, and its warning must be accepted; without having looked nothing dear is sent either.
    for digest in [&fresh["digest"], &Value::Null] {
        let mut body = send(digest);
        if digest.is_null() {
            body.as_object_mut().expect("an object").remove("digest");
        }
        let (status, refused) = teller.transfer(body).await;
        assert_eq!((status, &refused["code"]), (409, &json!("acknowledgement_required")), "{refused}");
    }
    assert_eq!(world.balance(to).await, U256::ZERO);
    let mut accepted = send(&fresh["digest"]);
    accepted["acknowledge"] = json!(["excessive_fee"]);
    let (status, sent) = teller.transfer(accepted).await;
    assert_eq!(status, 201, "{sent}");
}

async fn what_has_got_worse_since_it_was_shown_is_shown_again(world: World) {
    let human = Human::with_everything(&world).await;
    let (teller, to) = (Teller::new(&world, &human).await, stranger());
    let shown = teller.preview(to, 5).await;
    sent(&human, Send::transfer(human.address, to, U256::from(5))).await;
    // Meanwhile it was paid by other means.
    let body = json!({ "to_address": to, "amount": "5", "digest": shown["digest"] });
    let (status, refused) = teller.transfer(body).await;
    assert_eq!((status, &refused["code"]), (409, &json!("preview_changed")), "{refused}");
    assert!(warned(&refused["transaction"]).contains(&"identical_to_recent"), "{refused}");
}

async fn a_send_that_would_fail_is_refused_with_its_reason(world: World) {
    let human = Human::with_everything(&world).await;
    let token = Token::deploy_for(&world, human.address, U256::from(10)).await;
    let too_much = Send::transfer_erc20(human.address, token.address, stranger(), U256::from(11));
    let refused = send(&human, &too_much).await.expect_err("it holds less");
    assert_eq!(refused.code().expect("a problem").as_str(), "simulation_failed");
    assert!(refused.revert_reason().expect("the contract's words").contains("ERC20InsufficientBalance"));
    let too_dear = Send::transfer(human.address, stranger(), U256::from(11 * ETHER));
    assert_eq!(code(send(&human, &too_dear).await), "insufficient_funds");
    assert_eq!(world.account(human.address).await.nonce, 0);
}

async fn a_send_waits_behind_what_an_agent_may_still_execute(world: World) {
    let human = Human::with_everything(&world).await;
    let approved = human.approved(stranger(), 1).await;
    let sent = send(&human, &Send::transfer(human.address, stranger(), U256::from(2))).await;
    let sent = sent.expect("its owner with a fresh code");
    assert_eq!((approved.nonce, sent.nonce), (Some(0), Some(1)));
    human.agent.execute(approved.transaction_id).await.expect("it is approved");
    let confirmed = human.client.wait_until_confirmed(sent.transaction_id).await.expect("the node mines");
    assert_eq!(confirmed.status, Status::Confirmed);
    assert_eq!(world.account(human.address).await.nonce, 2);
}

async fn a_user_may_cancel_their_own_send(world: World) {
    let human = Human::with_everything(&world).await;
    world.rpc("evm_setAutomine", json!([false])).await;
    let to = stranger();
    let sent = send(&human, &Send::transfer(human.address, to, U256::from(2))).await;
    let id = sent.expect("its owner with a fresh code").transaction_id;
    assert!(human.client.cancel(id).await.expect("its owner").cancelling);
    world.rpc("evm_setIntervalMining", json!([1])).await;
    let ended = human.client.wait_until_confirmed(id).await.expect("the node mines");
    assert!(matches!(ended.status, Status::Cancelled | Status::Confirmed), "{:?}", ended.status);
    assert_eq!(world.balance(to).await.is_zero(), ended.status == Status::Cancelled);
}
