//! Registering, logging in and out.

use std::time::Duration;

use agent_sdk::{Secret, UserClient};

use wallet_server::keys::{Claims, SessionSecret};

use crate::harness::{Human, PASSWORD, World, code, log_in, on_both_databases};

on_both_databases!(
    a_username_is_taken_once_in_any_case,
    a_weak_password_is_refused,
    a_wrong_name_and_a_wrong_password_look_alike,
    guessing_passwords_is_limited_and_the_limit_ends,
    a_session_ends_at_logout_and_after_its_time,
    a_token_without_its_session_row_is_nothing,
    a_signed_token_with_another_session_secret_is_nothing,
    an_unknown_name_costs_what_a_known_one_costs,
);

async fn a_username_is_taken_once_in_any_case(world: World) {
    let client = world.user_client();
    client.register("Ada", &PASSWORD.into()).await.expect("a new name");
    assert_eq!(code(client.register("aDA", &PASSWORD.into()).await), "username_taken");
}

async fn a_weak_password_is_refused(world: World) {
    let client = world.user_client();
    for password in ["short", "aaaaaaaaaaaaaaaa", "adalovelace1815"] {
        assert_eq!(code(client.register("adalovelace1815", &password.into()).await), "weak_password");
    }
}

async fn a_wrong_name_and_a_wrong_password_look_alike(world: World) {
    let client = world.user_client();
    client.register("ada", &PASSWORD.into()).await.expect("a new name");
    let wrong_password = client.login("ada", &"some other password".into()).await.expect_err("it is wrong");
    let wrong_name = client.login("eve", &PASSWORD.into()).await.expect_err("there is no such name");
    let shown = |error: &agent_sdk::Error| {
        let problem = error.problem().expect("a problem document");
        (problem.status, problem.code.as_str().to_owned(), problem.detail.clone())
    };
    assert_eq!(shown(&wrong_password), shown(&wrong_name));
    assert_eq!(shown(&wrong_name).1, "invalid_credentials");
}

async fn guessing_passwords_is_limited_and_the_limit_ends(world: World) {
    let client = UserClient::builder(world.url.as_str()).attempts(1).build().expect("a loopback URL");
    client.register("ada", &PASSWORD.into()).await.expect("a new name");
    let guesses = world.state.policy.attempts;
    for _ in 0..guesses {
        assert_eq!(code(client.login("ada", &"some other password".into()).await), "invalid_credentials");
    }
    let refused = client.login("ada", &PASSWORD.into()).await.expect_err("even the right one");
    assert_eq!(refused.code().expect("a problem").as_str(), "rate_limited");
    assert!(refused.retry_after().is_some_and(|wait| wait > Duration::from_secs(600)));
    world.pass(world.state.policy.attempts_window);
    client.login("ada", &PASSWORD.into()).await.expect("the window is over");
}

async fn a_session_ends_at_logout_and_after_its_time(world: World) {
    let client = world.user_client();
    client.register("ada", &PASSWORD.into()).await.expect("a new name");
    let first = client.login("ada", &PASSWORD.into()).await.expect("the right password");
    let kept = UserClient::with_token(world.url.as_str(), first.access_token).expect("a loopback URL");
    kept.me().await.expect("a session");
    client.logout().await.expect("a session");
    assert_eq!(code(kept.me().await), "unauthenticated");
    client.login("ada", &PASSWORD.into()).await.expect("the right password");
    world.pass(world.state.policy.session_lifetime);
    assert_eq!(code(client.me().await), "unauthenticated");
}

async fn a_token_without_its_session_row_is_nothing(world: World) {
    let human = Human::without_funds(&world).await;
    let other = world.user_client();
    let login = other.login(&human.username, &Secret::from(PASSWORD)).await.expect("the right password");
    other.logout().await.expect("a session");
    // The signature is still good and the time is not over; only the row is gone.
    let replayed = UserClient::with_token(world.url.as_str(), login.access_token).expect("a loopback URL");
    assert_eq!(code(replayed.wallets(agent_sdk::Paging::new()).await), "unauthenticated");
    human.client.me().await.expect("another session of the same user goes on");
}

/// Asks who one is with a token.
async fn me(world: &World, token: &str) -> u16 {
    let request = reqwest::Client::new().get(format!("{}/api/me", world.url)).bearer_auth(token);
    request.send().await.expect("the server answers").status().as_u16()
}

async fn a_signed_token_with_another_session_secret_is_nothing(world: World) {
    let human = Human::without_funds(&world).await;
    let token = log_in(&world, &human).await;
    assert_eq!(me(&world, &token).await, 200);
    let (tokens, now) = (&world.state.keys.tokens, world.state.clock.now());
    let claims = tokens.verify(&token, now).expect("its own");
    // Whoever has the signing key and knows the session still lacks what only its token holds.
    let forged = tokens.issue(&Claims { session_secret: SessionSecret::generate(), ..claims });
    assert_eq!(me(&world, forged.expose()).await, 401);
}

async fn an_unknown_name_costs_what_a_known_one_costs(world: World) {
    let client = world.user_client();
    client.register("ada", &PASSWORD.into()).await.expect("a new name");
    let kdf = &world.state.keys.kdf;
    let mut costs = Vec::new();
    for name in ["ada", "eve"] {
        let before = kdf.runs();
        assert_eq!(code(client.login(name, &"some other password".into()).await), "invalid_credentials");
        costs.push(kdf.runs() - before);
    }
    assert_eq!(costs, [1, 1], "one derivation each");
}
