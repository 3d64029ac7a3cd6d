use sqlx::{Connection, Executor, PgConnection};
use tempfile::TempDir;
use uuid::Uuid;

/// A database of one test's own.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) url: String,
    directory: TempDir,
}

/// A copy of a database.
#[derive(Debug)]
pub(crate) struct Backup(String);

impl Database {
    pub(crate) fn sqlite() -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        Self { url: format!("sqlite:{}", directory.path().join("wallet.sqlite").display()), directory }
    }

    /// A file on a file system of its own, in memory and of a few MiB. Only in a namespace where mounting is allowed.
    pub(crate) fn sqlite_on_a_small_disk(size: &str) -> Self {
        let database = Self::sqlite();
        let options = format!("size={size}");
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(database.directory());
        assert!(mount.status().expect("mount is installed").success(), "a namespace of its own allows mounting");
        database
    }

    /// Keeps a copy of it as it is, of which nobody is using it.
    pub(crate) async fn back_up(&self) -> Backup {
        let Some(file) = self.url.strip_prefix("sqlite:") else {
            let backup = format!("backup_{}", Uuid::now_v7().simple());
            self.administer(&format!("CREATE DATABASE {backup} TEMPLATE {}", self.name())).await;
            return Backup(backup);
        };
        let backup = format!("{file}.backup");
        std::fs::copy(file, &backup).expect("the temporary directory takes files");
        // What the last connection did not write into the file itself is in its log.
        let (log, kept) = (format!("{file}-wal"), format!("{backup}-wal"));
        if std::fs::exists(&log).expect("the directory is readable") {
            std::fs::copy(log, kept).expect("the temporary directory takes files");
        }
        Backup(backup)
    }

    /// Puts a copy in its place.
    pub(crate) async fn restore(&self, Backup(backup): &Backup) {
        let Some(file) = self.url.strip_prefix("sqlite:") else {
            self.administer(&format!("DROP DATABASE {} WITH (FORCE)", self.name())).await;
            return self.administer(&format!("CREATE DATABASE {} TEMPLATE {backup}", self.name())).await;
        };
        for log in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{file}{log}"));
        }
        std::fs::copy(backup, file).expect("the temporary directory takes files");
        let (kept, log) = (format!("{backup}-wal"), format!("{file}-wal"));
        if std::fs::exists(&kept).expect("the directory is readable") {
            std::fs::copy(kept, log).expect("the temporary directory takes files");
        }
    }

    fn name(&self) -> &str {
        self.url.rsplit_once('/').expect("a URL ends with a database").1
    }

    /// Tells PostgreSQL something over a connection to another database.
    async fn administer(&self, sql: &str) {
        let (server, _) = self.url.rsplit_once('/').expect("a URL ends with a database");
        let mut connection = PgConnection::connect(&format!("{server}/postgres")).await.expect("it answers");
        connection.execute(sqlx::AssertSqlSafe(sql)).await.expect("the test may administer it");
    }

    /// Where its servers note how far it has come.
    pub(crate) fn mark_file(&self) -> String {
        self.directory().join("wallet.mark").display().to_string()
    }

    /// Where an SQLite file is.
    pub(crate) fn directory(&self) -> &std::path::Path {
        self.directory.path()
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
        Self { url: format!("{server}/{name}"), directory: TempDir::new().expect("a temporary directory") }
    }
}
