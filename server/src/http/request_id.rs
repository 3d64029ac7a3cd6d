//! The id that ties an answer to its line in the log.

use poem::{Request, http::HeaderValue};
use uuid::Uuid;

/// The header that carries it, both ways.
pub const HEADER: &str = "x-request-id";

tokio::task_local! {
    static CURRENT: RequestId;
}

/// 8 to 64 of `A-Z a-z 0-9 . _ -`: the caller's own id when it is one, so that its log and ours can be joined.
#[derive(Debug, Clone)]
pub struct RequestId(String);

impl RequestId {
    /// The id the request carries, or a new one. An id of another shape is dropped, for it would be written to the log.
    pub fn of(request: &Request) -> Self {
        let mut given = request.headers().get_all(HEADER).iter();
        match (given.next().and_then(|value| value.to_str().ok()), given.next()) {
            (Some(id), None) if is_valid(id) => Self(id.to_owned()),
            _ => Self(Uuid::now_v7().simple().to_string()),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, for the answer's header.
    pub fn header_value(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).expect("every character of a request id may stand in a header")
    }

    /// Runs the work with this id as the current one.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }
}

/// The id of the request that is being answered, or `none` outside of one.
pub fn current() -> String {
    CURRENT.try_with(|id| id.0.clone()).unwrap_or_else(|_| "none".to_owned())
}

fn is_valid(id: &str) -> bool {
    (8..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_id_of_the_caller_is_taken_over() {
        let of = |ids: &[&str]| {
            let request = ids.iter().fold(Request::builder(), |request, id| request.header(HEADER, *id));
            RequestId::of(&request.finish()).as_str().to_owned()
        };
        assert_eq!(of(&["trace-1.a_B"]), "trace-1.a_B");
        for ids in [&["short"][..], &["has a space"], &["trace-one", "trace-two"], &[]] {
            let made = of(ids);
            assert!(is_valid(&made) && !ids.contains(&made.as_str()), "{ids:?}");
        }
    }
}
