//! Says where the inboxes of many users stand, so that a lost last hint shows.

use std::collections::{BTreeMap, BTreeSet};

use proto::ServiceError;
use uuid::Uuid;

use crate::app::App;
use crate::domain::notification::Standing;

/// Where they stand; users without an inbox are left out.
pub(crate) async fn list_revisions(
    app: &App,
    user_ids: &BTreeSet<Uuid>,
) -> Result<BTreeMap<Uuid, Standing>, ServiceError> {
    Ok(app.store.list_standings(user_ids).await?)
}
