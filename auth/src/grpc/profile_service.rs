//! `ProfileService`.

use mesh::RequestContext;
use proto::auth::profile_service_server::ProfileService;
use proto::{ServiceError, auth as pb};

use super::{Answer, Request, Rpc, answer, convert};
use crate::domain::user::{Change, ProfileChange};
use crate::flows;

#[tonic::async_trait]
impl ProfileService for Rpc {
    async fn get_me(&self, request: Request<pb::GetMeRequest>) -> Answer<pb::GetMeResponse> {
        let context = RequestContext::of(&request);
        let me = async { flows::get_me(&self.0, context.caller()?).await };
        answer(me.await.map(|me| pb::GetMeResponse { user: Some(convert::me(me)) }))
    }

    async fn update_me(&self, request: Request<pb::UpdateMeRequest>) -> Answer<pb::UpdateMeResponse> {
        let context = RequestContext::of(&request);
        let me = async {
            let change = change(request.into_inner())?;
            flows::update_me(&self.0, context.caller()?, change, &convert::origin(&context)).await
        };
        answer(me.await.map(|me| pb::UpdateMeResponse { user: Some(convert::me(me)) }))
    }
}

/// Without a mask every field that is given changes.
fn change(request: pb::UpdateMeRequest) -> Result<ProfileChange, ServiceError> {
    let profile = request.profile.unwrap_or_default();
    let Some(mask) = request.update_mask else {
        return Ok(ProfileChange {
            display_name: given(profile.display_name),
            username: given(profile.username),
            locale: given(profile.locale),
            time_zone: given(profile.time_zone),
        });
    };
    let mut change = ProfileChange::default();
    for path in mask.paths {
        match path.as_str() {
            "display_name" => change.display_name = Change::to(profile.display_name.clone()),
            "username" => change.username = Change::to(profile.username.clone()),
            "locale" => change.locale = Change::to(profile.locale.clone()),
            "time_zone" => change.time_zone = Change::to(profile.time_zone.clone()),
            _ => return Err(ServiceError::invalid("updateMask", format!("{path} is no field of a profile"))),
        }
    }
    Ok(change)
}

fn given(value: Option<String>) -> Change {
    value.map_or(Change::Keep, Change::Set)
}
