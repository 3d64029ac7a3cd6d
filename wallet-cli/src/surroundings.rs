//! The names around a transaction: of its chain, its wallet and its agent.

use agent_sdk::{Error, Page, Paging, Transaction, UserClient};

use crate::exit::Failure;
use crate::text::clean;

/// As many items as the server puts on one page.
const LARGEST_PAGE: u32 = 100;

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
    pub(crate) async fn of(client: &UserClient, transaction: &Transaction) -> Result<Self, Failure> {
        let (chain, symbol) = Self::chain(client, transaction.chain_id).await?;
        let address = transaction.address;
        let wallets = async |paging| client.wallets(paging).await;
        let wallet = find(wallets, |wallet| wallet.address == address).await?;
        let agent = match transaction.agent_id {
            Some(id) => {
                let agents = async |paging| client.agents(paging).await;
                find(agents, |agent| agent.agent_id == id).await?
            }
            None => None,
        };
        Ok(Self {
            chain,
            symbol,
            wallet_label: wallet.and_then(|wallet| wallet.label).as_deref().map(clean),
            agent_name: agent.map(|agent| clean(&agent.name)),
        })
    }

    /// The name of a chain and the symbol of its coin.
    ///
    /// Fails when the server cannot be asked or refuses.
    pub(crate) async fn chain(client: &UserClient, chain_id: u64) -> Result<(String, String), Failure> {
        let chains = client.chains().await?;
        Ok(match chains.into_iter().find(|chain| chain.chain_id == chain_id) {
            Some(chain) => (clean(&chain.name), clean(&chain.symbol)),
            None => ("unknown chain".to_owned(), "coins".to_owned()),
        })
    }
}

/// The first item of a list that is the one, page by page.
async fn find<T>(
    list: impl AsyncFn(Paging) -> Result<Page<T>, Error>,
    is_it: impl Fn(&T) -> bool,
) -> Result<Option<T>, Failure> {
    let mut paging = Paging::new().limit(LARGEST_PAGE);
    loop {
        let Page { items, next_cursor, .. } = list(paging).await?;
        if let Some(found) = items.into_iter().find(&is_it) {
            return Ok(Some(found));
        }
        let Some(cursor) = next_cursor else {
            return Ok(None);
        };
        paging = Paging::new().limit(LARGEST_PAGE).cursor(cursor);
    }
}

/// All items of a list that are wanted, page by page.
///
/// Fails when the server cannot be asked or refuses.
pub(crate) async fn find_all<T>(
    list: impl AsyncFn(Paging) -> Result<Page<T>, Error>,
    is_wanted: impl Fn(&T) -> bool,
) -> Result<Vec<T>, Failure> {
    let mut found = Vec::new();
    let mut paging = Paging::new().limit(LARGEST_PAGE);
    loop {
        let Page { items, next_cursor, .. } = list(paging).await?;
        found.extend(items.into_iter().filter(&is_wanted));
        let Some(cursor) = next_cursor else {
            return Ok(found);
        };
        paging = Paging::new().limit(LARGEST_PAGE).cursor(cursor);
    }
}
