// Nothing is compiled here; the version only has to be one that exists.
module.exports = { solidity: "0.8.28", networks: { hardhat: { chainId: 31337 } } };
