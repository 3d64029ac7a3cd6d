//! `wallet-server chains check`: tries every endpoint, and says what each can and cannot do.

use std::fmt::Write;

use wallet_server::{
    chain::{self, Abilities, ChainSettings, EndpointCheck},
    config::{ChainSource, Settings},
};

use crate::Failure;

/// The report, and whether every endpoint can serve. `path` names a file as `CHAINS_FILE` does; none: the settings.
///
/// Fails when the settings are wrong.
pub(crate) async fn chains(path: Option<&str>) -> Result<(String, bool), Failure> {
    let source = match path {
        Some(path) => ChainSource::read_file(path)?,
        None => ChainSource::read(&Settings::from_environment()?)?,
    };
    let chains = match source {
        ChainSource::Known(chains) => chains,
        ChainSource::Ask { url, request_timeout, finality } => {
            let id = chain::Chain::discover(&url, request_timeout).await?;
            vec![ChainSettings { request_timeout, finality, ..ChainSettings::new(id, url) }]
        }
    };
    let (mut report, mut serve) = (String::new(), true);
    for chain in &chains {
        let checks = chain::check(chain).await;
        serve &= checks.iter().all(|check| check.outcome.is_ok());
        write!(report, "{}", of_chain(chain, &checks))?;
    }
    Ok((report, serve))
}

fn of_chain(chain: &ChainSettings, checks: &[EndpointCheck]) -> String {
    let name = chain.name.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    rows.extend(checks.iter().filter_map(|check| Some(row(&check.name, check.outcome.as_ref().ok()?))));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    let line = |row: &[String; COLUMNS]| {
        let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("  {}\n", cells.join("  ").trim_end())
    };
    let mut report = format!("chain {}{name}\n", chain.id);
    if rows.len() > 1 {
        rows.iter().for_each(|row| report.push_str(&line(row)));
    }
    for EndpointCheck { name, outcome } in checks {
        match outcome {
            Ok(abilities) => {
                abilities.lacks().iter().for_each(|lack| report.push_str(&format!("  {name}: {lack}\n")));
            }
            Err(why) => report.push_str(&format!("  {name}: cannot serve: {why}\n")),
        }
    }
    report.push('\n');
    report
}

const COLUMNS: usize = 11;
const HEADINGS: [&str; COLUMNS] =
    ["endpoint", "client", "head", "age", "latency", "final", "batch", "simulate", "trace", "state", "fees"];

fn row(name: &str, abilities: &Abilities) -> [String; COLUMNS] {
    let Abilities { client, head, head_age, latency, final_height, batch_size, simulates, traces, .. } = abilities;
    let yes = |is_so: bool| if is_so { "yes" } else { "no" }.to_owned();
    let client = client.as_deref().unwrap_or("?").split('/').take(2).collect::<Vec<_>>().join("/");
    [
        name.to_owned(),
        client.chars().take(20).collect(),
        head.to_string(),
        head_age.map_or_else(|| "?".to_owned(), |age| format!("{} s", age.as_secs())),
        format!("{} ms", latency.as_millis()),
        final_height.map_or_else(|| "no".to_owned(), |height| format!("-{}", head.saturating_sub(height))),
        batch_size.to_string(),
        yes(*simulates),
        yes(*traces),
        yes(abilities.has_final_state),
        yes(abilities.has_fee_history),
    ]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use wallet_server::value::{ChainId, Secret};

    use super::*;

    #[test]
    fn the_report_tells_what_each_lack_means_and_no_url() {
        let abilities = Abilities {
            client: Some("Geth/v1.16.0-stable/linux-amd64/go1.24".to_owned()),
            head: 1_000,
            head_age: Some(Duration::from_secs(7)),
            latency: Duration::from_millis(42),
            final_height: Some(936),
            batch_size: 50,
            simulates: true,
            traces: true,
            has_final_state: true,
            knows_absence: true,
            has_fee_history: true,
        };
        let poor =
            Abilities { simulates: false, traces: false, final_height: None, batch_size: 1, ..abilities.clone() };
        let chain = ChainSettings::new(ChainId::new(1).expect("in range"), Secret::new("http://hidden".to_owned()));
        let checks = [
            EndpointCheck { name: "own".to_owned(), outcome: Ok(abilities) },
            EndpointCheck { name: "free".to_owned(), outcome: Ok(poor) },
            EndpointCheck { name: "gone".to_owned(), outcome: Err("no connection".to_owned()) },
        ];
        let report = of_chain(&chain, &checks);
        let lines: Vec<&str> = report.lines().collect();
        assert_eq!(lines[0], "chain 1");
        assert_eq!(
            lines[2],
            "  own       Geth/v1.16.0-stable  1000  7 s  42 ms    -64    50     yes       yes    yes    yes"
        );
        assert!(
            report.contains("  free: it can neither simulate") && report.contains("  free: it names no final block")
        );
        assert!(report.contains("  gone: cannot serve: no connection"));
        assert!(!report.contains("hidden") && lines.iter().all(|line| line.len() <= 120), "{report}");
    }
}
