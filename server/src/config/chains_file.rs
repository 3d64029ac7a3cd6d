//! `CHAINS_FILE`: chains with several endpoints each, in TOML.

use std::{collections::BTreeSet, fmt::Display, fs, time::Duration};

use serde::Deserialize;

use super::{ConfigError, parse};
use crate::{
    chain::{ChainSettings, EndpointSettings, Finality},
    value::{ChainId, Secret},
};

const NAME: &str = "CHAINS_FILE";

/// The largest multiple of the market's price that may be shown as a cap.
const MOST_MULTIPLE: u32 = 100;
/// The largest tip that may be the least, 1000 gwei.
const MOST_LEAST_TIP: u64 = 1_000_000_000_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    chain: Vec<Chain>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Chain {
    id: u64,
    name: Option<String>,
    symbol: Option<String>,
    explorer_url: Option<String>,
    finality: Option<Words>,
    request_timeout: Option<String>,
    dead_tag_after: Option<String>,
    poll_interval: Option<String>,
    bump_after: Option<String>,
    cap_multiple: Option<u32>,
    least_tip: Option<u64>,
    endpoint: Vec<Endpoint>,
}

/// A word, or a number of blocks.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Words {
    Word(String),
    Depth(u64),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Endpoint {
    name: String,
    url: Option<Secret<String>>,
    url_file: Option<String>,
    ws_url: Option<Secret<String>>,
    ws_url_file: Option<String>,
    order: Option<u32>,
    weight: Option<u32>,
}

/// Reads the file. What a chain does not say is as `request_timeout` and `finality` have it, or as usual.
///
/// Fails with what is wrong and where, never with a part of a URL.
pub(super) fn read(
    path: &str,
    request_timeout: Duration,
    finality: Finality,
) -> Result<Vec<ChainSettings>, ConfigError> {
    let text = fs::read_to_string(path).map_err(|error| parse::invalid(NAME, error))?;
    let file: File = toml::from_str(&text).map_err(|error| parse::invalid(NAME, told(&text, &error)))?;
    let mut ids = BTreeSet::new();
    if file.chain.is_empty() {
        return Err(parse::invalid(NAME, "it has no [[chain]]"));
    }
    let chains = file.chain.into_iter().map(|chain| {
        if !ids.insert(chain.id) {
            return Err(parse::invalid(NAME, format!("chain {} is there twice", chain.id)));
        }
        chain.settings(request_timeout, finality)
    });
    chains.collect()
}

/// Where the text is wrong, and why. What it says is left out: it may hold a provider's key.
fn told(text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |span| span.start);
    let line = text.get(..at).unwrap_or(text).lines().count().max(1);
    let said: Vec<&str> = error.message().split('"').step_by(2).collect();
    format!("line {line}: {}", said.join("…"))
}

impl Chain {
    fn settings(self, request_timeout: Duration, finality: Finality) -> Result<ChainSettings, ConfigError> {
        let chain = self.id;
        let wrong = |key: &str, why: &dyn Display| parse::invalid(NAME, format!("chain {chain}: {key}: {why}"));
        let duration = |key: &'static str, text: Option<String>| match text {
            None => Ok(None),
            Some(text) => parse::duration(key, &text).map(Some).map_err(|error| wrong(key, &error)),
        };
        let id = ChainId::new(chain).map_err(|error| wrong("id", &error))?;
        let finality = match self.finality {
            None => finality,
            Some(Words::Depth(depth @ 1..=10_000)) => Finality::Depth(depth),
            Some(Words::Word(word)) if word == "tag" => Finality::Tag,
            Some(Words::Word(word)) if word == "instant" => Finality::Instant,
            Some(_) => return Err(wrong("finality", &"expected \"tag\", \"instant\", or 1 to 10000 blocks")),
        };
        if let Some(url) = &self.explorer_url
            && !url.starts_with("https://")
            && !url.starts_with("http://")
        {
            return Err(wrong("explorer_url", &"expected http:// or https://"));
        }
        if self.cap_multiple.is_some_and(|times| !(2..=MOST_MULTIPLE).contains(&times)) {
            return Err(wrong("cap_multiple", &format!("expected 2 to {MOST_MULTIPLE}")));
        }
        if self.least_tip.is_some_and(|tip| tip > MOST_LEAST_TIP) {
            return Err(wrong("least_tip", &format!("expected at most {MOST_LEAST_TIP} wei")));
        }
        let named = |text: &Option<String>, most: usize| {
            text.as_ref()
                .is_none_or(|text| (1..=most).contains(&text.chars().count()) && !text.contains(char::is_control))
        };
        if !named(&self.name, 64) || !named(&self.symbol, 16) {
            return Err(wrong("name, symbol", &"expected 1 to 64 and 1 to 16 characters"));
        }
        let usual = ChainSettings::new(id, Secret::new(String::new()));
        Ok(ChainSettings {
            name: self.name,
            symbol: self.symbol,
            explorer_url: self.explorer_url.map(|url| url.trim_end_matches('/').to_owned()),
            endpoints: endpoints(chain, self.endpoint)?,
            request_timeout: duration("request_timeout", self.request_timeout)?.unwrap_or(request_timeout),
            finality,
            dead_tag_after: duration("dead_tag_after", self.dead_tag_after)?.unwrap_or(usual.dead_tag_after),
            poll_interval: duration("poll_interval", self.poll_interval)?,
            bump_after: duration("bump_after", self.bump_after)?,
            cap_multiple: self.cap_multiple,
            least_tip: self.least_tip.map(u128::from),
            ..usual
        })
    }
}

fn endpoints(chain: u64, endpoints: Vec<Endpoint>) -> Result<Vec<EndpointSettings>, ConfigError> {
    let mut names = BTreeSet::new();
    if endpoints.is_empty() {
        return Err(parse::invalid(NAME, format!("chain {chain} has no [[chain.endpoint]]")));
    }
    let endpoints = endpoints.into_iter().map(|endpoint| {
        let Endpoint { name, url, url_file, ws_url, ws_url_file, order, weight } = endpoint;
        let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
        let wrong = |why: &str| parse::invalid(NAME, format!("chain {chain}: endpoint {shown}: {why}"));
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
        if name.is_empty() || name.len() > 64 || !name.chars().all(is_name) {
            return Err(parse::invalid(
                NAME,
                format!("chain {chain}: an endpoint's name has 1 to 64 letters and digits"),
            ));
        }
        if !names.insert(name.clone()) {
            return Err(wrong("it is there twice"));
        }
        let either = |key: &str, value, path: Option<String>| match (value, path) {
            (Some(_), Some(_)) => Err(wrong(&format!("expected {key} or {key}_file, not both"))),
            (value, None) => Ok(value),
            (None, Some(path)) => {
                let text = fs::read_to_string(path).map_err(|error| wrong(&format!("{key}_file: {error}")))?;
                Ok(Some(Secret::new(text.trim().to_owned())))
            }
        };
        let url = either("url", url, url_file)?.ok_or_else(|| wrong("expected url or url_file"))?;
        let ws_url = either("ws_url", ws_url, ws_url_file)?;
        let is_socket =
            |url: &Secret<String>| ["ws://", "wss://"].iter().any(|scheme| url.expose().starts_with(scheme));
        if !ws_url.as_ref().is_none_or(is_socket) {
            return Err(wrong("ws_url: expected ws:// or wss://"));
        }
        let weight = weight.unwrap_or(1);
        if !(1..=1_000).contains(&weight) {
            return Err(wrong("weight: expected 1 to 1000"));
        }
        Ok(EndpointSettings { name, url, ws_url, order: order.unwrap_or(0), weight })
    });
    endpoints.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
        [[chain]]
        id = 8453
        name = "Base"
        symbol = "ETH"
        explorer_url = "https://basescan.org/"
        finality = 30
        poll_interval = "500ms"
        bump_after = "30s"
        request_timeout = "3s"
        dead_tag_after = "1h"
        cap_multiple = 6
        least_tip = 100000

        [[chain.endpoint]]
        name = "own"
        url = "http://127.0.0.1:8545"

        [[chain.endpoint]]
        name = "paid"
        url = "https://example.org/v3/hiddenkey"
        ws_url = "wss://example.org/ws/hiddenkey"
        order = 1
        weight = 3

        [[chain]]
        id = 1337
        finality = "instant"
        [[chain.endpoint]]
        name = "validator"
        url = "http://127.0.0.1:8546"
    "#;

    fn parsed(text: &str) -> Result<Vec<ChainSettings>, String> {
        let file = tempfile(text);
        let read = read(&file, Duration::from_secs(5), Finality::Tag).map_err(|error| error.to_string());
        fs::remove_file(file).expect("it is there");
        read
    }

    fn tempfile(text: &str) -> String {
        let path = std::env::temp_dir().join(format!("chains-{}.toml", uuid::Uuid::now_v7()));
        fs::write(&path, text).expect("a place for files");
        path.display().to_string()
    }

    #[test]
    fn chains_and_endpoints_are_read_with_all_their_settings() {
        let chains = parsed(WHOLE).expect("it is right");
        let [base, own] = chains.as_slice() else { panic!("two chains") };
        assert_eq!((base.id.get(), base.name.as_deref(), base.finality), (8453, Some("Base"), Finality::Depth(30)));
        assert_eq!(base.explorer_url.as_deref(), Some("https://basescan.org"));
        assert_eq!(
            (base.poll_interval, base.bump_after),
            (Some(Duration::from_millis(500)), Some(Duration::from_secs(30)))
        );
        assert_eq!((base.request_timeout, base.dead_tag_after), (Duration::from_secs(3), Duration::from_secs(3_600)));
        assert_eq!((base.cap_multiple, base.least_tip), (Some(6), Some(100_000)));
        let [first, second] = base.endpoints.as_slice() else { panic!("two endpoints") };
        assert_eq!((first.name.as_str(), first.order, first.weight), ("own", 0, 1));
        assert_eq!((second.name.as_str(), second.order, second.weight), ("paid", 1, 3));
        assert!(first.ws_url.is_none() && second.ws_url.is_some());
        assert_eq!((own.finality, own.request_timeout), (Finality::Instant, Duration::from_secs(5)));
        assert!(!format!("{chains:?}").contains("hiddenkey"));
    }

    #[test]
    fn what_is_wrong_is_named_and_no_url_is_shown() {
        for (from, to, expected) in [
            ("id = 1337", "id = 8453", "twice"),
            ("id = 8453", "id = 0", "chain 0: id"),
            ("finality = 30", "finality = \"soon\"", "chain 8453: finality"),
            ("finality = 30", "finality = 0", "chain 8453: finality"),
            ("poll_interval = \"500ms\"", "poll_interval = \"1h\"", "chain 8453: poll_interval"),
            ("cap_multiple = 6", "cap_multiple = 1", "cap_multiple"),
            ("least_tip = 100000", "least_tip = -1", "line 13"),
            ("explorer_url = \"https", "explorer_url = \"ftp", "explorer_url"),
            ("name = \"paid\"", "name = \"own\"", "endpoint own: it is there twice"),
            ("weight = 3", "weight = 0", "weight"),
            ("ws_url = \"wss", "ws_url = \"https", "ws_url: expected ws://"),
            ("order = 1", "orders = 1", "unknown field"),
            ("url = \"https://example.org/v3/hiddenkey\"", "", "expected url or url_file"),
            ("order = 1", "order = \"https://hiddenkey\"", "line"),
            ("name = \"validator\"", "", "missing field"),
        ] {
            assert!(WHOLE.contains(from), "{from}");
            let error = parsed(&WHOLE.replace(from, to)).expect_err(expected);
            assert!(error.contains(expected), "{from} -> {to}: {error}");
            assert!(!error.contains("hiddenkey") && !error.contains("example.org"), "{error}");
        }
        assert!(parsed("chain = []").expect_err("none").contains("no [[chain]]"));
        let missing = read("/nowhere/chains.toml", Duration::from_secs(5), Finality::Tag).expect_err("no file");
        assert!(missing.to_string().contains("CHAINS_FILE"));
    }
}
