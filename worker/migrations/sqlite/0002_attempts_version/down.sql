ALTER TABLE baton_attempts DROP COLUMN version;
