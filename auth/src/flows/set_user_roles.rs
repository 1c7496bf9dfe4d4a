//! Gives a user exactly these roles. Their tokens are stale from the next request on.

use mesh::Caller;
use proto::{ErrorCode, ServiceError};
use uuid::Uuid;

use super::get_me::Me;
use super::tell;
use crate::app::Auth;
use crate::domain::audit::{Action, Record};
use crate::domain::origin::Origin;
use crate::domain::role::{ADMIN, Rights, may_give};
use crate::store::AccessPublication;

/// Sets a user's roles. Fails with `NOT_FOUND`, `VALIDATION_ERROR` naming `roles`, `PERMISSION_DENIED`
/// where the caller gives what they do not hold, and `CONFLICT` where no administrator would be left.
pub async fn set_user_roles(
    auth: &Auth,
    caller: &Caller,
    user_id: Uuid,
    roles: &[String],
    origin: &Origin,
) -> Result<Me, ServiceError> {
    let user = auth.store.user_by_id(user_id).await?;
    let user = user.filter(|user| user.tenant_id == caller.tenant_id).ok_or(ErrorCode::NotFound)?;
    let sessions = auth.store.list_live_sessions(user_id, auth.clock.now()).await?;
    auth.access.fence_user_version(user_id, user.permission_version).await;
    auth.access.fence_sessions(&sessions).await;

    let now = auth.clock.now();
    let tx = auth.store.begin().await?;
    let known = tx.list_roles(caller.tenant_id).await?;
    if let Some((index, name)) = roles.iter().enumerate().find(|(_, name)| !known.contains_key(*name)) {
        return Err(ServiceError::invalid(format!("roles[{index}]"), format!("{name} is no role")));
    }
    // Whoever changes roles waits here for the others: what is judged below stays true.
    tx.role_by_name_for_update(caller.tenant_id, ADMIN).await?;
    // Also what is taken away: a manager must not depose an administrator.
    may_give(&caller.permissions, &Rights::of(roles, &known, 0))?;
    may_give(&caller.permissions, &tx.rights_of_user(&user).await?)?;
    let stays_admin = roles.iter().any(|role| role == ADMIN);
    let was_admin = tx.list_user_roles(user_id).await?.iter().any(|role| role == ADMIN);
    if was_admin && !stays_admin && !tx.is_role_held_by_others(caller.tenant_id, ADMIN, user_id).await? {
        return Err(ServiceError::new(ErrorCode::Conflict).message("The last administrator stays one."));
    }

    let version = tx.next_permission_version().await?;
    tx.mark_user_permission_version(user_id, version).await?;
    tx.purge_user_roles(user_id).await?;
    for role in roles {
        tx.insert_user_role(caller.tenant_id, user_id, role).await?;
    }
    let changed = tx.mark_sessions_changed(user_id).await?;
    let session_ids = changed.iter().map(|session| session.id).collect();
    let publication = AccessPublication { user_id, session_ids, end_reason: None };
    tx.insert_access_publication(auth.ids.uuid(now), &publication, now).await?;
    let record = Record::own(caller.tenant_id, user_id, Action::UserRolesSet, origin).with("roles", roles);
    let record = Record { actor_id: Some(caller.user_id), ..record };
    tx.insert_audit_record(auth.ids.uuid(now), record, now).await?;
    let user = tx.user_by_id(user_id).await?.ok_or(ErrorCode::NotFound)?;
    let rights = tx.rights_of_user(&user).await?;
    let event = tell::permissions_changed(auth, (user.tenant_id, user_id), &rights, now);
    tx.insert_event(&event, now).await?;
    tx.commit().await?;

    auth.wake_outbox.notify();
    auth.access.fence_user_version(user_id, version).await;
    auth.access.fence_sessions(&changed).await;
    Ok(Me { user, rights })
}
