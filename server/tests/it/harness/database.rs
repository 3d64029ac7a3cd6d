use sqlx::{Connection, Executor, PgConnection};
use tempfile::TempDir;
use uuid::Uuid;

/// A database of one test's own.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) url: String,
    _directory: TempDir,
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        Self { url: format!("sqlite:{}", directory.path().join("wallet.sqlite").display()), _directory: directory }
    }

    pub(crate) async fn postgres() -> Self {
        #[expect(clippy::disallowed_methods, reason = "a setting of the tests, not of the server")]
        let cluster = std::env::var("TEST_DATABASE_URL");
        let cluster =
            cluster.expect("TEST_DATABASE_URL names a PostgreSQL that may create databases; `make test` starts one");
        let name = format!("test_{}", Uuid::now_v7().simple());
        let mut connection = PgConnection::connect(&cluster).await.expect("the PostgreSQL of TEST_DATABASE_URL");
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        connection.execute(create).await.expect("a database of its own");
        let (server, _) = cluster.rsplit_once('/').expect("a URL ends with a database");
        Self { url: format!("{server}/{name}"), _directory: TempDir::new().expect("a temporary directory") }
    }
}
