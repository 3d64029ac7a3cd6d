//! Drives the server as its users do: through the SDK, against a real node, on both databases.

mod harness;

mod agents;
mod approval;
mod batches;
mod clients;
mod concurrency;
mod contract;
mod corpus;
mod crashes;
mod custody;
mod execution;
mod faults;
mod fees;
mod habits;
mod keystores;
mod mfa;
mod nodes;
mod previews;
mod sends;
mod startup;
mod storage;
mod thefts;
mod tracking;
mod users;
mod wallets;
mod warnings;
