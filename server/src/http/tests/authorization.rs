//! Every route with every credential.

use std::{path::PathBuf, sync::Arc};

use poem::{Endpoint, Request};

use super::{
    super::{Settings, router},
    specification::{operations, parsed},
};
use crate::{
    chain::Chains,
    domain::users,
    keys::{ApiKey, Kdf, Master, Tokens},
    state::{Keys, Nudges, Permits, Policy, Readiness, State, Troubles, Watchers},
    store::{self, Store},
    value::{AgentId, Clock, Secret, UserId},
};

/// A database file that goes with the test.
struct File(PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", self.0.display()));
        }
    }
}

async fn state() -> (State, File) {
    let path = std::env::temp_dir().join(format!("wallet-server-http-{}.sqlite", UserId::new()));
    let store = Store::connect(&Secret::new(format!("sqlite:{}", path.display())), 2).await.expect("a database");
    store::migrate_up(&store).await.expect("an empty database");
    let state = State {
        store,
        keys: Keys {
            master: Master::new(Secret::random()),
            tokens: Tokens::new(&Secret::random()),
            kdf: Kdf::new(2, 8),
        },
        chains: Chains::default(),
        clock: Clock::system(),
        policy: Arc::new(Policy::default()),
        permits: Permits::default(),
        nudges: Nudges::default(),
        troubles: Troubles::default(),
        watchers: Watchers::default(),
        readiness: Readiness::default(),
    };
    (state, File(path))
}

/// A user's access token and the key of an agent of theirs.
async fn credentials(state: &State) -> (String, String) {
    let password = || "correct horse battery".parse().expect("a password");
    let name = || "ada".parse().expect("a name");
    let user_id = users::register(state, name(), password()).await.expect("a new user").user_id;
    let token = users::login(state, name(), password()).await.expect("a login").access_token;
    let key = ApiKey::generate(AgentId::new());
    let agent = store::agents::Model {
        agent_id: key.agent_id(),
        user_id,
        name: "bot".parse().expect("a label"),
        verifier: key.verifier(&state.keys.master),
        wallets: None,
        chains: None,
        created_at: state.clock.now(),
        last_used_at: None,
        revoked_at: None,
    };
    let write = state.store.write().await.expect("a writer");
    store::agents::insert(&write, agent).await.expect("a new agent");
    write.commit().await.expect("a commit");
    (token.expose().clone(), key.text().expose().clone())
}

#[tokio::test]
async fn each_route_takes_its_own_credential_and_no_other() {
    let (state, _file) = state().await;
    let (token, key) = credentials(&state).await;
    let endpoint = router(state, Settings::default());
    let ask = async |method: &str, path: &str, headers: &[(&'static str, String)]| {
        let request = Request::builder().method(method.to_uppercase().parse().expect("a method")).uri_str(path);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        endpoint.get_response(request.finish()).await.status().as_u16()
    };
    let (bearer, header) = ("authorization", "x-api-key");
    let mut stale = token.clone();
    stale.replace_range(token.len() - 4.., "AAAA");
    // `logout` comes last: it ends the session that the others use.
    let mut operations: Vec<_> = operations(&parsed()).into_iter().collect();
    operations.sort_by_key(|(id, _)| id == "logout");
    for (id, (path, method, schemes)) in operations {
        let takes = |scheme: &str| schemes.iter().any(|taken| taken == scheme);
        if schemes.is_empty() {
            continue;
        }
        let status = async |headers: &[(&'static str, String)]| ask(&method, &path, headers).await;
        assert_eq!(status(&[]).await, 401, "{id} without");
        let both = [(bearer, format!("Bearer {token}")), (header, key.clone())];
        assert_eq!(status(&both).await, 400, "{id} with both");
        for (scheme, valid, broken) in [
            ("access_token", (bearer, format!("Bearer {token}")), (bearer, format!("Bearer {stale}"))),
            ("api_key", (header, key.clone()), (header, format!("{key}0"))),
            ("api_key", (bearer, format!("Bearer {key}")), (bearer, "Bearer wak_".to_owned())),
        ] {
            let (with_broken, with_valid) = (status(&[broken]).await, status(&[valid]).await);
            if takes(scheme) {
                assert_eq!(with_broken, 401, "{id} with a broken {scheme}");
                assert!(![401, 403].contains(&with_valid) && with_valid < 500, "{id} with {scheme}: {with_valid}");
            } else {
                assert_eq!((with_broken, with_valid), (403, 403), "{id} with {scheme}");
            }
        }
    }
}

#[tokio::test]
async fn a_credential_is_looked_at_before_the_body() {
    let (state, _file) = state().await;
    let endpoint = router(state, Settings::default());
    let request = Request::builder()
        .method(poem::http::Method::POST)
        .uri_str("/api/create_wallet")
        .content_type("text/plain")
        .body("not JSON");
    assert_eq!(endpoint.get_response(request).await.status().as_u16(), 401);
}

#[tokio::test]
async fn the_documentation_is_there_only_when_it_is_wanted() {
    let ask = async |docs: bool, path: &str| {
        let (state, _file) = state().await;
        let endpoint = router(state, Settings { docs, ..Settings::default() });
        let mut response = endpoint.get_response(Request::builder().uri_str(path).finish()).await;
        (response.status().as_u16(), response.take_body().into_string().await.expect("text"))
    };
    assert_eq!(ask(false, "/openapi.json").await, (200, crate::http::spec()));
    for path in super::super::docs::PATHS {
        assert_eq!(ask(false, path).await.0, 404, "{path}");
        assert_eq!(ask(true, path).await.0, 200, "{path}");
    }
}
