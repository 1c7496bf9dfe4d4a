//! `GET /me` through the edge with every check on: alone, beside the same method called directly and a
//! server that does nothing, and while others sign in.

use proto::auth::access_service_client::AccessServiceClient;
use proto::auth::profile_service_client::ProfileServiceClient;
use proto::auth::{AuthenticateRequest, GetMeRequest};
use tonic::metadata::{Ascii, MetadataValue};

use super::turns::{Requests, Turns};
use super::{IN_FLIGHT, World, login};
use crate::load::{Caller, drive};
use crate::people::Person;
use crate::report::{Aim, Report};
use crate::{Failure, bare, wire};

/// How many sign in at a time during the burst.
const LOGINS: usize = 16;
const EDGE_MICROS_MAX: f64 = 60.0;
const BURST_SHARE_MIN: f64 = 0.5;

/// Measures it.
pub async fn measure(world: &mut World, report: &mut Report) -> Result<(), Failure> {
    let span = world.span;
    world.wait_for_quiet().await?;
    let server = bare::Server::start()?;
    let nothing = vec![wire::get("/", &[])];
    let bare = drive(Requests::callers(server.address, nothing, IN_FLIGHT).await?, span).await?;
    drop(server);
    report.bare("a server that does nothing", &bare, Some(bare::Server::PROGRAM));

    world.wait_for_quiet().await?;
    let direct = drive(direct_reads(world).await?, span).await?;
    report.row("`ProfileService/GetMe` over mTLS", &direct);

    world.wait_for_quiet().await?;
    let idle = drive(reads(world).await?, span).await?;
    report.row("`GET /me` through the edge", &idle);

    world.wait_for_quiet().await?;
    let (me, logins) = (reads(world).await?, login::callers(world, LOGINS).await?);
    let (busy, logins) = tokio::join!(drive(me, span), drive(logins, span));
    let (busy, logins) = (busy?, logins?);
    report.shared("`GET /me` during sign-ins", &busy);
    report.shared("those sign-ins", &logins);

    let micros = idle.micros("gateway").unwrap_or_default();
    report.aim(Aim::at_most("CPU of the edge for `GET /me`, µs", micros, EDGE_MICROS_MAX));
    let bare_micros = bare.micros(bare::Server::PROGRAM).unwrap_or_default();
    report.aim(Aim::none("… beside that of a server that does nothing", micros / bare_micros));
    report.aim(Aim::none("`GET /me` through the edge beside the direct call", idle.rate() / direct.rate()));
    let share = busy.rate() / idle.rate();
    report.aim(Aim::at_least("`GET /me` during sign-ins beside idle", share, BURST_SHARE_MIN));
    Ok(())
}

/// Callers with a request for every person.
async fn reads(world: &World) -> Result<Vec<Requests>, Failure> {
    let request = |person: &Person| {
        let bearer = format!("Bearer {}", person.tokens.access_token);
        wire::get("/me", &[("authorization", &bearer), ("x-forwarded-for", &person.network)])
    };
    Requests::callers(world.platform.edge, world.people.iter().map(request).collect(), IN_FLIGHT).await
}

/// Calls the method as the edge does, with a passport in place of the token.
struct DirectReads {
    auth: ProfileServiceClient<mesh::Channel>,
    passports: Turns<MetadataValue<Ascii>>,
}

async fn direct_reads(world: &World) -> Result<Vec<DirectReads>, Failure> {
    let channel = world.platform.channel_to_auth();
    let mut access = AccessServiceClient::new(channel.clone());
    let mut passports = Vec::new();
    for person in &world.people {
        let question = AuthenticateRequest { access_token: person.tokens.access_token.clone() };
        passports.push(access.authenticate(question).await?.into_inner().passport.parse()?);
    }
    let caller = |passports| DirectReads { auth: ProfileServiceClient::new(channel.clone()), passports };
    Ok(Turns::of(passports, IN_FLIGHT).map(caller).collect())
}

impl Caller for DirectReads {
    async fn call(&mut self) -> Result<(), Failure> {
        let mut request = tonic::Request::new(GetMeRequest {});
        request.metadata_mut().insert(proto::metadata::PASSPORT, self.passports.take()?.clone());
        self.auth.get_me(request).await?;
        Ok(())
    }
}
