//! The parts that every flow works with, chosen once at the start.

use chassis::db::DbConfig;
use chassis::{Clock, Ids, Wake};
use mesh::Channel;
use rustls::ClientConfig;

use crate::channels::{Folder, Mailer, Relay, Sender};
use crate::config::{Config, MailRoute, RelayAddress};
use crate::directory::Directory;
use crate::domain::event::Event;
use crate::domain::recipient::Recipient;
use crate::fanout::Pushes;
use crate::store::Store;
use crate::templates::{Secrets, Speech, Templates};
use crate::{Parts, StartError};

/// The parts; clones share them.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) store: Store,
    pub(crate) directory: Directory,
    pub(crate) templates: std::sync::Arc<Templates>,
    pub(crate) mailer: std::sync::Arc<Mailer>,
    pub(crate) sender: Sender,
    /// The base of links, without a slash at its end.
    pub(crate) public_url: String,
    pub(crate) pushes: Pushes,
    pub(crate) wakes: Wakes,
}

/// Tells this process's workers that something is owed.
#[derive(Clone, Default)]
pub(crate) struct Wakes {
    pub(crate) deliveries: Wake,
    pub(crate) compositions: Wake,
}

impl App {
    /// Chooses the parts that the settings name, with this channel to auth. Connects to the database, and
    /// to nothing else yet.
    pub(crate) async fn choose(config: &Config, parts: &Parts, auth: Channel) -> Result<Self, StartError> {
        let database = DbConfig {
            url: config.database_url.clone(),
            schema: "notify",
            pool_size: config.database_connections,
            root_certificates: config.root_certificates.clone(),
        };
        let mailer = match &config.mail_route {
            MailRoute::Folder => {
                Mailer::File(Folder::open(&config.mail_folder).map_err(StartError::MailFolder)?)
            }
            MailRoute::Relay(address) => Mailer::Smtp(relay(address.clone(), config)?),
        };
        let (fanout, clock, lifecycle) = (parts.fanout.clone(), parts.clock.clone(), parts.lifecycle.clone());
        Ok(Self {
            clock: parts.clock.clone(),
            ids: parts.ids.clone(),
            store: Store::open(&database).await.map_err(StartError::database)?,
            directory: Directory::new(auth),
            templates: Templates::built_in().map_err(StartError::template)?.into(),
            mailer: mailer.into(),
            sender: Sender::new(config.mail_from.clone()),
            public_url: config.public_url.clone(),
            pushes: Pushes::open(fanout, clock, lifecycle).await,
            wakes: Wakes::default(),
        })
    }
}

impl App {
    /// What a message to this reader may speak of.
    pub(crate) fn speech<'a>(
        &'a self,
        event: &'a Event,
        recipient: &'a Recipient,
        secrets: Option<&'a Secrets>,
    ) -> Speech<'a> {
        Speech {
            locale: &recipient.locale,
            name: recipient.speakable_name(),
            brand: self.sender.brand(),
            public_url: &self.public_url,
            occurred_at: event.occurred_at,
            data: &event.data,
            secrets,
        }
    }
}

impl Wakes {
    /// Whatever it is that is owed.
    pub(crate) fn notify(&self) {
        self.deliveries.notify();
        self.compositions.notify();
    }
}

fn relay(address: RelayAddress, config: &Config) -> Result<Relay, StartError> {
    let roots = chassis::trust::roots(config.root_certificates.as_deref())?;
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let tls = ClientConfig::builder_with_provider(provider.into()).with_safe_default_protocol_versions()?;
    Ok(Relay::new(address, tls.with_root_certificates(roots).with_no_client_auth()))
}
