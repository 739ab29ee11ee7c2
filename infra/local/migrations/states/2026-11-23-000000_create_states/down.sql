DROP TABLE redrives;
DROP TABLE tokens;
DROP TABLE history;
DROP TABLE executions;
DROP TABLE revisions;
DROP TABLE machines;
