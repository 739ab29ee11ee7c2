-- Which version of the worker made an attempt: while a deployment is under way there are two. The one before writes none.
ALTER TABLE baton_attempts ADD COLUMN version text;
