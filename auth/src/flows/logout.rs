//! Ends the caller's session.

use mesh::Caller;
use proto::ServiceError;

use super::end_sessions::Ending;
use crate::app::Auth;
use crate::domain::origin::Origin;
use crate::domain::session::EndReason;

/// Ends the caller's session. A session that has ended stays ended.
pub async fn logout(auth: &Auth, caller: &Caller, origin: &Origin) -> Result<(), ServiceError> {
    let now = auth.clock.now();
    let Some(session) = auth.store.session_by_id(caller.session_id).await? else { return Ok(()) };
    let ending = Ending::of_these(auth, caller.user_id, &[session], EndReason::Logout).await;
    let tx = auth.store.begin().await?;
    let ended = ending.write(auth, &tx, (Some(caller.user_id), origin), now).await?;
    tx.commit().await?;
    ended.publish(auth).await;
    Ok(())
}
