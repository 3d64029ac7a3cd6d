//! Contracts that steal, deceive, or hide what they do: it is seen, or an alarm says that it is not.

use agent_sdk::{
    AssetChange, Authorize, ChangeDirection, ContractCall, Deployment, PrepareTransaction, Preview, Severity,
    SimulationMethod, Transaction,
};
use alloy::{
    primitives::{Address, Bytes, U256},
    sol_types::{SolCall, SolValue},
};

use crate::harness::{
    Calls, ETHER, Fault, Human, World,
    contracts::{Made, Sign, Token, abi},
    on_both_databases, stranger,
};

on_both_databases!(
    whatever_a_thief_takes_for_a_trial_its_theft_is_seen_or_alarmed,
    what_was_seen_when_it_was_shown_must_be_seen_when_it_is_approved,
    where_nothing_can_be_traced_that_is_said,
    what_the_wallet_holds_counts_more_than_what_a_contract_says,
    a_contract_that_steals_while_it_is_made_is_seen,
    everyday_calls_raise_no_grave_alarm,
);

const ALLOWED: u64 = 900;

/// Somebody with 1000 units of a token.
struct Prey {
    human: Human,
    token: Token,
}

impl Prey {
    async fn new(world: &World) -> Self {
        let human = Human::with_everything(world).await;
        let token = Token::deploy_for(world, human.address, U256::from(1_000)).await;
        Self { human, token }
    }

    /// A thief to whom an allowance is left over.
    async fn thief(&self, world: &World, sign: Sign) -> Made {
        let thief = Made::thief(world, self.token.address, sign).await;
        self.token.set_allowance(world, self.human.address, thief.0, U256::from(ALLOWED)).await;
        thief
    }

    async fn claim(&self, thief: Made) -> Transaction {
        self.call(thief.0, &abi::Thief::claimCall {}, 0).await
    }

    async fn pay(&self, to: Address) -> Transaction {
        self.ask(PrepareTransaction::transfer(to, U256::ONE)).await
    }

    async fn call<C: SolCall>(&self, to: Address, call: &C, wei: u128) -> Transaction {
        let data = Bytes::from(call.abi_encode());
        self.ask(PrepareTransaction::raw(Some(to), U256::from(wei), data)).await
    }

    async fn ask(&self, request: PrepareTransaction) -> Transaction {
        self.human.agent.prepare(request).await.expect("it can be done")
    }

    /// Approves and acknowledges all that is warned of.
    async fn approve(&self, shown: &Transaction) -> Result<Transaction, agent_sdk::Error> {
        let codes = shown.warnings.iter().map(|warning| warning.code.clone());
        let approval = Authorize::new(shown.transaction_id, self.human.code()).digest(shown.digest);
        self.human.client.authorize(approval.acknowledge(codes)).await
    }
}

fn preview(transaction: &Transaction) -> &Preview {
    transaction.preview.as_ref().expect("every new transaction has one")
}

fn severity(transaction: &Transaction, code: &str) -> Option<Severity> {
    transaction.warnings.iter().find(|warning| warning.code == code).map(|warning| warning.severity.clone())
}

/// How much of a token (none: native currency) goes a way.
fn amount(transaction: &Transaction, direction: ChangeDirection, token: Option<Address>) -> U256 {
    let goes = |change: &&AssetChange| (change.direction == direction) && change.token_address == token;
    preview(transaction).changes.iter().filter(goes).map(|change| change.amount).sum()
}

async fn whatever_a_thief_takes_for_a_trial_its_theft_is_seen_or_alarmed(world: World) {
    let prey = Prey::new(&world).await;
    world.mine(3).await;
    for sign in Sign::ALL {
        let thief = prey.thief(&world, sign).await;
        for shown in [prey.claim(thief).await, prey.pay(thief.0).await] {
            let stolen = amount(&shown, ChangeDirection::Sends, Some(prey.token.address));
            match sign {
                Sign::Later | Sign::MuchLater => {
                    assert_eq!(severity(&shown, "effects_depend"), Some(Severity::High), "{sign:?}: {shown:?}");
                }
                _ => {
                    assert_eq!(stolen, U256::from(ALLOWED), "{sign:?}: {shown:?}");
                    assert!(severity(&shown, "nothing_arrives").is_some(), "{sign:?}");
                }
            }
            // No request waits for long where so many are made.
            prey.human.client.reject(shown.transaction_id, None).await.expect("its owner");
        }
    }
}

async fn what_was_seen_when_it_was_shown_must_be_seen_when_it_is_approved(world: World) {
    let prey = Prey::new(&world).await;
    let changed = async |shown: &Transaction| {
        let error = prey.approve(shown).await.expect_err("it is not what was shown");
        assert_eq!(error.code().expect("a problem").as_str(), "preview_changed", "{error}");
        error.transaction().expect("what it would do now").clone()
    };
    let thief = prey.thief(&world, Sign::Armed).await;
    let shown = prey.claim(thief).await;
    assert_eq!(amount(&shown, ChangeDirection::Sends, Some(prey.token.address)), U256::ZERO);
    thief.arm(&world).await;
    let now = changed(&shown).await;
    assert_eq!(amount(&now, ChangeDirection::Sends, Some(prey.token.address)), U256::from(ALLOWED));

    // A node that does not show it any more.
    let thief = prey.thief(&world, Sign::Armed).await;
    let shown = prey.claim(thief).await;
    thief.arm(&world).await;
    for method in ["eth_simulateV1", "debug_traceCall"] {
        world.gate.when(Calls::of(method), Fault::Corrupt);
    }
    let now = changed(&shown).await;
    assert_eq!(severity(&now, "effects_unknown"), Some(Severity::High));
    world.gate.heal();
    // What its bytes alone say is shown all the same, and a new look is asked for.
    let plain = prey.ask(PrepareTransaction::transfer_erc20(prey.token.address, stranger(), U256::ONE)).await;
    for method in ["eth_simulateV1", "debug_traceCall"] {
        world.gate.when(Calls::of(method), Fault::Corrupt);
    }
    changed(&plain).await;
}

async fn where_nothing_can_be_traced_that_is_said(world: World) {
    let prey = Prey::new(&world).await;
    let thief = prey.thief(&world, Sign::Always).await;
    let method = |shown: &Transaction| preview(shown).simulation.method.clone();
    for (missing, used) in
        [("eth_simulateV1", SimulationMethod::DebugTraceCall), ("debug_traceCall", SimulationMethod::EthCall)]
    {
        world.gate.when(Calls::of(missing), Fault::refuse("the method does not exist"));
        let claimed = prey.claim(thief).await;
        assert_eq!(method(&claimed), used);
        let is_seen = used == SimulationMethod::DebugTraceCall;
        let stolen = amount(&claimed, ChangeDirection::Sends, Some(prey.token.address));
        assert_eq!(stolen, U256::from(if is_seen { ALLOWED } else { 0 }));
        for shown in [claimed, prey.pay(thief.0).await] {
            assert_eq!(severity(&shown, "effects_unknown").is_some(), !is_seen, "{shown:?}");
        }
        // What the bytes alone say is no riddle.
        let transfer = PrepareTransaction::transfer_erc20(prey.token.address, stranger(), U256::ONE);
        for plain in [prey.pay(stranger()).await, prey.ask(transfer).await] {
            assert_eq!(severity(&plain, "effects_unknown"), None, "{plain:?}");
        }
    }
}

async fn what_the_wallet_holds_counts_more_than_what_a_contract_says(world: World) {
    use ChangeDirection::{Receives, Sends};
    let prey = Prey::new(&world).await;
    let wrapped = Made::new(&world, "Wrapped", Vec::new()).await.0;
    let wrap = prey.call(wrapped, &abi::Wrapped::depositCall {}, ETHER).await;
    assert_eq!(
        (amount(&wrap, Sends, None), amount(&wrap, Receives, Some(wrapped))),
        (U256::from(ETHER), U256::from(ETHER))
    );
    assert_eq!(severity(&wrap, "nothing_arrives"), None);
    prey.approve(&wrap).await.expect("the owner with a fresh code");
    prey.human.agent.execute(wrap.transaction_id).await.expect("it is approved");
    prey.human.agent.wait_until_confirmed(wrap.transaction_id).await.expect("the node mines");
    let unwrap = prey.call(wrapped, &abi::Wrapped::withdrawCall { amount: U256::from(5) }, 0).await;
    assert_eq!(
        (amount(&unwrap, Sends, Some(wrapped)), amount(&unwrap, Receives, None)),
        (U256::from(5), U256::from(5))
    );

    let liar =
        Made::new(&world, "Liar", (prey.human.address, U256::from(10).pow(U256::from(19))).abi_encode_params()).await.0;
    let bought = prey.call(liar, &abi::Liar::buyCall {}, ETHER).await;
    assert_eq!(amount(&bought, Receives, Some(liar)), U256::ZERO, "what is told to arrive does not");
    assert_eq!(severity(&bought, "nothing_arrives"), Some(Severity::High));
    let voted = prey.call(liar, &abi::Liar::voteCall {}, 0).await;
    assert_eq!(amount(&voted, Sends, Some(liar)), U256::from(10).pow(U256::from(19)), "it leaves without a word");
    assert_eq!(severity(&voted, "large_share_of_balance"), Some(Severity::Medium));
    // What it said of its decimals yesterday does not count.
    Made(liar).tell(&world, &abi::Liar::setDecimalsCall { decimals: 12 }).await;
    let sent = prey.ask(PrepareTransaction::transfer_erc20(liar, stranger(), U256::from(ETHER))).await;
    assert_eq!(preview(&sent).changes[0].text, "1000000 LIE");
    assert_eq!(preview(&sent).tokens[0].decimals, Some(12));
}

async fn a_contract_that_steals_while_it_is_made_is_seen(world: World) {
    let prey = Prey::new(&world).await;
    let future = prey.human.address.create(0);
    let approve = abi::Token::approveCall { spender: future, amount: U256::from(10) };
    let allowed = prey.ask(PrepareTransaction::contract_call(ContractCall::new(prey.token.address, approve))).await;
    assert_eq!(severity(&allowed, "spender_without_code"), Some(Severity::High));
    prey.token.set_allowance(&world, prey.human.address, future, U256::from(ALLOWED)).await;
    let code = Made::code("ThiefByBirth", prey.token.address.abi_encode());
    let made = prey.ask(PrepareTransaction::deploy(Deployment::new(code))).await;
    assert_eq!(amount(&made, ChangeDirection::Sends, Some(prey.token.address)), U256::from(ALLOWED), "{made:?}");
    world.gate.when(Calls::of("debug_traceCall"), Fault::refuse("the method does not exist"));
    let code = Made::code("Counter", Address::ZERO.abi_encode());
    let unseen = prey.ask(PrepareTransaction::deploy(Deployment::new(code))).await;
    assert_eq!(severity(&unseen, "effects_unknown"), Some(Severity::High), "{unseen:?}");
}

async fn everyday_calls_raise_no_grave_alarm(world: World) {
    let prey = Prey::new(&world).await;
    let market = Made::new(&world, "Market", prey.token.address.abi_encode()).await;
    world.node.fund(wallet_server::value::Address(market.0), 1_000_000.into()).await.expect("it has accounts");
    prey.token.set_allowance(&world, prey.human.address, market.0, U256::from(ALLOWED)).await;
    let approve = abi::Token::approveCall { spender: market.0, amount: U256::from(10) };
    for shown in [
        prey.pay(stranger()).await,
        prey.ask(PrepareTransaction::transfer_erc20(prey.token.address, stranger(), U256::from(10))).await,
        prey.ask(PrepareTransaction::contract_call(ContractCall::new(prey.token.address, approve))).await,
        prey.ask(PrepareTransaction::contract_call(ContractCall::new(
            market.0,
            abi::Market::swapCall { amount: U256::from(10) },
        )))
        .await,
    ] {
        let grave: Vec<_> = shown.warnings.iter().filter(|warning| warning.severity == Severity::High).collect();
        assert!(grave.is_empty(), "{grave:?}");
    }
}
