-- What operators sent to devices and what these answered; what is known and wished of a device's shadow.

-- +goose Up
CREATE TABLE command (
	n           INTEGER PRIMARY KEY,          -- the order in which they came
	device      TEXT NOT NULL,
	id          TEXT NOT NULL,
	name        TEXT NOT NULL,
	sender      TEXT NOT NULL DEFAULT '',     -- who asks, as the command says
	payload     BLOB NOT NULL,                -- the message byte by byte; empty once a large one is settled
	received_us INTEGER NOT NULL,
	expires_us  INTEGER NOT NULL,
	sent_us     INTEGER NOT NULL DEFAULT 0,   -- when it last went to the device; 0 for never
	tries       INTEGER NOT NULL DEFAULT 0,   -- how often the receiver sent it
	state       TEXT NOT NULL,
	waiting     INTEGER NOT NULL DEFAULT 1,   -- 0: it is not sent any more
	answer      TEXT,
	answered_us INTEGER,
	UNIQUE (device, id)
);
CREATE INDEX command_device ON command (device, n);
CREATE INDEX command_waiting ON command (device, n) WHERE waiting = 1;

CREATE TABLE shadow (
	device      TEXT PRIMARY KEY,
	document    TEXT,                        -- the last that the device published
	document_us INTEGER,
	desired     TEXT NOT NULL DEFAULT '{}',  -- wishes that the device has not answered
	version     INTEGER NOT NULL DEFAULT 0,  -- that they depend on; 0 for any
	token       TEXT NOT NULL DEFAULT '',    -- of the request that last brought them to the device
	desired_us  INTEGER,
	sent_us     INTEGER NOT NULL DEFAULT 0,
	rejection   TEXT,                        -- why wishes were dropped last
	rejected_us INTEGER
) WITHOUT ROWID;
