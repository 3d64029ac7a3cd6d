//! What an approval rests on, asked of every endpoint that is well: they have to agree.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::{sleep, timeout};

use super::{Account, Chain, ChainError, account::ask_account, endpoint::Endpoint};
use crate::value::Address;

/// How long the others are waited for once one has answered.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often endpoints that differ are asked: a block that has reached only one of them reaches the others soon.
const TIMES: u32 = 4;
/// How long they rest in between.
const REST: Duration = Duration::from_millis(400);

impl Chain {
    /// Nonce and balance at the latest block. Where several endpoints are well, all are asked: the nonce is the one that
    /// they agree on, or else two of them while no two say otherwise, and the balance the middle one of what those say.
    /// Fails when none can be asked, and when they go on to disagree.
    pub async fn account(&self, address: Address) -> Result<Account, ChainError> {
        let well = self.0.pool.well();
        if well.len() < 2 {
            let rpc = self.rpc().await?;
            return ask_account(rpc, address).await.map_err(|error| rpc.unavailable(error));
        }
        for time in 1.. {
            let answers = ask(&well, address).await?;
            match agreed(&answers) {
                Some(account) => return Ok(account),
                None if time < TIMES => sleep(REST).await,
                None => break,
            }
        }
        Err(ChainError::Unavailable("its endpoints disagree about the account's nonce".to_owned()))
    }
}

/// What those say that answer soon. Fails when none does.
async fn ask(endpoints: &[Arc<Endpoint>], address: Address) -> Result<Vec<Account>, ChainError> {
    let asked = endpoints.iter().map(async |endpoint| {
        let answer = ask_account(&endpoint.rpc, address).await;
        answer.map_err(|error| endpoint.rpc.unavailable(error))
    });
    let mut asked: FuturesUnordered<_> = asked.collect();
    let (mut answers, mut failed) = (Vec::new(), None);
    loop {
        let next = match answers.is_empty() {
            true => asked.next().await,
            false => timeout(PATIENCE, asked.next()).await.ok().flatten(),
        };
        match next {
            Some(Ok(account)) => answers.push(account),
            Some(Err(error)) => failed = Some(error),
            None => break,
        }
    }
    match failed {
        Some(error) if answers.is_empty() => Err(error),
        _ => Ok(answers),
    }
}

/// The account of which all, or two while no two contradict them, say the same nonce.
fn agreed(answers: &[Account]) -> Option<Account> {
    let mut by_nonce: BTreeMap<u64, Vec<&Account>> = BTreeMap::new();
    for account in answers {
        by_nonce.entry(account.nonce).or_default().push(account);
    }
    let several: Vec<_> = by_nonce.values().filter(|said| said.len() > 1).collect();
    let said = match (by_nonce.len(), several.as_slice()) {
        (1, _) => by_nonce.values().next()?,
        (_, [said]) => said,
        _ => return None,
    };
    let mut balances: Vec<_> = said.iter().map(|account| account.balance).collect();
    balances.sort_by_key(|balance| balance.0);
    Some(Account { nonce: said.first()?.nonce, balance: *balances.get(balances.len() / 2)? })
}

#[cfg(test)]
mod tests {
    use alloy::primitives::U256;

    use super::*;
    use crate::value::Wei;

    fn agreed_on(answers: &[(u64, u64)]) -> Option<(u64, u64)> {
        let answers: Vec<_> =
            answers.iter().map(|&(nonce, balance)| Account { nonce, balance: Wei(U256::from(balance)) }).collect();
        agreed(&answers).map(|account| (account.nonce, account.balance.0.to::<u64>()))
    }

    #[test]
    fn a_nonce_counts_when_all_or_two_against_one_say_it() {
        assert_eq!(agreed_on(&[(3, 10)]), Some((3, 10)), "who answers alone is not contradicted");
        assert_eq!(agreed_on(&[(3, 10), (3, 9)]), Some((3, 10)));
        assert_eq!(agreed_on(&[(3, 10), (4, 9), (3, 11), (3, 0)]), Some((3, 10)));
        assert_eq!(agreed_on(&[(3, 10), (4, 9)]), None);
        assert_eq!(agreed_on(&[(3, 1), (4, 1), (3, 1), (4, 1)]), None);
        assert_eq!(agreed_on(&[]), None);
    }
}
