-- Codes that lead to a passkey are not all good at once: some wait for a second member of staff, some for a day.

ALTER TABLE invitation ADD COLUMN opens bigint;
ALTER TABLE invitation ADD COLUMN made_by bytea;
UPDATE invitation SET opens = 0;
CREATE INDEX invitation_by_opening ON invitation (opens, expires);
