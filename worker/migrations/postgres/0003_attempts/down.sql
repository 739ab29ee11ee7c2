DROP INDEX imports_finished_at;
DROP INDEX imports_error_created_at;
DROP INDEX imports_table_name_created_at;
DROP TABLE import_attempts;
