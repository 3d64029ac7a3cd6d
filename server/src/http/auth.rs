//! Who is asking. Each extractor is the first argument of its operations, so that it answers before a body is read.

use poem::{
    Request, RequestBody,
    http::{HeaderMap, header},
};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, SecurityScheme, registry::Registry};

use super::{code::Code, problem::Problem};
use crate::{
    domain::{Agent, Caller, User, agents, sessions},
    state::State,
};

/// The header that carries an API key.
const API_KEY: &str = "x-api-key";

/// How every API key begins; what begins so is never an access token.
const API_KEY_PREFIX: &str = "wak_";

/// A user's access token, from `login`.
#[derive(SecurityScheme)]
#[oai(rename = "access_token", ty = "bearer", bearer_format = "JWT")]
struct AccessTokenScheme(#[expect(dead_code, reason = "only describes the scheme")] poem_openapi::auth::Bearer);

/// An agent's API key, from `create_agent`. It may also be sent as a bearer token.
#[derive(SecurityScheme)]
#[oai(rename = "api_key", ty = "api_key", key_name = "X-API-KEY", key_in = "header")]
struct ApiKeyScheme(#[expect(dead_code, reason = "only describes the scheme")] poem_openapi::auth::ApiKey);

/// What a request proves itself with.
#[derive(Debug, PartialEq, Eq)]
enum Credential<'a> {
    AccessToken(&'a str),
    ApiKey(&'a str),
}

impl<'a> Credential<'a> {
    /// The one credential of a request. Fails when there is none, or more than one: whoever checks only one of two
    /// could be told apart by the other.
    fn of(headers: &'a HeaderMap) -> Result<Self, Problem> {
        let mut given = headers.get_all(header::AUTHORIZATION).iter().chain(headers.get_all(API_KEY));
        let (Some(value), None) = (given.next(), given.next()) else {
            return Err(match headers.contains_key(header::AUTHORIZATION) || headers.contains_key(API_KEY) {
                true => Problem::invalid("expected one credential, not several"),
                false => Problem::new(Code::Unauthenticated, "expected an access token or an API key"),
            });
        };
        let malformed = || Problem::new(Code::Unauthenticated, "the credential is not valid");
        let text = value.to_str().map_err(|_| malformed())?;
        if headers.contains_key(API_KEY) {
            return Ok(Self::ApiKey(text));
        }
        match text.split_once(' ') {
            Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => {
                let key = key.trim_start_matches(' ');
                Ok(if key.starts_with(API_KEY_PREFIX) { Self::ApiKey(key) } else { Self::AccessToken(key) })
            }
            _ => Err(malformed()),
        }
    }
}

/// A user, proven by an access token. An API key is refused, valid or not.
pub struct UserAuth(pub User);

/// An agent, proven by an API key. An access token is refused, valid or not.
pub struct AgentAuth(pub Agent);

/// Either.
pub struct CallerAuth(pub Caller);

impl UserAuth {
    async fn prove(state: &State, credential: Credential<'_>) -> Result<Self, Problem> {
        match credential {
            Credential::AccessToken(token) => Ok(Self(sessions::authenticate(state, token).await?)),
            Credential::ApiKey(_) => Err(Problem::new(Code::Forbidden, "only a user may do this, not an agent")),
        }
    }
}

impl AgentAuth {
    async fn prove(state: &State, credential: Credential<'_>) -> Result<Self, Problem> {
        match credential {
            Credential::ApiKey(key) => Ok(Self(agents::authenticate(state, key).await?)),
            Credential::AccessToken(_) => Err(Problem::new(Code::Forbidden, "only an agent may do this, not a user")),
        }
    }
}

impl CallerAuth {
    async fn prove(state: &State, credential: Credential<'_>) -> Result<Self, Problem> {
        Ok(Self(match credential {
            Credential::AccessToken(token) => Caller::User(sessions::authenticate(state, token).await?),
            Credential::ApiKey(key) => Caller::Agent(agents::authenticate(state, key).await?),
        }))
    }
}

/// Makes a type the security argument of operations. By hand, because a derived choice of schemes answers with the
/// last one's error, and takes a wrong key beside a good token.
macro_rules! security {
    ($type:ty, $($scheme:ty),+) => {
        impl<'a> ApiExtractor<'a> for $type {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

            type ParamType = ();
            type ParamRawType = ();

            fn register(registry: &mut Registry) {
                $(<$scheme as ApiExtractor>::register(registry);)+
            }

            fn security_schemes() -> Vec<&'static str> {
                [$(<$scheme as ApiExtractor>::security_schemes()),+].concat()
            }

            async fn from_request(
                request: &'a Request,
                _body: &mut RequestBody,
                _options: ExtractParamOptions<()>,
            ) -> poem::Result<Self> {
                let state = request.data::<State>().expect("the router gives every request the state");
                Ok(Self::prove(state, Credential::of(request.headers())?).await?)
            }
        }
    };
}

security!(UserAuth, AccessTokenScheme);
security!(AgentAuth, ApiKeyScheme);
security!(CallerAuth, AccessTokenScheme, ApiKeyScheme);

#[cfg(test)]
mod tests {
    use super::*;

    fn of(given: &[(&'static str, &str)]) -> Result<String, u16> {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(*name, value.parse().expect("a header value"));
        }
        match Credential::of(&headers) {
            Ok(credential) => Ok(format!("{credential:?}")),
            Err(Problem::Refused(status, ..) | Problem::Failed(status, ..)) => Err(status.as_u16()),
        }
    }

    #[test]
    fn a_credential_is_told_apart_by_its_header_and_prefix() {
        assert_eq!(of(&[("authorization", "Bearer ey.a.b")]), Ok("AccessToken(\"ey.a.b\")".to_owned()));
        assert_eq!(of(&[("authorization", "bearer wak_1")]), Ok("ApiKey(\"wak_1\")".to_owned()));
        assert_eq!(of(&[("x-api-key", "wak_1")]), Ok("ApiKey(\"wak_1\")".to_owned()));
    }

    #[test]
    fn none_is_unauthenticated_and_two_are_invalid() {
        assert_eq!(of(&[]), Err(401));
        assert_eq!(of(&[("authorization", "Basic YTpi")]), Err(401));
        assert_eq!(of(&[("x-api-key", "wak_1"), ("authorization", "Bearer ey.a.b")]), Err(400));
        assert_eq!(of(&[("x-api-key", "wak_1"), ("x-api-key", "wak_1")]), Err(400));
        assert_eq!(of(&[("authorization", "Bearer a"), ("authorization", "Bearer a")]), Err(400));
    }
}
