-- How long an attempt ran, by clocks that nobody can set: what the wall clock says of it is no proof.
ALTER TABLE attempt ADD COLUMN ran_ms INTEGER NOT NULL DEFAULT 0;
