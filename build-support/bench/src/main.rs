//! The benchmark report: three processes with stores of their own on loopback, put under load, beside
//! what the same machine does with the bare minimum. It judges nothing: timings are no tests.

mod bare;
mod cpu;
mod load;
mod people;
mod platform;
mod report;
mod scenarios;
mod wire;

use std::error::Error;
use std::io;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use load::Span;
use platform::{Database, Hashes, Platform};
use report::Report;
use scenarios::World;

/// Why nothing could be measured.
type Failure = Box<dyn Error + Send + Sync>;

/// How many people are signed in, each with tokens of their own.
const PEOPLE: usize = 200;
const PEOPLE_QUICK: usize = 40;
/// How many people have a socket each.
const SOCKETS: u32 = 2_000;
const SOCKETS_QUICK: u32 = 100;

/// Measures the platform and prints a table. The services are the binaries beside this one: a debug build
/// measures a debug build.
#[derive(Parser)]
#[command(name = "bench", version)]
struct Arguments {
    /// Seconds instead of minutes: shows that everything runs, not how fast.
    #[arg(long, conflicts_with = "write")]
    quick: bool,
    /// Put the table into `deploy/benchmarks.md` as well.
    #[arg(long)]
    write: bool,
    /// Measure these only.
    #[arg(long, value_delimiter = ',', default_values_t = Part::value_variants().to_vec(), value_enum)]
    only: Vec<Part>,
    /// Where auth and notify keep their rows.
    #[arg(long, value_delimiter = ',', default_values_t = Database::value_variants().to_vec(), value_enum)]
    database: Vec<Database>,
    /// Be the bare HTTP server that the edge is compared with.
    #[arg(long, hide = true)]
    serve_bare: bool,
}

/// What can be measured by itself.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// `GET /me`, alone and during sign-ins.
    Me,
    /// Sign-ins.
    Login,
    /// Refreshes.
    Refresh,
    /// Pushes to sockets.
    Sockets,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // The load shares the cores with what it measures: one thread costs it the least.
    let mut runtime = if arguments.serve_bare {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    let ended = runtime.enable_all().build().map_err(Failure::from).and_then(|runtime| {
        runtime.block_on(async {
            tokio::select! {
                ended = run(arguments) => ended,
                // Dropping the run ends everything that it has started.
                heard = interruption() => Err(heard.err().map_or("interrupted".into(), Failure::from)),
            }
        })
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Waits until somebody wants an end.
async fn interruption() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        heard = tokio::signal::ctrl_c() => heard,
        _ = terminate.recv() => Ok(()),
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    if arguments.serve_bare {
        return bare::serve().await;
    }
    let span = if arguments.quick { Span::QUICK } else { Span::FULL };
    if arguments.only.iter().any(|part| *part != Part::Sockets) {
        let mut reports = Vec::new();
        for database in &arguments.database {
            reports.push(measure(&arguments, *database, span).await?);
        }
        show(&arguments, "measured", &reports)?;
    }
    if arguments.only.contains(&Part::Sockets) {
        let count = if arguments.quick { SOCKETS_QUICK } else { SOCKETS };
        let report = scenarios::sockets::measure(span, count).await?;
        show(&arguments, "measured sockets", &[report])?;
    }
    Ok(())
}

/// Prints reports, and puts them into their place in the page.
fn show(arguments: &Arguments, place: &str, reports: &[Report]) -> Result<(), Failure> {
    let page = report::page(reports);
    println!("{page}");
    if arguments.write { report::write(place, &page) } else { Ok(()) }
}

/// Everything that was asked for, on one database.
async fn measure(arguments: &Arguments, database: Database, span: Span) -> Result<Report, Failure> {
    eprintln!("── {}", database.title());
    let platform = Platform::start(database, Hashes::Dear).await?;
    let count = if arguments.quick { PEOPLE_QUICK } else { PEOPLE };
    let people = people::gather(platform.edge, count).await?;
    let mut world = World { platform, people, span };
    let mut report = Report::of(database.title());
    // In this order, whatever the order asked for: refreshes use up the tokens.
    for part in Part::value_variants().iter().filter(|part| arguments.only.contains(part)) {
        match part {
            Part::Me => scenarios::me::measure(&mut world, &mut report).await?,
            Part::Login => scenarios::login::measure(&mut world, &mut report).await?,
            Part::Refresh => scenarios::refresh::measure(&mut world, &mut report).await?,
            // On a platform of their own.
            Part::Sockets => {}
        }
    }
    report.memory = cpu::resident()?;
    Ok(report)
}
