//! Answers that more than one noun gives.

use std::borrow::Cow;

use poem_openapi::{
    ApiResponse, Object,
    payload::Json,
    registry::MetaSchemaRef,
    types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type},
};
use serde_json::Value;
use uuid::Uuid;

use super::schema::{schema, sized, text};
use crate::domain::{Outcome, Page, PageOf};

/// A new thing.
#[derive(Debug, ApiResponse)]
pub enum Made<T: ToJSON> {
    /// It was made.
    #[oai(status = 201)]
    Created(Json<T>),
}

/// A new thing, or the one that the same request made before.
#[derive(Debug, ApiResponse)]
pub enum Creation<T: ToJSON> {
    /// It was made.
    #[oai(status = 201)]
    Created(Json<T>),
    /// The same request, with the same `Idempotency-Key`, made it before. This is what it is now.
    #[oai(status = 200)]
    Known(Json<T>),
}

impl<T: ToJSON> Creation<T> {
    /// The answer for what the domain made.
    pub fn of<R>(outcome: Outcome<R>, wire: impl FnOnce(R) -> T) -> Self {
        match outcome {
            Outcome::Created(row) => Self::Created(Json(wire(row))),
            Outcome::Known(row) => Self::Known(Json(wire(row))),
        }
    }
}

/// Done, and nothing to tell.
#[derive(Debug, ApiResponse)]
pub enum Empty {
    /// It is done.
    #[oai(status = 204)]
    Done,
}

/// Where a part of a list begins: opaque to callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(pub Uuid);

schema!(Cursor, "Cursor", sized(1..=64, text("Where a part of a list begins. Opaque: only ever pass it back.", "")));

impl ToJSON for Cursor {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.simple().to_string().into())
    }
}

impl ParseFromJSON for Cursor {
    fn parse_from_json(_value: Option<Value>) -> ParseResult<Self> {
        Err(ParseError::custom("only answered"))
    }
}

impl ParseFromParameter for Cursor {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        let id = Uuid::try_parse(value).ok().filter(|_| value.len() == 32);
        id.map(Self).ok_or_else(|| ParseError::custom("expected `next_cursor` of an earlier answer"))
    }
}

/// A part of a list, newest first.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct List<T: ParseFromJSON + ToJSON + Send + Sync> {
    /// The things of this part.
    items: Vec<T>,
    /// Give it as `cursor` to get the next part; absent at the end.
    next_cursor: Option<Cursor>,
}

impl<T: ParseFromJSON + ToJSON> List<T> {
    /// Everything, in one part.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }

    /// The answer for a part of the domain's list.
    pub fn of<R, Id>(page: PageOf<R, Id>, wire: impl FnMut(R) -> T, id: impl FnOnce(Id) -> Uuid) -> Self {
        let PageOf { items, next } = page;
        let next_cursor = next.map(|next| Cursor(id(next)));
        Self { items: items.into_iter().map(wire).collect(), next_cursor }
    }
}

/// How many of a list are asked for: 1 to 100.
pub type Limit = super::bounded::Bounded<1, 100>;

/// The part of a list that is asked for; 20 things when the caller does not say.
pub fn page<Id>(limit: Option<Limit>, cursor: Option<Cursor>, id: impl FnOnce(Uuid) -> Id) -> Page<Id> {
    Page { limit: limit.map_or(20, Limit::get), before: cursor.map(|Cursor(before)| id(before)) }
}
