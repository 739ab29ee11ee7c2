DROP TABLE baton_imported_files;
DROP TABLE baton_attempts;
DROP TABLE baton_jobs;
