use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use alloy::primitives::Address;
use serde_json::Value;
use tokio::sync::watch;

use super::Call;

/// Which calls a rule is for.
#[derive(Clone, Default)]
pub(crate) struct Calls {
    methods: Vec<String>,
    wallet: Option<Address>,
    holds: Option<String>,
    only: Option<Choose>,
}

impl Calls {
    pub(crate) fn any() -> Self {
        Self::default()
    }

    pub(crate) fn of(method: &str) -> Self {
        Self::of_all(&[method])
    }

    pub(crate) fn of_all(methods: &[&str]) -> Self {
        Self { methods: methods.iter().map(|method| (*method).to_owned()).collect(), ..Self::default() }
    }

    /// Only what a wallet signed, or asks about it.
    pub(crate) fn wallet(self, wallet: Address) -> Self {
        Self { wallet: Some(wallet), ..self }
    }

    /// Only with these characters somewhere in the parameters.
    pub(crate) fn holding(self, text: impl ToString) -> Self {
        Self { holds: Some(text.to_string().to_lowercase()), ..self }
    }

    /// Only those for which this is so.
    pub(crate) fn only(self, is_so: impl Fn(&Call) -> bool + Send + Sync + 'static) -> Self {
        Self { only: Some(Arc::new(is_so)), ..self }
    }

    fn take(&self, call: &Call) -> bool {
        let Self { methods, wallet, holds, only } = self;
        (methods.is_empty() || methods.contains(&call.method))
            && wallet.is_none_or(|wallet| call.wallet() == Some(wallet))
            && holds.as_ref().is_none_or(|text| call.params.to_string().to_lowercase().contains(text))
            && only.as_ref().is_none_or(|is_so| is_so(call))
    }
}

type Choose = Arc<dyn Fn(&Call) -> bool + Send + Sync>;
type ChangeAnswer = Arc<dyn Fn(&Call, Value) -> Value + Send + Sync>;
type ChangeCall = Arc<dyn Fn(Call) -> Call + Send + Sync>;

/// What happens to a call. Those of the first group spoil the whole HTTP request.
#[derive(Clone)]
pub(crate) enum Fault {
    /// It is not handed on, and no answer ever comes.
    Drop,
    /// It is handed on, and no answer ever comes.
    Swallow,
    /// It is handed on; the connection breaks in the middle of the answer.
    Cut,
    /// It is not handed on; something in front of the node answers with an HTTP status and a page.
    Status(u16),
    /// It is handed on; the answer is no JSON.
    Corrupt,

    /// It is handed on as usual, but not before the rule is ended.
    Hold,
    /// It is handed on as usual: an exception from an older rule.
    Forward,
    /// It is handed on after a while.
    Delay(Duration),
    /// It is not handed on; the node says no.
    Refuse(i64, String),
    /// It is not handed on; this is the result.
    Answer(Value),
    /// Bytes are taken with their hash for an answer, and not handed on.
    Lose,
    /// It is handed on; the result is changed.
    Lie(ChangeAnswer),
    /// Another question is handed on in its place, and its answer given.
    Ask(ChangeCall),
    /// Another node answers.
    Elsewhere(String),
}

/// What an endpoint does with whole exchanges.
#[derive(Clone)]
pub(crate) enum Habit {
    /// Batches of more than so many calls are answered with an HTTP status and a body.
    Batches { most: usize, status: u16, body: &'static str },
    /// The whole body of each answer is changed.
    Body(Arc<dyn Fn(Value) -> String + Send + Sync>),
}

impl Habit {
    pub(crate) fn batches(most: usize, status: u16, body: &'static str) -> Self {
        Self::Batches { most, status, body }
    }

    /// Changes every single answer, alone or in a batch.
    pub(crate) fn each(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self::Body(Arc::new(move |mut body| {
            match &mut body {
                Value::Array(all) => all.iter_mut().for_each(&change),
                one => change(one),
            }
            body.to_string()
        }))
    }
}

impl Fault {
    pub(crate) fn refuse(words: &str) -> Self {
        Self::Refuse(-32_000, words.to_owned())
    }

    pub(crate) fn lie(change: impl Fn(&Call, Value) -> Value + Send + Sync + 'static) -> Self {
        Self::Lie(Arc::new(change))
    }

    pub(crate) fn ask(change: impl Fn(Call) -> Call + Send + Sync + 'static) -> Self {
        Self::Ask(Arc::new(change))
    }
}

/// What happens to some calls, as long as it is not ended. A handle: clones are the same rule.
#[derive(Clone)]
pub(crate) struct Rule {
    calls: Calls,
    pub(super) fault: Fault,
    left: Arc<Mutex<Option<usize>>>,
    hits: watch::Sender<usize>,
    is_over: watch::Sender<bool>,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule(hit {} times)", self.hits())
    }
}

impl Rule {
    pub(super) fn new(calls: Calls, fault: Fault, left: Option<usize>) -> Self {
        Self {
            calls,
            fault,
            left: Arc::new(Mutex::new(left)),
            hits: watch::Sender::new(0),
            is_over: watch::Sender::new(false),
        }
    }

    /// Whether it is for this call; then it has one hit more and one use less.
    pub(super) fn take(&self, call: &Call) -> bool {
        if !self.calls.take(call) {
            return false;
        }
        let mut left = self.left.lock().expect("no panics");
        match &mut *left {
            Some(0) => return false,
            Some(left) => *left -= 1,
            None => {}
        }
        self.hits.send_modify(|hits| *hits += 1);
        true
    }

    /// From now on it does nothing.
    pub(crate) fn end(&self) {
        *self.left.lock().expect("no panics") = Some(0);
        self.is_over.send_replace(true);
    }

    /// Waits until it is ended.
    pub(super) async fn ended(&self) {
        self.is_over.subscribe().wait_for(|is_over| *is_over).await.expect("the rule holds the sender");
    }

    /// How many calls it was used on.
    pub(crate) fn hits(&self) -> usize {
        *self.hits.borrow()
    }

    /// Waits until it was used so often.
    pub(crate) async fn hit(&self, times: usize) {
        let mut hits = self.hits.subscribe();
        let reached = tokio::time::timeout(Duration::from_secs(30), hits.wait_for(|hits| *hits >= times)).await;
        reached.expect("such calls come").expect("the rule holds the sender");
    }
}
