//! How long a request may keep nodes, and nodes a request.

use std::time::Duration;

use super::ChainError;

/// How long everything that one request asks of nodes may take in all.
pub const REQUEST_BUDGET: Duration = Duration::from_secs(15);

/// Does the work, or gives up on it when it takes longer than `limit` in all.
///
/// Fails as the work does, and with [`ChainError::Unavailable`] when the time is over.
pub async fn budget<T, E: From<ChainError>>(limit: Duration, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    match tokio::time::timeout(limit, work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(ChainError::Unavailable("it took too long in all".to_owned()).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_never_ends_is_given_up() {
        let never = std::future::pending::<Result<(), ChainError>>();
        let late = ChainError::Unavailable("it took too long in all".to_owned());
        assert_eq!(budget(Duration::from_millis(10), never).await, Err(late));
        assert_eq!(budget(Duration::from_secs(5), async { Ok::<_, ChainError>(7) }).await, Ok(7));
    }
}
