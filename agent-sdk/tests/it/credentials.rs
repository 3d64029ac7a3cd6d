use agent_sdk::{AgentClient, Error, Secret, UserClient};

use crate::scripted::{API_KEY, Answer, Scripted, header, problem};

const LOGIN: &str = r#"{
    "access_token": "new.token.here", "token_type": "Bearer", "expires_at": "2026-11-23T10:30:00Z",
    "user_id": "0197a3c1-0000-7000-8000-000000000001", "mfa_enabled": false
}"#;

#[tokio::test]
async fn an_agent_sends_its_api_key_and_a_user_a_bearer_token() {
    let empty = || Answer::Say(200, "", r#"{"items": []}"#.into());
    let server = Scripted::new(vec![empty(), empty()]).await;
    server.agent().chains().await.expect("chains");
    server.user().chains().await.expect("chains");

    let requests = server.requests();
    assert_eq!(header(&requests[0], "x-api-key"), Some(API_KEY));
    assert_eq!(header(&requests[0], "authorization"), None);
    assert_eq!(header(&requests[1], "authorization"), Some("Bearer a.b.c"));
    assert_eq!(header(&requests[1], "x-api-key"), None);
}

#[tokio::test]
async fn a_login_goes_out_without_the_old_token_and_its_own_is_used_from_then_on() {
    let empty = Answer::Say(200, "", r#"{"items": []}"#.into());
    let server = Scripted::new(vec![Answer::Say(200, "", LOGIN.into()), empty]).await;
    let user = server.user();
    user.login("ada", &Secret::from("a long password")).await.expect("logged in");
    user.chains().await.expect("chains");

    let requests = server.requests();
    assert_eq!(header(&requests[0], "authorization"), None);
    assert!(requests[0].ends_with(r#"{"username":"ada","password":"a long password"}"#));
    assert_eq!(header(&requests[1], "authorization"), Some("Bearer new.token.here"));
}

#[tokio::test]
async fn a_session_that_had_ended_is_logged_out_of_without_an_error() {
    let server = Scripted::new(vec![problem(401, "unauthenticated", false)]).await;
    let user = server.user();
    user.logout().await.expect("nothing left to end");
    assert!(matches!(user.me().await, Err(Error::NotLoggedIn)));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Scripted::new(vec![Answer::HangUp]).await;
    let location: &'static str = format!("location: {}/api/chains\r\n", elsewhere.url).leak();
    let server = Scripted::new(vec![Answer::Say(307, location, String::new())]).await;
    let error = server.agent().chains().await.expect_err("a redirect");
    assert!(matches!(error, Error::UnexpectedAnswer { status: 307, .. }), "{error:?}");
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn clients_and_errors_print_no_credential() {
    let client = AgentClient::new("https://wallet.example", API_KEY).expect("a client");
    assert!(!format!("{client:?}").contains("AbCd"));
    let user = UserClient::with_token("https://wallet.example", "a.b.c").expect("a client");
    assert!(!format!("{user:?}").contains("a.b.c"));

    let mistyped = API_KEY.replace("AbCd", "AbCe");
    let error = AgentClient::new("https://wallet.example", mistyped).expect_err("mistyped");
    assert!(!format!("{error:?} {error}").contains("AbCe"));
}

#[tokio::test]
async fn an_unreadable_answer_is_not_repeated_in_the_error() {
    let body = LOGIN.replace("false", "\"new.token.here\"");
    let server = Scripted::new(vec![Answer::Say(200, "", body)]).await;
    let error = server.user().login("ada", &Secret::from("a long password")).await;
    let error = error.expect_err("a login as no server writes it");
    assert!(!format!("{error:?} {error}").contains("new.token"));
}
