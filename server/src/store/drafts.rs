//! What users were shown before they sent it.

use sea_orm::{QueryOrder, QuerySelect, entity::prelude::*};

use super::{Json, Read, Result, Write};
use crate::value::{Digest, Gas, Preview, Time, TransactionId, UserId, Warning, Wei};

/// How many of a user's drafts are kept.
const KEPT: u64 = 20;

/// What the server chose for a send that its user looked at; what the user asked for is not kept, it comes again with
/// the send itself.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "drafts")]
pub struct Model {
    /// Who was shown it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// The digest of the transaction as it was shown.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: Digest,
    /// The id it will have.
    pub transaction_id: TransactionId,
    /// The most gas it may use.
    pub gas_limit: Gas,
    /// The most it may pay for one unit of gas.
    pub max_fee_per_gas: Wei,
    /// The most of that for the block's producer.
    pub max_priority_fee_per_gas: Wei,
    /// What was warned of.
    pub warnings: Json<Vec<Warning>>,
    /// What it does, as it was shown.
    pub preview: Json<Preview>,
    /// When it was shown.
    pub created_at: Time,
    /// Until when it can be sent.
    pub expires_at: Time,
}

/// No relation is queried through the entity: joins would hide the scope.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Keeps a draft, and of its user's earlier ones only the 19 newest.
pub async fn insert(write: &Write, draft: Model) -> Result<()> {
    let user_id = draft.user_id;
    Entity::insert(ActiveModel::from(draft)).exec_without_returning(write.connection()).await?;
    let query = Entity::find().filter(Column::UserId.eq(user_id)).order_by_desc(Column::CreatedAt);
    // Ids rise with time, and tell drafts of the same microsecond apart.
    let query = query.order_by_desc(Column::TransactionId).offset(KEPT).limit(KEPT);
    let surplus: Vec<_> = query.all(write.connection()).await?.into_iter().map(|draft| draft.transaction_id).collect();
    if !surplus.is_empty() {
        let surplus = Column::TransactionId.is_in(surplus);
        Entity::delete_many().filter(Column::UserId.eq(user_id)).filter(surplus).exec(write.connection()).await?;
    }
    Ok(())
}

/// What a user was shown under a digest, while it can be sent.
pub async fn find_for_user(store: &impl Read, user_id: UserId, digest: Digest, now: Time) -> Result<Option<Model>> {
    let query = Entity::find_by_id((user_id, digest)).filter(Column::ExpiresAt.gt(now));
    Ok(query.one(store.connection()).await?)
}

/// Deletes drafts that can no longer be sent; gives how many.
pub async fn delete_expired(write: &Write, now: Time) -> Result<u64> {
    let deleted = Entity::delete_many().filter(Column::ExpiresAt.lte(now)).exec(write.connection()).await?;
    Ok(deleted.rows_affected)
}
