-- Who may log in: devices, and operators who send commands. Of a secret only the hash is kept, in mosquitto's form.

-- +goose Up
ALTER TABLE device ADD COLUMN hash TEXT NOT NULL DEFAULT '';     -- '': it was heard, and never given a secret
ALTER TABLE device ADD COLUMN type TEXT NOT NULL DEFAULT '';     -- an operator's word
ALTER TABLE device ADD COLUMN location TEXT NOT NULL DEFAULT ''; -- an operator's word

CREATE TABLE operator (
	name     TEXT PRIMARY KEY,
	hash     TEXT NOT NULL,
	since_us INTEGER NOT NULL
) WITHOUT ROWID;
