//! Staff's SQL.

use tacit_service::desk::Owner;
use tacit_service::desk::login::Invitation;
use tacit_service::desk::person::Name;
use tacit_service::desk::staff::{Role, Staff, StaffChange, StaffChanged, StaffId, StaffStore};
use tacit_service::desk::trail::Deed;
use tacit_service::vault::StoreError;

use super::engine::{Engine, Fault, Row, Statements, Value};
use super::{Desk, login, trail};

const UNREADABLE: Fault = Fault::Malformed("a row of staff cannot be read");

impl<E: Engine> StaffStore for Desk<E> {
    fn add_staff(
        &mut self,
        staff: &Staff,
        invitation: &Invitation,
        deed: &Deed,
    ) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "INSERT INTO staff (id, name, role, active) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT DO NOTHING";
            let parameters = [
                Value::from(&staff.id.bytes()),
                staff.name.as_str().into(),
                staff.role.name().into(),
                staff.is_active.into(),
            ];
            if statements.execute(sql, &parameters)? == 0 {
                return Ok(false);
            }
            login::insert_invitation(statements, invitation)?;
            trail::write(statements, deed)?;
            Ok(true)
        })
    }

    fn staff(&mut self, id: StaffId) -> Result<Option<Staff>, StoreError> {
        self.change(|statements| of_id(statements, id))
    }

    fn staff_of_name(&mut self, name: &Name) -> Result<Option<Staff>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT id, name, role, active FROM staff WHERE name = ?1";
            statements.query(sql, &[name.as_str().into()])?.first().map(staff).transpose()
        })
    }

    fn all_staff(&mut self) -> Result<Vec<Staff>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT id, name, role, active FROM staff ORDER BY name, id";
            statements.query(sql, &[])?.iter().map(staff).collect()
        })
    }

    fn change_staff(
        &mut self,
        id: StaffId,
        change: StaffChange,
        deed: &Deed,
    ) -> Result<StaffChanged, StoreError> {
        self.change(|statements| {
            let Some(before) = of_id(statements, id)?.filter(|staff| staff.is_active) else {
                return Ok(StaffChanged::Nothing);
            };
            if change == StaffChange::Role(before.role) {
                return Ok(StaffChanged::Nothing);
            }
            let sql = "SELECT count(*) FROM staff WHERE role = 'admin' AND active = 1";
            let admins = statements.query(sql, &[])?.first().map_or(Ok(0), |row| row.integer(0))?;
            if before.role == Role::Admin && admins <= 1 {
                return Ok(StaffChanged::LastAdmin);
            }
            let id = Value::from(&id.bytes());
            match change {
                StaffChange::Role(role) => {
                    let sql = "UPDATE staff SET role = ?2 WHERE id = ?1";
                    statements.execute(sql, &[id, role.name().into()])?;
                    login::end_sessions(statements, Owner::Staff(before.id))?;
                }
                StaffChange::Dismiss => {
                    statements.execute("UPDATE staff SET active = 0 WHERE id = ?1", &[id])?;
                    login::shut_out(statements, Owner::Staff(before.id))?;
                }
            }
            trail::write(statements, deed)?;
            Ok(StaffChanged::Done)
        })
    }
}

fn of_id(statements: &mut dyn Statements, id: StaffId) -> Result<Option<Staff>, Fault> {
    let sql = "SELECT id, name, role, active FROM staff WHERE id = ?1";
    statements.query(sql, &[Value::from(&id.bytes())])?.first().map(staff).transpose()
}

fn staff(row: &Row) -> Result<Staff, Fault> {
    Ok(Staff {
        id: StaffId::from_bytes(row.bytes(0)?),
        name: Name::new(row.text(1)?).map_err(|_| UNREADABLE)?,
        role: Role::of_name(row.text(2)?).ok_or(UNREADABLE)?,
        is_active: row.boolean(3)?,
    })
}
