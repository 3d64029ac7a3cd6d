//! What may happen.

use proptest::{prelude::*, strategy::Union};

use super::{
    chain::Answer,
    node::{Fault, Via},
};
use crate::value::Execute;

#[derive(Debug, Clone)]
pub(super) enum Event {
    Prepare {
        wallet: usize,
        twin: bool,
        execute: Execute,
    },
    Approve {
        pick: usize,
        shows: Shows,
        acknowledge: bool,
    },
    /// Some of what is undecided, with one code.
    ApproveAll {
        most: usize,
    },
    Execute {
        pick: usize,
    },
    /// The usual story at once.
    Pay {
        wallet: usize,
        execute: Execute,
    },
    Reject {
        pick: usize,
    },
    Cancel {
        pick: usize,
        by_agent: bool,
        burns: bool,
    },
    Revoke {
        burns: bool,
    },
    Pass {
        seconds: u64,
        sweep: bool,
    },
    /// The wall clock is set back.
    SetBack {
        seconds: u64,
    },
    /// A server looks and acts at once.
    Tick {
        server: usize,
        via: Via,
        answer: Answer,
    },
    /// The same over and over, as long as nodes take to be believed.
    Insist {
        server: usize,
        via: Via,
        answer: Answer,
    },
    /// A server looks; what follows comes late.
    Look {
        server: usize,
        via: Via,
    },
    Act {
        server: usize,
        answer: Answer,
        crashes: bool,
    },
    /// No node answers.
    Unreachable,
    Mine {
        pick: Option<usize>,
        most: usize,
        fails: bool,
    },
    Stall,
    CatchUp,
    Evict,
    Market {
        times: u128,
    },
    Restart {
        server: usize,
    },
    Reorganise {
        depth: usize,
        pick: Option<usize>,
        most: usize,
    },
    /// Below what was final.
    ReorganiseDeep {
        depth: usize,
        forgets: bool,
        pick: Option<usize>,
        most: usize,
    },
    /// Where people develop: the chain begins anew. Elsewhere nothing happens.
    Reset,
    /// Somebody else with the same key.
    Foreign {
        wallet: usize,
        ahead: u64,
    },
    /// The owner clears a nonce: this one of those that are open, or the lowest that needs it.
    Clear {
        wallet: usize,
        pick: Option<usize>,
        shows: Shows,
    },
    /// Signed bytes are stolen and sent.
    Leak {
        pick: usize,
    },
}

/// Which nonce a node shows to whoever approves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shows {
    Truth,
    /// Of the node that lags.
    Stale,
    /// One that is far from it.
    Absurd,
}

/// What may happen beside ordinary life.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Dangers {
    pub(super) reorganisations: u32,
    pub(super) deep_reorganisations: u32,
    pub(super) foreign_use: u32,
    pub(super) leaks: u32,
    /// Answers that are wrong.
    pub(super) faults: u32,
    pub(super) resets: u32,
}

fn via(dangers: Dangers) -> impl Strategy<Value = Via> {
    let fault = prop_oneof![
        8 => Just(Fault::None),
        dangers.faults => prop::sample::select(Fault::ALL.to_vec()),
    ];
    (prop::bool::weighted(0.25), prop::bool::weighted(0.15), fault).prop_map(|(is_stale, other_nonce, fault)| Via {
        is_stale,
        other_nonce,
        fault,
    })
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        12 => Just(Answer::Fair), 2 => Just(Answer::Lost), 2 => Just(Answer::Mute), 2 => Just(Answer::Refuse),
        1 => Just(Answer::RefuseAll), 1 => Just(Answer::Poor)
    ]
}

fn shows(dangers: Dangers) -> impl Strategy<Value = Shows> {
    let absurd = u32::from(dangers.faults > 0);
    prop_oneof![16 => Just(Shows::Truth), 4 => Just(Shows::Stale), absurd => Just(Shows::Absurd)]
}

/// One event.
pub(super) fn event(dangers: Dangers) -> impl Strategy<Value = Event> {
    let wallet = || prop_oneof![5 => Just(0_usize), 1 => Just(1)];
    let pick = || 0..8_usize;
    let server = || 0..2_usize;
    let execute = || prop_oneof![2 => Just(Execute::Agent), 1 => Just(Execute::OnApproval)];
    let chosen = || prop_oneof![3 => Just(None), 1 => (0..4_usize).prop_map(Some)];
    let Dangers { reorganisations, deep_reorganisations, foreign_use, leaks, resets, .. } = dangers;
    let most = || prop_oneof![1 => Just(0_usize), 3 => Just(1), 3 => Just(9)];
    let seconds = || prop_oneof![3 => Just(31), 4 => Just(61), 2 => Just(901), 1 => Just(3_601)];
    let burns = || prop::bool::weighted(0.3);
    let choices = vec![
        (
            6,
            (wallet(), prop::bool::weighted(0.3), execute())
                .prop_map(|(wallet, twin, execute)| Event::Prepare { wallet, twin, execute })
                .boxed(),
        ),
        (
            8,
            (pick(), shows(dangers), any::<bool>())
                .prop_map(|(pick, shows, acknowledge)| Event::Approve { pick, shows, acknowledge })
                .boxed(),
        ),
        (2, (2..4_usize).prop_map(|most| Event::ApproveAll { most }).boxed()),
        (
            2,
            (wallet(), chosen(), shows(dangers))
                .prop_map(|(wallet, pick, shows)| Event::Clear { wallet, pick, shows })
                .boxed(),
        ),
        (6, pick().prop_map(|pick| Event::Execute { pick }).boxed()),
        (5, (wallet(), execute()).prop_map(|(wallet, execute)| Event::Pay { wallet, execute }).boxed()),
        (1, pick().prop_map(|pick| Event::Reject { pick }).boxed()),
        (
            4,
            (pick(), prop::bool::weighted(0.4), burns())
                .prop_map(|(pick, by_agent, burns)| Event::Cancel { pick, by_agent, burns })
                .boxed(),
        ),
        (1, burns().prop_map(|burns| Event::Revoke { burns }).boxed()),
        (6, (seconds(), any::<bool>()).prop_map(|(seconds, sweep)| Event::Pass { seconds, sweep }).boxed()),
        (1, seconds().prop_map(|seconds| Event::SetBack { seconds }).boxed()),
        (
            12,
            (server(), via(dangers), answer())
                .prop_map(|(server, via, answer)| Event::Tick { server, via, answer })
                .boxed(),
        ),
        (
            2,
            (server(), via(dangers), answer())
                .prop_map(|(server, via, answer)| Event::Insist { server, via, answer })
                .boxed(),
        ),
        (6, (server(), via(dangers)).prop_map(|(server, via)| Event::Look { server, via }).boxed()),
        (
            6,
            (server(), answer(), prop::bool::weighted(0.2))
                .prop_map(|(server, answer, crashes)| Event::Act { server, answer, crashes })
                .boxed(),
        ),
        (1, Just(Event::Unreachable).boxed()),
        (
            10,
            (chosen(), most(), prop::bool::weighted(0.1))
                .prop_map(|(pick, most, fails)| Event::Mine { pick, most, fails })
                .boxed(),
        ),
        (1, Just(Event::Stall).boxed()),
        (1, Just(Event::CatchUp).boxed()),
        (1, Just(Event::Evict).boxed()),
        (2, prop_oneof![3 => Just(1), 1 => 2..6_u128].prop_map(|times| Event::Market { times }).boxed()),
        (1, server().prop_map(|server| Event::Restart { server }).boxed()),
        (
            reorganisations,
            (1..4_usize, chosen(), most())
                .prop_map(|(depth, pick, most)| Event::Reorganise { depth, pick, most })
                .boxed(),
        ),
        (
            deep_reorganisations,
            (1..6_usize, any::<bool>(), chosen(), most())
                .prop_map(|(depth, forgets, pick, most)| Event::ReorganiseDeep { depth, forgets, pick, most })
                .boxed(),
        ),
        (resets, Just(Event::Reset).boxed()),
        (foreign_use, (wallet(), 0..2_u64).prop_map(|(wallet, ahead)| Event::Foreign { wallet, ahead }).boxed()),
        (leaks, (0..64_usize).prop_map(|pick| Event::Leak { pick }).boxed()),
    ];
    Union::new_weighted(choices.into_iter().filter(|(weight, _)| *weight > 0).collect())
}
