//! What people call a chain and its currency. Names only: nothing else depends on this table.

/// Whether a chain is none that the public knows by this id.
pub(super) fn is_private(id: u64) -> bool {
    name_and_symbol(id).is_none_or(|(name, _)| name == LOCAL)
}

const LOCAL: &str = "Local";

/// The name and the currency's symbol of a chain (chainid.network), or nothing when it is not in the table.
pub(super) fn name_and_symbol(id: u64) -> Option<(&'static str, &'static str)> {
    Some(match id {
        1 => ("Ethereum", "ETH"),
        10 => ("OP Mainnet", "ETH"),
        56 => ("BNB Smart Chain", "BNB"),
        97 => ("BNB Smart Chain Testnet", "tBNB"),
        100 => ("Gnosis", "xDAI"),
        130 => ("Unichain", "ETH"),
        137 => ("Polygon", "POL"),
        324 => ("zkSync Era", "ETH"),
        1337 | 31337 => (LOCAL, "ETH"),
        8453 => ("Base", "ETH"),
        10200 => ("Gnosis Chiado", "xDAI"),
        17000 => ("Holesky", "ETH"),
        42161 => ("Arbitrum One", "ETH"),
        42220 => ("Celo", "CELO"),
        43113 => ("Avalanche Fuji", "AVAX"),
        43114 => ("Avalanche C-Chain", "AVAX"),
        59144 => ("Linea", "ETH"),
        80002 => ("Polygon Amoy", "POL"),
        84532 => ("Base Sepolia", "ETH"),
        421614 => ("Arbitrum Sepolia", "ETH"),
        534352 => ("Scroll", "ETH"),
        560048 => ("Hoodi", "ETH"),
        11155111 => ("Sepolia", "ETH"),
        11155420 => ("OP Sepolia", "ETH"),
        _ => return None,
    })
}
