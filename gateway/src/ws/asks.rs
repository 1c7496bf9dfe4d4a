//! The frames a client sends: strict JSON `{"event","data"?,"id"?}`, whose data is read by the contracts.

use std::sync::Arc;

use prost_reflect::DynamicMessage;
use proto::edge::{SocketAuth, SocketRead};
use proto::rules::Rules;
use proto::{ErrorCode, ServiceError};
use secrecy::SecretString;

use crate::transcode::json::{self, Json, Members};
use crate::transcode::request::{BodyRule, RequestPlan};
use crate::transcode::text::write_text;
use crate::transcode::words::Words;

/// The longest id that is given back.
const ID_BYTES_MAX: usize = 64;

/// What a client asks.
pub(super) enum Ask {
    /// To be signed in, or to stay so.
    Auth {
        /// An access token.
        token: SecretString,
        /// The last `seq` it saw.
        since: Option<u32>,
    },
    /// To mark one notification as read.
    Read {
        /// Which.
        notification_id: String,
    },
    /// To mark all as read.
    ReadAll,
    /// Whether the server is there.
    Ping,
}

/// What a client calls its frame: the JSON text of a string or an integer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Id(String);

impl Id {
    /// As JSON.
    pub(super) fn json(&self) -> &str {
        &self.0
    }

    /// A string.
    pub(super) fn from_text(text: &str) -> Self {
        let mut json = Vec::new();
        write_text(&mut json, text);
        Self(String::from_utf8_lossy(&json).into_owned())
    }

    fn read(value: &Json<'_>) -> Option<Self> {
        match value {
            Json::Text(text) if text.len() <= ID_BYTES_MAX => Some(Self::from_text(text)),
            Json::Number(digits) if digits.len() <= ID_BYTES_MAX => Some(Self((*digits).to_owned())),
            _ => None,
        }
    }
}

/// A frame that is none of the contract's.
#[derive(Debug)]
pub(super) struct Misfit {
    /// What its client calls it, as far as that could be read.
    pub(super) id: Option<Id>,
    /// What is wrong.
    pub(super) error: ServiceError,
}

/// Reads frames.
pub(super) struct Asks {
    auth: RequestPlan,
    read: RequestPlan,
}

impl Asks {
    /// Compiles the plans; fails, saying why, where the contracts lack one.
    pub(super) fn compile() -> Result<Self, String> {
        let words = Arc::new(Words::of(proto::pool()));
        let plan = |name: &str| {
            let input =
                proto::pool().get_message_by_name(name).ok_or_else(|| format!("there is no {name}"))?;
            let rules =
                Rules::compile(&input).map_err(|unknown| format!("{}: {}", unknown.field, unknown.rule))?;
            Ok::<_, String>(RequestPlan {
                input,
                path: Vec::new(),
                body: BodyRule::Whole,
                mask: None,
                accept_form: false,
                words: words.clone(),
                rules: Arc::new(rules),
            })
        };
        Ok(Self { auth: plan("platform.edge.v1.SocketAuth")?, read: plan("platform.edge.v1.SocketRead")? })
    }

    /// Reads a frame: what is asked, and what its client calls it.
    pub(super) fn read(&self, text: &str) -> Result<(Ask, Option<Id>), Misfit> {
        let misfit = |error| Misfit { id: None, error };
        let Json::Object(members) =
            json::parse(text.as_bytes()).map_err(|fault| misfit(malformed(fault.0)))?
        else {
            return Err(misfit(malformed("no object")));
        };
        let id = match member(&members, "id") {
            None | Some(Json::Null) => None,
            Some(value) => Some(Id::read(value).ok_or_else(|| misfit(malformed("an id that is none")))?),
        };
        match self.ask(&members) {
            Ok(ask) => Ok((ask, id)),
            Err(error) => Err(Misfit { id, error }),
        }
    }

    fn ask(&self, members: &Members<'_>) -> Result<Ask, ServiceError> {
        let unknown = members.iter().find(|(name, _)| !matches!(name.as_ref(), "event" | "data" | "id"));
        if let Some((name, _)) = unknown {
            return Err(ServiceError::invalid(name.as_ref(), "is not known"));
        }
        let Some(Json::Text(event)) = member(members, "event") else {
            return Err(malformed("no event"));
        };
        let data = member(members, "data");
        match event.as_ref() {
            "AUTH" => {
                let data: SocketAuth = typed(&self.auth, data)?;
                Ok(Ask::Auth { token: data.token.into(), since: data.since })
            }
            "notification:read" => {
                let data: SocketRead = typed(&self.read, data)?;
                Ok(Ask::Read { notification_id: data.id })
            }
            "notification:read-all" => Ok(Ask::ReadAll),
            "ping" => Ok(Ask::Ping),
            _ => Err(ServiceError::invalid("event", "is not known")),
        }
    }
}

fn typed<T: prost::Message + Default>(
    plan: &RequestPlan,
    data: Option<&Json<'_>>,
) -> Result<T, ServiceError> {
    let nothing = Members::new();
    let members = match data {
        None | Some(Json::Null) => &nothing,
        Some(Json::Object(members)) => members,
        Some(_) => return Err(ServiceError::invalid("data", "must be an object")),
    };
    let message: DynamicMessage = plan.read_members(members)?;
    message.transcode_to().map_err(ServiceError::internal)
}

fn member<'a, 'm>(members: &'a Members<'m>, name: &str) -> Option<&'a Json<'m>> {
    members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

fn malformed(reason: &'static str) -> ServiceError {
    ServiceError::new(ErrorCode::MalformedRequest).source(reason)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    static ASKS: LazyLock<Asks> = LazyLock::new(|| Asks::compile().unwrap());

    fn read(text: &str) -> String {
        match ASKS.read(text) {
            Ok((ask, id)) => {
                let ask = match ask {
                    Ask::Auth { token, since } => format!("AUTH {} {since:?}", token.expose_secret()),
                    Ask::Read { notification_id } => format!("read {notification_id}"),
                    Ask::ReadAll => "read all".to_owned(),
                    Ask::Ping => "ping".to_owned(),
                };
                format!("{ask} {}", id.as_ref().map_or("-", Id::json))
            }
            Err(misfit) => {
                let fields: Vec<_> = misfit.error.violations().iter().map(|it| it.field.as_str()).collect();
                let id = misfit.id.as_ref().map_or("-", Id::json);
                format!("{} {} {id}", misfit.error.code().as_str(), fields.join(","))
            }
        }
    }

    #[test]
    fn frames_of_the_contract_are_read() {
        let auth = r#"{"event":"AUTH","data":{"token":"t","since":7},"id":"1"}"#;
        assert_eq!(read(auth), r#"AUTH t Some(7) "1""#);
        assert_eq!(read(r#"{"event":"AUTH","data":{"token":"t","since":null}}"#), "AUTH t None -");
        assert_eq!(read(r#"{"event":"notification:read","data":{"id":"n"},"id":5}"#), "read n 5");
        assert_eq!(read(r#"{"event":"notification:read-all"}"#), "read all -");
        assert_eq!(read(r#"{"id":"p","event":"ping"}"#), r#"ping "p""#);
    }

    #[test]
    fn other_frames_are_refused_with_their_id() {
        for (text, refusal) in [
            ("{", "MALFORMED_REQUEST  -"),
            ("[]", "MALFORMED_REQUEST  -"),
            (r#"{"event":"ping","event":"ping"}"#, "MALFORMED_REQUEST  -"),
            (r#"{"event":"ping","id":{}}"#, "MALFORMED_REQUEST  -"),
            (r#"{"id":"1"}"#, r#"MALFORMED_REQUEST  "1""#),
            (r#"{"event":"subscribe","id":"1"}"#, r#"VALIDATION_ERROR event "1""#),
            (r#"{"event":"ping","x":1,"id":"1"}"#, r#"VALIDATION_ERROR x "1""#),
            (r#"{"event":"AUTH","data":{"token":"t","since":-1}}"#, "VALIDATION_ERROR since -"),
            (r#"{"event":"AUTH","data":{"token":"t","since":"x"}}"#, "VALIDATION_ERROR since -"),
            (r#"{"event":"AUTH","data":{"token":"t","user":"x"}}"#, "VALIDATION_ERROR user -"),
            (r#"{"event":"AUTH","data":"t"}"#, "VALIDATION_ERROR data -"),
        ] {
            assert_eq!(read(text), refusal, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nonsense_is_refused_and_nothing_worse(text in "\\PC{0,80}") {
            let _ = ASKS.read(&text);
        }
    }
}
