//! Ends every session of the caller.

use mesh::Caller;
use proto::ServiceError;

use super::end_sessions::Ending;
use crate::app::Auth;
use crate::domain::origin::Origin;
use crate::domain::session::EndReason;

/// Ends every session of the caller.
pub async fn logout_all(auth: &Auth, caller: &Caller, origin: &Origin) -> Result<(), ServiceError> {
    let now = auth.clock.now();
    let ending = Ending::of_all(auth, caller.user_id, EndReason::LogoutAll).await?;
    let tx = auth.store.begin().await?;
    let ended = ending.write(auth, &tx, (Some(caller.user_id), origin), now).await?;
    tx.commit().await?;
    ended.publish(auth).await;
    Ok(())
}
