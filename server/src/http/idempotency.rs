//! The header that makes a repeated creation harmless.

use poem::{Request, RequestBody};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaParamIn, MetaSchemaRef},
    types::Type,
};

use super::problem::Problem;
use crate::value::IdempotencyKey;

/// The `Idempotency-Key` header. By hand, because poem drops a header it cannot read: a creation whose key was lost on
/// the way would be done twice.
pub struct Idempotency(pub Option<IdempotencyKey>);

impl<'a> ApiExtractor<'a> for Idempotency {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];

    type ParamType = IdempotencyKey;
    type ParamRawType = IdempotencyKey;

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Header)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(IdempotencyKey::schema_ref())
    }

    fn param_raw_type(&self) -> Option<&IdempotencyKey> {
        self.0.as_ref()
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        options: ExtractParamOptions<IdempotencyKey>,
    ) -> poem::Result<Self> {
        let mut given = request.headers().get_all(options.name).iter();
        let key = match (given.next(), given.next()) {
            (None, _) => return Ok(Self(None)),
            (Some(value), None) => value.to_str().ok().and_then(|text| text.parse().ok()),
            (Some(_), Some(_)) => None,
        };
        match key {
            Some(key) => Ok(Self(Some(key))),
            None => {
                Err(Problem::invalid(format!("{}: expected 1 to 255 visible ASCII characters", options.name)).into())
            }
        }
    }
}
