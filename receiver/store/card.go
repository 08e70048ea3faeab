package store

import (
	"fmt"

	"holdfast"
)

// SameCard notes that two streams live on one card.
func (t *Tx) SameCard(a, b int64) error {
	var cardA, cardB int64
	for stream, card := range map[int64]*int64{a: &cardA, b: &cardB} {
		if err := t.row("SELECT COALESCE(card, n) FROM stream WHERE n = ?", []any{stream}, card); err != nil {
			return fmt.Errorf("read card: %w", err)
		}
	}
	if cardA == cardB {
		return nil
	}
	if err := t.exec("UPDATE stream SET card = ? WHERE card = ? OR n = ?", min(cardA, cardB), max(cardA, cardB), max(cardA, cardB)); err != nil {
		return fmt.Errorf("note card: %w", err)
	}
	return nil
}

// OtherCards returns the streams of s's device whose end nobody told, that were heard before s, and that are not known to
// live on the same card as s.
func (t *Tx) OtherCards(s Stream) ([]Stream, error) {
	stmt, err := t.stmt(`SELECT n, id, first_seen_us, ended, device FROM stream WHERE device = ?1 AND n < ?2 AND ended IS NULL
		AND COALESCE(card, n) <> (SELECT COALESCE(card, n) FROM stream WHERE n = ?2) ORDER BY n`)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(t.ctx, s.Device, s.N)
	if err != nil {
		return nil, fmt.Errorf("read streams of other cards: %w", err)
	}
	return collect(rows, "streams of other cards", func(s *Stream) []any { return append(s.columns(), &s.Device) })
}

// Lanes returns how far the lanes of a stream reach.
func (t *Tx) Lanes(stream int64) (map[holdfast.Lane]Head, error) {
	stmt, err := t.stmt(selectHeads)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(t.ctx, stream)
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	return heads(rows)
}

// Forget takes the losses of a stream by one cause out of its ledger: they were presumed, and wrongly so.
func (t *Tx) Forget(stream int64, cause holdfast.Cause) error {
	err := t.exec("DELETE FROM ledger WHERE stream = ? AND state = ? AND cause = ?", stream, string(holdfast.Dropped), string(cause))
	if err != nil {
		return fmt.Errorf("change ledger: %w", err)
	}
	return nil
}
