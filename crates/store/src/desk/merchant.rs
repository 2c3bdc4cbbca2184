//! Merchants' SQL: shops and the keys of their programs.

use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_ecash::point::PointBytes;
use tacit_service::account::AccountId;
use tacit_service::desk::login::Label;
use tacit_service::desk::merchant::{
    API_KEYS_MAX, ApiKey, ApiKeyHash, Merchant, MerchantStore, NamingSecret, Scopes,
};
use tacit_service::desk::person::{Name, PersonId};
use tacit_service::vault::StoreError;

use super::Desk;
use super::engine::{Engine, Fault, Row, Statements, Value};
use super::row::{account, day, read_account, read_day};

const UNREADABLE: Fault = Fault::Malformed("a row of a merchant cannot be read");

impl<E: Engine> MerchantStore for Desk<E> {
    fn register(&mut self, merchant: &Merchant) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "INSERT INTO merchant (account, name, owner, unit, lock_key, naming_secret,
                                             webhook_url, webhook_secret, opened, in_vault)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING";
            let parameters = [
                account(merchant.account),
                merchant.name.as_str().into(),
                Value::from(&merchant.owner.bytes()),
                merchant.unit.code().into(),
                Value::from(merchant.key.as_bytes()),
                Value::from(merchant.naming.expose()),
                merchant.webhook.as_deref().into(),
                Value::from(merchant.webhook_secret.expose()),
                day(merchant.opened),
                merchant.is_in_vault.into(),
            ];
            Ok(statements.execute(sql, &parameters)? == 1)
        })
    }

    fn merchant(&mut self, id: AccountId) -> Result<Option<Merchant>, StoreError> {
        self.change(|statements| merchant(statements, id))
    }

    fn merchant_of(&mut self, owner: PersonId) -> Result<Option<Merchant>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT account, name, owner, unit, lock_key, naming_secret, webhook_url,
                              webhook_secret, opened, in_vault FROM merchant WHERE owner = ?1";
            let rows = statements.query(sql, &[Value::from(&owner.bytes())])?;
            rows.first().map(read_merchant).transpose()
        })
    }

    fn set_webhook(&mut self, id: AccountId, url: Option<&str>) -> Result<(), StoreError> {
        self.change(|statements| {
            let sql = "UPDATE merchant SET webhook_url = ?2 WHERE account = ?1";
            statements.execute(sql, &[account(id), url.into()]).map(drop)
        })
    }

    fn merchants_not_in_vault(&mut self, max: u32) -> Result<Vec<Merchant>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT account, name, owner, unit, lock_key, naming_secret, webhook_url,
                              webhook_secret, opened, in_vault
                       FROM merchant WHERE in_vault = 0 ORDER BY account LIMIT ?1";
            statements.query(sql, &[i64::from(max).into()])?.iter().map(read_merchant).collect()
        })
    }

    fn set_merchant_in_vault(&mut self, id: AccountId) -> Result<(), StoreError> {
        self.change(|statements| {
            let sql = "UPDATE merchant SET in_vault = 1 WHERE account = ?1";
            statements.execute(sql, &[account(id)]).map(drop)
        })
    }

    fn add_api_key(&mut self, key: &ApiKey) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "SELECT count(*) FROM api_key WHERE merchant = ?1 AND revoked = 0";
            let rows = statements.query(sql, &[account(key.merchant)])?;
            let known = rows.first().map(|row| row.count(0)).transpose()?.unwrap_or_default();
            if API_KEYS_MAX <= known {
                return Ok(false);
            }
            let sql = "INSERT INTO api_key (hash, merchant, label, scopes, added, expires, revoked)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let parameters = [
                Value::from(&key.hash.bytes()),
                account(key.merchant),
                key.label.as_str().into(),
                i64::from(key.scopes.number()).into(),
                day(key.added),
                day(key.expires),
                key.is_revoked.into(),
            ];
            statements.execute(sql, &parameters)?;
            Ok(true)
        })
    }

    fn api_keys(&mut self, merchant: AccountId) -> Result<Vec<ApiKey>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT hash, merchant, label, scopes, added, expires, revoked FROM api_key
                       WHERE merchant = ?1 AND revoked = 0 ORDER BY added, hash";
            statements.query(sql, &[account(merchant)])?.iter().map(read_key).collect()
        })
    }

    fn revoke_api_key(
        &mut self,
        merchant: AccountId,
        hash: ApiKeyHash,
    ) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "UPDATE api_key SET revoked = 1 WHERE hash = ?1 AND merchant = ?2";
            Ok(statements.execute(sql, &[Value::from(&hash.bytes()), account(merchant)])? == 1)
        })
    }

    fn api_key(
        &mut self,
        hash: ApiKeyHash,
        now: Timestamp,
    ) -> Result<Option<(ApiKey, Merchant)>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT hash, merchant, label, scopes, added, expires, revoked FROM api_key
                       WHERE hash = ?1";
            let rows = statements.query(sql, &[Value::from(&hash.bytes())])?;
            let key = rows.first().map(read_key).transpose()?;
            let Some(key) = key.filter(|key| key.is_good(now)) else { return Ok(None) };
            Ok(merchant(statements, key.merchant)?.map(|merchant| (key, merchant)))
        })
    }
}

pub(super) fn merchant(
    statements: &mut dyn Statements,
    id: AccountId,
) -> Result<Option<Merchant>, Fault> {
    let sql = "SELECT account, name, owner, unit, lock_key, naming_secret, webhook_url,
                      webhook_secret, opened, in_vault FROM merchant WHERE account = ?1";
    statements.query(sql, &[account(id)])?.first().map(read_merchant).transpose()
}

fn read_merchant(row: &Row) -> Result<Merchant, Fault> {
    Ok(Merchant {
        account: read_account(row, 0)?,
        name: Name::new(row.text(1)?).map_err(|_| UNREADABLE)?,
        owner: PersonId::from_bytes(row.bytes(2)?),
        unit: Unit::new(row.text(3)?).map_err(|_| UNREADABLE)?,
        key: PointBytes::from_bytes(row.bytes(4)?),
        naming: NamingSecret::new(row.bytes(5)?),
        webhook: row.optional(6, |row, column| Ok(row.text(column)?.to_owned()))?,
        webhook_secret: Secret::new(row.bytes(7)?),
        opened: read_day(row, 8)?,
        is_in_vault: row.boolean(9)?,
    })
}

fn read_key(row: &Row) -> Result<ApiKey, Fault> {
    let scopes = u8::try_from(row.integer(3)?).ok().and_then(Scopes::of_number);
    Ok(ApiKey {
        hash: ApiKeyHash::from_bytes(row.bytes(0)?),
        merchant: read_account(row, 1)?,
        label: Label::new(row.text(2)?).map_err(|_| UNREADABLE)?,
        scopes: scopes.ok_or(UNREADABLE)?,
        added: read_day(row, 4)?,
        expires: read_day(row, 5)?,
        is_revoked: row.boolean(6)?,
    })
}
