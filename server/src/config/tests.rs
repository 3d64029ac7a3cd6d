use std::collections::HashMap;

use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    Config::read(&Settings::from(|name| variables.get(name).map(ToString::to_string))?)
}

const SECRET: (&str, &str) = ("API_SECRET", "2222222222222222222222222222222222222222222222222222222222222222");
const NODE: (&str, &str) = ("WEB3_PROVIDER_URI", "http://user:hidden@127.0.0.1:8545");

#[test]
fn a_master_secret_and_a_node_are_enough() {
    let config = read(&[SECRET, NODE]).expect("complete");
    assert_eq!(config.listen, "127.0.0.1:8080");
    assert_eq!(config.policy.session_lifetime, Duration::from_secs(1_800));
    assert!(!config.docs);
    assert!(matches!(config.chains, ChainSource::Ask { .. }));
}

#[test]
fn what_is_missing_or_wrong_is_named_and_its_value_is_not() {
    for (variables, expected) in [
        (vec![NODE], "API_SECRET"),
        (vec![SECRET], "WEB3_PROVIDER_URI"),
        (vec![SECRET, NODE, ("JWT_ACCESS_TOKEN_EXPIRES", "soonish")], "JWT_ACCESS_TOKEN_EXPIRES"),
        (vec![SECRET, NODE, ("JWT_ACCESS_TOKEN_EXPIRES", "2d")], "JWT_ACCESS_TOKEN_EXPIRES"),
        (vec![SECRET, NODE, ("CHAIN_ID", "zero")], "CHAIN_ID"),
        (vec![SECRET, ("CHAINS", "1=http://hidden,1=http://hidden")], "CHAINS"),
        (vec![SECRET, NODE, ("CHAINS", "1=http://hidden")], "CHAINS"),
        (vec![SECRET, NODE, ("TLS_KEY_FILE", "hidden.pem")], "TLS_CERTIFICATE_FILE"),
        (vec![SECRET, NODE, ("API_SECRET_FILE", "hidden")], "API_SECRET"),
    ] {
        let error = read(&variables).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("hidden") && !error.contains("soonish"), "{error}");
    }
}

#[test]
fn several_chains_are_read() {
    let config = read(&[SECRET, ("CHAINS", "1=http://one, 8453=https://two/key")]).expect("complete");
    let ChainSource::Known(chains) = config.chains else { panic!("they are listed") };
    assert_eq!(chains.iter().map(|chain| chain.id.get()).collect::<Vec<_>>(), [1, 8453]);
}

#[test]
fn a_file_of_chains_is_read_instead_of_a_list() {
    let path = std::env::temp_dir().join(format!("chains-{}.toml", uuid::Uuid::now_v7()));
    std::fs::write(&path, "[[chain]]\nid = 5\n[[chain.endpoint]]\nname = \"own\"\nurl = \"http://hidden\"\n")
        .expect("a place for files");
    let file = path.display().to_string();
    let config = read(&[SECRET, ("CHAINS_FILE", &file)]).expect("complete");
    let ChainSource::Known(chains) = &config.chains else { panic!("they are listed") };
    assert_eq!((chains[0].id.get(), chains[0].endpoints[0].name.as_str()), (5, "own"));
    assert!(!format!("{config:?}").contains("hidden"));
    let twice = read(&[SECRET, ("CHAINS_FILE", &file), ("CHAINS", "1=http://hidden")]).expect_err("one of them");
    assert!(twice.to_string().contains("CHAINS_FILE") && !twice.to_string().contains("hidden"));
    std::fs::remove_file(path).expect("it is there");
}

#[test]
fn no_secret_is_shown() {
    let settings = Settings::from(|name| match name {
        "DATABASE_URL" => Some("postgres://user:hidden@db/wallet".to_owned()),
        name if name == NODE.0 => Some(NODE.1.to_owned()),
        name if name == SECRET.0 => Some(SECRET.1.to_owned()),
        _ => None,
    })
    .expect("no doubles");
    for setting in SETTINGS {
        let (shown, _) = settings.shown(setting);
        assert!(!shown.contains("hidden") && !shown.contains("2222"), "{}", setting.name);
    }
    let debug = format!("{settings:?} {:?}", Config::read(&settings).expect("complete"));
    assert!(!debug.contains("hidden") && !debug.contains("2222"), "{debug}");
}

#[test]
fn the_example_file_names_every_setting() {
    let example = include_str!("../../../.env.example");
    for setting in SETTINGS {
        assert!(example.contains(&format!("{}=", setting.name)), "{} is missing in .env.example", setting.name);
    }
}
