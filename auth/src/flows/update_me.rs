//! Changes what the caller says of themselves.

use mesh::Caller;
use proto::{ErrorCode, ServiceError};

use super::get_me::{Me, get_me};
use super::tell;
use crate::app::Auth;
use crate::domain::audit::{Action, Record};
use crate::domain::origin::Origin;
use crate::domain::user::{Change, ProfileChange};

/// Changes the caller's profile. Fails with `CONFLICT` where the public name is taken.
pub async fn update_me(
    auth: &Auth,
    caller: &Caller,
    change: ProfileChange,
    origin: &Origin,
) -> Result<Me, ServiceError> {
    let now = auth.clock.now();
    let fields = changed_fields(&change);
    if fields.is_empty() {
        return get_me(auth, caller).await;
    }
    let tx = auth.store.begin().await?;
    tx.mark_user_profile(caller.user_id, change, now).await.map_err(|error| {
        if error.is_unique_violation() {
            ServiceError::new(ErrorCode::Conflict).message("This user name is taken.")
        } else {
            error.into()
        }
    })?;
    let event = tell::profile_changed(auth, (caller.tenant_id, caller.user_id), &fields, now);
    tx.insert_event(&event, now).await?;
    let record =
        Record::own(caller.tenant_id, caller.user_id, Action::ProfileUpdated, origin).with("fields", fields);
    tx.insert_audit_record(auth.ids.uuid(now), record, now).await?;
    tx.commit().await?;
    auth.wake_outbox.notify();
    get_me(auth, caller).await
}

fn changed_fields(change: &ProfileChange) -> Vec<&'static str> {
    let fields = [
        ("displayName", change.display_name != Change::Keep),
        ("username", change.username != Change::Keep),
        ("locale", change.locale != Change::Keep),
        ("timeZone", change.time_zone != Change::Keep),
    ];
    fields.into_iter().filter_map(|(name, changed)| changed.then_some(name)).collect()
}
