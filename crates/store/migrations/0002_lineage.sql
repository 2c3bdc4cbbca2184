-- Two copies of a vault that go on each by itself count their commits alike: the lineage tells them apart. It is drawn
-- anew when a copy is put in the place of a vault that had gone on.
-- A vault that has moved to another store is not written to again.

ALTER TABLE vault ADD COLUMN lineage BLOB NOT NULL DEFAULT x'';
ALTER TABLE vault ADD COLUMN moved INTEGER NOT NULL DEFAULT 0;
UPDATE vault SET lineage = randomblob(16);
