//! What every service would write identically, unaware of what it does: settings, telemetry, time and
//! chance as arguments, the key-value store, the fan-out, the database, health and an orderly end.
//!
//! Nothing here knows a service, a contract method or a table.

pub mod clock;
pub mod config;
#[cfg(feature = "sql")]
pub mod db;
pub mod fanout;
pub mod health;
pub mod ids;
pub mod kv;
pub mod lifecycle;
pub mod listen;
pub mod metrics;
pub mod seal;
pub mod telemetry;
pub mod trace;
pub mod trust;

pub use clock::Clock;
pub use config::{DEFAULTS, Faults, Source};
pub use fanout::{Fanout, FanoutError};
pub use health::Ops;
pub use ids::Ids;
pub use kv::{Kv, KvError};
pub use lifecycle::{Lifecycle, Wake};
pub use listen::Listeners;
pub use seal::Sealer;
pub use telemetry::{Telemetry, TelemetryConfig};
