-- Times are microseconds since 1970 UTC. A stream's own number (stream.n) stands for its 128 bits wherever rows are many.

-- +goose Up
CREATE TABLE meta (
	key   TEXT PRIMARY KEY,
	value TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO meta (key, value) VALUES ('store', lower(hex(randomblob(16))));

CREATE TABLE device (
	id            TEXT PRIMARY KEY,
	first_seen_us INTEGER NOT NULL,
	last_seen_us  INTEGER NOT NULL,
	status        TEXT NOT NULL DEFAULT 'active', -- any other status makes the device keep its data
	online        INTEGER NOT NULL DEFAULT 0,
	stream        BLOB,                           -- the current one, as the device's state says
	state         TEXT,                           -- latest state that was more than a last will
	catalog       TEXT
);

CREATE TABLE stream (
	n             INTEGER PRIMARY KEY,
	id            BLOB NOT NULL UNIQUE,
	device        TEXT NOT NULL,
	first_seen_us INTEGER NOT NULL,
	ended         TEXT -- clean or crash, once the next stream's boot event told it
);
CREATE INDEX stream_device ON stream (device, n);

-- What is known of each number of a lane. Intervals neither overlap nor, in one state and for one cause, touch.
CREATE TABLE ledger (
	stream INTEGER NOT NULL,
	lane   TEXT NOT NULL,
	first  INTEGER NOT NULL,
	last   INTEGER NOT NULL,
	state  TEXT NOT NULL, -- data, thinned, dropped, rejected
	cause  TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (stream, lane, first)
) WITHOUT ROWID;

-- How far each lane is known to reach.
CREATE TABLE head (
	stream     INTEGER NOT NULL,
	lane       TEXT NOT NULL,
	head       INTEGER NOT NULL,           -- highest number that anybody ever spoke of
	durable    INTEGER,                    -- where the lane ended, by the next stream's boot event
	changed_us INTEGER NOT NULL DEFAULT 0, -- when its ledger last changed
	PRIMARY KEY (stream, lane)
) WITHOUT ROWID;

CREATE TABLE series (
	id       INTEGER PRIMARY KEY,
	device   TEXT NOT NULL,
	sensor   TEXT NOT NULL,
	quantity TEXT NOT NULL,
	unit     TEXT NOT NULL DEFAULT '',
	UNIQUE (device, sensor, quantity)
);

-- One quantity at one instant.
CREATE TABLE sample (
	series       INTEGER NOT NULL,
	time_us      INTEGER NOT NULL,
	stream       INTEGER NOT NULL,
	seq          INTEGER NOT NULL,
	value        REAL NOT NULL,
	quality      INTEGER NOT NULL DEFAULT 0, -- 0 good, 1 suspect, 2 bad
	boot         TEXT,                       -- with mono: set where wall time was a guess
	mono         INTEGER,
	orig_time_us INTEGER,                    -- the guess, once the sample was re-timed
	PRIMARY KEY (series, time_us, stream, seq)
) WITHOUT ROWID;
CREATE INDEX sample_guessed ON sample (boot) WHERE boot IS NOT NULL AND orig_time_us IS NULL;

-- Everything that is not a reading: events, every step of an alert, aggregates as they came, summaries of thinned ranges.
CREATE TABLE record (
	stream       INTEGER NOT NULL,
	lane         TEXT NOT NULL,
	seq          INTEGER NOT NULL,           -- in a thinned range its first number
	part         INTEGER NOT NULL DEFAULT 0, -- in a thinned range the place within its summaries
	device       TEXT NOT NULL,
	kind         TEXT NOT NULL,
	time_us      INTEGER NOT NULL,
	json         TEXT NOT NULL,
	boot         TEXT,
	mono         INTEGER,
	orig_time_us INTEGER,
	PRIMARY KEY (stream, lane, seq, part)
) WITHOUT ROWID;
CREATE INDEX record_time ON record (device, kind, time_us);
CREATE INDEX record_guessed ON record (boot) WHERE boot IS NOT NULL AND orig_time_us IS NULL;

CREATE TABLE aggregate (
	device       TEXT NOT NULL,
	rule         TEXT NOT NULL,
	rule_version INTEGER NOT NULL,
	grp          TEXT NOT NULL,
	from_us      INTEGER NOT NULL,
	to_us        INTEGER NOT NULL,
	time_us      INTEGER NOT NULL,
	sensor       TEXT NOT NULL,
	count        INTEGER NOT NULL,
	partial      INTEGER NOT NULL,
	json         TEXT NOT NULL, -- values
	stream       INTEGER NOT NULL,
	seq          INTEGER NOT NULL,
	PRIMARY KEY (device, rule, rule_version, grp, from_us)
) WITHOUT ROWID;

-- The latest step of each alert; record holds them all.
CREATE TABLE alert (
	device  TEXT NOT NULL,
	id      TEXT NOT NULL,
	state   TEXT NOT NULL,
	time_us INTEGER NOT NULL,
	json    TEXT NOT NULL,
	stream  INTEGER NOT NULL,
	seq     INTEGER NOT NULL,
	PRIMARY KEY (device, id)
);
CREATE INDEX alert_time ON alert (time_us);

CREATE TABLE anchor (
	device         TEXT NOT NULL,
	boot           TEXT NOT NULL,
	mono           INTEGER NOT NULL,
	time_us        INTEGER NOT NULL,
	uncertainty_us INTEGER NOT NULL,
	PRIMARY KEY (device, boot, mono)
) WITHOUT ROWID;

-- What could not be accepted. The same thing again counts up and takes no further row.
CREATE TABLE dead_letter (
	id          INTEGER PRIMARY KEY,
	digest      BLOB NOT NULL UNIQUE,
	received_us INTEGER NOT NULL,
	last_us     INTEGER NOT NULL,
	count       INTEGER NOT NULL DEFAULT 1,
	device      TEXT NOT NULL,
	topic       TEXT NOT NULL,
	code        TEXT NOT NULL,
	text        TEXT NOT NULL,
	payload     BLOB NOT NULL, -- at most the first 128 KiB
	size        INTEGER NOT NULL,
	stream      BLOB,
	lane        TEXT,
	first       INTEGER,
	last        INTEGER
);
CREATE INDEX dead_letter_device ON dead_letter (device, id);
