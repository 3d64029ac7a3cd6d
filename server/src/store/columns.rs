//! How the value types are kept in columns: the only place that knows.

use sea_orm::{
    ColIdx, DbErr, QueryResult, TryFromU64, TryGetError, TryGetable, Value,
    sea_query::{ArrayType, ColumnType, Nullable, ValueType, ValueTypeErr},
};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::value::{
    Address, AgentId, BlockHash, CancelCause, ChainId, Digest, Evidence, Execute, Gas, Height, Label, Nonce,
    PayloadKind, SessionId, SlotState, Status, Text, Time, TokenAmount, TokenStandard, TransactionHash, TransactionId,
    UserId, Username, WaitingReason, WalletId, Wei,
};

/// Maps a type to a column through a plain type the databases know.
macro_rules! column {
    ($type:ty $(where [$($generic:tt)*])?, $plain:ty, write: $write:expr, read: $read:expr) => {
        impl $(<$($generic)*>)? From<$type> for Value {
            fn from(value: $type) -> Self {
                let write: fn($type) -> $plain = $write;
                write(value).into()
            }
        }

        impl $(<$($generic)*>)? TryGetable for $type {
            fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
                let read: fn($plain) -> Option<Self> = $read;
                // The column's content is not repeated: errors are logged.
                read(<$plain>::try_get_by(row, index)?)
                    .ok_or_else(|| TryGetError::DbErr(DbErr::Type(concat!("not a ", stringify!($type)).into())))
            }
        }

        impl $(<$($generic)*>)? ValueType for $type {
            fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
                let read: fn($plain) -> Option<Self> = $read;
                read(<$plain as ValueType>::try_from(value)?).ok_or(ValueTypeErr)
            }

            fn type_name() -> String {
                stringify!($type).to_owned()
            }

            fn array_type() -> ArrayType {
                <$plain as ValueType>::array_type()
            }

            fn column_type() -> ColumnType {
                <$plain as ValueType>::column_type()
            }
        }

        impl $(<$($generic)*>)? Nullable for $type {
            fn null() -> Value {
                <$plain as Nullable>::null()
            }
        }

        impl $(<$($generic)*>)? TryFromU64 for $type {
            fn try_from_u64(_: u64) -> Result<Self, DbErr> {
                Err(DbErr::ConvertFromU64(stringify!($type)))
            }
        }
    };
}

macro_rules! text_columns {
    ($($type:ty),+ $(,)?) => {
        $(column!($type, String, write: |value| value.to_string(), read: |text| text.parse().ok());)+
    };
}

macro_rules! id_columns {
    ($($type:ident),+ $(,)?) => {
        $(column!($type, Uuid, write: |id| id.0, read: |uuid| Some($type(uuid)));)+
    };
}

text_columns!(
    Address,
    BlockHash,
    CancelCause,
    Digest,
    Evidence,
    Execute,
    Label,
    PayloadKind,
    SlotState,
    Status,
    Text,
    TokenAmount,
    TokenStandard,
    TransactionHash,
    Username,
    WaitingReason,
    Wei
);
id_columns!(AgentId, SessionId, TransactionId, UserId, WalletId);
column!(Time, i64, write: Time::unix_microseconds, read: |us| Some(Time::from_unix_microseconds(us)));
column!(ChainId, i64, write: |id| id.get().cast_signed(), read: |id| ChainId::new(id.cast_unsigned()).ok());
column!(Nonce, i64, write: |nonce| nonce.0.cast_signed(), read: |nonce| (nonce >= 0).then(|| Nonce(nonce.cast_unsigned())));
column!(Height, i64, write: |height| height.0.cast_signed(), read: |height| (height >= 0).then(|| Height(height.cast_unsigned())));
column!(Gas, i64, write: |gas| gas.0.cast_signed(), read: |gas| (gas >= 0).then(|| Gas(gas.cast_unsigned())));

/// A value kept as JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json<T>(pub T);

column!(
    Json<T> where [T: Serialize + DeserializeOwned], String,
    write: |value| serde_json::to_string(&value.0).expect("plain data with string keys always has a JSON form"),
    read: |text| serde_json::from_str(&text).ok().map(Json)
);
