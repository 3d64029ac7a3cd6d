//! The second factor.

use agent_sdk::{CreateAgent, Secret};

use crate::harness::{Human, PASSWORD, World, code, code_of, on_both_databases, stranger};

on_both_databases!(
    nothing_is_decided_without_a_second_factor,
    a_code_is_good_for_one_decision,
    guessing_codes_is_limited,
    replacing_the_factor_takes_the_present_one,
    a_backup_code_replaces_a_lost_factor_and_blocks_decisions_until_then,
);

async fn nothing_is_decided_without_a_second_factor(world: World) {
    let client = world.user_client();
    client.register("ada", &PASSWORD.into()).await.expect("a new name");
    client.login("ada", &PASSWORD.into()).await.expect("the right password");
    assert_eq!(code(client.create_agent(CreateAgent::new("payer", "123456")).await), "mfa_required");
    client.setup_mfa(&PASSWORD.into(), None).await.expect("a first factor");
    assert_eq!(code(client.create_agent(CreateAgent::new("payer", "123456")).await), "mfa_required");
    assert!(!client.me().await.expect("a session").mfa_enabled);
}

async fn a_code_is_good_for_one_decision(world: World) {
    let human = Human::without_funds(&world).await;
    let used = human.code();
    human.client.create_agent(CreateAgent::new("one", used.clone())).await.expect("a fresh code");
    assert_eq!(code(human.client.create_agent(CreateAgent::new("two", used)).await), "mfa_replayed");
}

async fn guessing_codes_is_limited(world: World) {
    let human = Human::with_everything(&world).await;
    let transaction = human.ask(stranger(), 1).await;
    let wrong = Secret::from("000000");
    for _ in 0..world.state.policy.attempts {
        let approval = agent_sdk::Authorize::new(transaction.transaction_id, wrong.clone());
        assert_eq!(code(human.client.authorize(approval).await), "mfa_invalid");
    }
    let approval = agent_sdk::Authorize::new(transaction.transaction_id, human.code());
    assert_eq!(code(human.client.authorize(approval).await), "rate_limited");
    world.pass(world.state.policy.attempts_window);
    human.approve(&transaction).await.expect("the window is over");
}

async fn replacing_the_factor_takes_the_present_one(world: World) {
    let human = Human::without_funds(&world).await;
    let password = Secret::from(PASSWORD);
    assert_eq!(code(human.client.setup_mfa(&password, None).await), "mfa_invalid");
    assert_eq!(code(human.client.setup_mfa(&password, Some(&"000000".into())).await), "mfa_invalid");
    let setup = human.client.setup_mfa(&password, Some(&human.code())).await.expect("the present code");
    // Until it is confirmed, the old one decides.
    human.client.create_agent(CreateAgent::new("two", human.code())).await.expect("the old factor");
    human.code();
    let now = u64::try_from(world.state.clock.now().unix_seconds()).expect("after 1970");
    let codes = human.client.confirm_mfa(&code_of(setup.secret.expose(), now)).await.expect("the new code");
    assert_eq!(codes.len(), 10);
    assert_eq!(code(human.client.create_agent(CreateAgent::new("three", human.code())).await), "mfa_invalid");
}

async fn a_backup_code_replaces_a_lost_factor_and_blocks_decisions_until_then(world: World) {
    let human = Human::without_funds(&world).await;
    let password = Secret::from(PASSWORD);
    let setup = human.client.setup_mfa(&password, Some(&human.code())).await.expect("the present code");
    human.code();
    let now = || u64::try_from(world.state.clock.now().unix_seconds()).expect("after 1970");
    let codes = human.client.confirm_mfa(&code_of(setup.secret.expose(), now())).await.expect("the new code");

    let lost = human.client.setup_mfa(&password, Some(&codes[0])).await.expect("a backup code");
    assert_eq!(human.client.me().await.expect("a session").backup_codes_left, 9);
    let request = CreateAgent::new("two", code_of(setup.secret.expose(), now() + 30));
    assert_eq!(code(human.client.create_agent(request).await), "mfa_required");
    human.code();
    human.client.confirm_mfa(&code_of(lost.secret.expose(), now())).await.expect("the newest code");
    assert_eq!(code(human.client.setup_mfa(&password, Some(&codes[0])).await), "mfa_invalid");
    assert_eq!(code(human.client.setup_mfa(&password, Some(&codes[1])).await), "mfa_invalid");
}
