//! Published files, and files that are no good.

use alloy::primitives::hex;

use super::*;

/// The private key in the files below.
const SECRET: [u8; 32] = hex!("7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d");

/// The test vectors of the Web3 Secret Storage definition; the passphrase is `testpassword`.
fn pbkdf2_file() -> Value {
    json!({
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": { "iv": "6087dab2f9fdbbfaddc31a909735c1e6" },
            "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
            "kdf": "pbkdf2",
            "kdfparams": { "c": 262144, "dklen": 32, "prf": "hmac-sha256",
                "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd" },
            "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"
        },
        "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
        "version": 3
    })
}

fn scrypt_file() -> Value {
    json!({
        "Crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": { "iv": "83dbcc02d8ccb40e466191a123791e0e" },
            "ciphertext": "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
            "kdf": "scrypt",
            "kdfparams": { "dklen": 32, "n": 262144, "r": 1, "p": 8,
                "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19" },
            "mac": "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"
        },
        "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
        "version": 3,
        "x-ethers": { "client": "ethers/6" }
    })
}

async fn opened(file: &Value, passphrase: &str) -> Result<WalletKey, KeystoreError> {
    let passphrase = passphrase.parse().expect("short enough");
    import(&Kdf::new(1, 0), file, &passphrase).await.expect("idle")
}

#[tokio::test]
async fn the_published_files_open_with_their_passphrase_and_no_other() {
    for file in [pbkdf2_file(), scrypt_file()] {
        assert_eq!(opened(&file, "testpassword").await.expect("its own").secret().expose(), &SECRET);
        assert_eq!(opened(&file, "testpassworD").await.err(), Some(KeystoreError::WrongPassphrase));
    }
}

#[tokio::test]
async fn what_is_exported_opens_again_and_is_never_the_same_twice() {
    let (kdf, key) = (Kdf::new(1, 0), WalletKey::generate());
    let passphrase = "correct horse battery staple".parse().expect("short enough");
    let file = export(&kdf, &key, &passphrase).await.expect("idle");
    let again = export(&kdf, &key, &passphrase).await.expect("idle");
    assert_ne!(file["crypto"]["ciphertext"], again["crypto"]["ciphertext"]);
    assert_eq!(file["version"], 3);
    assert_eq!(file["address"], hex::encode(key.address().as_bytes()));
    assert!(!file.to_string().contains(&hex::encode(key.secret().expose())));
    let opened = import(&kdf, &file, &passphrase).await.expect("idle").expect("its own");
    assert_eq!(opened.secret().expose(), key.secret().expose());
}

#[tokio::test]
async fn a_file_that_names_another_address_or_was_changed_is_refused() {
    let mut file = pbkdf2_file();
    file["address"] = "008aeeda4d805471df9b2a5b0f38a0c3bcba786b".into();
    assert!(opened(&file, "testpassword").await.is_ok());
    file["address"] = "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b".into();
    assert!(opened(&file, "testpassword").await.is_ok());
    file["address"] = "118aeeda4d805471df9b2a5b0f38a0c3bcba786b".into();
    assert_eq!(opened(&file, "testpassword").await.err(), Some(KeystoreError::WrongKey));
    let mut file = pbkdf2_file();
    file["crypto"]["ciphertext"] = "00".repeat(32).into();
    assert_eq!(opened(&file, "testpassword").await.err(), Some(KeystoreError::WrongPassphrase));
}

#[tokio::test]
async fn what_costs_too_much_is_refused_before_it_is_paid() {
    for params in [
        json!({ "n": 524_288, "r": 8, "p": 1 }),
        json!({ "n": 262_144, "r": 8, "p": 3 }),
        json!({ "n": 1_u64 << 62, "r": 8, "p": 1 }),
        json!({ "n": 2, "r": u32::MAX, "p": u32::MAX }),
        json!({ "n": 2, "r": 1, "p": 1 << 22 }),
    ] {
        let mut file = scrypt_file();
        for (name, value) in params.as_object().expect("an object") {
            file["Crypto"]["kdfparams"][name] = value.clone();
        }
        assert_eq!(opened(&file, "testpassword").await.err(), Some(KeystoreError::TooExpensive), "{params}");
    }
    let mut file = pbkdf2_file();
    file["crypto"]["kdfparams"]["c"] = 2_000_001.into();
    assert_eq!(opened(&file, "testpassword").await.err(), Some(KeystoreError::TooExpensive));
}

#[tokio::test]
async fn what_is_no_such_file_is_refused() {
    let crypto = |path: &[&str], value: Value| {
        let mut file = pbkdf2_file();
        let mut place = &mut file;
        for name in path {
            place = &mut place[*name];
        }
        *place = value;
        file
    };
    for file in [
        json!({}),
        json!([]),
        json!("secret"),
        crypto(&["version"], json!(4)),
        crypto(&["crypto", "cipher"], json!("aes-128-cbc")),
        crypto(&["crypto", "kdf"], json!("argon2")),
        crypto(&["crypto", "kdfparams", "prf"], json!("hmac-sha1")),
        crypto(&["crypto", "kdfparams", "c"], json!(0)),
        crypto(&["crypto", "kdfparams", "dklen"], json!(16)),
        crypto(&["crypto", "kdfparams", "salt"], json!("")),
        crypto(&["crypto", "kdfparams", "salt"], json!("zz")),
        crypto(&["crypto", "cipherparams", "iv"], json!("00")),
        crypto(&["crypto", "ciphertext"], json!("00".repeat(33))),
        crypto(&["crypto", "mac"], json!("")),
        crypto(&["address"], json!("12")),
    ] {
        assert_eq!(opened(&file, "testpassword").await.err(), Some(KeystoreError::Malformed), "{file}");
    }
    let mut odd = scrypt_file();
    odd["Crypto"]["kdfparams"]["n"] = 1000.into();
    assert_eq!(opened(&odd, "testpassword").await.err(), Some(KeystoreError::Malformed));
}
