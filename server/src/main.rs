//! The binary: arguments and environment in, one command out.

use std::{io::Write, path::PathBuf, process::ExitCode};

use alloy::primitives::hex;
use clap::{Parser, Subcommand};
use tokio::{net::TcpListener, sync::watch};
use wallet_server::{
    config::{Config, SETTINGS, Settings, Source},
    keys::Master,
    store::{self, Store},
    value::{ChainId, Secret},
};

mod check;
mod dev;
mod logs;

/// A wallet server for AI agents: nothing moves unless its owner approved exactly that.
#[derive(Debug, Parser)]
#[command(name = "wallet-server", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server with the settings of the environment.
    Serve,
    /// Run with no configuration: SQLite, a master secret and a local node of its own.
    Dev {
        /// Where all of it is kept.
        #[arg(long, default_value = ".data")]
        data_dir: PathBuf,
        /// Address and port to listen on; port 0 takes any free one.
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: String,
        /// The anvil program of its chain; `node_modules` here or above, or the search path, when absent.
        #[arg(long, env = "ANVIL")]
        anvil: Option<PathBuf>,
    },
    /// Change the database's schema.
    Migrate {
        #[command(subcommand)]
        direction: Direction,
    },
    /// Forget what was to happen on a chain that began anew: its open transactions end, its nonces are free again.
    ResetChain {
        /// Its EIP-155 id, twice, so that nobody resets another one by mistake.
        #[arg(num_args = 2, required = true, value_names = ["ID", "ID"])]
        ids: Vec<ChainId>,
    },
    /// Try the endpoints of the chains.
    Chains {
        #[command(subcommand)]
        command: Chains,
    },
    /// Write openapi.json to standard output.
    Openapi,
    /// Show every setting and where it was found; secrets only as set or unset.
    Config,
    /// Make a master secret: print it, or write it to a new file that only its owner can read.
    Keygen {
        /// The file.
        path: Option<PathBuf>,
    },
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Direction {
    /// Apply every change that is missing.
    Up,
    /// Take changes back, the last first.
    Down {
        /// How many.
        #[arg(default_value_t = 1)]
        steps: u32,
    },
    /// Show which changes are applied.
    Status,
}

#[derive(Debug, Clone, Subcommand)]
enum Chains {
    /// Ask every endpoint what it can do, and print that, and what each lack means for people.
    Check {
        /// A TOML file as CHAINS_FILE names one; the chains of the settings when absent.
        file: Option<String>,
    },
}

/// What went wrong, for a human. The sources say why.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    match execute(Arguments::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let mut text = format!("error: {failure}");
            let mut source = failure.source();
            while let Some(cause) = source {
                text = format!("{text}: {cause}");
                source = cause.source();
            }
            // Standard error may be closed; there is nobody left to tell.
            let _ = writeln!(std::io::stderr(), "{text}");
            ExitCode::FAILURE
        }
    }
}

async fn execute(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve => serve().await,
        Command::Dev { data_dir, listen, anvil } => dev::run(&data_dir, listen, anvil).await,
        Command::Migrate { direction } => migrate(direction).await,
        Command::ResetChain { ids } => reset_chain(&ids).await,
        Command::Chains { command: Chains::Check { file } } => check_chains(file.as_deref()).await,
        Command::Openapi => print(&wallet_server::spec()),
        Command::Config => show_config(),
        Command::Keygen { path } => keygen(path),
    }
}

async fn serve() -> Result<(), Failure> {
    let settings = Settings::from_environment()?;
    logs::start(&settings)?;
    let config = Config::read(&settings)?;
    let state = wallet_server::open(&config).await?;
    let socket = TcpListener::bind(&config.listen).await?;
    tracing::info!(listen = %socket.local_addr()?, chains = state.chains.iter().count(), "serving");
    wallet_server::run(state, &config, socket, stop_signal()?).await?;
    Ok(())
}

/// Turns true at SIGTERM or SIGINT; a second one ends the process at once.
fn stop_signal() -> Result<watch::Receiver<bool>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        for _ in 0..2 {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if *stop.borrow() {
                std::process::exit(130);
            }
            tracing::info!("stopping; once more to stop at once");
            stop.send_replace(true);
        }
    });
    Ok(stopped)
}

async fn migrate(direction: Direction) -> Result<(), Failure> {
    let settings = Settings::from_environment()?;
    let store = Store::connect(&settings.database_url()?, 1).await?;
    match direction {
        Direction::Up => store::migrate_up(&store).await?,
        Direction::Down { steps } => store::migrate_down(&store, steps).await?,
        Direction::Status => {}
    }
    for (name, is_applied) in store::migration_status(&store).await? {
        print(&format!("{} {name}\n", if is_applied { "applied" } else { "missing" }))?;
    }
    Ok(())
}

async fn reset_chain(ids: &[ChainId]) -> Result<(), Failure> {
    let [chain_id, again] = ids else { return Err("expected the id twice".into()) };
    if chain_id != again {
        return Err("the two ids differ; nothing was changed".into());
    }
    let settings = Settings::from_environment()?;
    logs::start(&settings)?;
    let state = wallet_server::open(&Config::read(&settings)?).await?;
    wallet_server::domain::tracking::reset(&state, *chain_id, None).await?;
    print(&format!("chain {chain_id} is forgotten; it is learnt anew at the next start\n"))
}

async fn check_chains(file: Option<&str>) -> Result<(), Failure> {
    let (report, serve) = check::chains(file).await?;
    print(&report)?;
    if serve { Ok(()) } else { Err("not every endpoint can serve".into()) }
}

fn show_config() -> Result<(), Failure> {
    let settings = Settings::from_environment()?;
    for setting in SETTINGS {
        let (value, source) = settings.shown(setting);
        let source = match source {
            Source::Unset => "",
            Source::Default => "  (default)",
            Source::Variable => "  (variable)",
            Source::File => "  (file)",
        };
        print(&format!("{:<26} {value}{source}\n    {}\n", setting.name, setting.meaning))?;
    }
    Config::read(&settings)?;
    Ok(())
}

fn keygen(path: Option<PathBuf>) -> Result<(), Failure> {
    match path {
        Some(path) if path.exists() => Err("the file exists; a master secret is never overwritten".into()),
        Some(path) => Ok(Master::read_or_create(&path, true).map(drop)?),
        None => print(&format!("{}\n", hex::encode(Secret::<[u8; 32]>::random().expose()))),
    }
}

fn print(text: &str) -> Result<(), Failure> {
    match std::io::stdout().write_all(text.as_bytes()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        outcome => Ok(outcome?),
    }
}
