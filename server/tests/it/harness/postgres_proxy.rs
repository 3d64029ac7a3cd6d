use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Where the next COMMIT loses its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// On its way to the database.
    Before,
    /// The answer is lost on its way back.
    After,
}

/// Stands between a server and PostgreSQL, and cuts a connection when it is told to.
#[derive(Debug)]
pub(crate) struct PostgresProxy {
    cut: Arc<Mutex<Option<Cut>>>,
}

impl PostgresProxy {
    /// Starts one before the database that a URL names; the URL leads through it afterwards.
    pub(crate) async fn before(url: &mut String) -> Self {
        let mut through = reqwest::Url::parse(url).expect("a URL");
        let database = (through.host_str().expect("a host").to_owned(), through.port().expect("a port"));
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("it is bound");
        through.set_port(Some(address.port())).expect("a URL with a host");
        *url = through.to_string();
        let cut: Arc<Mutex<Option<Cut>>> = Arc::default();
        let shared = Arc::clone(&cut);
        tokio::spawn(async move {
            while let Ok((client, _)) = socket.accept().await {
                let server = TcpStream::connect(database.clone()).await.expect("PostgreSQL answers");
                tokio::spawn(pass(client, server, shared.clone()));
            }
        });
        Self { cut }
    }

    /// Cuts the connection of the next COMMIT, once.
    pub(crate) fn cut_at_commit(&self, cut: Cut) {
        *self.cut.lock().expect("no panics") = Some(cut);
    }
}

/// Passes bytes on until one side ends, or a COMMIT is to be cut.
async fn pass(mut client: TcpStream, mut server: TcpStream, cut: Arc<Mutex<Option<Cut>>>) {
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(count @ 1..) = read else { return };
                let is_commit = asked[..count].windows(6).any(|bytes| bytes == b"COMMIT");
                let cut = if is_commit { cut.lock().expect("no panics").take() } else { None };
                if cut == Some(Cut::Before) || server.write_all(&asked[..count]).await.is_err() {
                    return;
                }
                if cut == Some(Cut::After) {
                    // The answer has come, so the commit is done; the client never sees it.
                    let _ = server.read(&mut answered).await;
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(count @ 1..) = read else { return };
                if client.write_all(&answered[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}
