-- What an operator adds to what devices say: letters that were replayed, devices that took over from others. And which
-- streams live on one card, so that the loss of a card shows.

-- +goose Up
ALTER TABLE dead_letter ADD COLUMN replayed_us INTEGER; -- when its records went into the database after all

ALTER TABLE stream ADD COLUMN card INTEGER; -- n of the first stream that was heard of the same card; NULL: its own

-- Streams of former are taken from device too: the same card under another id.
CREATE TABLE predecessor (
	device   TEXT NOT NULL,
	former   TEXT NOT NULL,
	since_us INTEGER NOT NULL,
	PRIMARY KEY (device, former)
) WITHOUT ROWID;
