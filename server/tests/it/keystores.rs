//! Keys in and out, read and written by an independent implementation: Python's eth-account.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use agent_sdk::{ImportWallet, PrepareTransaction, Secret, Status, Wallet};
use alloy::primitives::{Address, U256, hex, keccak256};
use serde_json::{Value, json};

use crate::harness::{ETHER, Human, PASSWORD, World, code, code_of, on_both_databases, stranger};

on_both_databases!(
    what_is_exported_opens_elsewhere,
    a_key_made_elsewhere_pays_here,
    an_export_needs_password_and_a_fresh_code_and_a_strong_passphrase,
    a_keystore_that_does_not_open_loses_nothing,
    a_key_is_held_once,
);

const PASSPHRASE: &str = "a phrase of its own";

/// Runs a few lines of Python with eth-account, a JSON document in and one out.
fn python(program: &str, input: &Value) -> Value {
    let python = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.tools/python/bin/python"));
    assert!(python.is_file(), "Python's eth-account is missing: `scripts/install python` installs it");
    let program = format!("import json, sys\nfrom eth_account import Account\ngiven = json.load(sys.stdin)\n{program}");
    let mut child = Command::new(python)
        .args(["-c", &program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python runs");
    let mut stdin = child.stdin.take().expect("it was piped");
    stdin.write_all(input.to_string().as_bytes()).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("our own child");
    assert!(output.status.success(), "eth-account failed");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// A keystore that eth-account has made, and the address of its key.
fn made_elsewhere(kdf: &str) -> (Value, Address) {
    let made = python(
        "account = Account.create()\n\
         file = Account.encrypt(account.key, given['passphrase'], kdf=given['kdf'], iterations=given['iterations'])\n\
         print(json.dumps({'file': file, 'address': account.address}))",
        // eth-account's own defaults.
        &json!({ "passphrase": PASSPHRASE, "kdf": kdf, "iterations": if kdf == "scrypt" { 1 << 18 } else { 1_000_000 } }),
    );
    (made["file"].clone(), made["address"].as_str().and_then(|text| text.parse().ok()).expect("an address"))
}

async fn import(human: &Human, file: &Value) -> Result<Wallet, agent_sdk::Error> {
    let import = ImportWallet::new(file.clone(), PASSPHRASE).label("from elsewhere");
    human.client.import_wallet(&import, &Secret::from(PASSWORD), &human.code()).await
}

async fn what_is_exported_opens_elsewhere(world: World) {
    let human = Human::without_funds(&world).await;
    let (password, passphrase) = (Secret::from(PASSWORD), Secret::from(PASSPHRASE));
    let file = human.client.export_wallet(human.address, &password, &human.code(), &passphrase).await;
    let file = file.expect("its owner with a fresh code");
    assert_eq!(file["version"], 3);
    let opened = python(
        "key = Account.decrypt(given['file'], given['passphrase'])\n\
         print(json.dumps({'address': Account.from_key(key).address, 'key': key.hex()}))",
        &json!({ "file": file, "passphrase": PASSPHRASE }),
    );
    assert_eq!(opened["address"], human.address.to_checksum(None));
    // The bare key is nowhere in what was sent.
    let key = opened["key"].as_str().expect("hex").trim_start_matches("0x").to_owned();
    assert!(key.len() == 64 && !file.to_string().contains(&key));
}

async fn a_key_made_elsewhere_pays_here(world: World) {
    let human = Human::without_funds(&world).await;
    for kdf in ["scrypt", "pbkdf2"] {
        let (file, address) = made_elsewhere(kdf);
        // It has a history.
        world.rpc("anvil_setBalance", json!([address, format!("0x{ETHER:x}")])).await;
        world.rpc("anvil_setNonce", json!([address, "0x7"])).await;
        let wallet = import(&human, &file).await.expect("its owner with a fresh code");
        assert_eq!((wallet.address, wallet.label.as_deref()), (address, Some("from elsewhere")));
        let to = stranger();
        let asked = PrepareTransaction::transfer(to, U256::from(5)).address(address);
        let asked = human.agent.prepare(asked).await.expect("it holds as much");
        let approved = human.approve(&asked).await.expect("what it did before is known");
        assert_eq!(approved.nonce, Some(7));
        human.agent.execute(asked.transaction_id).await.expect("it is approved");
        let confirmed = human.agent.wait_until_confirmed(asked.transaction_id).await.expect("the node mines");
        assert_eq!(confirmed.status, Status::Confirmed);
        assert_eq!(world.balance(to).await, U256::from(5));
    }
}

async fn an_export_needs_password_and_a_fresh_code_and_a_strong_passphrase(world: World) {
    let (eve, human) = (Human::without_funds(&world).await, Human::without_funds(&world).await);
    let (password, passphrase) = (Secret::from(PASSWORD), Secret::from(PASSPHRASE));
    let stolen = eve.client.export_wallet(human.address, &password, &eve.code(), &passphrase).await;
    assert_eq!(code(stolen), "not_found");
    let fresh = human.code();
    let export = async |password: &Secret, code: &Secret, passphrase: &Secret| {
        human.client.export_wallet(human.address, password, code, passphrase).await
    };
    assert_eq!(code(export(&password, &fresh, &Secret::from("short")).await), "weak_password");
    assert_eq!(code(export(&Secret::from("wrong"), &fresh, &passphrase).await), "invalid_credentials");
    assert_eq!(code(export(&password, &Secret::from("000000"), &passphrase).await), "mfa_invalid");
    let other = human.client.export_wallet(stranger(), &password, &fresh, &passphrase).await;
    assert_eq!(code(other), "not_found");
    export(&password, &fresh, &passphrase).await.expect("the code is still good");
    assert_eq!(code(export(&password, &fresh, &passphrase).await), "mfa_replayed");
}

async fn a_keystore_that_does_not_open_loses_nothing(world: World) {
    let human = Human::without_funds(&world).await;
    let (file, address) = made_elsewhere("pbkdf2");
    // The code of the next step, which is good already: a busy machine takes a while over six keystores.
    human.code();
    let later = u64::try_from(world.state.clock.now().unix_seconds()).expect("after 1970") + 30;
    let (password, fresh) = (Secret::from(PASSWORD), code_of(&human.totp_secret, later));
    let with = |path: &str, value: Value| {
        let mut changed = file.clone();
        *changed.pointer_mut(path).expect("it is there") = value;
        changed
    };
    let expensive = with("/crypto/kdfparams/c", json!(2_000_001));
    let another = with("/address", json!(hex::encode(stranger())));
    let tampered = with("/crypto/ciphertext", json!(hex::encode(keccak256("x"))));
    for (file, passphrase) in [
        (file.clone(), "not its passphrase"),
        (expensive, PASSPHRASE),
        (another, PASSPHRASE),
        (tampered, PASSPHRASE),
        (json!({ "version": 3 }), PASSPHRASE),
    ] {
        let refused = human.client.import_wallet(&ImportWallet::new(file, passphrase), &password, &fresh).await;
        let refused = refused.expect_err("it does not open");
        assert_eq!(refused.code().expect("a problem").as_str(), "invalid_request");
        assert!(refused.to_string().contains("keystore: "), "{refused}");
    }
    let good = ImportWallet::new(file, PASSPHRASE).idempotency_key("my-old-wallet");
    let wallet = human.client.import_wallet(&good, &password, &fresh).await.expect("the code is still good");
    assert_eq!(wallet.address, address);
    // The answer was lost: the same request gives the same wallet.
    let again = human.client.import_wallet(&good, &Secret::from("whatever"), &Secret::from("000000")).await;
    assert_eq!(again.expect("a repeat").wallet_id, wallet.wallet_id);
}

async fn a_key_is_held_once(world: World) {
    let (ada, eve) = (Human::without_funds(&world).await, Human::without_funds(&world).await);
    let (file, _) = made_elsewhere("pbkdf2");
    import(&ada, &file).await.expect("nobody holds it");
    assert_eq!(code(import(&ada, &file).await), "wallet_exists");
    assert_eq!(code(import(&eve, &file).await), "wallet_exists");
}
