//! The command `certs`: words in, words out; what they do is the library's.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use certs::CertsError;
use certs::authority::Authority;
use certs::status::Report;
use chassis::Clock;
use chassis::config::Setting as _;
use clap::{Parser, Subcommand};

/// Makes the mesh's authority and identities, and tells how long they last.
#[derive(Parser)]
#[command(name = "certs", version)]
struct Arguments {
    /// The folder that holds all identities [default: <data>/mesh].
    #[arg(long, global = true)]
    dir: Option<PathBuf>,
    /// The data folder.
    #[arg(long = "data-dir", env = "PLATFORM_DATA_DIR", default_value = ".data", global = true)]
    data: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a root and an issuer; never overwrites any.
    Init {
        /// The trust domain of all identities.
        #[arg(long, default_value = mesh::spiffe::DEFAULT_TRUST_DOMAIN)]
        trust_domain: String,
    },
    /// Issue a certificate with a new key to a service.
    Issue {
        /// The service.
        name: String,
        /// How long it lives: 5m to 7d.
        #[arg(long, default_value = "24h", value_parser = duration)]
        ttl: Duration,
    },
    /// Tell how long everything lasts; fails where something is to be done.
    Status {
        /// The window within which roots and issuers must not end.
        #[arg(long, default_value = "72h", value_parser = duration)]
        fail_within: Duration,
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    let Arguments { dir, data, command } = Arguments::parse();
    let dir = dir.unwrap_or_else(|| data.join("mesh"));
    match run(command, &dir) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("certs: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command, dir: &std::path::Path) -> Result<ExitCode, CertsError> {
    let clock = Clock::system();
    match command {
        Command::Init { trust_domain } => {
            Authority::create(dir, &trust_domain, &clock)?;
            println!("An authority for {trust_domain} was made in {}.", dir.join("ca").display());
            println!("Keep ca/root/current/key.pem elsewhere: issuing needs the issuer's key only.");
        }
        Command::Issue { name, ttl } => {
            let svid = Authority::open(dir, &clock)?.issue(&name, ttl)?;
            println!("{} until {}, in {}", svid.id, svid.not_after, dir.join(name).join("current").display());
        }
        Command::Status { fail_within, json } => {
            let report = Report::of(dir, fail_within, &clock)?;
            if json {
                println!("{}", serde_json::json!(report));
            } else {
                print!("{report}");
            }
            if !report.is_fine() {
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn duration(text: &str) -> Result<Duration, String> {
    Duration::parse(text)
}
