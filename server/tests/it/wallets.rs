//! Key pairs.

use agent_sdk::{CreateAgent, Paging, Secret};
use alloy::primitives::{Address, U256};
use reqwest::header::AUTHORIZATION;

use crate::harness::{ETHER, Human, PASSWORD, World, code, on_both_databases};

on_both_databases!(
    a_wallet_needs_its_owners_password,
    a_repeated_creation_makes_one_wallet,
    a_wallet_is_seen_by_its_owner_and_its_agents_only,
    a_list_comes_in_pages,
);

async fn a_wallet_needs_its_owners_password(world: World) {
    let human = Human::without_funds(&world).await;
    assert_eq!(code(human.client.create_wallet(&"some other password".into(), None).await), "invalid_credentials");
    let (password, address) = (Secret::from(PASSWORD), human.address);
    assert_eq!(code(human.client.load_wallet(&password, &"000000".into(), address).await), "mfa_invalid");
    let loaded = human.client.load_wallet(&password, &human.code(), address).await.expect("the owner");
    assert_eq!(loaded.balances[0].balance, Some(U256::ZERO));
}

async fn a_repeated_creation_makes_one_wallet(world: World) {
    let human = Human::without_funds(&world).await;
    let login = human.client.login(&human.username, &PASSWORD.into()).await.expect("the right password");
    let create = async |label: &str, password: &str| {
        let body = serde_json::json!({ "password": password, "label": label });
        let request = reqwest::Client::new().post(format!("{}/api/create_wallet", world.url)).json(&body);
        let request = request.header(AUTHORIZATION, format!("Bearer {}", login.access_token.expose()));
        let answer = request.header("Idempotency-Key", "wallet-1").send().await.expect("an answer");
        (answer.status().as_u16(), answer.json::<serde_json::Value>().await.expect("JSON"))
    };
    let (created, wallet) = create("second", PASSWORD).await;
    // The password is not part of what makes two requests the same, nor looked at again.
    let (repeated, same) = create("second", "some other password").await;
    assert_eq!((created, repeated), (201, 200));
    assert_eq!(wallet, same);
    let (other, problem) = create("third", PASSWORD).await;
    assert_eq!((other, problem["code"].as_str()), (422, Some("idempotency_mismatch")));
    assert_eq!(human.client.wallets(Paging::new()).await.expect("a session").items.len(), 2);
}

async fn a_wallet_is_seen_by_its_owner_and_its_agents_only(world: World) {
    let (ada, eve) = (Human::with_everything(&world).await, Human::without_funds(&world).await);
    assert_eq!(code(eve.agent.load_wallet(Some(ada.address)).await), "not_found");
    let (password, address) = (Secret::from(PASSWORD), ada.address);
    assert_eq!(code(eve.client.load_wallet(&password, &eve.code(), address).await), "not_found");
    let loaded = ada.agent.load_wallet(None).await.expect("its only wallet");
    assert_eq!((loaded.address, loaded.balances[0].balance), (ada.address, Some(U256::from(10 * ETHER))));

    let second = ada.client.create_wallet(&password, None).await.expect("the right password").address;
    assert_eq!(code(ada.agent.load_wallet(None).await), "invalid_request");
    let request = CreateAgent::new("narrow", ada.code()).wallets([second]);
    let key = ada.client.create_agent(request).await.expect("a fresh code").api_key.expect("shown once");
    let narrow = world.agent_client(key.expose());
    assert_eq!(narrow.load_wallet(None).await.expect("its only wallet").address, second);
    assert_eq!(code(narrow.load_wallet(Some(ada.address)).await), "not_found");
    assert_eq!(narrow.wallets(Paging::new()).await.expect("a key").items.len(), 1);
    let foreign = CreateAgent::new("greedy", ada.code()).wallets([eve.address]);
    assert_eq!(code(ada.client.create_agent(foreign).await), "not_found");
}

async fn a_list_comes_in_pages(world: World) {
    let human = Human::without_funds(&world).await;
    let mut made: Vec<Address> = vec![human.address];
    for _ in 0..4 {
        made.push(human.client.create_wallet(&PASSWORD.into(), None).await.expect("the right password").address);
    }
    made.reverse();
    let (mut listed, mut cursor) = (Vec::new(), None);
    loop {
        let mut paging = Paging::new().limit(2);
        if let Some(cursor) = cursor {
            paging = paging.cursor(cursor);
        }
        let page = human.client.wallets(paging).await.expect("a session");
        assert!(page.items.len() <= 2);
        listed.extend(page.items.into_iter().map(|wallet| wallet.address));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(listed, made);
    let broken = human.client.wallets(Paging::new().cursor("nonsense")).await;
    assert_eq!(code(broken), "invalid_request");
}
