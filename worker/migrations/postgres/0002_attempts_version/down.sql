ALTER TABLE baton_ledger.attempts DROP COLUMN version;
