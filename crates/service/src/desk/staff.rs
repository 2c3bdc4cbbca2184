//! Who works here, and what each role may do: one table, and nothing beside it.

use super::login::Invitation;
use super::person::Name;
use super::random_id;
use super::trail::Deed;
use crate::vault::StoreError;

random_id! {
    /// Names somebody who works for the operator.
    StaffId
}

/// What somebody is here for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Serves people at the desk.
    Teller,
    /// Looks after what the law forbids: freezes, closes, identifies.
    Compliance,
    /// Looks after money: statements, payouts, suspense.
    Finance,
    /// Looks, and changes nothing.
    Auditor,
    /// Looks after staff and settings, and never after people or money.
    Admin,
}

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Find people and look at them.
    SeePeople,
    /// Open an account at the desk, and let a person in again who lost their passkeys.
    ServePeople,
    /// Confirm that a colleague was right to let somebody in again.
    ConfirmLogins,
    /// Freeze, thaw and close accounts; set how well somebody is known.
    JudgePeople,
    /// Look at hits of screening, and in the trail at why somebody was frozen: suspicions are not for the counter.
    SeeSuspicions,
    /// Look at statements, payouts and what nobody claimed.
    SeeMoney,
    /// Take in statements, resolve what nobody claimed, prepare payouts.
    HandleMoney,
    /// Approve what somebody else prepared.
    ApproveMoney,
    /// Look at merchants.
    SeeMerchants,
    /// Take merchants in, and stop them; propose that one may bill, and end it.
    JudgeMerchants,
    /// Grant a shop the licence to bill that a colleague proposed.
    GrantLicences,
    /// Look at agents, and at what their floats hold.
    SeeAgents,
    /// Take agents in, and stop them.
    JudgeAgents,
    /// Look at who asks for certificates by a registered name.
    SeeVerifiers,
    /// Register them, and stop them.
    JudgeVerifiers,
    /// Look at who works here.
    SeeStaff,
    /// Take staff in, change roles, let them in again.
    ManageStaff,
    /// Change limits, fees and rails.
    ManageSettings,
    /// Read the trail.
    SeeTrail,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] =
        [Self::Teller, Self::Compliance, Self::Finance, Self::Auditor, Self::Admin];

    /// As it is stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Teller => "teller",
            Self::Compliance => "compliance",
            Self::Finance => "finance",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }

    /// The role of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether somebody of this role may do that. Where no row of the table names a role, it may not.
    pub fn may(self, permission: Permission) -> bool {
        use Role::{Admin, Auditor, Compliance, Finance, Teller};
        let may: &[Self] = match permission {
            Permission::SeePeople => &[Teller, Compliance, Auditor],
            Permission::ServePeople => &[Teller],
            Permission::ConfirmLogins => &[Teller, Compliance],
            Permission::JudgePeople => &[Compliance],
            Permission::SeeSuspicions => &[Compliance, Auditor],
            Permission::SeeMoney => &[Finance, Compliance, Auditor],
            Permission::HandleMoney => &[Finance],
            Permission::ApproveMoney => &[Finance, Compliance],
            Permission::SeeMerchants => &[Teller, Compliance, Finance, Auditor],
            Permission::JudgeMerchants => &[Compliance],
            Permission::GrantLicences => &[Finance, Compliance],
            Permission::SeeAgents => &[Teller, Compliance, Finance, Auditor],
            Permission::JudgeAgents => &[Compliance],
            Permission::SeeVerifiers => &[Teller, Compliance, Auditor],
            Permission::JudgeVerifiers => &[Compliance],
            Permission::SeeStaff => &[Admin, Auditor],
            Permission::ManageStaff => &[Admin],
            Permission::ManageSettings => &[Admin],
            Permission::SeeTrail => &[Admin, Auditor, Compliance],
        };
        may.contains(&self)
    }
}

impl Permission {
    /// All permissions.
    pub const ALL: [Self; 19] = [
        Self::SeePeople,
        Self::ServePeople,
        Self::ConfirmLogins,
        Self::JudgePeople,
        Self::SeeSuspicions,
        Self::SeeMoney,
        Self::HandleMoney,
        Self::ApproveMoney,
        Self::SeeMerchants,
        Self::JudgeMerchants,
        Self::GrantLicences,
        Self::SeeAgents,
        Self::JudgeAgents,
        Self::SeeVerifiers,
        Self::JudgeVerifiers,
        Self::SeeStaff,
        Self::ManageStaff,
        Self::ManageSettings,
        Self::SeeTrail,
    ];
}

/// Somebody who works here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    /// Their name in the trail.
    pub id: StaffId,
    /// What they are called.
    pub name: Name,
    /// What they are here for.
    pub role: Role,
    /// Whether they still may log in.
    pub is_active: bool,
}

/// What the desk keeps of who works here.
pub trait StaffStore {
    /// Takes somebody in, with the invitation that leads to their first passkey. `false` if the name is taken: two of one
    /// name could not be told apart in the trail.
    ///
    /// # Errors
    /// [`StoreError`]
    fn add_staff(
        &mut self,
        staff: &Staff,
        invitation: &Invitation,
        deed: &Deed,
    ) -> Result<bool, StoreError>;

    /// Who this is.
    ///
    /// # Errors
    /// [`StoreError`]
    fn staff(&mut self, id: StaffId) -> Result<Option<Staff>, StoreError>;

    /// Who goes by this name.
    ///
    /// # Errors
    /// [`StoreError`]
    fn staff_of_name(&mut self, name: &Name) -> Result<Option<Staff>, StoreError>;

    /// All who work or worked here, by name.
    ///
    /// # Errors
    /// [`StoreError`]
    fn all_staff(&mut self) -> Result<Vec<Staff>, StoreError>;

    /// Changes a role or lets somebody go, who is logged out everywhere then: what they were allowed when they logged in is
    /// not what they are allowed now.
    ///
    /// # Errors
    /// [`StoreError`]
    fn change_staff(
        &mut self,
        id: StaffId,
        change: StaffChange,
        deed: &Deed,
    ) -> Result<StaffChanged, StoreError>;
}

/// A change to somebody who works here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaffChange {
    /// Another role.
    Role(Role),
    /// They may no longer log in, and their passkeys are gone.
    Dismiss,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaffChanged {
    /// It is done.
    Done,
    /// Nobody who works here has that name, or nothing would change.
    Nothing,
    /// Nobody would be left who can take staff in.
    LastAdmin,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table as an auditor reads it: a row for each permission, a column for each role, in the order of
    /// [`Role::ALL`].
    const TABLE: [(Permission, &str); 19] = [
        (Permission::SeePeople, "XX.X."),
        (Permission::ServePeople, "X...."),
        (Permission::ConfirmLogins, "XX..."),
        (Permission::JudgePeople, ".X..."),
        (Permission::SeeSuspicions, ".X.X."),
        (Permission::SeeMoney, ".XXX."),
        (Permission::HandleMoney, "..X.."),
        (Permission::ApproveMoney, ".XX.."),
        (Permission::SeeMerchants, "XXXX."),
        (Permission::JudgeMerchants, ".X..."),
        (Permission::GrantLicences, ".XX.."),
        (Permission::SeeAgents, "XXXX."),
        (Permission::JudgeAgents, ".X..."),
        (Permission::SeeVerifiers, "XX.X."),
        (Permission::JudgeVerifiers, ".X..."),
        (Permission::SeeStaff, "...XX"),
        (Permission::ManageStaff, "....X"),
        (Permission::ManageSettings, "....X"),
        (Permission::SeeTrail, ".X.XX"),
    ];

    #[test]
    fn each_role_may_what_the_table_says_and_no_more() {
        assert_eq!(TABLE.map(|(permission, _)| permission), Permission::ALL);
        for (permission, row) in TABLE {
            let said: String =
                Role::ALL.map(|role| if role.may(permission) { 'X' } else { '.' }).iter().collect();
            assert_eq!(said, row, "{permission:?}");
        }
    }

    #[test]
    fn an_auditor_changes_nothing_and_an_admin_sees_nobody() {
        let changes = [
            Permission::ServePeople,
            Permission::ConfirmLogins,
            Permission::JudgePeople,
            Permission::HandleMoney,
            Permission::ApproveMoney,
            Permission::JudgeMerchants,
            Permission::GrantLicences,
            Permission::JudgeAgents,
            Permission::JudgeVerifiers,
            Permission::ManageStaff,
            Permission::ManageSettings,
        ];
        assert!(changes.iter().all(|change| !Role::Auditor.may(*change)));
        assert!(!Role::Admin.may(Permission::SeePeople) && !Role::Admin.may(Permission::SeeMoney));
    }

    #[test]
    fn roles_are_known_by_their_names() {
        for role in Role::ALL {
            assert_eq!(Role::of_name(role.name()), Some(role));
        }
        assert_eq!(Role::of_name("root"), None);
    }
}
