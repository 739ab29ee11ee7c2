-- What the last attempt found in the file, as JSON, also where it failed; and the file's SHA-256 once it has been imported
-- whole, so that the same file is noticed when it comes again.
ALTER TABLE imports ADD COLUMN findings text;
ALTER TABLE imports ADD COLUMN sha256 text;
CREATE INDEX imports_sha256 ON imports (sha256, table_name);
