//! What every desk must do for verifiers.

use super::super::person::PersonId;
use super::super::trail::{Action, Deed};
use super::super::verifier::{
    Verifier, VerifierId, VerifierPurpose, VerifierRegistered, VerifierState,
};
use super::super::{DeskStore, Owner};
use super::cash::identify;
use super::{NOW, deed, name, sign_up};

fn verifier(number: u8, called: &str) -> Verifier {
    Verifier {
        id: VerifierId::from_bytes([number; 16]),
        name: name(called),
        purpose: VerifierPurpose::new("To decide on a loan").expect("a purpose"),
        owner: PersonId::from_bytes([number; 16]),
        opened: NOW.day(),
        state: VerifierState::Working,
    }
}

fn about(action: Action) -> Deed {
    deed(action, Owner::Person(PersonId::from_bytes([1; 16])))
}

pub(super) fn verifiers(desk: &mut dyn DeskStore) {
    let (first, second) = (verifier(1, "Lender"), verifier(2, "Bank"));
    let register = |desk: &mut dyn DeskStore, verifier: &Verifier| {
        desk.register_verifier(verifier, &about(Action::VerifierRegistered)).expect("it answers")
    };
    assert_eq!(register(desk, &first), VerifierRegistered::Unidentified, "there is nobody");
    for number in [1, 2, 9] {
        sign_up(desk, number, "Kim");
    }
    assert_eq!(register(desk, &first), VerifierRegistered::Unidentified, "nobody knows who");
    for number in [1, 2, 9] {
        identify(desk, number);
    }
    let before = desk.trail_head().expect("it answers").length;
    for new in [&first, &second] {
        assert_eq!(register(desk, new), VerifierRegistered::Done);
    }
    let others = PersonId::from_bytes([9; 16]);
    let id = VerifierId::from_bytes([9; 16]);
    for taken in [
        first.clone(),
        Verifier { id, name: name("Other"), ..first.clone() },
        Verifier { id, owner: others, ..first.clone() },
        Verifier { name: name("Other"), owner: others, ..first.clone() },
    ] {
        assert_eq!(register(desk, &taken), VerifierRegistered::Taken, "{taken:?}");
    }
    assert_eq!(desk.verifier(first.id).expect("it answers"), Some(first.clone()));
    assert_eq!(desk.verifier_of(first.owner).expect("it answers"), Some(first.clone()));
    assert_eq!(desk.verifier_of(others).expect("it answers"), None);
    let listed =
        |desk: &mut dyn DeskStore, skip, max| desk.verifiers(skip, max).expect("it answers");
    assert_eq!(listed(desk, 0, 9), [second.clone(), first.clone()], "by name");
    assert_eq!(listed(desk, 0, 1), std::slice::from_ref(&second));
    assert_eq!(listed(desk, 1, 9), std::slice::from_ref(&first));
    let set = |desk: &mut dyn DeskStore, id, state| {
        desk.set_verifier_state(id, state, &about(Action::VerifierStopped)).expect("it answers")
    };
    assert!(set(desk, first.id, VerifierState::Stopped));
    assert!(!set(desk, first.id, VerifierState::Stopped), "it is so already");
    assert!(!set(desk, id, VerifierState::Stopped), "there is none");
    let known = desk.verifier(first.id).expect("it answers").expect("there");
    assert_eq!(known.state, VerifierState::Stopped);
    assert!(set(desk, first.id, VerifierState::Working));
    let deeds = desk.trail_head().expect("it answers").length - before;
    assert_eq!(deeds, 4, "what changed nothing is no deed");
}
