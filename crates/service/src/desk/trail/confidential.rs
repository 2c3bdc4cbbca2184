//! Which deeds say of people and of money what not everybody reads who reads the trail.

use super::Action;

impl Action {
    /// Whether the detail of such a deed says of people or of money what only those read who look after them: reasons in free words,
    /// a suspicion, a level. Whoever adds an action has to decide.
    pub const fn is_confidential(self) -> bool {
        match self {
            Self::PersonFrozen
            | Self::PersonThawed
            | Self::PersonClosing
            | Self::PersonClosed
            | Self::PersonNotClosed
            | Self::DocumentSeen
            | Self::DocumentRefused
            | Self::NumberReleased
            | Self::LevelSet
            | Self::IdentificationRefused
            | Self::HitCleared
            | Self::HitConfirmed
            | Self::ComplaintHeld
            | Self::ComplaintAnswered
            | Self::PayoutApproved
            | Self::PayoutRejected
            | Self::PayoutsOrdered
            | Self::PayoutAsked
            | Self::BookingResolved
            | Self::BookingNotResolved
            | Self::ResolutionApproved
            | Self::ResolutionDeclined
            | Self::ExceptionRaised
            | Self::ExceptionEnded
            | Self::BookingTakenIn
            | Self::BookingSetAside
            | Self::BookingBroughtBack
            | Self::BookingSentBack
            | Self::StatementHandedIn
            | Self::StatementImported
            | Self::DifferenceExplained
            | Self::ExplanationApproved
            | Self::LicenceProposed
            | Self::LicenceEnded => true,
            Self::StaffLoggedIn
            | Self::StaffAdded
            | Self::StaffRoleChanged
            | Self::StaffDismissed
            | Self::Invited
            | Self::InvitationAccepted
            | Self::InvitationConfirmed
            | Self::InvitationStopped
            | Self::InvitationDenied
            | Self::PasskeyAdded
            | Self::PasskeyRemoved
            | Self::PersonTakenIn
            | Self::PeopleSearched
            | Self::PersonSeen
            | Self::BookingSeen
            | Self::BookingsListed
            | Self::PayoutSeen
            | Self::ListImported
            | Self::AgentTakenIn
            | Self::AgentStopped
            | Self::AgentResumed
            | Self::VerifierRegistered
            | Self::VerifierStopped
            | Self::VerifierResumed
            | Self::LicenceGranted
            | Self::LicenceDeclined => false,
        }
    }
}
