//! What every desk must do for billers: licences by two, contracts that a licence has room for.

use tacit_core::time::{Day, Timestamp};
use tacit_credit::passport::standing::Contract;

use super::super::biller::{
    ContractBegun, ContractPaper, ContractState, Granted, LicenceProposal, LicenceTerms,
};
use super::super::merchant::Merchant;
use super::super::paper::{Begun, Line};
use super::super::staff::StaffId;
use super::super::trail::{Action, Deed};
use super::super::{DeskStore, Owner};
use super::shop::register;
use super::{NOW, deed};
use crate::account::AccountId;

const ONE: StaffId = StaffId::from_bytes([1; 16]);
const OTHER: StaffId = StaffId::from_bytes([2; 16]);
const TERMS: LicenceTerms = LicenceTerms { floor: 500, contracts_max: 2 };

fn about(action: Action, merchant: &Merchant) -> Deed {
    deed(action, Owner::Person(merchant.owner))
}

fn propose(desk: &mut dyn DeskStore, merchant: &Merchant, terms: LicenceTerms) -> bool {
    let day = NOW.day();
    let proposal = LicenceProposal { merchant: merchant.account, terms, by: ONE, day };
    let deed = about(Action::LicenceProposed, merchant);
    desk.propose_licence(&proposal, &deed).expect("it answers")
}

fn grant(
    desk: &mut dyn DeskStore,
    merchant: &Merchant,
    terms: LicenceTerms,
    by: StaffId,
) -> Granted {
    let deed = about(Action::LicenceGranted, merchant);
    desk.grant_licence(merchant.account, terms, by, &deed).expect("it answers")
}

fn end(desk: &mut dyn DeskStore, merchant: &Merchant) -> bool {
    let deed = about(Action::LicenceEnded, merchant);
    desk.end_licence(merchant.account, NOW.day(), &deed).expect("it answers")
}

fn decline(desk: &mut dyn DeskStore, merchant: &Merchant) -> bool {
    let deed = about(Action::LicenceDeclined, merchant);
    desk.decline_licence(merchant.account, &deed).expect("it answers")
}

fn written(desk: &mut dyn DeskStore) -> u64 {
    desk.trail_head().expect("it answers").length
}

pub(super) fn licences(desk: &mut dyn DeskStore) {
    let own = register(desk, 1);
    let stranger = Merchant { account: AccountId::from_random([9; 8]), ..own.clone() };
    assert!(!propose(desk, &stranger, TERMS));
    assert_eq!(grant(desk, &own, TERMS, OTHER), Granted::Unknown);
    assert_eq!(written(desk), 0, "what was not done is not written down");
    assert!(propose(desk, &own, TERMS));
    assert_eq!(desk.licence(own.account).expect("it answers"), None);
    assert_eq!(grant(desk, &own, TERMS, ONE), Granted::Own);
    let others = LicenceTerms { contracts_max: 3, ..TERMS };
    assert_eq!(grant(desk, &own, others, OTHER), Granted::Unknown, "not what was proposed");
    assert_eq!(grant(desk, &own, TERMS, OTHER), Granted::Done);
    assert_eq!(grant(desk, &own, TERMS, OTHER), Granted::Unknown, "the second click");
    let licence = desk.licence(own.account).expect("it answers").expect("granted");
    assert_eq!((licence.terms, licence.granted, licence.ended), (TERMS, NOW.day(), None));

    // Other terms wait beside those in force.
    assert!(propose(desk, &own, others));
    let biller = desk.biller(own.account).expect("it answers").expect("there");
    assert_eq!(biller.licence.map(|it| it.terms), Some(TERMS));
    assert_eq!(biller.proposal.map(|it| (it.terms, it.by)), Some((others, ONE)));
    assert_eq!([decline(desk, &own), decline(desk, &own)], [true, false]);
    let unproposed = register(desk, 2);
    let listed = desk.billers(0, 9).expect("it answers");
    assert_eq!(listed, [desk.biller(own.account).expect("it answers").expect("there")]);
    assert_eq!(desk.billers(1, 9).expect("it answers"), []);
    assert_eq!(desk.licence(unproposed.account).expect("it answers"), None);
    assert_eq!([end(desk, &own), end(desk, &own)], [true, false]);
    assert_eq!(desk.licence(own.account).expect("it answers"), None);
    assert_eq!(written(desk), 5);
}

fn paper(merchant: &Merchant, number: u8) -> ContractPaper {
    ContractPaper {
        id: Contract([number; 16]),
        merchant: merchant.account,
        number: 0,
        request_key: format!("key {number}"),
        request_digest: [number; 32],
        reference: Some(Line::new("customer 7").expect("a line")),
        description: Line::new("Electricity, Mill Lane 4").expect("a line"),
        created: NOW.day(),
        state: ContractState::Begun,
        ended: None,
    }
}

fn begin(desk: &mut dyn DeskStore, paper: &ContractPaper) -> ContractBegun {
    desk.begin_contract(paper).expect("it answers")
}

fn set(desk: &mut dyn DeskStore, paper: &ContractPaper, state: ContractState) -> ContractState {
    desk.set_contract_state(paper.id, state, NOW.day()).expect("it answers");
    desk.contract(paper.id).expect("it answers").expect("there").state
}

pub(super) fn contracts(desk: &mut dyn DeskStore) {
    let own = register(desk, 1);
    let [first, second, third] = [1, 2, 3].map(|number| paper(&own, number));
    assert_eq!(begin(desk, &first), ContractBegun::Unlicensed);
    assert!(propose(desk, &own, TERMS));
    assert_eq!(begin(desk, &first), ContractBegun::Unlicensed, "proposed is not granted");
    assert_eq!(grant(desk, &own, TERMS, OTHER), Granted::Done);
    let kept = ContractPaper { number: 1, ..first.clone() };
    assert_eq!(begin(desk, &first), ContractBegun::Asked(Begun::New(kept.clone())));
    let again = ContractPaper { id: Contract([9; 16]), ..first.clone() };
    assert_eq!(begin(desk, &again), ContractBegun::Asked(Begun::Same(kept.clone())));
    let other = ContractPaper { request_digest: [9; 32], ..first.clone() };
    assert_eq!(begin(desk, &other), ContractBegun::Asked(Begun::Other));
    assert!(matches!(begin(desk, &second), ContractBegun::Asked(Begun::New(_))));
    assert_eq!(begin(desk, &third), ContractBegun::Full);
    let on_their_way = desk.contracts_on_their_way(9).expect("it answers");
    assert_eq!(on_their_way.len(), 2);
    for state in [ContractState::Open, ContractState::Ended, ContractState::Open] {
        let left = if state == ContractState::Open { ContractState::Ended } else { state };
        let found = set(desk, &first, state);
        assert!(found == state || found == left, "{found:?}");
    }
    assert_eq!(set(desk, &first, ContractState::Ending), ContractState::Ended, "it is over");
    assert!(matches!(begin(desk, &third), ContractBegun::Asked(Begun::New(_))), "there is room");
    let numbers = |found: Vec<ContractPaper>| -> Vec<u64> {
        found.iter().map(|paper| paper.number).collect()
    };
    assert_eq!(numbers(desk.contracts(own.account, None, 9).expect("it answers")), [3, 2, 1]);
    assert_eq!(numbers(desk.contracts(own.account, Some(3), 1).expect("it answers")), [2]);
    let found = desk.contract_of_number(own.account, 1).expect("it answers").expect("there");
    assert_eq!((found.id, found.ended), (first.id, Some(NOW.day())));

    // With the licence end its contracts, also those that the vault has not heard of.
    assert_eq!(set(desk, &second, ContractState::Open), ContractState::Open);
    assert!(end(desk, &own));
    let ending = desk.contracts_on_their_way(9).expect("it answers");
    assert!(ending.iter().all(|paper| paper.state == ContractState::Ending));
    assert_eq!(ending.len(), 2);
    assert_eq!(begin(desk, &paper(&own, 4)), ContractBegun::Unlicensed);
    // What has ended is forgotten with its bills.
    let later = |days: u64| Timestamp::from_seconds(NOW.seconds() + days * Day::SECONDS);
    desk.sweep(later(600)).expect("it answers");
    assert!(desk.contract(first.id).expect("it answers").is_some());
    desk.sweep(later(900)).expect("it answers");
    assert_eq!(desk.contract(first.id).expect("it answers"), None);
    assert!(desk.contract(second.id).expect("it answers").is_some(), "it has not ended");
}
