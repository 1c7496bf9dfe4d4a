//! The parts that every flow works with, chosen once at the start.

use std::sync::Arc;
use std::time::Duration;

use chassis::db::DbConfig;
use chassis::{Clock, Ids, Kv, Sealer, Wake};
use proto::ServiceError;

use crate::Parts;
use crate::access_state::AccessState;
use crate::config::Config;
use crate::domain::session::Lifetimes;
use crate::domain::user::Unverified;
use crate::hasher::Hasher;
use crate::keyring::{self, Keyring, Schedule};
use crate::sealing_key;
use crate::store::Store;

/// What flows work with.
pub(crate) struct Auth {
    pub(crate) config: Config,
    pub(crate) store: Arc<Store>,
    pub(crate) kv: Kv,
    pub(crate) access: AccessState,
    pub(crate) keys: Keyring,
    pub(crate) hasher: Hasher,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) wake_outbox: Wake,
}

impl Auth {
    /// Opens the database and the keys, and starts the hashing threads.
    pub(crate) async fn open(config: Config, parts: &Parts) -> Result<Self, ServiceError> {
        let database = DbConfig {
            url: config.database_url.clone(),
            schema: "auth",
            pool_size: config.database_connections,
            root_certificates: config.root_certificates.clone(),
        };
        let store = Arc::new(Store::open(&database).await?);
        let sealing_key =
            sealing_key::read(&config.sealing_key, &parts.ids).map_err(ServiceError::internal)?;
        let sealer = Arc::new(Sealer::new(&sealing_key, "auth").map_err(ServiceError::internal)?);
        let keys = Keyring::open(keyring::Parts {
            store: Arc::clone(&store),
            sealer: Arc::clone(&sealer),
            clock: parts.clock.clone(),
            ids: parts.ids.clone(),
            schedule: Schedule {
                signs_for: config.key_rotation,
                published_before: Duration::from_hours(1),
                verifies_after: config.access_token_ttl + config.token_leeway + Duration::from_mins(1),
            },
        })
        .await?;
        Ok(Self {
            hasher: Hasher::start(config.hashing, parts.ids.clone())?,
            access: AccessState::new(parts.kv.clone()),
            kv: parts.kv.clone(),
            clock: parts.clock.clone(),
            ids: parts.ids.clone(),
            wake_outbox: Wake::new(),
            config,
            store,
            keys,
            sealer,
        })
    }

    pub(crate) fn lifetimes(&self) -> Lifetimes {
        Lifetimes { idle: self.config.session_idle, absolute: self.config.session_lifetime }
    }

    pub(crate) fn unverified(&self) -> Unverified {
        if self.config.allow_unverified { Unverified::Welcome } else { Unverified::Refused }
    }
}
