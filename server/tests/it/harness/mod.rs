//! A running server with a node and a database of its own, and the people and programs that use it.

mod chain;
mod clients;
pub(crate) mod contracts;
mod database;
mod follow;
mod gate;
mod hardhat;
pub(crate) mod oracle;
mod people;
mod postgres_proxy;
mod process;
mod world;

pub(crate) use chain::{mined, use_at};
pub(crate) use clients::Client;
pub(crate) use database::Database;
pub(crate) use follow::{eventually, told, until};
pub(crate) use gate::{Call, Calls, Fault, Gate, Habit, Pass, SEND, number};
pub(crate) use hardhat::HardhatNode;
pub(crate) use oracle::Oracle;
pub(crate) use people::{ETHER, Human, PASSWORD, code_of, log_in, stranger};
pub(crate) use postgres_proxy::{Cut, PostgresProxy};
pub(crate) use process::Process;
pub(crate) use world::{CHAIN, MASTER, World, account, rpc};

/// Runs each named test of the module on SQLite and on PostgreSQL: an `async fn` that takes a [`World`], or with
/// `in_its_own_world` a [`Database`] to build one on. A test that is not named is dead code, which does not compile.
macro_rules! on_both_databases {
    (in_its_own_world: $($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::harness::Database::sqlite()).await;
            })+
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::harness::Database::postgres().await).await;
            })+
        }
    };
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::harness::World::start(crate::harness::Database::sqlite()).await).await;
            })+
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::harness::World::start(crate::harness::Database::postgres().await).await).await;
            })+
        }
    };
}
pub(crate) use on_both_databases;

/// The stable code of a refusal; panics on anything else.
pub(crate) fn code<T: std::fmt::Debug>(outcome: Result<T, agent_sdk::Error>) -> String {
    let error = outcome.expect_err("it should be refused");
    let code = error.code().unwrap_or_else(|| panic!("a problem document, not {error:?}"));
    code.as_str().to_owned()
}
