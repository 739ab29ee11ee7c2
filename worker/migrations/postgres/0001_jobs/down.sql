DROP TABLE baton_ledger.imported_files, baton_ledger.attempts, baton_ledger.jobs;
