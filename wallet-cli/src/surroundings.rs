//! The names around a transaction: of its chain, its wallet and its agent.

use agent_sdk::{Paging, Transaction, UserClient};

use crate::exit::Failure;
use crate::text::clean;

/// Names for what a transaction holds only the ids of. Already harmless to print.
pub(crate) struct Surroundings {
    /// The chain's name.
    pub(crate) chain: String,
    /// The symbol of the chain's native coin.
    pub(crate) symbol: String,
    /// The user's label for the sending wallet.
    pub(crate) wallet_label: Option<String>,
    /// The name of the agent that asked.
    pub(crate) agent_name: Option<String>,
}

impl Surroundings {
    /// Looks the names up.
    ///
    /// Fails when the server cannot be asked or refuses.
    pub(crate) async fn of(
        client: &UserClient,
        transaction: &Transaction,
    ) -> Result<Self, Failure> {
        let chains = client.chains().await?;
        let chain = chains
            .into_iter()
            .find(|chain| chain.chain_id == transaction.chain_id);
        let (chain, symbol) = match chain {
            Some(chain) => (clean(&chain.name), clean(&chain.symbol)),
            None => ("unknown chain".to_owned(), "coins".to_owned()),
        };
        let wallet_label = wallet_label(client, transaction).await?;
        let agent_name = agent_name(client, transaction).await?;
        Ok(Self {
            chain,
            symbol,
            wallet_label,
            agent_name,
        })
    }
}

/// The label of the sending wallet, if the user gave it one.
async fn wallet_label(
    client: &UserClient,
    transaction: &Transaction,
) -> Result<Option<String>, Failure> {
    let mut paging = Paging::new().limit(100);
    loop {
        let page = client.wallets(paging).await?;
        if let Some(wallet) = page
            .items
            .into_iter()
            .find(|wallet| wallet.address == transaction.address)
        {
            return Ok(wallet.label.as_deref().map(clean));
        }
        match page.next_cursor {
            Some(cursor) => paging = Paging::new().limit(100).cursor(cursor),
            None => return Ok(None),
        }
    }
}

/// The name of the agent that asked, if an agent did.
async fn agent_name(
    client: &UserClient,
    transaction: &Transaction,
) -> Result<Option<String>, Failure> {
    let Some(agent_id) = transaction.agent_id else {
        return Ok(None);
    };
    let mut paging = Paging::new().limit(100);
    loop {
        let page = client.agents(paging).await?;
        if let Some(agent) = page
            .items
            .into_iter()
            .find(|agent| agent.agent_id == agent_id)
        {
            return Ok(Some(clean(&agent.name)));
        }
        match page.next_cursor {
            Some(cursor) => paging = Paging::new().limit(100).cursor(cursor),
            None => return Ok(None),
        }
    }
}
