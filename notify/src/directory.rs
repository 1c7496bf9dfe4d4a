//! auth's directory: who somebody is, how to reach them, and the secrets of their messages. Asked at
//! the moment of sending; what it answers is kept nowhere.

use std::collections::{BTreeMap, BTreeSet};

use mesh::Channel;
use proto::ServiceError;
use proto::auth::directory_service_client::DirectoryServiceClient;
use proto::auth::{BatchGetContactsRequest, Contact, RevealSecretRequest};
use secrecy::SecretString;
use uuid::Uuid;

use crate::domain::recipient::Recipient;
use crate::templates::Secrets;

/// A client of the directory; clones share connections. Every call ends within the channel's deadline.
#[derive(Clone)]
pub(crate) struct Directory(DirectoryServiceClient<Channel>);

impl Directory {
    /// The directory at the end of this channel.
    pub(crate) fn new(channel: Channel) -> Self {
        Self(DirectoryServiceClient::new(channel))
    }

    /// Who a user is; `None` where there is no such user.
    pub(crate) async fn recipient(&self, user_id: Uuid) -> Result<Option<Recipient>, ServiceError> {
        Ok(self.recipients(&BTreeSet::from([user_id])).await?.remove(&user_id))
    }

    /// Who these users are, at most 500; those that do not exist are left out.
    pub(crate) async fn recipients(
        &self,
        user_ids: &BTreeSet<Uuid>,
    ) -> Result<BTreeMap<Uuid, Recipient>, ServiceError> {
        let request = BatchGetContactsRequest { user_ids: user_ids.iter().map(Uuid::to_string).collect() };
        let answer = self.0.clone().batch_get_contacts(request).await;
        let contacts = answer.map_err(|status| ServiceError::from_status(&status))?.into_inner().contacts;
        let recipients: BTreeMap<Uuid, Recipient> =
            contacts.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(recipients.into_iter().filter(|(user_id, _)| user_ids.contains(user_id)).collect())
    }

    /// The secrets behind a reference. `AUTH_LINK_INVALID` where they were used, have expired or newer
    /// ones took their place.
    pub(crate) async fn reveal(&self, reference: &str) -> Result<Secrets, ServiceError> {
        let request = RevealSecretRequest { reference: reference.to_owned() };
        let answer = self.0.clone().reveal_secret(request).await;
        let secret = answer.map_err(|status| ServiceError::from_status(&status))?.into_inner();
        Ok(Secrets {
            token: secret.token.into(),
            code: secret.code.map(SecretString::from),
            expires_in: u32::try_from(secret.expires_in).unwrap_or(0),
        })
    }
}

fn read(contact: Contact) -> Result<(Uuid, Recipient), ServiceError> {
    let recipient = Recipient {
        tenant_id: contact.tenant_id.parse().map_err(ServiceError::internal)?,
        email: contact.email,
        locale: contact.locale,
        display_name: contact.display_name,
    };
    Ok((contact.user_id.parse().map_err(ServiceError::internal)?, recipient))
}
